//! Tests kills, power cuts and failing calls at every disk call of an append, of setting a tail aside, and of an index
//! save.

use std::ops::ControlFlow;

use chronicle::{Durability, StorageError};

use super::call_order::CallKind;
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, event, finding_ranges, log_bytes, open_options, open_read_only,
    random_choices, readable_offsets, survey_log,
};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// Appends ten events, every second one with a sync. Returns the acknowledged offsets, and those acknowledged as
/// synced.
fn append_ten(disk: &SimDisk) -> (Vec<u64>, Vec<u64>) {
    let (mut all, mut synced) = (Vec::new(), Vec::new());
    let Ok(mut log) = open_options(disk).open(LOG) else { return (all, synced) };
    for n in 0..10 {
        if n % 2 == 0 {
            all.extend(log.append(&event(7, n)).ok());
        } else if let Ok(offset) = log.append_sync(&event(7, n)) {
            all.push(offset);
            synced.clone_from(&all);
        }
    }
    (all, synced)
}

fn count_calls(disk: &SimDisk, run: impl Fn(&SimDisk)) -> usize {
    let probe = disk.next_process();
    run(&probe);
    probe.calls()
}

#[test]
fn every_acknowledged_event_survives_a_kill_at_any_call() {
    let (disk, before) = disk_with_log(2);
    let calls = count_calls(&disk, |disk| drop(append_ten(disk)));
    assert!(calls > 10, "{calls} calls");
    for call in 0..calls {
        let disk = disk.next_process();
        disk.fail(call, DiskFault::Kill);
        let (acknowledged, _) = append_ten(&disk);
        let after = disk.next_process();
        let readable = readable_offsets(&after);
        assert!(readable.starts_with(&before), "killed at call {call}");
        assert!(acknowledged.iter().all(|offset| readable.contains(offset)), "killed at call {call}");
        assert!(
            finding_ranges(&survey_log(&after)).iter().all(|(kind, ..)| *kind == "torn_tail"),
            "killed at call {call}"
        );
        // The next writer sets a torn tail aside and loses no complete frame.
        let mut log = open_options(&after).open(LOG).unwrap();
        let next = log.append_sync(&event(9, 1)).unwrap();
        drop(log);
        assert_eq!(finding_ranges(&survey_log(&after)), [], "killed at call {call}");
        assert_eq!(readable_offsets(&after), [readable, vec![next]].concat(), "killed at call {call}");
    }
}

#[test]
fn events_appended_with_sync_survive_every_power_cut() {
    let (disk, before) = disk_with_log(2);
    let calls = count_calls(&disk, |disk| drop(append_ten(disk)));
    for call in 0..=calls {
        for seed in 0..40 {
            let disk = disk.next_process();
            disk.fail_if_reached(call, DiskFault::Kill);
            let (acknowledged, synced) = append_ten(&disk);
            let after = disk.power_cut(random_choices(seed));
            let readable = readable_offsets(&after);
            let known = [before.clone(), acknowledged].concat();
            assert!(before.iter().chain(&synced).all(|offset| readable.contains(offset)), "call {call}, seed {seed}");
            // The killed call may have written its complete event.
            let unacknowledged = readable.iter().filter(|offset| !known.contains(offset)).count();
            assert!(unacknowledged <= 1, "call {call}, seed {seed}: {readable:?} of {known:?}");
        }
    }
}

#[test]
fn a_failed_or_short_write_is_rolled_back_to_the_frame_boundary() {
    for fault in [DiskFault::Error(ENOSPC), DiskFault::Error(EIO), DiskFault::ShortWrite] {
        let (disk, offsets) = disk_with_log(3);
        let before = disk.get(LOG).unwrap();
        let mut log = open_options(&disk).open(LOG).unwrap();
        disk.fail_permanently(0, fault);
        let result = log.append(&event(1, 3));
        if fault == DiskFault::ShortWrite {
            // Each write takes half of the remaining bytes, so the frame is complete at the end.
            let offset = result.unwrap();
            assert_eq!(offset, before.len() as u64);
            assert_eq!(readable_offsets(&disk).last(), Some(&offset));
            continue;
        }
        let error = result.unwrap_err();
        assert!(matches!(error, StorageError::Io { action: "append", .. }), "{error}");
        assert_eq!(disk.get(LOG).unwrap(), before);
        let after = disk.next_process();
        drop(log);
        assert_eq!(readable_offsets(&after), offsets);
    }
}

#[test]
fn a_partial_write_followed_by_an_error_is_rolled_back() {
    let (disk, _) = disk_with_log(3);
    let before = disk.get(LOG).unwrap();
    let mut log = open_options(&disk).open(LOG).unwrap();
    disk.fail(0, DiskFault::ShortWrite);
    // The write of the second half fails with a full disk.
    disk.fail_after_short(ENOSPC);
    log.append(&event(1, 3)).unwrap_err();
    assert_eq!(disk.get(LOG).unwrap(), before);
    assert_eq!(log.append(&event(1, 4)).unwrap(), before.len() as u64);
}

