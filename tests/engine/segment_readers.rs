//! Tests of readers and copies of a log in segments while its writer starts and removes segments, and of a second writer.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chronicle::storage::Disk;
use chronicle::{EventLog, OpenOptions, StorageError};
use proptest::prelude::*;

use super::retention::{FOLDER, bases, options, replayed};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{START_MS, event, is_temporary};

/// Reads the events from `from` on. Returns their offsets, and whether segments before them were removed meanwhile.
fn follow(reader: &EventLog, from: u64) -> (Vec<u64>, bool) {
    let (mut events, mut has_removed) = (Vec::new(), false);
    let replay = match reader.replay(from) {
        Err(StorageError::Removed { first, .. }) => {
            has_removed = true;
            reader.replay(first).unwrap()
        }
        replay => replay.unwrap(),
    };
    for item in replay {
        match item {
            Ok(event) => events.push(event.offset()),
            Err(StorageError::Removed { .. }) => has_removed = true,
            Err(error) => panic!("{error}"),
        }
    }
    (events, has_removed)
}

/// One step of a writer and its readers.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append(usize),
    RemoveBefore(u8),
    UndoRemoval,
    /// The reader with this number reads the events that are new to it.
    Follow(usize),
    /// The reader with this number opens the log again.
    Open(usize),
    Verify(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1usize..9).prop_map(Step::Append),
        1 => any::<u8>().prop_map(Step::RemoveBefore),
        1 => Just(Step::UndoRemoval),
        3 => (0usize..3).prop_map(Step::Follow),
        1 => (0usize..3).prop_map(Step::Open),
        1 => (0usize..3).prop_map(Step::Verify),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn readers_follow_while_segments_are_added_removed_and_restored(steps in prop::collection::vec(step(), 1..30)) {
        let disk = SimDisk::default();
        let mut writer = options(&disk).create(FOLDER).unwrap();
        let mut offsets = vec![writer.append(&event(1, 0)).unwrap()];
        let mut start = 0;
        let open = || options(&disk).open_read_only(FOLDER).unwrap();
        // Each reader, and the offset up to which it has read.
        let mut readers: Vec<(EventLog, u64)> = (0..3).map(|_| (open(), 0)).collect();
        for step in steps {
            match step {
                Step::Append(events) => {
                    for _ in 0..events {
                        offsets.push(writer.append(&event(1, offsets.len())).unwrap());
                    }
                }
                Step::RemoveBefore(share) => {
                    start = writer.remove_before(offsets[offsets.len() * usize::from(share) / 256]).unwrap();
                }
                Step::UndoRemoval => {
                    if let Ok(removal) = writer.undo_removal() {
                        start = removal.old_start;
                    }
                }
                Step::Follow(n) => {
                    let (reader, read_to) = &mut readers[n];
                    let (events, has_removed) = follow(reader, *read_to);
                    let expected: Vec<u64> =
                        offsets.iter().copied().filter(|offset| offset >= read_to && *offset >= start).collect();
                    prop_assert_eq!(&events, &expected, "reader {} from {}, start {}", n, read_to, start);
                    prop_assert!(!has_removed || *read_to < start, "reader {} from {}, start {}", n, read_to, start);
                    *read_to = reader.len().unwrap();
                }
                Step::Open(n) => readers[n].0 = open(),
                Step::Verify(n) => {
                    let found = readers[n].0.verify().unwrap();
                    prop_assert_eq!(&found.findings, &[]);
                    prop_assert_eq!(found.events, offsets.iter().filter(|offset| **offset >= start).count() as u64);
                }
            }
            let refused = options(&disk).open(FOLDER);
            prop_assert!(matches!(refused, Err(StorageError::Locked { .. })), "a second writer: {:?}", refused);
        }
    }
}

