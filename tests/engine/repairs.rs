//! Tests of planning, applying and undoing repairs, with a kill or a failure at every disk call and a second kill
//! during recovery.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::LogView;
use chronicle::repair::{
    ApplyOptions, FindingSelector, LogPaths, Plan, RepairAction, RepairHistory, RepairOptions, RepairState, StepWrite,
    apply, find_gap_journal, plan_repair, plan_undo, read_repair_history, recover,
};

use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, event, finding_ranges, log_bytes, open_options, open_read_only,
    random_choices, readable_offsets, survey_log,
};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

pub(super) fn log_paths(disk: &SimDisk) -> LogPaths {
    open_options(disk).log_paths(Path::new(LOG)).unwrap()
}

pub(super) fn plan(disk: &SimDisk, repair_options: &RepairOptions) -> Result<Plan, StorageError> {
    plan_from_donor(disk, repair_options, None)
}

pub(super) fn plan_from_donor(
    disk: &SimDisk,
    repair_options: &RepairOptions,
    donor: Option<&str>,
) -> Result<Plan, StorageError> {
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
    let options = donor.into_iter().fold(repair_options.clone(), RepairOptions::donor);
    plan_repair(&view, &options, &mut |_| ControlFlow::Continue(()))
}

pub(super) fn repair(disk: &SimDisk) -> Result<Plan, StorageError> {
    let plan = plan(disk, &RepairOptions::new().gap_undecided())?;
    apply(&log_paths(disk), &plan, ApplyOptions::new()).map(|_| plan)
}

pub(super) fn undo(disk: &SimDisk) -> Result<Plan, StorageError> {
    let plan = plan_undo(&log_paths(disk), None)?;
    apply(&log_paths(disk), &plan, ApplyOptions::new()).map(|_| plan)
}

pub(super) fn action_names(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|step| step.action.name()).collect()
}

/// Builds a log with a damaged length, noise in a payload, zeros over two frames and a torn tail, and with an index
/// that was saved before the damage.
pub(super) fn damaged_log() -> (SimDisk, Vec<u64>) {
    let (disk, offsets) = disk_with_indexed_log(12);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[2] as usize + 1] = 0x77;
    for byte in &mut bytes[offsets[4] as usize + 60..offsets[4] as usize + 90] {
        *byte = byte.wrapping_mul(7).wrapping_add(131);
    }
    bytes[offsets[6] as usize..offsets[8] as usize].fill(0);
    // The torn frame was appended after the index was saved.
    bytes.extend_from_slice(&[0, 0, 0, 200, b'{', b'"', b'w']);
    let index = disk.get(INDEX).unwrap();
    let disk = SimDisk::with_files(&[(LOG, &bytes), (INDEX, &index)]);
    (disk, offsets)
}

