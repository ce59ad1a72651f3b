//! Tests of the public interface: the signatures that the roadmap fixes, merging of indexes, and reading through a
//! shared reference.

use std::error::Error;
use std::path::Path;
use std::thread;

use chronicle::{
    AggregateIndex, Durability, Event, EventLog, IndexFault, MergeError, StorageError, StoredEvent, load_index,
    save_index,
};
use proptest::prelude::*;

use super::index::{offsets_by_aggregate, replayed_offsets};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{INDEX, LOG, disk_with_log, event, large_event, log_bytes, open_options, open_read_only};

/// Uses every signature of the roadmap in the form of the roadmap.
fn roadmap_program(path: &Path, index_path: &Path) -> Result<Vec<StoredEvent>, Box<dyn Error>> {
    let mut log: EventLog = EventLog::open_or_create(path)?;
    let first: u64 = log.append(&event(42, 0))?;
    let second: u64 = log.append_sync(&event(7, 1))?;
    drop(log);

    let log: EventLog = EventLog::open(path)?;
    let from_second: Vec<StoredEvent> = log.replay(second)?.collect::<Result<_, StorageError>>()?;
    let before_second: Vec<StoredEvent> = log.replay_until(0, second)?.collect::<Result<_, StorageError>>()?;
    assert_eq!((from_second.len(), before_second[0].offset()), (1, first));

    let index: AggregateIndex = log.rebuild_index_from(0)?;
    save_index(index_path, &index)?;
    let mut index: AggregateIndex = load_index(index_path)?;
    let later: AggregateIndex = log.rebuild_index_from(second)?;
    index.merge(later)?;
    let offsets: Vec<u64> = index.offsets(42)?.collect::<Result<_, IndexFault>>()?;
    assert_eq!(offsets, [first]);
    for aggregate in index.iter() {
        let aggregate = aggregate?;
        assert_eq!((aggregate.events, index.clone().coverage().events), (1, 2));
    }
    let events: Vec<StoredEvent> = log.load_aggregate(42)?;
    Ok(events)
}

#[test]
fn a_program_written_from_the_roadmap_compiles_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (path, index_path) = (folder.path().join("a.log"), folder.path().join("a.idx"));
    let events = roadmap_program(&path, &index_path).unwrap();
    assert_eq!(events.iter().map(StoredEvent::aggregate_id).collect::<Vec<_>>(), [Some(42)]);
}

#[test]
fn open_or_create_creates_once_and_then_opens() {
    let disk = SimDisk::default();
    let offset = open_options(&disk).open_or_create(LOG).unwrap().append(&event(1, 0)).unwrap();
    let log = open_options(&disk).open_or_create(LOG).unwrap();
    assert_eq!(log.load_aggregate(1).unwrap()[0].offset(), offset);
}

#[test]
fn threads_share_a_log_and_read_its_aggregates() {
    fn assert_shareable<T: Send + Sync>(_: &T) {}
    let (disk, _) = disk_with_log(30);
    let log = open_read_only(&disk);
    assert_shareable(&log);
    thread::scope(|scope| {
        for id in 1..=3 {
            let log = &log;
            scope.spawn(move || assert_eq!(log.load_aggregate(id).unwrap().len(), 10));
        }
    });
}

#[test]
fn a_lookup_reads_only_what_was_appended_since_the_last_one() {
    let (disk, offsets) = disk_with_log(200);
    let mut log = open_options(&disk).open(LOG).unwrap();
    log.load_aggregate(1).unwrap();
    let before = disk.bytes_read();
    let added = log.append(&event(9, 0)).unwrap();
    assert_eq!(log.load_aggregate(9).unwrap()[0].offset(), added);
    let read = disk.bytes_read() - before;
    assert!(read < offsets[199] / 4, "{read} bytes read");
}

#[test]
fn readers_that_outlive_a_writer_do_not_keep_its_lock() {
    let (disk, _) = disk_with_log(3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    std::fs::write(&path, disk.get(LOG).unwrap()).unwrap();
    let log = EventLog::open(&path).unwrap();
    let (index, events) = (log.index().unwrap(), log.replay(0).unwrap());
    assert!(matches!(EventLog::open(&path), Err(StorageError::Locked { .. })), "the lock is held");
    drop(log);
    EventLog::open(&path).unwrap();
    assert_eq!((events.count(), index.coverage().events), (3, 3));
}

#[test]
fn saving_an_index_syncs_its_log_first() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    log.append(&event(1, 0)).unwrap();
    let index = log.rebuild_index_from(0).unwrap();
    save_index(Path::new(INDEX), &index).unwrap();
    let after = disk.power_cut(|| false);
    let covered_to = open_read_only(&after).view().persisted_index().unwrap().coverage().covered_to;
    assert_eq!(after.get(LOG).unwrap().len() as u64, covered_to);
}

#[test]
fn an_index_of_a_log_whose_sync_failed_is_not_saved() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    log.append(&event(1, 0)).unwrap();
    let index = log.rebuild_index_from(0).unwrap();
    disk.fail(0, DiskFault::Error(5));
    assert!(matches!(log.sync(), Err(StorageError::Poisoned { .. })));
    assert!(matches!(save_index(Path::new(INDEX), &index), Err(StorageError::Io { action: "sync", .. })));
    assert!(log.save_index().is_err());
    assert_eq!(disk.get(INDEX), None);
}