#[test]
fn a_thread_reads_every_event_while_another_one_adds_and_removes_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let mut writer = OpenOptions::new().segment_size(1024).create(&path).unwrap();
    let reader = EventLog::open_read_only(&path).unwrap();
    let is_done = AtomicBool::new(false);
    let (written, (read, passes)) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut read, mut at, mut passes) = (Vec::new(), 0, 0);
            loop {
                // The last pass begins after the last append.
                let is_last = is_done.load(Ordering::Acquire);
                let (events, _) = follow(&reader, at);
                at = events.last().map_or(at, |last| last + 1);
                read.extend(events);
                if let Some(last) = read.last() {
                    at = next_boundary(&reader, *last);
                }
                passes += 1;
                if is_last {
                    return (read, passes);
                }
            }
        });
        let mut written = Vec::new();
        for n in 0..400 {
            written.push(writer.append(&event(1, n)).unwrap());
            if n % 50 == 49 {
                writer.remove_before(written[n - 20]).unwrap();
            }
        }
        is_done.store(true, Ordering::Release);
        (written, reading.join().unwrap())
    });
    assert!(passes > 1);
    assert!(read.is_sorted_by(|a, b| a < b), "each event is read once: {read:?}");
    assert!(read.iter().all(|offset| written.contains(offset)));
    // What was not removed was read.
    let start = writer.view().segments().unwrap().log_start();
    let kept: Vec<u64> = written.iter().copied().filter(|offset| *offset >= start).collect();
    assert!(read.ends_with(&kept), "{read:?}, {kept:?}");
    assert_eq!(EventLog::open_read_only(&path).unwrap().verify().unwrap().findings, []);
}

/// Returns the end of the frame at `offset`.
fn next_boundary(log: &EventLog, offset: u64) -> u64 {
    match log.replay(offset + 1) {
        Err(StorageError::InsideFrame { end, .. }) => end,
        Err(StorageError::Removed { first, .. }) => first,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_that_is_made_file_by_file_between_any_writes_is_a_beginning_of_the_log() {
    let write = |disk: &SimDisk| -> Result<Vec<u64>, StorageError> {
        // Each run appends the same bytes.
        let mut log = options(disk).clock(|| START_MS).open(FOLDER)?;
        (0..30).map(|n| log.append(&event(1, n))).collect()
    };
    let disk = SimDisk::default();
    drop(options(&disk).create(FOLDER).unwrap());
    let complete = disk.next_process();
    let offsets = write(&complete).unwrap();
    assert!(bases(&complete, FOLDER).len() >= 4);
    // The disk before each call of the writer, and after the last one.
    let mut states: Vec<SimDisk> = (0..complete.calls())
        .map(|call| {
            let disk = disk.next_process();
            disk.fail(call, DiskFault::Kill);
            let _ = write(&disk);
            disk.next_process()
        })
        .collect();
    states.push(complete.next_process());
    let mut lengths = Vec::new();
    for listed in 0..states.len() {
        for calls_between_files in [0, 1, 2, 5, 17] {
            let copy = SimDisk::default();
            copy.create_folder(Path::new(FOLDER), Path::new(FOLDER)).unwrap();
            let names: Vec<String> =
                states[listed].names().into_iter().filter(|name| name.starts_with(FOLDER)).collect();
            for (nth, name) in names.iter().enumerate() {
                let state = &states[(listed + nth * calls_between_files).min(states.len() - 1)];
                // A file that has got another name since it was listed is not copied.
                if let Some(bytes) = state.get(name) {
                    copy.put(name, &bytes);
                }
            }
            let context = format!("listed at call {listed}, {calls_between_files} calls between files");
            let log = options(&copy).open(FOLDER).unwrap_or_else(|error| panic!("{context}: {error}"));
            let found = replayed(&log);
            assert!(offsets.starts_with(&found), "{context}: {found:?}");
            assert_eq!(log.verify().unwrap().findings, [], "{context}");
            assert!(!copy.names().iter().any(|name| is_temporary(name)), "{context}: {:?}", copy.names());
            lengths.push(found.len());
        }
    }
    assert!((0..=offsets.len()).all(|len| lengths.contains(&len)), "{lengths:?}");
}