#[test]
fn a_repair_restores_proven_ranges_replaces_the_rest_with_gaps_and_can_be_undone() {
    let (disk, offsets) = damaged_log();
    let (before, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let plan = repair(&disk).unwrap();
    assert_eq!(action_names(&plan), ["restore_length", "gap", "gap", "set_aside_tail"]);
    assert_eq!(
        (plan.restored_events(), plan.total_loss().at_least, plan.total_loss().at_most),
        (1, 3, 3),
        "the index determines the exact loss"
    );
    assert_eq!(plan.total_loss().aggregates, [1, 2]);
    let survey = survey_log(&disk);
    assert_eq!(survey.damage_total, 0, "{:?}", finding_ranges(&survey));
    assert_eq!(survey.gaps, 2);
    let expected: Vec<u64> =
        offsets.iter().copied().filter(|at| ![4, 6, 7].iter().any(|n| offsets[*n] == *at)).collect();
    assert_eq!(readable_offsets(&disk), expected);
    let RepairHistory { records: all, notices, .. } = read_repair_history(&log_paths(&disk)).unwrap();
    assert_eq!(notices, Vec::<String>::new());
    assert_eq!(all.iter().map(|record| (record.number, record.state)).collect::<Vec<_>>(), [(1, RepairState::Applied)]);
    let gap = offsets[6]..offsets[8];
    let gap_journal = find_gap_journal(&all, gap.clone()).map(Path::to_owned);
    assert_eq!(gap_journal.as_ref(), Some(&all[0].journal));
    let mut gaps = open_read_only(&disk).replay(0).unwrap().filter_map(Result::err);
    let gap_error = gaps.find(|error| error.offset() == Some(gap.start));
    assert!(
        matches!(&gap_error, Some(StorageError::Gap { end, journal, .. }) if *end == gap.end && *journal == gap_journal),
        "{gap_error:?}"
    );
    let plan = undo(&disk).unwrap();
    assert_eq!(plan.undoes, Some(1));
    assert_eq!(disk.get(LOG).unwrap(), before);
    assert_eq!(disk.get(INDEX).unwrap(), index, "the old index is restored");
    assert_eq!(read_repair_history(&log_paths(&disk)).unwrap().records[0].undone_by, Some(2));
    let error = undo(&disk).unwrap_err();
    assert!(matches!(error, StorageError::Refused { .. }), "{error}");
}

#[test]
fn an_index_never_covers_bytes_that_a_repair_has_changed() {
    let (disk, offsets) = damaged_log();
    repair(&disk).unwrap();
    let log = open_read_only(&disk);
    assert_eq!(log.view().index_state().name(), "behind");
    let coverage = log.index().unwrap().coverage();
    assert_eq!((coverage.events, coverage.gaps), (9, 2));
    assert_eq!(
        log.load_aggregate(3).unwrap().iter().map(chronicle::StoredEvent::offset).collect::<Vec<_>>(),
        [offsets[2], offsets[5], offsets[8], offsets[11]]
    );
}

/// Runs `run` with a kill or a failure at every disk call in turn. After recovery, and after a power cut and recovery,
/// the log has the bytes `before` or `after`.
pub(super) fn assert_atomic(
    disk: &SimDisk,
    before: &[u8],
    after: &[u8],
    run: impl Fn(&SimDisk) -> Result<Plan, StorageError>,
) {
    let probe = disk.next_process();
    let at = probe.calls();
    run(&probe).unwrap();
    let calls = probe.calls() - at;
    assert_eq!(probe.get(LOG).unwrap(), after);
    assert!(calls > 10, "{calls} calls");
    let (mut rolled_back, mut applied, mut pending) = (0, 0, 0);
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::Error(ENOSPC), DiskFault::ShortWrite] {
            for seed in 0..4 {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let result = run(&disk);
                for (cut, disk_after) in [(false, disk.next_process()), (true, disk.power_cut(random_choices(seed)))] {
                    let context = format!("{fault:?} at call {call} ({:?}), power cut: {cut}", disk.faulted_call());
                    pending += u32::from(is_repair_pending(&disk_after));
                    recover_after_kill(&disk_after, seed, &context);
                    let current = disk_after.get(LOG).unwrap();
                    assert!(current == before || current == after, "{context}: {} bytes", current.len());
                    assert!(result.is_err() || current == after, "{context}: reported as applied, and not in the log");
                    assert!(!is_repair_pending(&disk_after), "{context}: still pending");
                    let state = open_read_only(&disk_after).view().index_state().name();
                    assert!(!matches!(state, "corrupt" | "foreign" | "missing"), "{context}: the index is {state}");
                    if current == before { rolled_back += 1 } else { applied += 1 }
                }
            }
        }
    }
    assert!(
        rolled_back > 0 && applied > 0 && pending > 0,
        "{rolled_back} rolled back, {applied} applied, {pending} pending"
    );
}

fn is_repair_pending(disk: &SimDisk) -> bool {
    open_read_only(disk).pending_repair().unwrap().is_some()
}

/// Recovers twice: the first recovery is killed at a call that `seed` selects.
fn recover_after_kill(disk: &SimDisk, seed: u64, context: &str) {
    disk.fail_if_reached(seed as usize * 2, DiskFault::Kill);
    let _ = recover(&log_paths(disk));
    let next = disk.next_process();
    recover(&log_paths(&next)).unwrap_or_else(|error| unreachable!("{context}: {error}"));
    disk.replace_with(&next);
}

#[test]
fn a_repair_that_is_killed_or_fails_is_applied_or_rolled_back() {
    let (disk, _) = damaged_log();
    let before = disk.get(LOG).unwrap();
    let repaired_disk = disk.next_process();
    repair(&repaired_disk).unwrap();
    assert_atomic(&disk, &before, &repaired_disk.get(LOG).unwrap(), repair);
}

#[test]
fn a_repair_of_bits_and_header_that_is_killed_or_fails_is_applied_or_rolled_back() {
    let (disk, offsets) = disk_with_indexed_log(12);
    let whole = disk.get(LOG).unwrap();
    let mut bytes = whole.clone();
    bytes[13] ^= 0x10;
    bytes[offsets[5] as usize + 40] ^= 4;
    disk.overwrite(LOG, &bytes);
    assert_eq!(action_names(&plan(&disk, &RepairOptions::new()).unwrap()), ["rebuild_header", "correct_bits"]);
    assert_atomic(&disk, &bytes, &whole, repair);
}

#[test]
fn forgetting_a_lost_end_that_is_killed_or_fails_is_applied_or_rolled_back() {
    let (disk, whole, offsets) = truncated_log(truncated_log(0).2[3] as usize + 30);
    let before = disk.get(LOG).unwrap();
    let options = RepairOptions::new().forget_lost_end();
    assert_atomic(&disk, &before, &whole[..offsets[3] as usize], |disk| {
        let plan = plan(disk, &options)?;
        apply(&log_paths(disk), &plan, ApplyOptions::new())?;
        Ok(plan)
    });
}