#[test]
fn after_a_failed_sync_appends_are_refused() {
    let (disk, offsets) = disk_with_log(3);
    let mut log = open_options(&disk).open(LOG).unwrap();
    disk.fail(1, DiskFault::Error(EIO));
    let error = log.append_sync(&event(1, 3)).unwrap_err();
    assert_eq!(disk.faulted_call(), Some(CallKind::Sync));
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    let size = log.len().unwrap();
    assert!(matches!(log.append(&event(1, 4)), Err(StorageError::Poisoned { .. })));
    assert!(matches!(log.sync(), Err(StorageError::Poisoned { .. })));
    assert_eq!(log.len().unwrap(), size);
    drop(log);
    // Reopening reads the log again, and no earlier event is lost.
    let mut log = open_options(&disk).open(LOG).unwrap();
    log.append_sync(&event(1, 5)).unwrap();
    assert!(readable_offsets(&disk).starts_with(&offsets));
}

#[test]
fn the_next_writer_after_a_failed_sync_sees_what_is_on_the_disk() {
    let (disk, offsets) = disk_with_log(3);
    let mut log = open_options(&disk).open(LOG).unwrap();
    disk.fail(1, DiskFault::Error(EIO));
    log.append_sync(&event(1, 3)).unwrap_err();
    drop(log);
    // The lost event is not read from the cache, where it would look healthy, and is not followed by another one.
    let mut log = open_options(&disk).open(LOG).unwrap();
    assert!(log.set_aside_tail().is_some());
    let next = log.append_sync(&event(1, 4)).unwrap();
    drop(log);
    let after = disk.power_cut(|| false);
    assert_eq!(finding_ranges(&survey_log(&after)), []);
    assert_eq!(readable_offsets(&after), [offsets, vec![next]].concat());
}

#[test]
fn a_write_that_cannot_be_rolled_back_is_reported_with_both_errors() {
    let (disk, _) = disk_with_log(3);
    let mut log = open_options(&disk).open(LOG).unwrap();
    disk.fail_all_from(0, DiskFault::Error(EIO));
    let error = log.append(&event(1, 3)).unwrap_err();
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("a write failed (") && text.contains("and could not be rolled back ("), "{text}");
    assert!(matches!(log.append(&event(1, 4)), Err(StorageError::Poisoned { .. })));
}

#[test]
fn a_write_without_the_lock_poisons_the_writer_and_keeps_its_bytes() {
    for (synced, at_most) in [(true, 1), (false, 64)] {
        let (disk, _) = disk_with_log(1);
        let mut log = open_options(&disk).open(LOG).unwrap();
        log.append(&event(1, 1)).unwrap();
        disk.append_as_other_process(LOG, b"foreign bytes");
        let append = |log: &mut chronicle::EventLog| {
            if synced { log.append_sync(&event(1, 2)) } else { log.append(&event(1, 2)) }
        };
        let error = (0..at_most).find_map(|_| append(&mut log).err()).unwrap();
        assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
        assert!(matches!(append(&mut log), Err(StorageError::Poisoned { .. })));
        let bytes = disk.get(LOG).unwrap();
        assert!(bytes.windows(13).any(|window| window == b"foreign bytes"));
    }
}

#[test]
fn setting_a_tail_aside_is_atomic_under_a_kill_or_failure_at_any_call() {
    let (bytes, offsets) = log_bytes(4);
    let cut = &bytes[..bytes.len() - 20];
    let last = offsets[3] as usize;
    let disk = SimDisk::with_files(&[(LOG, cut)]);
    let calls = count_calls(&disk, |disk| drop(open_options(disk).open(LOG).unwrap()));
    assert!(calls >= 6, "{calls} calls");
    let mut pending_count = 0;
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::Error(ENOSPC)] {
            for seed in 0..8 {
                let disk = disk.next_process();
                disk.fail(call, fault);
                drop(open_options(&disk).open(LOG));
                for after in [disk.next_process(), disk.power_cut(random_choices(seed))] {
                    let current = after.get(LOG).unwrap();
                    let journaled = is_journaled(&after, last, &cut[last..]);
                    assert!(
                        current == cut || current == cut[..last] && journaled,
                        "{fault:?} at call {call}: {} bytes, journaled: {journaled}, {:?}",
                        current.len(),
                        after.names()
                    );
                    // A complete journal before the cut is reported as a pending repair, and the report changes
                    // nothing.
                    let pending = open_read_only(&after).pending_repair().unwrap();
                    let range = pending.map(|pending| (pending.start as usize, pending.end as usize));
                    assert!(range.is_none() || journaled, "{fault:?} at call {call}: {range:?}");
                    assert!(
                        range.is_none_or(|range| range == (last, cut.len())),
                        "{fault:?} at call {call}: {range:?}"
                    );
                    pending_count += u32::from(range.is_some());
                    open_options(&after).open(LOG).unwrap();
                    assert_eq!(open_read_only(&after).pending_repair().unwrap(), None, "{fault:?} at call {call}");
                    assert_eq!(after.get(LOG).unwrap(), cut[..last], "{fault:?} at call {call}");
                    assert!(is_journaled(&after, last, &cut[last..]), "{fault:?} at call {call}");
                }
            }
        }
    }
    assert!(pending_count > 0, "no kill left a repair pending");
}

