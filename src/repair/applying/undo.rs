//! Plans an undo: an ordinary plan, made from the journal of the repair that it reverses.

use std::ops::ControlFlow;

use super::segment_files::{FileStepState, file_step_state};
use super::settings::undo_settings;
use crate::StorageError;
use crate::file::{Disk, HeaderState, LogFile, OpenMode, RemovedFolder, open_log};
use crate::format::journal::JournalSection;
use crate::format::segment_file_name;
use crate::inspect::OnProgress;
use crate::repair::journal::{
    ChangesInLog, JournalFolder, JournalReader, RepairHistory, RepairRecord, RepairState, read_repair_history,
};
use crate::repair::planning::{ByteSource, StepOutput};
use crate::repair::types::{
    ByteChange, LIST_REPAIRS, LogPaths, Loss, Plan, RepairStep, StepWrite, WorkMeter, changed_error, read_identity,
    read_neighbour, refused_error, sha256_of_range,
};

/// Plans to undo the repair with this number, or the last repair in effect. Reads the changed ranges, and writes nothing.
///
/// # Errors
/// - `Refused` when there is no such repair, when it was undone already, when a later repair has changed the same range,
///   or when events were appended where the old bytes would be restored.
/// - `Changed` when the log is not as the repair left it.
/// - `Io` when the log or the journals cannot be read.
pub fn plan_undo(paths: &LogPaths, number: Option<u32>) -> Result<Plan, StorageError> {
    plan_undo_with_progress(paths, number, &mut |_| ControlFlow::Continue(()))
}

/// Plans an undo like [`plan_undo`], and reports the progress about once per mebibyte.
///
/// # Errors
/// Those of [`plan_undo`]; `Cancelled` when `on_progress` breaks.
pub fn plan_undo_with_progress(
    paths: &LogPaths,
    number: Option<u32>,
    on_progress: &mut OnProgress,
) -> Result<Plan, StorageError> {
    let RepairHistory { records, notices } = read_repair_history(paths)?;
    let record = select_record(paths, &records, &notices, number)?;
    let path = &paths.path;
    let storage = open_log(&paths.disk, path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = LogFile::with_header(storage, path, record.plan.log.format, HeaderState::Absent);
    let journal = JournalFolder::open(paths, &log)?.open_journal(&record.journal);
    let journal = journal.map_err(|fault| fault.into_error(&record.journal))?;
    journal.check_saved_bytes(log.len()?)?;
    let identity = read_identity(&log)?;
    let meter = &WorkMeter::new(record.plan.changed_bytes().saturating_mul(2), on_progress);
    let disk = paths.disk.as_ref();
    let undoing = Undoing { disk, log: &log, log_end: identity.bytes, records: &records, record, meter };
    let mut steps = Vec::new();
    for step in &record.plan.steps {
        undoing.check_undoable(step)?;
        steps.push(undoing.invert_step(&journal, step)?);
    }
    if record.plan.steps.is_empty() && identity.bytes != record.plan.log.bytes {
        let reason = "events were appended after the index dropped its record of the lost ones".to_owned();
        return Err(refused_error(path, reason, "The journal still holds the old index"));
    }
    let mut plan = Plan::new(identity, steps);
    plan.undoes = Some(record.number);
    plan.settings = undo_settings(paths, &log, (&record.plan, record.begun_ms))?;
    plan.cut_segments.clone_from(&record.plan.log.short_segments);
    plan.assign_id();
    plan.seal();
    Ok(plan)
}

/// A repair that is being reversed, with the log that it has changed.
struct Undoing<'a, 'm> {
    disk: &'a dyn Disk,
    log: &'a LogFile,
    log_end: u64,
    /// The repair history of the log.
    records: &'a [RepairRecord],
    record: &'a RepairRecord,
    meter: &'a WorkMeter<'m>,
}

impl Undoing<'_, '_> {
    /// Checks that the range of `step` has the bytes that repair `record` wrote, and can be restored.
    fn check_undoable(&self, step: &RepairStep) -> Result<(), StorageError> {
        let Self { log, log_end, records, record, meter, .. } = *self;
        self.check_not_removed(step)?;
        let is_unchanged = match file_step_state(log, step)? {
            Some(state) => matches!(state, FileStepState::After | FileStepState::NoFile),
            None => {
                log_end >= step.new_end && sha256_of_range(log, step.start..step.new_end, meter)? == step.after_sha256
            }
        };
        let is_replaced = !is_unchanged || self.is_restored(step);
        if let Some(later) = find_later_repair(records, record, step).filter(|_| is_replaced) {
            let range = format!("{}..{}", step.start, step.new_end);
            return Err(if later.state == RepairState::Purged {
                let reason = format!("erasure {} of {range} is final, and its old bytes are destroyed", later.number);
                refused_error(log.path(), reason, LIST_REPAIRS)
            } else {
                let reason = format!("repair {} has changed {range} since", later.number);
                refused_error(log.path(), reason, "Undo the later repair first")
            });
        }
        if let Some((_, new_end)) = step.log_ends().filter(|(_, new_end)| log_end > *new_end) {
            let reason = format!(
                "{} bytes were appended after repair {}, where its old bytes would be restored",
                log_end - new_end,
                record.number
            );
            return Err(refused_error(log.path(), reason, "The journal keeps the old bytes; the appended ones stay"));
        }
        if !is_unchanged {
            let expected = format!("{}..{} as repair {} left it", step.start, step.new_end, record.number);
            return Err(changed_error(log.path(), &expected, "other bytes"));
        }
        Ok(())
    }

    /// True when a segment is there again that starts in the range that the step gives up.
    fn is_restored(&self, step: &RepairStep) -> bool {
        let Some(segments) = self.log.storage().segments() else { return false };
        let range = step.affected_range();
        let has_segment = || segments.bases().iter().any(|base| range.contains(base));
        matches!(step.write, StepWrite::GiveUp(_)) && has_segment()
    }

    /// Checks that retention has not removed the segment that the step has changed.
    fn check_not_removed(&self, step: &RepairStep) -> Result<(), StorageError> {
        let Self { log, record, .. } = *self;
        let Some(segments) = log.storage().segments().filter(|segments| step.start < segments.log_start()) else {
            return Ok(());
        };
        let removed = RemovedFolder::of_log(self.disk, log.storage(), segments)?;
        let found = removed.list_segments()?;
        let segment = found.iter().rfind(|(base, _)| *base <= step.start).map(|(base, _)| *base);
        let (start, number) = (segments.log_start(), record.number);
        let name = segment.map_or_else(|| format!("at offset {}", step.start), segment_file_name);
        let reason = format!(
            "repair {number} has changed the segment {name}, which a retention has removed since: the log starts at \
             offset {start}"
        );
        Err(refused_error(
            log.path(),
            reason,
            if segment.is_some() {
                "Bring the segments back first, by undoing the retention: `chronicle undo LOG --list` names it"
            } else {
                "The removed segments were deleted for good, so there is nothing left to restore"
            },
        ))
    }

    /// Returns the step that reverses `step` with the bytes that are saved in the journal.
    fn invert_step(&self, journal: &JournalReader, step: &RepairStep) -> Result<RepairStep, StorageError> {
        let Self { log, meter, .. } = *self;
        let saved = journal.section_source(JournalSection::BeforeImage);
        // The restored bytes are those that the journal saved from the log. The plan in the journal only describes them.
        let invert_change = |change: &ByteChange| -> Result<ByteChange, StorageError> {
            let end = change.offset.saturating_add(change.after.len() as u64);
            let after = saved.read_range(change.offset..end)?;
            Ok(ByteChange { offset: change.offset, before: change.after.clone(), after })
        };
        let write = match &step.write {
            StepWrite::Edits(changes) => {
                StepWrite::Edits(changes.iter().map(invert_change).collect::<Result<_, StorageError>>()?)
            }
            StepWrite::Segment(segment) => StepWrite::RemoveSegment { old_log_end: segment.old_log_end },
            StepWrite::GiveUp(lost) => StepWrite::TakeBack(lost.clone()),
            StepWrite::CutExcess(excess) => StepWrite::WriteExcess(excess.clone()),
            _ => StepWrite::CopyFrom { from: journal.record.journal.clone() },
        };
        let mut inverse = RepairStep {
            certainty: None,
            start: step.start,
            end: step.new_end,
            new_end: step.end,
            write,
            restored_events: 0,
            loss: Loss::default(),
            alternatives: Vec::new(),
            before_sha256: step.after_sha256.clone(),
            after_sha256: Vec::new(),
            ..step.clone()
        };
        inverse.neighbours.retain(|frame| read_neighbour(log, frame.offset).is_ok_and(|now| now == Some(*frame)));
        let after_sha256 = StepOutput::new(log.format(), &inverse, Some(Box::new(saved))).sha256(log, meter)?;
        if after_sha256 != step.before_sha256 {
            return Err(changed_error(&journal.record.journal, "the bytes from before the repair", "other bytes"));
        }
        inverse.after_sha256 = after_sha256;
        Ok(inverse)
    }
}

/// Returns the last repair in effect after `record` that has changed the range of `step`.
fn find_later_repair<'a>(
    records: &'a [RepairRecord],
    record: &RepairRecord,
    step: &RepairStep,
) -> Option<&'a RepairRecord> {
    let mut later = records.iter().rev().filter(|other| other.number > record.number && other.is_in_effect());
    later.find(|other| other.plan.steps.iter().any(|other| other.overlaps(step)))
}

