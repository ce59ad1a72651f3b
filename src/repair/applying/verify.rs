//! Verifies a repair: the written bytes are on the device, and the log has no damage that is not in the plan.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use super::change::PlannedChange;
use super::segment_files::{FileStepState, file_step_state};
use crate::StorageError;
use crate::format::{DamageKind, Finding};
use crate::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};
use crate::repair::types::{Plan, RepairStep, changed_error, read_neighbour, sha256_of_range};

/// Reads every written range and the frames next to it again: from the device, where the platform can drop its cache.
pub(super) fn verify_steps(change: PlannedChange) -> Result<(), StorageError> {
    let PlannedChange { log, plan, meter, .. } = change;
    log.storage().drop_cache();
    for step in &plan.steps {
        if !matches!(file_step_state(log, step)?, None | Some(FileStepState::After | FileStepState::NoFile)) {
            let range = step.affected_range();
            let expected = format!("the files of segments at {}..{} as they were written", range.start, range.end);
            return Err(changed_error(log.path(), &expected, "other files when they were read again"));
        }
        if sha256_of_range(log, step.start..step.new_end, meter)? != step.after_sha256 {
            let expected = format!("what was written to {}..{}", step.start, step.new_end);
            return Err(changed_error(log.path(), &expected, "other bytes when it was read again"));
        }
        for expected in &step.neighbours {
            if read_neighbour(log, expected.offset)? != Some(*expected) {
                let expected = format!("the frame at {} as before", expected.offset);
                return Err(changed_error(log.path(), &expected, "other bytes"));
            }
        }
    }
    Ok(())
}

/// Reads the whole log, and fails when it has damage that the plan neither repairs nor leaves unrepaired.
pub(super) fn check_before_repair(change: PlannedChange) -> Result<(), StorageError> {
    let PlannedChange { paths, plan, .. } = change;
    let is_known = |found: &Finding| is_repaired(plan, found) || is_left_unrepaired(plan, found);
    let Some(found) = find_unknown_damage(change, &is_known)? else { return Ok(()) };
    let expected = format!("no damage in {}..{}", found.start, found.end);
    Err(changed_error(&paths.path, &expected, &format!("{}, which is not in the plan", found.kind.name())))
}

/// Reads the whole log, and fails when it has damage that the plan does not leave unrepaired.
pub(super) fn check_after_repair(change: PlannedChange) -> Result<(), StorageError> {
    let PlannedChange { paths, plan, .. } = change;
    let is_known = |found: &Finding| is_left_unrepaired(plan, found);
    let Some(found) = find_unknown_damage(change, &is_known)? else { return Ok(()) };
    let expected = format!("no damage in {}..{}", found.start, found.end);
    Err(changed_error(&paths.path, &expected, found.kind.name()))
}

/// True when the plan repairs the finding, or leaves a part of it unrepaired and repairs the rest.
fn is_repaired(plan: &Plan, found: &Finding) -> bool {
    let is_forgotten = plan.forgotten_index_end.is_some() && found.kind == DamageKind::Truncated;
    let steps = plan.steps.iter().map(RepairStep::affected_range);
    // A range that is given up can begin with bytes of the log that a step does not change.
    let pieces = plan.steps.iter().flat_map(|step| &step.pieces).map(|piece| piece.start..piece.end);
    is_forgotten || is_covered(found, steps.chain(pieces).chain(unrepaired_ranges(plan)).collect())
}

fn is_left_unrepaired(plan: &Plan, found: &Finding) -> bool {
    is_covered(found, unrepaired_ranges(plan).collect())
}

fn unrepaired_ranges(plan: &Plan) -> impl Iterator<Item = Range<u64>> + '_ {
    plan.unrepaired.iter().map(|left| left.piece.start..left.piece.end)
}

/// True when `ranges` together contain the range of a finding.
fn is_covered(found: &Finding, mut ranges: Vec<Range<u64>>) -> bool {
    ranges.sort_by_key(|range| range.start);
    let mut covered_to: Option<u64> = None;
    for range in ranges {
        if range.start <= covered_to.unwrap_or(found.start) && range.end >= found.start {
            covered_to = covered_to.max(Some(range.end));
        }
    }
    covered_to.is_some_and(|end| found.end <= end)
}

/// Surveys the whole log, and returns the first damage for which `is_known` is false.
fn find_unknown_damage(
    change: PlannedChange,
    is_known: &dyn Fn(&Finding) -> bool,
) -> Result<Option<Finding>, StorageError> {
    let PlannedChange { paths, plan, meter, .. } = change;
    // A log that only a donor of the plan recognises becomes readable when the plan is applied.
    let donors = plan.steps.iter().flat_map(RepairStep::copied_sections).filter_map(|section| section.from);
    let donors: Vec<PathBuf> = donors.map(Path::to_owned).collect();
    let view = LogView::open_as_copy(paths.disk.clone(), &paths.path, paths.custom_index(), &donors)?;
    let view = view.with_threads(paths.scan_threads);
    let mut unknown = None;
    survey(&view, &SurveyOptions::default(), None, &mut |update| match update {
        // The position of the meter is that of the steps: a survey can only be cancelled.
        SurveyUpdate::Progress(_) => meter.advance(0).map_or(ControlFlow::Break(()), ControlFlow::Continue),
        SurveyUpdate::Finding(found) => {
            if unknown.is_none() && found.kind.is_damage() && !is_known(found) {
                unknown = Some(found.clone());
            }
            ControlFlow::Continue(())
        }
    })?;
    Ok(unknown)
}