#[test]
fn a_power_cut_in_a_repair_loses_no_event_that_the_plan_has_seen() {
    let (disk, offsets) = disk_with_indexed_log(6);
    let synced_len = disk.get(LOG).unwrap().len();
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[2] as usize + 60..offsets[2] as usize + 90].fill(b'#');
    disk.overwrite(LOG, &bytes);
    open_options(&disk).open(LOG).unwrap().append(&event(1, 6)).unwrap();
    let before = disk.get(LOG).unwrap();
    let repaired = disk.next_process();
    repair(&repaired).unwrap();
    let (after, calls) = (repaired.get(LOG).unwrap(), repaired.calls());
    for call in 0..calls {
        for seed in 0..8 {
            let disk = disk.next_process();
            disk.fail(call, DiskFault::Kill);
            let _ = repair(&disk);
            let disk = disk.power_cut(random_choices(seed));
            recover(&log_paths(&disk)).unwrap();
            let now = disk.get(LOG).unwrap();
            let has_start_of = |bytes: &[u8]| now[..synced_len] == bytes[..synced_len];
            assert!(has_start_of(&before) || has_start_of(&after), "call {call}, seed {seed}");
            // A journal of a shorter log would match it again after some appends.
            let records = read_repair_history(&log_paths(&disk)).unwrap().records;
            assert!(records.iter().all(|record| record.state != RepairState::Pending), "call {call}, seed {seed}");
        }
    }
}

#[test]
fn an_undo_that_is_killed_or_fails_is_applied_or_rolled_back() {
    let (disk, _) = damaged_log();
    let before = disk.get(LOG).unwrap();
    repair(&disk).unwrap();
    let repaired = disk.get(LOG).unwrap();
    assert_atomic(&disk, &repaired, &before, undo);
}

/// Builds a log cut to `bytes_left` bytes, or at a frame boundary for `usize::MAX`, with an index that covers its
/// events.
pub(super) fn truncated_log(bytes_left: usize) -> (SimDisk, Vec<u8>, Vec<u64>) {
    let (disk, offsets) = disk_with_indexed_log(6);
    let (bytes, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let at = if bytes_left == usize::MAX { offsets[4] as usize } else { bytes_left };
    (SimDisk::with_files(&[(LOG, &bytes[..at]), (INDEX, &index)]), bytes, offsets)
}

#[test]
fn a_gap_replaces_a_lost_end_up_to_the_end_that_the_index_records() {
    for bytes_left in [usize::MAX, truncated_log(0).2[3] as usize + 30, 30, 16, 9, 0] {
        let (disk, whole, _) = truncated_log(bytes_left);
        let before = disk.get(LOG).unwrap();
        let index = disk.get(INDEX).unwrap();
        let plan = repair(&disk).unwrap();
        assert_eq!(action_names(&plan), ["gap"], "{bytes_left}");
        let after = disk.get(LOG).unwrap();
        assert_eq!(after.len(), whole.len(), "{bytes_left}");
        assert_eq!(after[..16], whole[..16], "{bytes_left}");
        assert_eq!(survey_log(&disk).damage_total, 0, "{bytes_left}");
        let mut log = open_options(&disk).open(LOG).unwrap();
        assert_eq!(log.append(&event(1, 9)).unwrap(), whole.len() as u64, "{bytes_left}");
        drop(log);
        let error = undo(&disk).unwrap_err();
        assert!(matches!(error, StorageError::Refused { .. }), "an event was appended after it: {error}");
        let disk = SimDisk::with_files(&[(LOG, &before), (INDEX, &index)]);
        repair(&disk).unwrap();
        undo(&disk).unwrap();
        assert_eq!((disk.get(LOG).unwrap(), disk.get(INDEX).unwrap()), (before, index), "{bytes_left}");
    }
}

#[test]
fn a_gap_for_a_lost_end_that_is_killed_or_fails_is_applied_or_rolled_back() {
    for bytes_left in [usize::MAX, 40, 9] {
        let (disk, ..) = truncated_log(bytes_left);
        let before = disk.get(LOG).unwrap();
        let repaired_disk = disk.next_process();
        repair(&repaired_disk).unwrap();
        assert_atomic(&disk, &before, &repaired_disk.get(LOG).unwrap(), repair);
    }
}

#[test]
fn a_forgotten_end_is_counted_as_a_loss_and_an_undo_restores_it() {
    let (disk, _, offsets) = truncated_log(usize::MAX);
    let index = disk.get(INDEX).unwrap();
    let options = RepairOptions::new().forget_lost_end();
    let forget = plan(&disk, &options).unwrap();
    assert_eq!((forget.steps.len(), forget.total_loss().at_most), (0, 2));
    apply(&log_paths(&disk), &forget, ApplyOptions::new()).unwrap();
    assert_eq!(finding_ranges(&survey_log(&disk)), []);
    let mut log = open_options(&disk).open(LOG).unwrap();
    assert_eq!(log.len().unwrap(), offsets[4]);
    log.save_index().unwrap();
    drop(log);
    undo(&disk).unwrap();
    assert_eq!(disk.get(INDEX).unwrap(), index);
    assert_eq!(survey_log(&disk).findings[0].kind.name(), "truncated");
}

#[test]
fn a_donor_range_is_proven_only_when_the_frames_around_it_are_identical() {
    let (disk, offsets) = damaged_log();
    let (whole, _) = log_bytes(12);
    let mut copy = disk.get(LOG).unwrap();
    copy.truncate(whole.len());
    // A log with the same events and another creation time.
    let (other, _) = disk_with_log(12);
    disk.put("/data/other.log", &other.get(LOG).unwrap());
    let plan = plan_from_donor(&disk, &RepairOptions::new(), Some("/data/other.log")).unwrap();
    assert!(plan.steps.iter().all(|step| step.action != RepairAction::TakeFromDonor), "{:?}", action_names(&plan));
    assert_eq!(plan.unrepaired.len(), 2, "the donor ranges are offered and not applied");

    let (good, _) = disk_with_indexed_log(12);
    let (bytes, index) = (good.get(LOG).unwrap(), good.get(INDEX).unwrap());
    let mut bad = bytes.clone();
    bad[offsets[6] as usize..offsets[8] as usize].fill(0);
    bad[offsets[9] as usize + 40..offsets[9] as usize + 80].fill(b'\x01');
    let cut = &bad[..offsets[11] as usize];
    let disk = SimDisk::with_files(&[(LOG, cut), (INDEX, &index), ("/data/copy.log", &bytes)]);
    let plan = plan_from_donor(&disk, &RepairOptions::new(), Some("/data/copy.log")).unwrap();
    assert_eq!(action_names(&plan), ["take_from_donor"; 3]);
    assert_eq!((plan.restored_events(), plan.total_loss().at_most), (4, 0));
    assert_atomic(&disk, cut, &bytes, |disk| {
        let plan = plan_from_donor(disk, &RepairOptions::new(), Some("/data/copy.log"))?;
        apply(&log_paths(disk), &plan, ApplyOptions::new()).map(|_| plan)
    });
    apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), cut);
}

