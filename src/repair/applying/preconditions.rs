//! Checks everything that a plan depends on, before anything is written.

use super::change::PlannedChange;
use super::segment_files::{FileStepState, file_step_state};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::MAX_FRAME;
use crate::format::{LogHeader, hex};
use crate::repair::planning::MIN_GAP;
use crate::repair::types::{
    ByteChange, LogIdentity, Plan, RepairAction, RepairStep, StepWrite, WorkMeter, changed_error, ensure_no_hard_links,
    for_each_chunk, read_identity, read_neighbour, refused_error, sha256_of_end, sha256_of_range,
};

/// The alternative in the error of a plan that cannot be applied.
const MAKE_NEW_PLAN: &str = "Make a new plan with `chronicle repair LOG --dry-run --plan FILE`";

/// Checks that a plan still matches its log, by reading the planned ranges. Writes nothing.
///
/// Compared are the log's identity and size, the bytes of every range, and the frames next to it.
///
/// # Errors
/// `Changed` when any of these differs from the plan; `Refused` when the plan contradicts itself or cannot be applied in
/// place; `Io` when the log cannot be read.
pub fn check_plan(log: &LogFile, plan: &Plan) -> Result<(), StorageError> {
    check_plan_with_progress(log, plan, &WorkMeter::silent())
}

/// Checks a plan like [`check_plan`], and reports the progress to `meter`.
pub(super) fn check_plan_with_progress(log: &LogFile, plan: &Plan, meter: &WorkMeter) -> Result<(), StorageError> {
    plan.verify().map_err(|error| refused_error(log.path(), error.to_string(), MAKE_NEW_PLAN))?;
    ensure_no_hard_links(log)?;
    let identity = read_identity(log)?;
    check_identity(log, plan, &identity)?;
    if let Some(fault) = plan.contradiction() {
        return Err(refused_error(log.path(), format!("the plan {fault}"), MAKE_NEW_PLAN));
    }
    let check = StepCheck { log, is_undo: plan.undoes.is_some(), meter };
    plan.steps.iter().try_for_each(|step| check.check_step(step))
}

/// Compares the end of the log with the plan again, just before the plan changes it.
///
/// A program that does not take the lock may have written to the log since [`check_plan`].
///
/// # Errors
/// `Changed` when the end differs from the plan; `Io` when the log cannot be read.
pub(super) fn check_tail_again(change: PlannedChange) -> Result<(), StorageError> {
    let PlannedChange { log, plan, meter, .. } = change;
    let Some(step) = plan.steps.last().filter(|step| step.touches_tail()) else { return Ok(()) };
    if let Some((before, _)) = step.log_ends().filter(|_| step.changes_file()) {
        if log.len()? == before {
            return Ok(());
        }
        return Err(changed_error(log.path(), "the end of the log as the plan was made from it", "another end"));
    }
    if sha256_of_end(log, step.range(), meter)?.as_ref() == Some(&step.before_sha256) {
        return Ok(());
    }
    let expected = format!("the end of the log, {}..{}, as the plan was made from it", step.start, step.end);
    Err(changed_error(log.path(), &expected, "other bytes: a program writes without the lock"))
}

/// Checks that the log is the one that the plan was made from.
fn check_identity(log: &LogFile, plan: &Plan, now: &LogIdentity) -> Result<(), StorageError> {
    let (path, planned) = (log.path(), &plan.log);
    // The format decides about the checksums of gaps. A damaged header does not show it.
    let stated = LogHeader::decode(&now.header).map(LogHeader::frame_format);
    if stated.is_ok_and(|stated| stated != planned.format) || now.header != planned.header {
        return Err(changed_error(path, "the log that the plan was made from", "another header"));
    }
    if now.first_checksum != planned.first_checksum {
        return Err(changed_error(
            path,
            "the log that the plan was made from",
            "another first frame, or none that is valid",
        ));
    }
    if planned.file.is_some() && now.file != planned.file {
        return Err(changed_error(path, "the file that the plan was made from", "another file, which has replaced it"));
    }
    let is_size_allowed = if plan.touches_tail() { now.bytes == planned.bytes } else { now.bytes >= planned.bytes };
    if !is_size_allowed {
        let (expected, found) = (format!("a size of {} bytes", planned.bytes), format!("{} bytes", now.bytes));
        return Err(changed_error(path, &expected, &found));
    }
    Ok(())
}

/// Compares the steps of a plan with the log.
struct StepCheck<'a, 'm> {
    log: &'a LogFile,
    is_undo: bool,
    meter: &'a WorkMeter<'m>,
}