#[test]
fn an_index_of_a_part_is_not_saved_and_not_used_for_queries() {
    use chronicle::query::{Filter, PageRequest, ReadStart, read_page};
    let (disk, offsets) = disk_with_log(9);
    let log = open_read_only(&disk);
    let part = log.rebuild_index_from(offsets[6]).unwrap();
    let refused = save_index(Path::new(INDEX), &part);
    assert!(matches!(&refused, Err(StorageError::Refused { .. })), "{refused:?}");
    let filter = Filter::parse("agg:1", 0).unwrap();
    let request = PageRequest::new(&filter, ReadStart::forward(0), 10);
    let page = read_page(log.view(), Some(&part), &request, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert_eq!(page.rows.len(), 3, "all events of the aggregate, not only those of the part");
}

#[test]
fn an_index_merges_with_one_that_overlaps_or_adjoins_and_refuses_a_gap() {
    let (disk, offsets) = disk_with_log(60);
    let log = open_read_only(&disk);
    let end = log.len().unwrap();
    let whole = log.rebuild_index_from(0).unwrap();
    assert_eq!((whole.coverage().start, whole.coverage().covered_to), (0, end));

    let shorter = SimDisk::with_files(&[(LOG, &disk.get(LOG).unwrap()[..offsets[40] as usize])]);
    let first_part = open_read_only(&shorter).rebuild_index_from(0).unwrap();
    for start in [0, offsets[1], offsets[20], offsets[39] + 5, offsets[40]] {
        let mut merged = first_part.clone();
        let later = log.rebuild_index_from(start).unwrap();
        assert!(later.iter().all(|aggregate| aggregate.unwrap().first >= start));
        merged.merge(later).unwrap();
        assert_eq!(offsets_by_aggregate(&merged), offsets_by_aggregate(&whole), "from {start}");
        assert_eq!(merged.coverage(), whole.coverage(), "from {start}");
    }
    let mut merged = first_part.clone();
    let gap = merged.merge(log.rebuild_index_from(offsets[41]).unwrap());
    let expected = (offsets[40], offsets[41]);
    assert!(
        matches!(gap, Err(MergeError::NotContiguous { covered_to, start }) if (covered_to, start) == expected),
        "{gap:?}"
    );
    assert_eq!(merged.coverage(), first_part.coverage(), "a refused merge changes nothing");

    let other = open_options(&SimDisk::default()).create(LOG).unwrap().rebuild_index_from(0).unwrap();
    assert!(matches!(merged.merge(other), Err(MergeError::DifferentLog)));
}

#[test]
fn a_merge_with_a_shorter_log_keeps_the_record_of_the_lost_end() {
    let (disk, offsets) = disk_with_log(12);
    let mut index = open_read_only(&disk).rebuild_index_from(0).unwrap();
    let end = index.coverage().covered_to;
    let shorter = SimDisk::with_files(&[(LOG, &disk.get(LOG).unwrap()[..offsets[9] as usize])]);
    index.merge(open_read_only(&shorter).rebuild_index_from(offsets[4]).unwrap()).unwrap();
    assert_eq!((index.coverage().covered_to, index.coverage().log_end_offset), (offsets[9], end));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    std::fs::write(&path, shorter.get(LOG).unwrap()).unwrap();
    let mut saved = EventLog::open_read_only(&path).unwrap().rebuild_index_from(0).unwrap();
    saved.merge(index.clone()).unwrap();
    assert_eq!(saved.coverage().log_end_offset, end, "the record of the lost end is kept");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Merging the indexes of two overlapping parts of a log gives the index of the whole log.
    #[test]
    fn merged_parts_equal_the_index_of_the_whole_log(
        cut in any::<prop::sample::Index>(),
        start in any::<prop::sample::Index>(),
        flip in prop::option::of(any::<prop::sample::Index>()),
        large in 0usize..60_000,
    ) {
        let (mut bytes, _) = log_bytes(40);
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let mut log = open_options(&disk).open(LOG).unwrap();
        for n in 0..20 {
            log.append(&large_event(n % 5, large / 20 + 1)).unwrap();
        }
        drop(log);
        bytes = disk.get(LOG).unwrap();
        if let Some(flip) = flip {
            let at = 16 + flip.index(bytes.len() - 16);
            bytes[at] ^= 0x10;
        }
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let shorter = SimDisk::with_files(&[(LOG, &bytes[..16 + cut.index(bytes.len() - 15)])]);
        let log = open_read_only(&disk);
        let whole = log.rebuild_index_from(0).unwrap();
        let mut merged = open_read_only(&shorter).rebuild_index_from(0).unwrap();
        let later = log.rebuild_index_from(start.index(bytes.len() + 1) as u64).unwrap();
        if later.coverage().start > merged.coverage().scanned_to {
            let refused = matches!(merged.merge(later), Err(MergeError::NotContiguous { .. }));
            prop_assert!(refused);
            return Ok(());
        }
        merged.merge(later).unwrap();
        prop_assert_eq!(offsets_by_aggregate(&merged), replayed_offsets(&disk));
        prop_assert_eq!(merged.coverage(), whole.coverage());
        let names = |index: &AggregateIndex| -> Vec<_> {
            let mut names: Vec<_> =
                index.counts().iter().map(|(name, count)| (format!("{name:?}"), count)).filter(|name| name.1 > 0).collect();
            names.sort();
            names
        };
        prop_assert_eq!(names(&merged), names(&whole));
        prop_assert_eq!(merged.known_damage().collect::<Vec<_>>(), whole.known_damage().collect::<Vec<_>>());
    }
}

#[test]
fn a_batch_and_single_events_have_both_durabilities() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let events: Vec<Event> = (0..3).map(|n| event(1, n)).collect();
    log.append_batch(&events, Durability::Synced).unwrap();
    let unsynced = log.append(&event(1, 3)).unwrap();
    let after = disk.power_cut(|| false);
    assert_eq!(after.get(LOG).unwrap().len() as u64, unsynced, "a power cut keeps the synced events");
}