#[test]
fn a_plan_is_refused_when_the_log_has_changed_since() {
    let (disk, offsets) = damaged_log();
    let middle = RepairOptions::new().except(FindingSelector::Kind(chronicle::DamageKind::TornTail));
    let (all, middle) = (plan(&disk, &RepairOptions::new()).unwrap(), plan(&disk, &middle).unwrap());
    assert_eq!(Plan::from_json(&middle.to_json().unwrap()).unwrap(), middle, "a saved plan is read back unchanged");
    let refuse = |disk: &SimDisk, plan: &Plan| {
        let before = disk.get(LOG).unwrap();
        let error = apply(&log_paths(disk), plan, ApplyOptions::new()).unwrap_err();
        assert_eq!(disk.get(LOG).unwrap(), before);
        assert!(matches!(error, StorageError::Changed { .. } | StorageError::Refused { .. }), "{error}");
        assert!(read_repair_history(&log_paths(disk)).unwrap().records.is_empty(), "no journal was created");
    };
    // Growth matters only to a plan that changes the tail.
    let grown = disk.next_process();
    grown.append_as_other_process(LOG, b"more");
    refuse(&grown, &all);
    apply(&log_paths(&grown), &middle, ApplyOptions::new()).unwrap();
    let edit = |at: u64| {
        let disk = disk.next_process();
        let mut bytes = disk.get(LOG).unwrap();
        bytes[at as usize] ^= 1;
        disk.overwrite(LOG, &bytes);
        disk
    };
    for at in [offsets[4] + 61, offsets[3] + 20, offsets[5] + 20, 9, offsets[0] + 8] {
        refuse(&edit(at), &middle);
    }
    let shorter = disk.next_process();
    let bytes = shorter.get(LOG).unwrap();
    shorter.overwrite(LOG, &bytes[..bytes.len() - 1]);
    refuse(&shorter, &middle);
    let replaced = disk.next_process();
    replaced.put(LOG, &bytes);
    refuse(&replaced, &middle);
    // An edited plan would write other bytes than its hashes describe.
    let mut forged = middle.clone();
    if let Some(StepWrite::Edits(changes)) = forged.steps.first_mut().map(|step| &mut step.write) {
        changes[0].after[3] ^= 1;
    }
    forged.seal();
    refuse(&disk, &forged);
}

