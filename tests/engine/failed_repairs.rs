//! Tests of the errors of repairs that fail after they began: the reported state is compared with the bytes of the log.
//! And tests of the progress of a repair: it is reported, and a cancelled loop leaves the log as it was.

use std::ops::ControlFlow;
use std::time::Duration;

use chronicle::StorageError;
use chronicle::repair::{
    ApplyOptions, JournalStateAfterFailure, LogStateAfterFailure, Plan, RepairFailure, RepairOptions, RepairState,
    apply, apply_with_progress, plan_undo, plan_undo_with_progress, read_repair_history, recover,
    recover_with_progress,
};

use super::repairs::{damaged_log, log_paths, plan, undo};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{LOG, open_options};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// The bytes of the log before and after a plan is applied.
struct ExpectedBytes {
    before: Vec<u8>,
    after: Vec<u8>,
}

/// Compares what an error says about the log and the journal with their contents on `disk`. Returns the state.
fn check_reported_state(
    disk: &SimDisk,
    error: &StorageError,
    expected: &ExpectedBytes,
    context: &str,
) -> Option<LogStateAfterFailure> {
    let now = disk.get(LOG).unwrap();
    let StorageError::RepairFailed { failure, .. } = error else {
        assert_eq!(now, expected.before, "{context}: {error}");
        return None;
    };
    let RepairFailure { cause, log_state: state, journal, journal_state, .. } = &**failure;
    match state {
        LogStateAfterFailure::Before => assert_eq!(now, expected.before, "{context}: {error}"),
        LogStateAfterFailure::After => assert_eq!(now, expected.after, "{context}: {error}"),
        LogStateAfterFailure::Partly { changed } => {
            assert!(now != expected.before && now != expected.after, "{context}: {error}");
            for (at, byte) in expected.before.iter().enumerate() {
                let is_reported = changed.iter().any(|range| range.contains(&(at as u64)));
                assert!(is_reported || now.get(at) == Some(byte), "{context}: byte {at}: {error}");
            }
        }
        LogStateAfterFailure::Unknown { .. } => {
            assert!(matches!(cause, StorageError::Poisoned { .. }), "{context}: {error}");
        }
        other => panic!("{context}: {other:?}"),
    }
    let records = read_repair_history(&log_paths(disk)).unwrap().records;
    let recorded = records.iter().find(|record| record.journal == *journal).map(|record| record.state);
    let reported = match journal_state {
        JournalStateAfterFailure::Pending => Some(RepairState::Pending),
        JournalStateAfterFailure::Applied => Some(RepairState::Applied),
        JournalStateAfterFailure::RolledBack => Some(RepairState::RolledBack),
        _ => None,
    };
    assert_eq!(recorded, reported, "{context}: {error}");
    let text = error.to_string();
    assert!(text.contains(&state.to_string()) && text.contains(&journal_state.to_string()), "{text}");
    Some(state.clone())
}

/// Fails every call of `run` once, and from each call on; checks the error, and that the next recovery ends cleanly.
fn fail_at_every_call(
    disk: &SimDisk,
    expected: &ExpectedBytes,
    run: impl Fn(&SimDisk) -> Result<(), StorageError>,
) -> Vec<LogStateAfterFailure> {
    let counting = disk.next_process();
    run(&counting).unwrap();
    assert_eq!(counting.get(LOG).unwrap(), expected.after);
    let mut states = Vec::new();
    for call in 0..counting.calls() {
        for (number, is_permanent) in [(ENOSPC, false), (ENOSPC, true), (EIO, false), (EIO, true)] {
            let disk = disk.next_process();
            let fault = DiskFault::Error(number);
            if is_permanent {
                disk.fail_permanently(call, fault);
            } else {
                disk.fail(call, fault);
            }
            let result = run(&disk);
            let context = format!("{fault:?} at call {call}, permanent: {is_permanent}");
            let Err(error) = result else { continue };
            states.extend(check_reported_state(&disk, &error, expected, &context));
            let next = disk.next_process();
            recover(&log_paths(&next)).unwrap_or_else(|error| panic!("{context}: {error}"));
            let now = next.get(LOG).unwrap();
            assert!(now == expected.before || now == expected.after, "{context}");
        }
    }
    states
}

