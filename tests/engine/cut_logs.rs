//! Cuts a small log at every length, with every state of the index, in both versions, with and without a donor. The plan
//! covers each finding of the survey, a survey after the repair confirms the plan, and no acknowledged offset is used again.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};
use chronicle::internal::format::Version;
use chronicle::internal::format::index::page_checksum;
use chronicle::repair::{
    ApplyOptions, Certainty, CopyOptions, FixFinder, Plan, ProposedFix, RepairAction, RepairOptions, apply, migrate,
    plan_repair,
};
use chronicle::{DamageKind, SeenEnd, StorageError};

use super::file_start::version_0_log;
use super::repairs::{log_paths, undo};
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_indexed_log, event, open_options, open_read_only, readable_offsets};

const DONOR: &str = "/data/donor.log";
const NEW: &str = "/data/new.log";
const PAGE: usize = 4096;

/// An index next to a log that was cut.
struct IndexCase {
    name: &'static str,
    /// The bytes of the index file; `None` without one.
    bytes: Option<Vec<u8>>,
    /// True when the device cannot read the file.
    is_unreadable: bool,
    /// The end of the log that the index has recorded, and that can be read.
    seen_end: Option<u64>,
    /// True when the file may have a record of the end, and it cannot be read.
    is_unknown: bool,
}

/// Returns an index in every state, for a log whose index is `whole`, and was `earlier` when the log had `earlier_end` bytes.
fn index_cases(whole: &[u8], len: u64, earlier: &[u8], earlier_end: u64, foreign: &[u8]) -> Vec<IndexCase> {
    let with_bit = |at: usize| {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 4;
        bytes
    };
    let mut newer = whole.to_vec();
    newer[5] = 2;
    let checksum = page_checksum(0, &newer[..PAGE - 4]);
    newer[PAGE - 4..PAGE].copy_from_slice(&checksum.to_be_bytes());
    let case =
        |name, bytes, seen_end, is_unknown| IndexCase { name, bytes, is_unreadable: false, seen_end, is_unknown };
    vec![
        case("missing", None, None, false),
        case("fresh", Some(whole.to_vec()), Some(len), false),
        case("behind", Some(earlier.to_vec()), Some(earlier_end), false),
        case("corrupt header", Some(with_bit(30)), None, true),
        case("corrupt page", Some(with_bit(PAGE + 9)), Some(len), false),
        case("newer version", Some(newer), None, true),
        case("foreign", Some(foreign.to_vec()), None, false),
        IndexCase { is_unreadable: true, ..case("unreadable", Some(whole.to_vec()), None, true) },
    ]
}

/// Returns the lengths to try of a log of `len` bytes with frames at `offsets`, next to this index: all of them.
fn cuts(case: &IndexCase, offsets: &[u64], len: usize) -> std::ops::RangeInclusive<usize> {
    // The index of another log is known to be one when a frame contradicts it.
    let first = if case.name == "foreign" { offsets[1] as usize } else { 0 };
    first..=len
}

fn disk_of(case: &IndexCase, log: &[u8], donor: Option<&[u8]>) -> SimDisk {
    let disk = SimDisk::with_files(&[(LOG, log)]);
    if let Some(index) = &case.bytes {
        disk.put(INDEX, index);
    }
    if let Some(donor) = donor {
        disk.put(DONOR, donor);
    }
    if case.is_unreadable {
        disk.refuse_reads_of(INDEX);
    }
    disk
}

fn open(disk: &SimDisk) -> Result<LogView, StorageError> {
    LogView::open(Arc::new(disk.clone()), Path::new(LOG), None)
}