#[test]
fn an_undo_keeps_events_appended_since_or_is_refused() {
    let (disk, _) = damaged_log();
    let before = disk.get(LOG).unwrap();
    let options = RepairOptions::new().except(FindingSelector::Kind(chronicle::DamageKind::TornTail));
    let first = plan(&disk, &options).unwrap();
    apply(&log_paths(&disk), &first, ApplyOptions::new()).unwrap();
    let mut log = open_options(&disk).open(LOG).unwrap();
    assert!(log.set_aside_tail().is_some());
    let appended = log.append(&event(1, 99)).unwrap();
    drop(log);
    // Setting the tail aside is the newer repair, and an event was appended where the tail was.
    assert!(matches!(undo(&disk), Err(StorageError::Refused { .. })));
    let plan = plan_undo(&log_paths(&disk), Some(1)).unwrap();
    apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
    let after = disk.get(LOG).unwrap();
    assert_eq!(after[..appended as usize], before[..appended as usize]);
    assert_eq!(readable_offsets(&disk).last(), Some(&appended));
}

#[test]
fn a_set_aside_tail_can_be_restored_until_the_next_append() {
    let (bytes, offsets) = log_bytes(4);
    let cut = &bytes[..bytes.len() - 20];
    let disk = SimDisk::with_files(&[(LOG, cut)]);
    drop(open_options(&disk).open(LOG).unwrap());
    assert_eq!(disk.get(LOG).unwrap().len() as u64, offsets[3]);
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), cut);
}

#[test]
fn a_journal_of_another_log_is_reported_and_never_applied() {
    let (disk, _) = damaged_log();
    // The repair is killed after the journal is written and before its last state record, so the log is partly
    // repaired.
    let calls = {
        let probe = disk.next_process();
        repair(&probe).unwrap();
        probe.calls()
    };
    let killed = disk.next_process();
    killed.fail(calls - 4, DiskFault::Kill);
    repair(&killed).unwrap_err();
    let killed = killed.next_process();
    assert!(open_read_only(&killed).pending_repair().unwrap().is_some());
    let (other, _) = disk_with_log(3);
    let bytes = other.get(LOG).unwrap();
    killed.overwrite(LOG, &bytes);
    assert_eq!(open_read_only(&killed).pending_repair().unwrap(), None);
    assert_eq!(recover(&log_paths(&killed)).unwrap(), None);
    let RepairHistory { records: all, notices, .. } = read_repair_history(&log_paths(&killed)).unwrap();
    assert_eq!((all.len(), notices.len()), (0, 1), "{notices:?}");
    drop(open_options(&killed).open(LOG).unwrap());
    assert_eq!(killed.get(LOG).unwrap(), bytes);
}

#[test]
fn opening_for_append_recovers_a_killed_repair_and_reports_it() {
    let (disk, _) = damaged_log();
    let before = disk.get(LOG).unwrap();
    let calls = {
        let probe = disk.next_process();
        repair(&probe).unwrap();
        probe.calls()
    };
    let mut completed = 0;
    for call in 0..calls {
        let disk = disk.next_process();
        disk.fail(call, DiskFault::Kill);
        let _ = repair(&disk);
        let disk = disk.next_process();
        let pending = open_read_only(&disk).pending_repair().unwrap();
        let log = open_options(&disk).open(LOG).unwrap();
        assert_eq!(
            log.recovered_repair().map(|outcome| &outcome.journal),
            pending.as_ref().map(|pending| &pending.journal)
        );
        completed += u32::from(log.recovered_repair().is_some_and(|outcome| outcome.completed));
        assert!(before.starts_with(&disk.get(LOG).unwrap()) || survey_log(&disk).damage_total == 0, "call {call}");
    }
    assert!(completed > 0);
}

#[test]
fn a_plan_above_max_lost_events_and_a_locked_log_are_refused() {
    let (disk, _) = damaged_log();
    let error = plan(&disk, &RepairOptions::new().max_lost_events(2)).unwrap_err();
    assert!(matches!(error, StorageError::Refused { .. }), "{error}");
    let all = plan(&disk, &RepairOptions::new().max_lost_events(3)).unwrap();
    let (clean, _) = disk_with_log(2);
    let writer = open_options(&clean).open(LOG).unwrap();
    let error = apply(&log_paths(&clean), &all, ApplyOptions::new()).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }), "{error}");
    drop(writer);
}

#[test]
fn a_plan_for_one_offset_repairs_only_the_damage_there() {
    let (disk, offsets) = damaged_log();
    for (at, expected) in [
        (offsets[2], &["restore_length"][..]),
        (offsets[4] + 30, &["gap"]),
        (offsets[7], &["gap"]),
        (disk.get(LOG).unwrap().len() as u64 - 1, &["set_aside_tail"]),
        (offsets[1], &[]),
    ] {
        let plan = plan(&disk, &RepairOptions::new().damage_offset(at)).unwrap();
        assert_eq!(action_names(&plan), expected, "{at}");
        assert!(plan.unrepaired.is_empty(), "{at}");
    }
}