impl StepCheck<'_, '_> {
    /// Checks that a step changes only bytes of its range, and that the range and its neighbours are as planned.
    fn check_step(&self, step: &RepairStep) -> Result<(), StorageError> {
        let (log, path) = (self.log, self.log.path());
        if !self.is_undo && !is_write_of_action(step) {
            let reason = format!("the plan writes something else than its {} at {}", step.action.name(), step.start);
            return Err(refused_error(path, reason, MAKE_NEW_PLAN));
        }
        if sha256_of_range(log, step.range(), self.meter)? != step.before_sha256 {
            let expected = format!("the bytes of {}..{} that the plan was made from", step.start, step.end);
            return Err(changed_error(path, &expected, "other bytes"));
        }
        if !matches!(file_step_state(log, step)?, None | Some(FileStepState::Before | FileStepState::NoFile)) {
            let range = step.affected_range();
            let expected =
                format!("the files of segments at {}..{} that the plan was made from", range.start, range.end);
            return Err(changed_error(path, &expected, "other files"));
        }
        if let StepWrite::Edits(changes) = &step.write {
            self.check_changes(step, changes)?;
        }
        for expected in &step.neighbours {
            if read_neighbour(log, expected.offset)? != Some(*expected) {
                let expected = format!("the frame at {} that the plan depends on", expected.offset);
                return Err(changed_error(path, &expected, "other bytes"));
            }
        }
        Ok(())
    }

    /// Checks that the changes of a step are inside its range, ascending, and show the bytes that the log has.
    fn check_changes(&self, step: &RepairStep, changes: &[ByteChange]) -> Result<(), StorageError> {
        let mut previous_end = step.start;
        for change in changes {
            let end = change.offset.checked_add(change.after.len() as u64).filter(|end| *end <= step.end);
            let is_possible = change.offset >= previous_end && change.before.len() == change.after.len();
            let Some(end) = end.filter(|_| is_possible) else {
                let reason = format!("the plan changes bytes outside of {}..{}", step.start, step.end);
                return Err(refused_error(self.log.path(), reason, MAKE_NEW_PLAN));
            };
            previous_end = end;
            for_each_chunk(self.log, change.offset..end, self.meter, &mut |at, bytes| {
                let from = (at - change.offset) as usize;
                if change.before.get(from..from + bytes.len()) == Some(bytes) {
                    return Ok(());
                }
                let expected = format!("the bytes at {at} that the plan shows as the ones before the repair");
                Err(changed_error(self.log.path(), &expected, "other bytes"))
            })?;
        }
        Ok(())
    }
}

/// True when the step writes what its action describes. The steps of an undo write the reverse of their action.
fn is_write_of_action(step: &RepairStep) -> bool {
    match (&step.write, step.action) {
        (
            StepWrite::Edits(_),
            RepairAction::RestoreLength | RepairAction::CorrectBits | RepairAction::RebuildHeader,
        )
        | (StepWrite::CopyFrom { .. }, RepairAction::TakeFromDonor)
        | (StepWrite::GiveUp(_), RepairAction::GiveUp)
        | (StepWrite::CutExcess(_), RepairAction::CutExcess) => true,
        (StepWrite::Parts { header: Some(header), parts, .. }, RepairAction::RebuildHeader) => {
            parts.is_empty() && is_header_of(step, Some(header))
        }
        (StepWrite::Parts { header, .. }, RepairAction::TakeFromDonor) => {
            is_header_of(step, header.as_ref()) && has_long_gaps(step)
        }
        (StepWrite::Segment(_), RepairAction::RestoreSegment) => has_long_gaps(step),
        (StepWrite::Gap { header: None, .. } | StepWrite::Parts { header: None, .. }, RepairAction::Erase) => {
            step.new_end == step.end
                && step.sections().iter().all(|section| {
                    let len = section.range.end.saturating_sub(section.range.start);
                    section.from.is_none() && (MIN_GAP..=MAX_FRAME as u64).contains(&len)
                })
        }
        (StepWrite::Truncate, RepairAction::SetAsideTail) => step.new_end == step.start,
        (StepWrite::Gap { header, .. }, RepairAction::Gap) => is_header_of(step, header.as_ref()),
        _ => false,
    }
}

/// True when a header that a step writes is that of the log or of the segment that starts where the step does.
fn is_header_of(step: &RepairStep, header: Option<&String>) -> bool {
    let is_at_start = |bytes: &[u8]| {
        LogHeader::decode(bytes).is_ok_and(|header| {
            header.encode().len() == bytes.len() && step.start == header.segment.map_or(0, |segment| segment.base)
        })
    };
    header.is_none_or(|header| hex::decode(header).is_some_and(|bytes| is_at_start(&bytes)))
}

/// True when every gap of a step is long enough for a frame.
fn has_long_gaps(step: &RepairStep) -> bool {
    step.gaps().all(|gap| gap.end.saturating_sub(gap.start) >= MIN_GAP)
}
