//! Tests of writers that start segments, with a kill or a failure at every disk call: nothing that was acknowledged is lost, no
//! offset is given twice, and nothing is left over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chronicle::{Durability, EventLog, OpenOptions, StorageError};

use super::call_order::CallKind;
use super::retention::{FOLDER, bases, options};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{START_MS, event, is_temporary, open_options, random_choices};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
/// Number of events before the writer that is tested.
const BEFORE: usize = 3;
/// Number of appends of that writer.
const APPENDS: usize = 12;

/// How the writer appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Appends {
    Buffered,
    Synced,
    BufferedBatches,
    SyncedBatches,
    /// Each segment gets too old after a few appends, and none gets full.
    IntoOldSegments,
}

/// An append and its result.
#[derive(Debug)]
struct Attempt {
    numbers: Vec<usize>,
    is_synced: bool,
    /// The offsets of the events; `None` after an error.
    offsets: Option<Vec<u64>>,
}

impl Appends {
    fn options(self, disk: &SimDisk) -> OpenOptions {
        match self {
            Self::IntoOldSegments => {
                // No other test advances this clock.
                let ticks = AtomicU64::new(1 << 30);
                let clock = move || START_MS + 1000 * ticks.fetch_add(1, Ordering::Relaxed);
                open_options(disk).clock(clock).segment_size(1 << 20).segment_age(Duration::from_secs(3))
            }
            _ => options(disk),
        }
    }

    /// Appends the events with these numbers.
    fn append(self, log: &mut EventLog, numbers: &[usize]) -> Result<Vec<u64>, StorageError> {
        let events: Vec<_> = numbers.iter().map(|n| event(1, *n)).collect();
        match self {
            Self::Buffered | Self::IntoOldSegments => log.append(&events[0]).map(|offset| vec![offset]),
            Self::Synced => log.append_sync(&events[0]).map(|offset| vec![offset]),
            Self::BufferedBatches => log.append_batch(&events, Durability::Buffered),
            Self::SyncedBatches => log.append_batch(&events, Durability::Synced),
        }
    }

    /// Opens the log and appends until the writer accepts no more events.
    fn run(self, disk: &SimDisk, attempts: &mut Vec<Attempt>) -> Result<(), StorageError> {
        let mut log = self.options(disk).open(FOLDER)?;
        let batch = if matches!(self, Self::BufferedBatches | Self::SyncedBatches) { 3 } else { 1 };
        for n in 0..APPENDS {
            let numbers: Vec<usize> = (0..batch).map(|event| 100 + n * batch + event).collect();
            let result = self.append(&mut log, &numbers);
            let is_poisoned = matches!(result, Err(StorageError::Poisoned { .. }));
            let is_synced = matches!(self, Self::Synced | Self::SyncedBatches);
            attempts.push(Attempt { numbers, is_synced, offsets: result.ok() });
            if is_poisoned {
                break;
            }
        }
        Ok(())
    }
}

/// What a fault can take from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    /// Events that were appended since the last sync.
    Unsynced,
}

impl Loss {
    /// The system drops what it could not sync. A process that is killed loses nothing.
    fn of(disk: &SimDisk, fault: DiskFault) -> Self {
        let is_failed_sync = fault != DiskFault::Kill && disk.faulted_call() == Some(CallKind::Sync);
        if is_failed_sync { Self::Unsynced } else { Self::Nothing }
    }
}

/// Returns a disk with a log of a few events on stable storage, and the offsets and numbers of the events.
fn new_log() -> (SimDisk, Vec<(u64, usize)>) {
    let disk = SimDisk::default();
    let mut log = options(&disk).create(FOLDER).unwrap();
    let events = (0..BEFORE).map(|n| (log.append_sync(&event(1, n)).unwrap(), n)).collect();
    log.close().unwrap();
    (disk, events)
}

/// Returns the offset and number of every event that a replay yields, and the starts of its error items.
fn replayed(log: &EventLog) -> (Vec<(u64, usize)>, Vec<u64>) {
    let number = |payload: &str| payload[5..payload.find(',').unwrap()].parse().unwrap();
    let (mut events, mut damage) = (Vec::new(), Vec::new());
    for item in log.replay(0).unwrap() {
        match item {
            Ok(event) => events.push((event.offset(), number(event.payload()))),
            Err(StorageError::Damaged { finding, .. }) => damage.push(finding.start),
            Err(error) => panic!("{error}"),
        }
    }
    (events, damage)
}