#[test]
fn a_damaged_header_is_rebuilt() {
    for indexed in [true, false] {
        let (disk, _) = if indexed { disk_with_indexed_log(3) } else { disk_with_log(3) };
        let whole = disk.get(LOG).unwrap();
        let mut bad = whole.clone();
        bad[1] ^= 0x20;
        disk.overwrite(LOG, &bad);
        let plan = repair(&disk).unwrap();
        assert_eq!((action_names(&plan), plan.steps[0].certainty.unwrap().name()), (vec!["rebuild_header"], "proven"));
        assert_eq!(disk.get(LOG).unwrap(), whole);
        undo(&disk).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), bad);
    }
    let (disk, _) = disk_with_log(3);
    let bad = disk.get(LOG).unwrap();
    let mut bad = bad.clone();
    bad[..4].copy_from_slice(b"NOPE");
    bad[8] = 0x7f;
    disk.overwrite(LOG, &bad);
    let likely = plan(&disk, &RepairOptions::new()).unwrap();
    assert_eq!((likely.steps.len(), likely.unrepaired.len()), (0, 1), "created_at is later than the first event");
    let accepted = plan(&disk, &RepairOptions::new().accept_likely()).unwrap();
    assert_eq!(accepted.steps[0].certainty.unwrap().name(), "likely");
    apply(&log_paths(&disk), &accepted, ApplyOptions::new()).unwrap();
    assert_eq!(finding_ranges(&survey_log(&disk)), []);
}

#[test]
fn a_failed_set_aside_leaves_the_tail_in_place() {
    let (disk, _) = disk_with_indexed_log(4);
    let mut bytes = disk.get(LOG).unwrap();
    bytes.extend_from_slice(&[0, 0, 0, 200, b'{', b'"', b'w']);
    disk.overwrite(LOG, &bytes);
    let calls = {
        let probe = disk.next_process();
        drop(open_options(&probe).open(LOG).unwrap());
        probe.calls()
    };
    for call in 0..calls {
        let disk = disk.next_process();
        disk.fail(call, DiskFault::Error(ENOSPC));
        let opened = open_options(&disk).open(LOG).is_ok();
        let current = disk.get(LOG).unwrap();
        assert!(current == bytes || bytes.starts_with(&current), "call {call}: {} bytes", current.len());
        assert!(!opened || current.len() < bytes.len(), "call {call}");
        drop(open_options(&disk.next_process()).open(LOG).unwrap());
    }
}

#[test]
fn events_without_an_aggregate_count_as_losses() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let no_aggregate = chronicle::Event::builder().event_type("E").namespace("n").schema_id("S").schema_version(1);
    let offsets: Vec<u64> =
        (0..3).map(|_| log.append(&no_aggregate.clone().payload_json("{}").build().unwrap()).unwrap()).collect();
    log.save_index().unwrap();
    drop(log);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[1] as usize + 40..offsets[1] as usize + 70].fill(b'\x07');
    disk.overwrite(LOG, &bytes);
    assert_eq!(plan(&disk, &RepairOptions::new()).unwrap().total_loss().at_most, 1);
    let error = plan(&disk, &RepairOptions::new().max_lost_events(0)).unwrap_err();
    assert!(matches!(error, StorageError::Refused { .. }), "{error}");
}

#[test]
fn the_loss_of_a_lost_end_is_the_number_in_its_finding() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let no_aggregate = chronicle::Event::builder().event_type("E").namespace("n").schema_id("S").schema_version(1);
    let no_aggregate =
        no_aggregate.payload_json("\"a payload that makes room for more than one event\"").build().unwrap();
    let offsets: Vec<u64> =
        (0..8).map(|n| log.append(&if n % 2 == 0 { no_aggregate.clone() } else { event(1, n) }).unwrap()).collect();
    log.save_index().unwrap();
    drop(log);
    let whole = disk.get(LOG).unwrap();
    disk.overwrite(LOG, &whole[..offsets[3] as usize + 20]);
    for rebuilt in [false, true] {
        if rebuilt {
            let mut log = open_read_only(&disk);
            log.reindex_from(0).unwrap();
            log.save_index().unwrap();
        }
        let survey = survey_log(&disk);
        assert_eq!(survey.findings[0].evidence.events_missing, Some(5));
        for options in [RepairOptions::new(), RepairOptions::new().forget_lost_end()] {
            let options = options.max_lost_events(5);
            let lost = plan(&disk, &options).unwrap().total_loss();
            assert_eq!((lost.at_least, lost.at_most), (5, 5), "{options:?}, rebuilt: {rebuilt}");
            assert!(plan(&disk, &options.max_lost_events(4)).is_err());
        }
    }
}

