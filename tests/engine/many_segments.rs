//! Tests that the cost of a log in very many segments grows with their number at most: the calls of a simulated disk are
//! counted, and the files that are open at the same time.

use std::path::Path;

use chronicle::EventLog;
use chronicle::storage::Disk;

use super::retention::{FOLDER, bases, options};
use super::sim_disk::{DiskWork, SimDisk};
use super::support::large_event;

/// Numbers of segments that are compared.
const FEW: usize = 60;
const MANY: usize = 600;
/// At most this number of files is open: 64 segments, 128 indexes of segments, and a few others.
const MAX_OPEN_FILES: usize = 64 + 128 + 16;

/// Creates a log in which each event has a segment, with an index for each.
fn disk_with_segments(segments: usize) -> SimDisk {
    let disk = SimDisk::default();
    disk.report_entries();
    disk.create_folder(Path::new("/data"), Path::new("/")).unwrap();
    let mut log = options(&disk).create(FOLDER).unwrap();
    for n in 0..segments {
        log.append(&large_event(1 + n as u64 % 7, 1000 + n % 2)).unwrap();
    }
    log.close().unwrap();
    assert_eq!(bases(&disk, FOLDER).len(), segments);
    disk
}

fn read_only(disk: &SimDisk) -> EventLog {
    options(disk).open_read_only(FOLDER).unwrap()
}

/// Returns the work of an operation with few segments and with many.
fn work_of(operation: impl Fn(&SimDisk)) -> [DiskWork; 2] {
    [FEW, MANY].map(|segments| {
        let disk = disk_with_segments(segments);
        let work = disk.work_of(|| operation(&disk));
        assert!(work.max_open_files <= MAX_OPEN_FILES, "{segments} segments: {work:?}");
        work
    })
}

/// Asserts that an operation does not depend on the number of segments, apart from the number of names that it lists: those of
/// the folder once, or `listings` times.
fn assert_constant(name: &str, listings: usize, [few, many]: [DiskWork; 2]) {
    let without_names = |work: DiskWork| DiskWork { listed: 0, ..work };
    assert_eq!(without_names(few), without_names(many), "{name}");
    for (segments, work) in [(FEW, few), (MANY, many)] {
        // Each segment has an index, and there are the settings and the lock.
        assert!(work.listed <= listings * (2 * segments + 2), "{name}: {segments} segments: {work:?}");
    }
}

/// Asserts that an operation costs at most `per_segment` calls and names for each segment, at any number of them.
fn assert_linear(name: &str, per_segment: usize, [few, many]: [DiskWork; 2]) {
    assert!(many.total() <= few.total() * (MANY / FEW) * 11 / 10, "{name}: {few:?}, {many:?}");
    assert!(many.total() <= per_segment * MANY, "{name}: {} for each segment: {many:?}", many.total() / MANY);
}

#[test]
fn opening_lists_the_folder_and_opens_no_sealed_segment_but_the_first() {
    let [few, many] = work_of(|disk| drop(read_only(disk)));
    assert_constant("open for reading", 1, [few, many]);
    // The first segment, the last one, and its index.
    assert!(many.opened <= 4, "{many:?}");
    assert_constant("open for appending", 4, work_of(|disk| drop(options(disk).open(FOLDER).unwrap())));
}

#[test]
fn opening_a_folder_without_indexes_opens_no_sealed_segment_but_the_first() {
    for segments in [FEW, MANY] {
        let disk = disk_with_segments(segments);
        remove_indexes(&disk);
        let work = disk.work_of(|| drop(read_only(&disk)));
        assert!(work.opened <= 3, "{work:?}");
        // The segment with an index is looked at, and no other one.
        let base = bases(&disk, FOLDER)[5];
        disk.put(&format!("{FOLDER}/{base:020}.log.idx"), b"no index");
        let work = disk.work_of(|| drop(read_only(&disk)));
        assert!(work.opened <= 6, "{work:?}");
        assert_eq!(read_only(&disk).view().index_state().name(), "corrupt");
    }
}

fn remove_indexes(disk: &SimDisk) {
    for name in disk.names().iter().filter(|name| name.contains(".log.idx")) {
        disk.remove(Path::new(name)).unwrap();
    }
}

#[test]
fn reading_many_segments_takes_few_calls_for_each_and_keeps_few_files_open() {
    let events = |log: &EventLog| log.replay(0).unwrap().map(Result::unwrap).count();
    assert_linear("replay", 12, work_of(|disk| assert!(events(&read_only(disk)) >= FEW)));
    assert_linear("verify", 60, work_of(|disk| assert_eq!(read_only(disk).verify().unwrap().findings, [])));
    let summaries = work_of(|disk| {
        let log = read_only(disk);
        assert!(log.view().segment_summaries().iter().all(|segment| segment.events == Some(1)));
    });
    assert_linear("segment summaries", 50, summaries);
    // The segment and its index, each once.
    assert!(summaries[1].opened <= 2 * MANY + 8, "{:?}", summaries[1]);
}

#[test]
fn looking_up_an_aggregate_takes_few_calls_for_each_segment() {
    let first = work_of(|disk| assert!(read_only(disk).load_aggregate(3).unwrap().len() > FEW / 8));
    // The indexes of a few segments stay open, and are not opened again.
    assert!([FEW, MANY].iter().zip(first).all(|(segments, work)| work.total() <= 50 * segments), "{first:?}");
    for disk in [FEW, MANY].map(disk_with_segments) {
        let log = read_only(&disk);
        log.load_aggregate(3).unwrap();
        let work = disk.work_of(|| drop(log.load_aggregate(4).unwrap()));
        assert!(work.max_open_files <= 64 + 4, "{work:?}");
        assert_eq!(work.listed, 0);
        assert!(work.total() <= 24 * log.view().segment_bases().len(), "{work:?}");
    }
}

#[test]
fn a_new_segment_costs_its_writer_and_a_reader_the_same_at_any_number() {
    let costs = [FEW, MANY].map(|segments| {
        let disk = disk_with_segments(segments);
        let mut log = options(&disk).open(FOLDER).unwrap();
        let reader = read_only(&disk);
        let mut at = reader.len().unwrap();
        let append = |n: usize| log.append(&large_event(1, 1000 + n % 2)).unwrap();
        let mut appended = Vec::new();
        let writing = disk.work_of(|| appended.extend((0..20).map(append)));
        let following = disk.work_of(|| {
            let events = reader.replay(at).unwrap().map(|event| event.unwrap().offset()).collect::<Vec<_>>();
            assert_eq!(events, appended);
            at = reader.len().unwrap();
        });
        (writing, following)
    });
    assert_eq!(costs[0], costs[1]);
    assert_eq!((costs[0].0.listed, costs[0].1.listed), (0, 0));
}

#[test]
fn saving_the_indexes_lists_the_folder_a_few_times_only() {
    let work = work_of(|disk| {
        remove_indexes(disk);
        read_only(disk).save_index().unwrap();
    });
    assert_linear("save the indexes", 150, work);
    assert!(work[1].listed <= 8 * (2 * MANY + 2), "{:?}", work[1]);
}