/// Opens the log for appending after a fault, and checks its events, its files and its next append.
fn check_after_fault(disk: &SimDisk, before: &[(u64, usize)], attempts: &[Attempt], loss: Loss, context: &str) {
    let acknowledged = |attempt: &Attempt| -> Vec<(u64, usize)> {
        let offsets = attempt.offsets.clone().unwrap_or_default();
        offsets.into_iter().zip(attempt.numbers.iter().copied()).collect()
    };
    let all: Vec<_> = before.iter().copied().chain(attempts.iter().flat_map(acknowledged)).collect();
    let mut log = options(disk).open(FOLDER).unwrap_or_else(|error| panic!("{context}: {error}"));
    let (found, damage) = replayed(&log);
    let synced = attempts.iter().rfind(|attempt| attempt.is_synced && attempt.offsets.is_some());
    let synced = synced.map_or(before.last().copied(), |last| acknowledged(last).pop()).map_or(0, |event| event.0 + 1);
    // What was appended to a segment is on stable storage before the next one exists.
    let can_be_lost_from = match loss {
        Loss::Nothing => u64::MAX,
        Loss::Unsynced => synced.max(*bases(disk, FOLDER).last().unwrap()),
    };
    let missing: Vec<_> = all.iter().filter(|event| !found.contains(event)).collect();
    assert!(missing.iter().all(|event| event.0 >= can_be_lost_from), "{context}: {missing:?} from {can_be_lost_from}");
    assert!(damage.iter().all(|start| *start >= can_be_lost_from), "{context}: {damage:?} from {can_be_lost_from}");
    // What was not acknowledged can be there too, once.
    let failed = |n: usize| attempts.iter().any(|attempt| attempt.offsets.is_none() && attempt.numbers.contains(&n));
    for (offset, n) in found.iter().filter(|event| !all.contains(event)) {
        assert!(failed(*n), "{context}: event {n} at {offset}");
    }
    assert!(found.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{context}: {found:?}");
    assert_eq!(damage.is_empty(), log.verify().unwrap().findings.is_empty(), "{context}");
    let temporary: Vec<_> = disk.names().into_iter().filter(|name| is_temporary(name)).collect();
    assert_eq!(temporary, Vec::<String>::new(), "{context}");
    let next = log.append_sync(&event(1, 999)).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(found.last().is_none_or(|last| last.0 < next), "{context}: {found:?}, {next}");
    drop(log);
    let after = options(&disk.power_cut(|| false)).open(FOLDER).unwrap();
    assert_eq!(replayed(&after), ([found, vec![(next, 999)]].concat(), damage), "{context}");
}

#[test]
fn a_kill_or_an_error_at_every_call_of_a_writer_loses_nothing_that_was_acknowledged() {
    let all = [
        Appends::Buffered,
        Appends::Synced,
        Appends::BufferedBatches,
        Appends::SyncedBatches,
        Appends::IntoOldSegments,
    ];
    for appends in all {
        let (disk, before) = new_log();
        let complete = disk.next_process();
        let mut attempts = Vec::new();
        appends.run(&complete, &mut attempts).unwrap();
        assert!(attempts.iter().all(|attempt| attempt.offsets.is_some()));
        let segments = bases(&complete, FOLDER).len();
        assert!(segments >= 3, "{appends:?}: {segments} segments");
        let (calls, mut failed) = (complete.calls(), 0);
        for call in 0..calls {
            for fault in [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::Error(ENOSPC), DiskFault::ShortWrite] {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let mut attempts = Vec::new();
                let opened = appends.run(&disk, &mut attempts);
                failed += usize::from(opened.is_err() || attempts.iter().any(|attempt| attempt.offsets.is_none()));
                let context = format!("{appends:?}: {fault:?} at call {call} ({:?})", disk.faulted_call());
                let loss = Loss::of(&disk, fault);
                check_after_fault(&disk.next_process(), &before, &attempts, loss, &context);
                for seed in 0..2 {
                    let cut = disk.power_cut(random_choices(seed));
                    let context = format!("{context}, power cut {seed}");
                    check_after_fault(&cut, &before, &attempts, Loss::Unsynced, &context);
                }
            }
        }
        assert!(failed > calls, "{appends:?}: {failed} of {calls}");
    }
}

#[test]
fn an_error_while_a_segment_is_started_leaves_a_writer_that_appends_again() {
    let (disk, before) = new_log();
    let complete = disk.next_process();
    Appends::Buffered.run(&complete, &mut Vec::new()).unwrap();
    let mut continued = 0;
    for call in 0..complete.calls() {
        let disk = disk.next_process();
        disk.fail(call, DiskFault::Error(ENOSPC));
        let mut attempts = Vec::new();
        if Appends::Buffered.run(&disk, &mut attempts).is_err() {
            continue;
        }
        let failed = attempts.iter().position(|attempt| attempt.offsets.is_none());
        let later = failed.map_or(&[][..], |failed| &attempts[failed + 1..]);
        continued += usize::from(later.iter().any(|attempt| attempt.offsets.is_some()));
        // A failed sync poisons the writer. Every other error lets the next append succeed.
        let is_poisoned = attempts.len() < APPENDS;
        assert!(is_poisoned || later.iter().all(|attempt| attempt.offsets.is_some()), "call {call}: {attempts:?}");
        let loss = Loss::of(&disk, DiskFault::Error(ENOSPC));
        check_after_fault(&disk.next_process(), &before, &attempts, loss, &format!("call {call}"));
    }
    assert!(continued > 3, "{continued}");
}

#[test]
fn temporary_files_of_killed_processes_are_removed_by_the_next_writer_and_others_stay() {
    let (disk, _) = new_log();
    let left = [
        "00000000000000009999.log.4294967295-0.tmp",
        "00000000000000000000.log.idx.4294967295-3.tmp",
        "log.json.4294967295-1.tmp",
    ];
    let others = ["notes.4294967295-0.tmp", "00000000000000009999.log.tmp", "9.log.4294967295-0.tmp"];
    for name in left.iter().chain(&others) {
        disk.put(&format!("{FOLDER}/{name}"), b"x");
    }
    drop(options(&disk).open_read_only(FOLDER).unwrap());
    assert!(left.iter().all(|name| disk.get(&format!("{FOLDER}/{name}")).is_some()), "a reader writes nothing");
    drop(options(&disk).open(FOLDER).unwrap());
    let is_there = |name: &&str| disk.get(&format!("{FOLDER}/{name}")).is_some();
    assert_eq!(
        (left.iter().filter(|name| is_there(name)).count(), others.iter().filter(|name| is_there(name)).count()),
        (0, 3)
    );
}