#[test]
fn forgetting_counts_the_frame_that_was_cut_and_respects_the_selection() {
    let (disk, _, offsets) = truncated_log(truncated_log(0).2[4] as usize + 30);
    let forget = RepairOptions::new().forget_lost_end();
    let all = plan(&disk, &forget).unwrap();
    assert_eq!(
        (action_names(&all), all.total_loss().at_most, all.forgotten_index_end.is_some()),
        (vec!["set_aside_tail"], 2, true)
    );
    assert!(plan(&disk, &forget.clone().max_lost_events(1)).is_err());
    let except = forget.except(FindingSelector::Kind(chronicle::DamageKind::Truncated));
    let none = plan(&disk, &except).unwrap();
    assert!(none.is_empty() && none.unrepaired.len() == 1, "{none:?}");
    assert!(offsets[4] > 0);
}

#[test]
fn an_undo_of_an_older_repair_restores_no_index_that_misses_a_newer_one() {
    let (disk, offsets) = damaged_log();
    for at in [offsets[2], offsets[6]] {
        let options = RepairOptions::new().only(FindingSelector::Start(at));
        let plan = plan(&disk, &options).unwrap();
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        let mut log = open_read_only(&disk);
        log.save_index().unwrap();
    }
    let undo = plan_undo(&log_paths(&disk), Some(1)).unwrap();
    apply(&log_paths(&disk), &undo, ApplyOptions::new()).unwrap();
    let log = open_read_only(&disk);
    let events = log.index().unwrap().coverage().events;
    assert_eq!(events, readable_offsets(&disk).len() as u64);
    assert_eq!(log.index().unwrap().coverage().gaps, 1);
}

#[test]
fn an_undo_that_was_undone_has_no_effect() {
    let (disk, offsets) = damaged_log();
    repair(&disk).unwrap();
    undo(&disk).unwrap();
    let again = plan_undo(&log_paths(&disk), Some(2)).unwrap();
    apply(&log_paths(&disk), &again, ApplyOptions::new()).unwrap();
    let RepairHistory { records: all, .. } = read_repair_history(&log_paths(&disk)).unwrap();
    assert_eq!(all.iter().map(|record| record.undone_by).collect::<Vec<_>>(), [None, Some(3), None]);
    assert!(find_gap_journal(&all, offsets[6]..offsets[8]).is_some());
    assert_eq!(plan_undo(&log_paths(&disk), None).unwrap().undoes, Some(1));
}

#[test]
fn a_plan_that_changes_other_ranges_or_cuts_indexed_frames_is_refused() {
    let (disk, offsets) = damaged_log();
    let mut forged = plan(&disk, &RepairOptions::new()).unwrap();
    if let Some(StepWrite::Edits(changes)) = forged.steps.first_mut().map(|step| &mut step.write) {
        let offset = offsets[9] + 10;
        changes.push(chronicle::repair::ByteChange { offset, before: vec![0], after: vec![1] });
    }
    forged.seal();
    let before = disk.get(LOG).unwrap();
    assert!(matches!(apply(&log_paths(&disk), &forged, ApplyOptions::new()), Err(StorageError::Refused { .. })));
    assert_eq!(disk.get(LOG).unwrap(), before);
    let (whole, _) = disk_with_indexed_log(4);
    let (bytes, index) = (whole.get(LOG).unwrap(), whole.get(INDEX).unwrap());
    let disk = SimDisk::with_files(&[(LOG, &bytes[..bytes.len() - 9])]);
    let cut = plan(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(action_names(&cut), ["set_aside_tail"]);
    disk.put(INDEX, &index);
    assert!(matches!(apply(&log_paths(&disk), &cut, ApplyOptions::new()), Err(StorageError::Changed { .. })));
    assert_eq!(disk.get(LOG).unwrap().len(), bytes.len() - 9);
}

#[test]
fn an_index_saved_over_a_damaged_header_does_not_confirm_it() {
    let (disk, _) = disk_with_log(3);
    let whole = disk.get(LOG).unwrap();
    let mut bad = whole.clone();
    bad[2] ^= 0x08;
    disk.overwrite(LOG, &bad);
    open_read_only(&disk).save_index().unwrap();
    repair(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);
}

#[test]
fn a_full_check_finds_damage_that_is_not_in_the_plan() {
    let (disk, offsets) = damaged_log();
    let all = plan(&disk, &RepairOptions::new()).unwrap();
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[10] as usize + 50..offsets[10] as usize + 90].fill(0);
    disk.overwrite(LOG, &bytes);
    let full = ApplyOptions::new().full_check();
    assert!(matches!(apply(&log_paths(&disk), &all, full), Err(StorageError::Changed { .. })));
    assert_eq!(disk.get(LOG).unwrap(), bytes);
}