/// Returns every finding that is damage, with its fix, as `verify` reports them.
fn verify(view: &LogView) -> Vec<ProposedFix> {
    let mut finder = FixFinder::new(view).unwrap();
    let mut found = Vec::new();
    survey(view, &SurveyOptions::new(), None, &mut |update| {
        if let SurveyUpdate::Finding(finding) = update {
            found.extend(finder.push(finding).unwrap());
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    found.extend(finder.finish());
    found.retain(|proposed| proposed.finding.kind.is_damage());
    found
}

/// Compares a plan with what `verify` reports: the same findings, and without a donor the same fixes and status.
fn check_plan_of_findings(found: &[ProposedFix], plan: &Plan, with_donor: bool, case: &str) {
    let planned = plan.steps.iter().flat_map(|step| &step.pieces);
    let mut pieces: Vec<_> = planned.chain(plan.unrepaired.iter().map(|left| &left.piece)).collect();
    pieces.sort_by_key(|piece| (piece.start, piece.end));
    let mut kinds: Vec<&str> = pieces.iter().map(|piece| piece.kind.as_str()).collect();
    kinds.dedup();
    let expected: Vec<&str> = found.iter().map(|proposed| proposed.finding.kind.name()).collect();
    assert_eq!(kinds, expected, "{case}: {plan:?}");
    for proposed in found {
        let (start, end) = (proposed.finding.start, proposed.finding.end);
        assert_eq!(pieces.iter().map(|piece| piece.start).min(), Some(start), "{case}");
        assert_eq!(pieces.iter().map(|piece| piece.end).max(), Some(end), "{case}");
        let action = proposed.fix.as_ref().map(|fix| fix.action);
        let is_planned = plan.steps.iter().any(|step| Some(step.action) == action);
        let is_restored = with_donor
            && plan
                .steps
                .iter()
                .any(|step| step.action == RepairAction::TakeFromDonor && step.certainty == Some(Certainty::Proven));
        let is_offered = with_donor && !plan.unrepaired.is_empty();
        assert!(is_planned || is_restored || is_offered || action.is_none(), "{case}: {action:?} of {plan:?}");
    }
    #[cfg(feature = "app")]
    if !with_donor {
        use chronicle::internal::report::{exit_code_of_findings, exit_codes_of_plan};
        let [before, _] = exit_codes_of_plan(plan);
        assert_eq!(before, exit_code_of_findings(found, Version::V1), "{case}");
    }
}

#[test]
fn survey_plan_and_repair_of_a_cut_log_of_version_1_agree() {
    let (small, offsets) = disk_with_indexed_log(2);
    let (earlier, earlier_end) = (small.get(INDEX).unwrap(), small.get(LOG).unwrap().len() as u64);
    let mut log = open_options(&small).open(LOG).unwrap();
    let more: Vec<u64> = (0..2).map(|n| log.append_sync(&event(7, n)).unwrap()).collect();
    log.save_index().unwrap();
    drop(log);
    let offsets = [offsets, more].concat();
    let (whole, index) = (small.get(LOG).unwrap(), small.get(INDEX).unwrap());
    let foreign = disk_with_indexed_log(3).0.get(INDEX).unwrap();
    let (mut repaired, mut restored) = (0, 0);
    for index_case in &index_cases(&index, whole.len() as u64, &earlier, earlier_end, &foreign) {
        for cut in cuts(index_case, &offsets, whole.len()) {
            for with_donor in [false, true] {
                let case = format!("index {}, cut at {cut}, donor {with_donor}", index_case.name);
                let donor = with_donor.then_some(whole.as_slice());
                let disk = disk_of(index_case, &whole[..cut], donor);
                let seen_end = index_case.seen_end.filter(|end| *end > 0);
                let view = match open(&disk) {
                    Ok(view) => view,
                    Err(error) => {
                        assert!(matches!(error, StorageError::TooShort { .. }), "{case}: {error}");
                        assert!(cut < 16 && seen_end.is_none(), "{case}: {error}");
                        continue;
                    }
                };
                match view.seen_end() {
                    SeenEnd::Offset(end) => assert_eq!(Some(*end), seen_end, "{case}"),
                    SeenEnd::Nothing => assert!(seen_end.is_none() && !index_case.is_unknown, "{case}"),
                    _ => assert!(index_case.is_unknown, "{case}"),
                }
                let found = verify(&view);
                let is_whole_frames = cut == whole.len() || cut == 16 || offsets.contains(&(cut as u64));
                let lost = seen_end.filter(|end| *end > cut as u64);
                let expected = match (lost, is_whole_frames) {
                    (Some(_), _) => Some(DamageKind::Truncated),
                    (None, true) => None,
                    (None, false) if index_case.is_unknown => Some(DamageKind::Garbage),
                    (None, false) => Some(DamageKind::TornTail),
                };
                assert_eq!(found.iter().map(|proposed| proposed.finding.kind).next(), expected, "{case}");
                let options = donor.map_or_else(RepairOptions::new, |_| RepairOptions::new().donor(DONOR));
                let plan = match plan_repair(&view, &options, &mut |_| ControlFlow::Continue(())) {
                    Ok(plan) => plan,
                    Err(error) => {
                        let is_refused = matches!(error, StorageError::Refused { .. });
                        assert!(is_refused && index_case.is_unknown, "{case}: {error}");
                        assert!(open_options(&disk).open(LOG).is_err(), "{case}: an append is refused too");
                        assert_eq!(disk.get(LOG).unwrap(), whole[..cut], "{case}");
                        continue;
                    }
                };
                check_plan_of_findings(&found, &plan, with_donor, &case);
                let readable = readable_offsets(&disk);
                if plan.is_empty() {
                    assert!(found.is_empty() || !plan.unrepaired.is_empty(), "{case}");
                } else {
                    apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
                    undo(&disk).unwrap();
                    assert_eq!(disk.get(LOG).unwrap(), whole[..cut], "{case}: the undo restores every byte");
                    apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
                    repaired += 1;
                }
                let left = verify(&open(&disk).unwrap());
                assert_eq!(left.len(), plan.unrepaired.len(), "{case}: {left:?}");
                let after = readable_offsets(&disk);
                assert!(
                    readable.iter().all(|at| after.contains(at)) && after.iter().all(|at| offsets.contains(at)),
                    "{case}"
                );
                if plan.unrepaired.is_empty() {
                    // The events of the donor up to the recorded end are back.
                    let restorable = |at: &&u64| with_donor && lost.is_some_and(|end| **at < end);
                    let expected = offsets.iter().filter(|at| readable.contains(at) || restorable(at)).count();
                    assert_eq!(after.len(), expected, "{case}");
                    restored += after.len() - readable.len();
                    let next = open_options(&disk).open(LOG).unwrap().append(&event(9, 9)).unwrap();
                    assert!(next >= seen_end.unwrap_or_default() && !after.contains(&next), "{case}: {next}");
                }
                #[cfg(feature = "app")]
                {
                    let [_, after_repair] = chronicle::internal::report::exit_codes_of_plan(&plan);
                    let is_complete = plan.unrepaired.is_empty() && plan.total_loss().is_zero();
                    assert_eq!(after_repair, if is_complete { 0 } else { 3 }, "{case}");
                }
            }
        }
    }
    assert!(repaired > 200 && restored > 100, "{repaired} repairs restored {restored} events");
}

#[test]
fn survey_and_migration_of_a_cut_log_of_version_0_agree() {
    let (whole, offsets) = version_0_log(4);
    let offsets: Vec<u64> = offsets.into_iter().map(|at| at as u64).collect();
    let saved_index = |len: usize| {
        let disk = SimDisk::with_files(&[(LOG, &whole[..len])]);
        open_read_only(&disk).save_index().unwrap();
        disk.get(INDEX).unwrap()
    };
    let (index, earlier) = (saved_index(whole.len()), saved_index(offsets[2] as usize));
    let foreign = disk_with_indexed_log(3).0.get(INDEX).unwrap();
    let mut migrated = 0;
    for index_case in &index_cases(&index, whole.len() as u64, &earlier, offsets[2], &foreign) {
        for cut in cuts(index_case, &offsets, whole.len()) {
            let case = format!("index {}, cut at {cut}", index_case.name);
            let disk = disk_of(index_case, &whole[..cut], Some(&whole));
            let Ok(view) = open(&disk) else {
                let lost = index_case.seen_end.filter(|end| *end > cut as u64);
                assert!(cut < offsets[1] as usize && lost.is_none(), "{case}");
                continue;
            };
            assert_eq!(view.log().version(), Version::V0, "{case}");
            let found = verify(&view);
            let is_whole_frames = cut == whole.len() || offsets.contains(&(cut as u64));
            let expected = match index_case.seen_end.filter(|end| *end > cut as u64) {
                Some(_) => Some(DamageKind::Truncated),
                None if is_whole_frames => None,
                None if index_case.is_unknown => Some(DamageKind::Garbage),
                None => Some(DamageKind::TornTail),
            };
            assert_eq!(found.iter().map(|proposed| proposed.finding.kind).next(), expected, "{case}");
            for options in [RepairOptions::new(), RepairOptions::new().donor(DONOR)] {
                let refused = plan_repair(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap_err();
                assert!(matches!(refused, StorageError::Version0ReadOnly { .. }), "{case}: {refused}");
            }
            let copied = migrate(&view, &CopyOptions::new(NEW), &mut |_| ControlFlow::Continue(())).unwrap();
            let ends = offsets.iter().skip(1).copied().chain([whole.len() as u64]);
            let events = ends.filter(|end| *end <= cut as u64).count() as u64;
            assert_eq!((copied.events_kept, copied.events_restored), (events, 0), "{case}");
            assert_eq!(copied.damage_total, found.len() as u64, "{case}");
            migrated += 1;
        }
    }
    assert!(migrated > 100, "{migrated}");
}
