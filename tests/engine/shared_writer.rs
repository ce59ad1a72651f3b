//! Tests writers that several threads share: with real threads on the simulated disk, and with a process that is killed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use chronicle::{Durability, EventLog, OpenOptions, SharedWriter, StorageError};

use super::sim_disk::{DiskFault, SimDisk};
use super::support::{LOG, START_MS, disk_with_indexed_log, disk_with_log, event, open_options, readable_offsets};

const EIO: i32 = 5;
const THREADS: usize = 8;

const fn is_shared_between_threads<T: Clone + Send + Sync + 'static>() {}
const _: () = is_shared_between_threads::<SharedWriter>();

/// Appends events from eight threads until each has appended `events` or failed. Returns what each call has returned.
fn append_from_threads(
    writer: &SharedWriter,
    events: usize,
    append: impl Fn(&SharedWriter, usize, usize) -> Result<u64, StorageError> + Sync,
) -> Vec<Result<u64, StorageError>> {
    thread::scope(|scope| {
        let append = &append;
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let writer = writer.clone();
                scope.spawn(move || {
                    let mut results = Vec::new();
                    for n in 0..events {
                        results.push(append(&writer, thread, n));
                        if results.last().is_some_and(Result::is_err) {
                            break;
                        }
                    }
                    results
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn append_sync(writer: &SharedWriter, thread: usize, n: usize) -> Result<u64, StorageError> {
    writer.append_sync(&event(thread as u64, n))
}

#[test]
fn events_of_all_threads_are_stored_once_at_their_offsets() {
    let (disk, before) = disk_with_log(2);
    let log = open_options(&disk).open(LOG).unwrap();
    let writer = log.shared_writer().unwrap();
    let results = append_from_threads(&writer, 60, |writer, thread, n| match n % 3 {
        0 => writer.append(&event(thread as u64, n)),
        1 => append_sync(writer, thread, n),
        _ => {
            let batch = [event(thread as u64, n), event(thread as u64, n)];
            let offsets = writer.append_batch(&batch, Durability::Synced)?;
            assert_eq!(log.replay_until(offsets[0], offsets[1])?.count(), 1, "a batch is not interrupted");
            Ok(offsets[0])
        }
    });
    let mut offsets: Vec<u64> = results.into_iter().map(Result::unwrap).collect();
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets.len(), THREADS * 60);
    let stored = readable_offsets(&disk);
    assert_eq!(stored.len(), before.len() + THREADS * 80);
    assert!(offsets.iter().all(|offset| stored.binary_search(offset).is_ok()));
    for thread in 0..THREADS {
        let of_thread: Vec<u64> =
            log.load_aggregate(thread as u64).unwrap().iter().map(chronicle::StoredEvent::offset).collect();
        assert!(of_thread.is_sorted(), "the events of one thread are in the order of its calls");
    }
}

/// Number of events that each thread appends while a call fails.
const EVENTS: usize = 20;

/// Returns how many events each thread has appended, until all of them or its error.
fn acknowledged_of_each(results: &[Result<u64, StorageError>]) -> impl Iterator<Item = usize> {
    let mut rest = results;
    std::iter::from_fn(move || {
        let own = rest.iter().take(EVENTS).take_while(|result| result.is_ok()).count();
        let (used, left) = (rest.len().min(if own < EVENTS { own + 1 } else { own }), rest);
        rest = &left[used..];
        (!left.is_empty()).then_some(own)
    })
}

#[test]
fn a_failed_sync_fails_every_waiting_and_later_call_and_loses_no_acknowledged_event() {
    for call in (0..40).chain([100, 200]) {
        let (disk, _) = disk_with_log(2);
        let log = open_options(&disk).open(LOG).unwrap();
        let writer = log.shared_writer().unwrap();
        disk.fail_if_reached(call, DiskFault::Error(EIO));
        let results = append_from_threads(&writer, EVENTS, append_sync);
        let failed = disk.faulted_call();
        let acknowledged: Vec<u64> = results.iter().filter_map(|result| result.as_ref().ok().copied()).collect();
        let stored = readable_offsets(&disk.power_cut(|| false));
        assert!(acknowledged.iter().all(|offset| stored.contains(offset)), "call {call}, {failed:?}");
        let errors = results.iter().filter(|result| result.is_err()).count();
        match failed {
            Some(super::call_order::CallKind::Sync) => {
                // A thread that had appended all of its events before the sync has no error.
                let finished = acknowledged_of_each(&results).filter(|events| *events == EVENTS).count();
                assert_eq!(errors + finished, THREADS, "call {call}: each other thread ends with an error");
                assert!(errors > 0 && (call >= 100 || finished == 0), "call {call}: {errors} errors");
                let error = writer.append(&event(1, 1)).unwrap_err();
                assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
                assert!(matches!(writer.sync(), Err(StorageError::Poisoned { .. })));
            }
            Some(_) => {
                assert!(errors <= 1, "call {call}: a failed write concerns only its own call");
                writer.append_sync(&event(1, 1)).unwrap();
            }
            // The calls have shared so many syncs that there were fewer of them. The next one would fail.
            None => assert!(errors == 0 && call >= 100, "call {call} was not made"),
        }
    }
}

#[test]
fn a_clock_that_panics_in_one_thread_harms_no_other() {
    let disk = SimDisk::default();
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let clock = {
        let calls = calls.clone();
        move || {
            assert!(calls.fetch_add(1, Ordering::Relaxed) % 10 != 9, "the clock that panics");
            START_MS
        }
    };
    let log = open_options(&disk).clock(clock).create(LOG).unwrap();
    let writer = log.shared_writer().unwrap();
    let results = append_from_threads(&writer, 20, |writer, thread, n| {
        let call = || append_sync(writer, thread, n);
        // A call that has panicked is made again, until it does not: the clock can panic twice for one of them.
        loop {
            if let Ok(result) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
                break result;
            }
        }
    });
    assert!(calls.load(Ordering::Relaxed) > THREADS * 20 + 10, "the clock has panicked");
    assert_eq!(readable_offsets(&disk.power_cut(|| false)).len(), results.into_iter().map(Result::unwrap).count());
}

#[test]
fn closing_ends_the_log_for_all_writers_and_saves_an_index_of_their_events() {
    let (disk, _) = disk_with_indexed_log(2);
    let log = open_options(&disk).open(LOG).unwrap();
    let writer = log.shared_writer().unwrap();
    writer.append(&event(5, 1)).unwrap();
    log.close().unwrap();
    for error in [
        writer.append(&event(5, 2)).unwrap_err(),
        writer.append_sync(&event(5, 2)).unwrap_err(),
        writer.append_batch(&[event(5, 2)], Durability::Buffered).map(|_| ()).unwrap_err(),
        writer.sync().unwrap_err(),
    ] {
        assert!(matches!(error, StorageError::Closed { .. }), "{error}");
        assert_eq!(error.path(), Some(std::path::Path::new(LOG)));
        assert!(error.to_string().contains("was closed"), "{error}");
    }
    // The lock is free, although the handle still exists, and the index has the event.
    let log = open_options(&disk).open(LOG).unwrap();
    assert_eq!(log.view().index_state().name(), "fresh");
    assert_eq!(log.load_aggregate(5).unwrap().len(), 1);
    drop(writer);
    assert!(matches!(open_options(&disk).open(LOG), Err(StorageError::Locked { .. })), "the new log has its own lock");
}

#[test]
fn closing_waits_for_the_calls_in_progress() {
    for _ in 0..20 {
        let (disk, _) = disk_with_log(2);
        let log = open_options(&disk).open(LOG).unwrap();
        let writer = log.shared_writer().unwrap();
        let (acknowledged, is_first) = (std::sync::Mutex::new(Vec::new()), AtomicBool::new(true));
        let log = std::sync::Mutex::new(Some(log));
        append_from_threads(&writer, 30, |writer, thread, n| {
            let result = append_sync(writer, thread, n);
            match &result {
                Ok(offset) => acknowledged.lock().unwrap().push(*offset),
                Err(error) => assert!(matches!(error, StorageError::Closed { .. }), "{error}"),
            }
            if n == 3 && is_first.swap(false, Ordering::SeqCst) {
                log.lock().unwrap().take().unwrap().close().unwrap();
            }
            result
        });
        let stored = readable_offsets(&disk.power_cut(|| false));
        let acknowledged = acknowledged.into_inner().unwrap();
        assert!(acknowledged.iter().all(|offset| stored.contains(offset)));
        // A call that is refused has written nothing.
        assert_eq!(readable_offsets(&disk).len(), 2 + acknowledged.len());
        open_options(&disk).open(LOG).unwrap();
    }
}

#[test]
fn the_log_stays_locked_until_its_last_writer_is_dropped() {
    let (disk, _) = disk_with_log(2);
    let log = open_options(&disk).open(LOG).unwrap();
    let (first, second) = (log.shared_writer().unwrap(), log.shared_writer().unwrap());
    drop(log);
    drop(first);
    second.append_sync(&event(1, 1)).unwrap();
    assert!(matches!(open_options(&disk).open(LOG), Err(StorageError::Locked { .. })));
    drop(second);
    let mut log = open_options(&disk).open(LOG).unwrap();
    log.append_sync(&event(1, 2)).unwrap();
    assert_eq!(readable_offsets(&disk).len(), 4);
    drop(log);
    let log = open_options(&disk).open_read_only(LOG).unwrap();
    assert!(matches!(log.shared_writer(), Err(StorageError::ReadOnly { .. })));
}

#[test]
fn a_retention_and_appends_of_other_threads_do_not_disturb_each_other() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).segment_size(1024).create(LOG).unwrap();
    let writer = log.shared_writer().unwrap();
    let (latest, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (start, results) = thread::scope(|scope| {
        let retention = scope.spawn(|| {
            loop {
                // The last removal follows all appends, so that some are removed however the threads take turns.
                let is_last = done.load(Ordering::Acquire) == THREADS;
                let start = log.remove_before(latest.load(Ordering::Acquire) as u64).unwrap();
                if is_last {
                    break start;
                }
            }
        });
        let results = append_from_threads(&writer, 40, |writer, thread, n| {
            let result = append_sync(writer, thread, n);
            latest.fetch_max(result.as_ref().map_or(0, |offset| *offset as usize), Ordering::AcqRel);
            done.fetch_add(usize::from(n == 39), Ordering::AcqRel);
            result
        });
        (retention.join().unwrap(), results)
    });
    let mut expected: Vec<u64> = results.into_iter().map(Result::unwrap).collect();
    expected.sort_unstable();
    assert_eq!(expected.len(), THREADS * 40);
    assert!(start > 0, "segments were removed");
    expected.retain(|offset| *offset >= start);
    let log = open_options(&disk).open_read_only(LOG).unwrap();
    let stored: Vec<u64> = log.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
    assert_eq!(stored, expected);
    assert_eq!(log.verify().unwrap().damage_total, 0);
}

/// The name of the variable that makes this test program the process that is killed; its value is the folder of the log.
const VICTIM_FOLDER: &str = "CHRONICLE_TEST_VICTIM_FOLDER";

/// Appends events from eight threads until the process is killed, and writes a line with the number and the offset of each event
/// after `append_sync` has returned.
#[test]
fn process_that_is_killed_while_eight_threads_append() {
    use std::io::Write;

    let Some(folder) = std::env::var_os(VICTIM_FOLDER).map(std::path::PathBuf::from) else { return };
    let log = EventLog::open(folder.join("log")).unwrap();
    let acknowledged = std::fs::OpenOptions::new().append(true).create(true).open(folder.join("acknowledged")).unwrap();
    let first = stored_numbers(&folder).into_iter().map(|(number, _)| number + 1).max().unwrap_or(0);
    append_from_threads(&log.shared_writer().unwrap(), 1_000_000, |writer, thread, n| {
        let number = first + n * THREADS + thread;
        let offset = writer.append_sync(&event(thread as u64, number))?;
        // One write, so that lines of two threads do not mix.
        (&acknowledged).write_all(format!("{number} {offset}\n").as_bytes()).unwrap();
        Ok(offset)
    });
}

/// Returns the number in each event of the log and its offset. The last frame of a killed process may be torn.
fn stored_numbers(folder: &std::path::Path) -> Vec<(usize, u64)> {
    let log = EventLog::open_read_only(folder.join("log")).unwrap();
    let mut stored = Vec::new();
    for event in log.replay(0).unwrap() {
        match event {
            Ok(event) => {
                let value: serde_json::Value = serde_json::from_str(event.payload()).unwrap();
                stored.push((value["n"].as_u64().unwrap() as usize, event.offset()));
            }
            Err(StorageError::Damaged { finding, .. }) => assert_eq!(finding.kind.name(), "torn_tail"),
            Err(error) => panic!("{error}"),
        }
    }
    stored
}

#[test]
fn a_kill_while_eight_threads_append_loses_no_acknowledged_event() {
    let rounds = std::env::var("CHRONICLE_KILL_ROUNDS").map_or(2, |text| text.parse().unwrap());
    for options in [OpenOptions::new(), OpenOptions::new().segment_size(64 << 10)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        drop(options.create(path.join("log")).unwrap());
        for round in 1..=rounds {
            let mut process = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "engine::shared_writer::process_that_is_killed_while_eight_threads_append"])
                .env(VICTIM_FOLDER, path)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            // The process is killed in the middle of its work, at a moment that the scheduler decides.
            let lines = || std::fs::read_to_string(path.join("acknowledged")).unwrap_or_default().lines().count();
            while lines() < round * 60 {
                assert!(process.try_wait().unwrap().is_none(), "the process has ended by itself");
                thread::yield_now();
            }
            process.kill().unwrap();
            process.wait().unwrap();
            let stored: BTreeMap<usize, u64> = stored_numbers(path).into_iter().collect();
            assert_eq!(stored.len(), stored_numbers(path).len(), "no event is stored twice");
            let text = std::fs::read_to_string(path.join("acknowledged")).unwrap();
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let (number, offset) = line.trim().split_once(' ').unwrap();
                let (number, offset) = (number.parse().unwrap(), offset.parse().unwrap());
                assert_eq!(stored.get(&number), Some(&offset), "event {number} at {offset}");
            }
        }
        eprintln!("{} events acknowledged and read back", stored_numbers(path).len());
    }
}