#[test]
fn an_undo_names_the_unreadable_journal() {
    let (disk, _) = damaged_log();
    repair(&disk).unwrap();
    let journal = read_repair_history(&log_paths(&disk)).unwrap().records[0].journal.to_string_lossy().into_owned();
    let mut bytes = disk.get(&journal).unwrap();
    bytes[60] ^= 1;
    disk.put(&journal, &bytes);
    for number in [None, Some(1)] {
        let error = plan_undo(&log_paths(&disk), number).unwrap_err();
        assert!(matches!(&error, StorageError::Refused { reason, .. } if reason.contains(&journal)), "{error}");
    }
}

#[test]
fn an_undo_names_the_later_repair_of_the_same_range() {
    let (disk, offsets) = damaged_log();
    let first = repair(&disk).unwrap();
    let gap = first.steps.iter().find(|step| step.start == offsets[6]).unwrap();
    let mut bytes = disk.get(LOG).unwrap();
    bytes[gap.start as usize + 8..gap.start as usize + 100].fill(7);
    disk.overwrite(LOG, &bytes);
    assert!(
        matches!(plan_undo(&log_paths(&disk), Some(1)), Err(StorageError::Changed { .. })),
        "no repair has changed it"
    );
    repair(&disk).unwrap();
    let error = plan_undo(&log_paths(&disk), Some(1)).unwrap_err();
    assert!(
        matches!(&error, StorageError::Refused { reason, .. } if reason.contains("repair 2 has changed")),
        "{error}"
    );
}

#[test]
fn a_tail_of_zeros_takes_no_space_in_the_journal_and_is_restored() {
    let (disk, _) = disk_with_indexed_log(4);
    let mut bytes = disk.get(LOG).unwrap();
    bytes.resize(bytes.len() + (5 << 20) + 7, 0);
    disk.put(LOG, &bytes);
    repair(&disk).unwrap();
    let journal = disk.names().into_iter().find(|name| name.ends_with(".journal")).unwrap();
    assert!(disk.get(&journal).unwrap().len() < 16 << 10);
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), bytes);
}

#[test]
fn a_journal_of_version_1_is_still_undone() {
    let (disk, _) = damaged_log();
    let before = disk.get(LOG).unwrap();
    repair(&disk).unwrap();
    let name = disk.names().into_iter().find(|name| name.ends_with(".journal")).unwrap();
    let mut journal = disk.get(&name).unwrap();
    assert_eq!(journal[4..6], [0, 2]);
    journal[5] = 3;
    disk.put(&name, &journal);
    assert!(undo(&disk).is_err(), "a newer version is not read");
    journal[5] = 1;
    disk.put(&name, &journal);
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), before);
}

#[test]
fn a_gap_over_damage_that_the_index_lists_gives_up_an_estimated_number_of_events() {
    let (disk, offsets) = disk_with_log(6);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[1] as usize + 60..offsets[1] as usize + 90].fill(b'#');
    bytes[offsets[3] as usize..offsets[5] as usize].fill(0);
    disk.overwrite(LOG, &bytes);
    let loss = |disk: &SimDisk| {
        let plan = plan(disk, &RepairOptions::new().gap_undecided()).unwrap();
        assert_eq!(action_names(&plan), ["gap", "gap"]);
        plan.steps.iter().map(|step| (step.loss.at_least, step.loss.at_most)).collect::<Vec<_>>()
    };
    let estimated = loss(&disk);
    // The index was built over the damage, so it has no events there. That is no evidence that there were none.
    open_read_only(&disk).save_index().unwrap();
    assert_eq!(open_read_only(&disk).view().index_state().name(), "fresh");
    assert_eq!(loss(&disk), estimated);
    assert_eq!(estimated[0], (0, 1));
    assert!(estimated[1].1 >= 2, "{estimated:?}");
}

#[test]
fn a_donor_restores_the_first_frame() {
    let (whole, offsets) = log_bytes(6);
    let mut damaged = whole.clone();
    damaged[offsets[0] as usize..offsets[1] as usize].fill(0);
    let disk = SimDisk::with_files(&[(LOG, &damaged), ("/data/copy.log", &whole)]);
    let plan = plan_from_donor(&disk, &RepairOptions::new(), Some("/data/copy.log")).unwrap();
    assert_eq!(action_names(&plan), ["take_from_donor"]);
    assert_eq!((plan.restored_events(), plan.total_loss().at_most), (1, 0));
    apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), damaged);
    // A log with the same events and another creation time is another log.
    let mut other = whole;
    other[15] ^= 1;
    disk.overwrite("/data/copy.log", &other);
    let plan = plan_from_donor(&disk, &RepairOptions::new(), Some("/data/copy.log")).unwrap();
    assert!(plan.steps.is_empty(), "{:?}", action_names(&plan));
}