/// Returns true if a journal contains these bytes of the log.
fn is_journaled(disk: &SimDisk, start: usize, bytes: &[u8]) -> bool {
    use chronicle::internal::format::frame::{DecodeResult, decode};
    let journals = disk.names().into_iter().filter(|name| name.starts_with("/data/a.log.repairs/"));
    journals.into_iter().any(|name| {
        let journal = disk.get(&name).unwrap();
        let mut rest = journal.get(16..).unwrap_or_default();
        while let DecodeResult::Complete(frame) = decode(rest, chronicle::internal::format::FrameFormat::V1, 0) {
            let section = chronicle::internal::format::journal::JournalSection::BeforeImage;
            if chronicle::internal::format::journal::decode_section(frame.payload())
                .is_some_and(|found| (found.section, found.offset, found.bytes) == (section, start as u64, bytes))
            {
                return true;
            }
            rest = &rest[frame.len() as usize..];
        }
        false
    })
}

#[test]
fn saving_an_index_is_atomic_under_a_kill_or_failure_at_any_call() {
    let (disk, _) = disk_with_indexed_log(5);
    let mut log = open_options(&disk).open(LOG).unwrap();
    log.append(&event(1, 5)).unwrap();
    drop(log);
    let old = disk.get(INDEX).unwrap();
    let save = |disk: &SimDisk| open_read_only(disk).save_index();
    let calls = count_calls(&disk, |disk| save(disk).unwrap());
    let done = disk.next_process();
    save(&done).unwrap();
    let new = done.get(INDEX).unwrap();
    assert_ne!(old, new);
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::Error(ENOSPC)] {
            for seed in 0..8 {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let result = save(&disk);
                for (cut, after) in [(false, disk.next_process()), (true, disk.power_cut(random_choices(seed)))] {
                    let current = after.get(INDEX).unwrap();
                    assert!(current == old || current == new, "{fault:?} at call {call}, power cut: {cut}");
                    assert!(result.is_err() || current == new, "{fault:?} at call {call}, power cut: {cut}");
                    assert_eq!(
                        open_read_only(&after).load_aggregate(1).map(|events| events.len() >= 2).ok(),
                        Some(true)
                    );
                }
            }
        }
    }
}

#[test]
fn a_saved_index_covers_no_bytes_that_a_power_cut_removes() {
    let (disk, _) = disk_with_log(2);
    let mut log = open_options(&disk).open(LOG).unwrap();
    for n in 0..5 {
        log.append(&event(1, n)).unwrap();
    }
    log.save_index().unwrap();
    drop(log);
    let after = disk.power_cut(|| false);
    assert_eq!(finding_ranges(&survey_log(&after)), []);
    assert_eq!(readable_offsets(&after).len(), 7);
}

#[test]
fn a_second_writer_is_refused_and_the_first_can_still_append() {
    let (disk, _) = disk_with_log(2);
    let mut log = open_options(&disk).open(LOG).unwrap();
    let error = open_options(&disk).open(LOG).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }), "{error}");
    assert!(!error.is_corruption());
    log.append(&event(1, 2)).unwrap();
    drop(log);
    open_options(&disk).open(LOG).unwrap();
}

#[test]
fn several_replays_run_while_the_log_is_appended_to() {
    let (disk, offsets) = disk_with_log(3);
    let mut log = open_options(&disk).open(LOG).unwrap();
    let (mut first, mut second) = (log.replay(0).unwrap(), log.replay(offsets[1]).unwrap());
    assert_eq!(first.next().unwrap().unwrap().offset(), offsets[0]);
    log.append_batch(&[event(1, 3), event(2, 4)], Durability::Synced).unwrap();
    assert_eq!(second.next().unwrap().unwrap().offset(), offsets[1]);
    assert_eq!(first.count(), 2, "a replay ends at the end that the log had when it was started");
    assert_eq!(log.replay(0).unwrap().count(), 5);
}

#[test]
fn catching_up_can_be_stopped_and_resumed() {
    let (disk, offsets) = disk_with_log(3);
    let log = open_read_only(&disk);
    let stopped = chronicle::internal::log::catch_up_index(&log, &mut |_| ControlFlow::Break(())).map(|_| ());
    assert!(matches!(stopped, Err(StorageError::Cancelled)));
    assert_eq!(log.index().unwrap().coverage().events, offsets.len() as u64);
}