/// Returns the repair to undo: the one with this number, or the last one in effect that is not an undo.
fn select_record<'a>(
    paths: &LogPaths,
    records: &'a [RepairRecord],
    notices: &[String],
    number: Option<u32>,
) -> Result<&'a RepairRecord, StorageError> {
    // An unreadable journal may belong to the repair that the user means, so the message lists these journals.
    let unread = notices.iter().map(|notice| format!("; not read: {notice}")).collect::<String>();
    let folder = paths.journal_folder();
    let Some(number) = number else {
        let last = records.iter().rev().find(|record| record.is_undoable());
        let reason = || format!("nothing to undo: no repair is in effect in {}{unread}", folder.display());
        return last.ok_or_else(|| refused_error(&paths.path, reason(), LIST_REPAIRS));
    };
    let reason = match records.iter().find(|record| record.number == number) {
        Some(RepairRecord { in_log: ChangesInLog::None, .. }) => {
            format!("the changes of repair {number} are no longer in the log, so there is nothing to undo")
        }
        Some(RepairRecord { state: RepairState::Purged, plan, .. }) => {
            let what = if plan.erases.is_some() { "erasure" } else { "repair" };
            format!("{what} {number} cannot be undone: the bytes from before it were destroyed by a purge")
        }
        Some(record) if record.is_in_effect() && record.plan.purges.is_some() => {
            format!("{number} is a purge, which cannot be undone: it destroyed the bytes that erasures had saved")
        }
        Some(record) if record.is_in_effect() => return Ok(record),
        Some(RepairRecord { undone_by: Some(by), .. }) => format!("repair {number} was already undone, by {by}"),
        Some(_) => format!("repair {number} was not applied"),
        None => format!("there is no repair {number} in {}{unread}", folder.display()),
    };
    Err(refused_error(&paths.path, reason, LIST_REPAIRS))
}