fn full_plan(disk: &SimDisk) -> Plan {
    plan(disk, &RepairOptions::new().gap_undecided()).unwrap()
}

fn apply_full_plan(disk: &SimDisk) -> Result<(), StorageError> {
    apply(&log_paths(disk), &full_plan(disk), ApplyOptions::new()).map(|_| ())
}

/// Returns the damaged log, and its bytes before and after the repair.
fn damaged_and_repaired() -> (SimDisk, SimDisk, ExpectedBytes) {
    let (disk, _) = damaged_log();
    let repaired = disk.next_process();
    apply_full_plan(&repaired).unwrap();
    let expected = ExpectedBytes { before: disk.get(LOG).unwrap(), after: repaired.get(LOG).unwrap() };
    (disk, repaired, expected)
}

#[test]
fn the_error_of_a_failed_repair_reports_the_bytes_that_the_log_has() {
    let (disk, _, expected) = damaged_and_repaired();
    let states = fail_at_every_call(&disk, &expected, apply_full_plan);
    let has = |state: fn(&LogStateAfterFailure) -> bool| states.iter().any(state);
    assert!(has(|state| *state == LogStateAfterFailure::Before), "{states:?}");
    assert!(has(|state| *state == LogStateAfterFailure::After), "{states:?}");
    assert!(has(|state| matches!(state, LogStateAfterFailure::Partly { .. })), "{states:?}");
    assert!(has(|state| matches!(state, LogStateAfterFailure::Unknown { .. })), "{states:?}");
}

#[test]
fn the_error_of_a_failed_undo_reports_the_bytes_that_the_log_has() {
    let (_, repaired, ExpectedBytes { before, after }) = damaged_and_repaired();
    let expected = ExpectedBytes { before: after, after: before };
    let states = fail_at_every_call(&repaired, &expected, |disk| undo(disk).map(drop));
    assert!(states.iter().any(|state| matches!(state, LogStateAfterFailure::Partly { .. })), "{states:?}");
}

#[test]
fn the_error_of_a_tail_that_could_not_be_set_aside_reports_the_bytes_that_the_log_has() {
    let (whole, offsets) = super::support::log_bytes(4);
    let disk = SimDisk::with_files(&[(LOG, &whole[..whole.len() - 20])]);
    let before = disk.get(LOG).unwrap();
    let expected = ExpectedBytes { after: before[..offsets[3] as usize].to_vec(), before };
    fail_at_every_call(&disk, &expected, |disk| open_options(disk).open(LOG).map(drop));
}

#[test]
fn the_error_of_a_failed_recovery_reports_the_bytes_that_the_log_has() {
    let (disk, _, expected) = damaged_and_repaired();
    let calls = {
        let disk = disk.next_process();
        apply_full_plan(&disk).unwrap();
        disk.calls()
    };
    let mut failed = 0;
    for killed_at in 0..calls {
        let disk = disk.next_process();
        disk.fail(killed_at, DiskFault::Kill);
        let _ = apply_full_plan(&disk);
        let killed = disk.next_process();
        let present = killed.get(LOG).unwrap();
        let recovery_calls = {
            let disk = killed.next_process();
            recover(&log_paths(&disk)).unwrap();
            disk.calls()
        };
        for call in 0..recovery_calls {
            let disk = killed.next_process();
            disk.fail_permanently(call, DiskFault::Error(EIO));
            let Err(error) = recover(&log_paths(&disk)) else { continue };
            let context = format!("killed at {killed_at}, error at {call}");
            let expected = ExpectedBytes { before: expected.before.clone(), after: expected.after.clone() };
            if let StorageError::RepairFailed { .. } = error {
                failed += 1;
                check_reported_state(&disk, &error, &expected, &context);
            } else {
                assert_eq!(disk.get(LOG).unwrap(), present, "{context}: {error}");
            }
        }
    }
    assert!(failed > 10, "{failed}");
}

#[test]
fn every_loop_of_a_repair_reports_progress_and_a_cancelled_one_changes_nothing() {
    type Run = fn(&SimDisk, &mut chronicle::OnProgress) -> Result<(), StorageError>;
    let (disk, repaired, expected) = damaged_and_repaired();
    let apply: Run = |disk, on_progress| {
        let options = ApplyOptions::new().full_check();
        apply_with_progress(&log_paths(disk), &full_plan(disk), options, on_progress).map(|_| ())
    };
    let plan_an_undo: Run =
        |disk, on_progress| plan_undo_with_progress(&log_paths(disk), None, on_progress).map(|_| ());
    let undo_again: Run = |disk, on_progress| {
        let plan = plan_undo(&log_paths(disk), None)?;
        apply_with_progress(&log_paths(disk), &plan, ApplyOptions::new(), on_progress).map(|_| ())
    };
    for (name, disk, run, at_least) in
        [("apply", &disk, apply, 15), ("plan an undo", &repaired, plan_an_undo, 6), ("undo", &repaired, undo_again, 15)]
    {
        let before = disk.get(LOG).unwrap();
        let mut reports = Vec::new();
        run(&disk.next_process(), &mut |progress| {
            reports.push(progress);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(reports.len() >= at_least, "{name}: {reports:?}");
        assert!(reports.is_sorted_by_key(|progress| progress.position), "{name}: {reports:?}");
        assert!(reports.iter().all(|progress| progress.position <= progress.total), "{name}: {reports:?}");
        let mut rolled_back = 0;
        for nth in 0..reports.len() {
            let disk = disk.next_process();
            let mut left = nth;
            let error = run(&disk, &mut |_| {
                if left == 0 {
                    return ControlFlow::Break(());
                }
                left -= 1;
                ControlFlow::Continue(())
            })
            .unwrap_err();
            let context = format!("{name}, cancelled at {nth}");
            assert_eq!(disk.get(LOG).unwrap(), before, "{context}: {error}");
            if let StorageError::RepairFailed { failure, .. } = &error {
                rolled_back += 1;
                assert!(matches!(failure.cause, StorageError::Cancelled), "{context}: {error}");
                assert_eq!(failure.log_state, LogStateAfterFailure::Before, "{context}: {error}");
            } else {
                assert!(matches!(error, StorageError::Cancelled), "{context}: {error}");
                assert!(!disk.names().iter().any(|name| name.contains("0003")), "{context}: {:?}", disk.names());
            }
        }
        assert!(rolled_back > 3 || name == "plan an undo", "{name}: {rolled_back}");
    }
    // A recovery compares the log with the journal before it writes, and can be stopped there.
    let calls = {
        let disk = disk.next_process();
        apply_full_plan(&disk).unwrap();
        disk.calls()
    };
    let kill = |call| {
        let disk = disk.next_process();
        disk.fail(call, DiskFault::Kill);
        let _ = apply_full_plan(&disk);
        disk.next_process()
    };
    let is_pending = |disk: &SimDisk| super::support::open_read_only(disk).pending_repair().unwrap().is_some();
    let killed = (0..calls).map(kill).find(is_pending).unwrap();
    let present = killed.get(LOG).unwrap();
    let error =
        recover_with_progress(&log_paths(&killed), Duration::ZERO, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(error, StorageError::Cancelled), "{error}");
    assert_eq!(killed.get(LOG).unwrap(), present);
    let mut reports = Vec::new();
    let recovered = recover_with_progress(&log_paths(&killed), Duration::ZERO, &mut |progress| {
        reports.push(progress);
        ControlFlow::Continue(())
    });
    assert!(recovered.unwrap().is_some());
    assert!(reports.is_sorted_by(|a, b| a.position < b.position), "{reports:?}");
    assert!(reports.last().is_some_and(|last| last.position == last.total), "{reports:?}");
    let now = killed.get(LOG).unwrap();
    assert!(now == expected.before || now == expected.after);
}
