//! Recovers from a repair that was killed: completes it when the log has all of its changes, otherwise rolls it back from
//! its journal.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::change::PlannedChange;
use super::failure::{StartedRepair, read_log_state};
use super::index_maintenance::restore_undone_index;
use super::lock::{LockedLog, open_and_lock, open_locked};
use super::purge::finish_purge;
use super::segment_files::{FileStepState, file_step_state};
use super::settings::{SettingsState, settings_state};
use super::source_files::{journaled_output, open_undone_journal};
use super::write::{roll_back, sync_log};
use crate::StorageError;
use crate::failed_repair::LogStateAfterFailure;
use crate::file::{HeaderState, LogFile, OpenMode, SegmentSet, WriterLock, open_log};
use crate::format::FrameFormat;
use crate::format::journal::JournalSection;
use crate::inspect::OnProgress;
use crate::repair::journal::{HiddenJournal, JournalFolder, JournalReader, JournalState};
use crate::repair::planning::StepOutput;
use crate::repair::types::{
    CHUNK, LogPaths, Plan, RepairStep, WorkMeter, changed_error, read_first_checksum, read_neighbour,
};

/// A repair that was journaled, and neither completed nor rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingRepair {
    /// Name of the plan's only action, or `repair`, `undo` or `forget`.
    pub action: String,
    /// File offset of the first byte that the repair changes.
    pub start: u64,
    /// File offset after the last byte that the repair changes.
    pub end: u64,
    /// Path of the repair's journal.
    pub journal: PathBuf,
}

/// The outcome of recovery from a killed repair.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryOutcome {
    /// Number of the repair, counted from 1.
    pub number: u32,
    /// Path of the repair's journal.
    pub journal: PathBuf,
    /// True when the repair was completed, because the log had all of its changes; false when it was rolled back.
    pub completed: bool,
}

/// The share of a repair's changes that the log contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RepairProgress {
    /// The log contains all changes.
    Complete,
    /// The log contains some changes or none: every byte is as before the repair or as planned.
    Partial,
    /// Some bytes are neither as before the repair nor as planned: the journal belongs to another file.
    Foreign,
}

/// Returns the pending repair of `log`, according to its journals. Writes nothing.
///
/// A journal is ignored when it is incomplete or not trusted, when it contradicts itself, or when it does not match the
/// bytes of the log. [`journal_notices`] reports these.
///
/// # Errors
/// `Io` when the log cannot be read.
pub(crate) fn pending_repair(paths: &LogPaths, log: &LogFile) -> Result<Option<PendingRepair>, StorageError> {
    let Ok(Some(journal)) = JournalFolder::open(paths, log)?.find_pending() else { return Ok(None) };
    if measure_progress(paths, log, &journal, &WorkMeter::silent())? == RepairProgress::Foreign {
        return Ok(None);
    }
    let record = &journal.record;
    let plan = &record.plan;
    let start = plan.steps.first().map_or(plan.log.bytes, |step| step.start);
    let end = plan.steps.last().map_or(plan.log.bytes, |step| step.end);
    Ok(Some(PendingRepair { action: plan.journal_name().into(), start, end, journal: record.journal.clone() }))
}

/// Returns one notice for each file that prevents reading the repair history of `log`: an untrusted folder or journal,
/// a journal of another version, and a journal whose pending repair does not match the log.
///
/// # Errors
/// `Io` when the log cannot be read.
pub(crate) fn journal_notices(paths: &LogPaths, log: &LogFile) -> Result<Vec<String>, StorageError> {
    let folder = JournalFolder::open(paths, log)?;
    let mut notices = folder.notices();
    match folder.find_pending() {
        Ok(Some(journal))
            if measure_progress(paths, log, &journal, &WorkMeter::silent())? == RepairProgress::Foreign =>
        {
            let path = journal.record.journal.display();
            let reason = "its repair is unfinished and does not match the log or its own plan";
            notices.push(format!("{path}: not used: {reason}"));
        }
        Ok(_) => {}
        // A file that cannot be opened has a notice already. One that cannot be read as a journal has none.
        Err(hidden) if notices.contains(&hidden.to_notice()) => {}
        Err(hidden) => notices.push(hidden.to_notice()),
    }
    Ok(notices)
}

/// Completes or rolls back a repair that was killed. Without one, no file is opened for writing.
///
/// # Errors
/// `Locked` when another process holds the writer's lock; `Refused` when another process writes without the lock, or when
/// a file that is not trusted may hide a killed repair; `Io` when the log or the journal cannot be read; `RepairFailed`,
/// with what the log and the journal contain after that, when the recovery failed.
pub fn recover(paths: &LogPaths) -> Result<Option<RecoveryOutcome>, StorageError> {
    recover_with(paths, Duration::ZERO, &WorkMeter::silent())
}

/// Completes or rolls back a repair that was killed, like [`recover`]. Waits up to `lock_timeout` for the writer's lock,
/// and reports the progress of comparing the log with the journal.
///
/// # Errors
/// Those of [`recover`]; `Cancelled` when `on_progress` breaks, in which case nothing is written.
pub fn recover_with_progress(
    paths: &LogPaths,
    lock_timeout: Duration,
    on_progress: &mut OnProgress,
) -> Result<Option<RecoveryOutcome>, StorageError> {
    let log = open_for_reading(paths)?;
    let Some(journal) = find_pending(paths, &log)? else { return Ok(None) };
    // The log is compared with the journal before the lock is taken, and again under the lock.
    let compared = bytes_to_compare(&log, &journal.record.plan)?;
    recover_with(paths, lock_timeout, &WorkMeter::new(compared.saturating_mul(2), on_progress))
}

/// Returns how many bytes of the log are compared to measure the progress of the repair of `plan`.
fn bytes_to_compare(log: &LogFile, plan: &Plan) -> Result<u64, StorageError> {
    let len = log.len()?;
    let of_step = |step: &RepairStep| compared_range(step, len).end - step.start;
    Ok(plan.steps.iter().map(of_step).fold(0, u64::saturating_add))
}

/// Returns the range of a step that a log of `len` bytes has. The plan can name bytes after the end of the log.
fn compared_range(step: &RepairStep, len: u64) -> Range<u64> {
    step.start..step.max_end().min(len.max(step.start)).max(step.start)
}

fn recover_with(
    paths: &LogPaths,
    lock_timeout: Duration,
    meter: &WorkMeter,
) -> Result<Option<RecoveryOutcome>, StorageError> {
    if !has_recoverable_repair(paths, &open_for_reading(paths)?, meter)? {
        return Ok(None);
    }
    // Another process may be making that repair now. It then holds the lock.
    let LockedLog { log, .. } = &open_and_lock(paths, lock_timeout)?;
    recover_locked(paths, log, meter)
}

/// Completes or rolls back a repair that was killed, under a lock that the caller holds. Without one, no file is opened
/// for writing.
///
/// # Errors
/// Those of [`recover`], except `Locked`.
pub(crate) fn recover_under_lock(paths: &LogPaths, lock: &WriterLock) -> Result<Option<RecoveryOutcome>, StorageError> {
    let meter = &WorkMeter::silent();
    let log = LogFile::with_header(lock.reader().clone(), &paths.path, FrameFormat::V1, HeaderState::Absent);
    if !has_recoverable_repair(paths, &log, meter)? {
        return Ok(None);
    }
    let recovered = recover_locked(paths, &open_locked(paths, lock)?, meter)?;
    // The recovery can have written or removed the file of a segment.
    let relisted = lock.reader().segments().map_or(Ok(()), SegmentSet::relist);
    relisted.map_err(|error| StorageError::io(&paths.path, "list", error))?;
    Ok(recovered)
}

/// True when a journal of the log describes a repair that is neither complete nor rolled back, and matches the log.
fn has_recoverable_repair(paths: &LogPaths, log: &LogFile, meter: &WorkMeter) -> Result<bool, StorageError> {
    let Some(journal) = find_pending(paths, log)? else { return Ok(false) };
    Ok(measure_progress(paths, log, &journal, meter)? != RepairProgress::Foreign)
}

fn open_for_reading(paths: &LogPaths) -> Result<LogFile, StorageError> {
    let path = &paths.path;
    let storage = open_log(&paths.disk, path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    Ok(LogFile::with_header(storage, path, FrameFormat::V1, HeaderState::Absent))
}

/// Returns the journal of a pending repair, and refuses to continue when a file that is not trusted may hide one.
fn find_pending(paths: &LogPaths, log: &LogFile) -> Result<Option<JournalReader>, StorageError> {
    JournalFolder::open(paths, log)?.find_pending().map_err(HiddenJournal::into_error)
}

/// Completes or rolls back a repair that was killed, under the lock that `log` holds.
pub(super) fn recover_locked(
    paths: &LogPaths,
    log: &Arc<LogFile>,
    meter: &WorkMeter,
) -> Result<Option<RecoveryOutcome>, StorageError> {
    let Some(journal) = find_pending(paths, log)? else { return Ok(None) };
    let log = &Arc::new(log.in_format(journal.record.plan.log.format));
    let progress = measure_progress(paths, log, &journal, meter)?;
    if progress == RepairProgress::Foreign {
        return Ok(None);
    }
    let (plan, path) = (&journal.record.plan, &journal.record.journal);
    let change = PlannedChange { paths, log, plan, meter };
    let started = StartedRepair { change, journal: path, action: "recovery" };
    // What a purge has destroyed cannot be rolled back, so it is always completed.
    let completed = progress == RepairProgress::Complete || plan.purges.is_some();
    finish_repair(started, &journal, progress).map_err(|error| started.to_error(error))?;
    Ok(Some(RecoveryOutcome { number: journal.record.number, journal: journal.record.journal.clone(), completed }))
}

/// Completes or rolls back the repair of a journal, and records which in the journal.
fn finish_repair(
    started: StartedRepair,
    journal: &JournalReader,
    progress: RepairProgress,
) -> Result<(), StorageError> {
    let PlannedChange { paths, log, plan, .. } = started.change;
    let state = if let Some(purge) = &plan.purges {
        finish_purge(started.change, purge)?;
        JournalState::Applied
    } else if progress == RepairProgress::Complete {
        // The changes may have been only in the cache when the process was killed.
        sync_log(log)?;
        restore_undone_index(paths, open_undone_journal(paths, log, plan)?.as_ref())?;
        JournalState::Applied
    } else {
        roll_back(paths, log, journal)?;
        if read_log_state(log, plan)? != LogStateAfterFailure::Before {
            return Err(changed_error(
                log.path(),
                "the bytes that it had before the plan was applied",
                "other bytes after the roll-back",
            ));
        }
        JournalState::RolledBack
    };
    journal.append_state(paths.disk.as_ref(), state)
}

/// Compares the log with the journal, to find which of the repair's changes it contains.
fn measure_progress(
    paths: &LogPaths,
    log: &LogFile,
    journal: &JournalReader,
    meter: &WorkMeter,
) -> Result<RepairProgress, StorageError> {
    let log = &log.in_format(journal.record.plan.log.format);
    let (plan, len) = (&journal.record.plan, log.len()?);
    let planned_len = plan.steps.last().and_then(RepairStep::log_ends).map(|(_, after)| after);
    let is_len_possible = match planned_len {
        Some(planned) => (planned.min(plan.log.bytes)..=planned.max(plan.log.bytes)).contains(&len),
        None => len >= plan.log.bytes,
    };
    if !is_len_possible || !is_same_log(log, plan)? {
        return Ok(RepairProgress::Foreign);
    }
    // Nothing compares the journals with the plan of a purge, so the digest of the plan has to be the one that it got.
    if plan.purges.is_some() {
        let is_whole = plan.steps.is_empty() && plan.verify().is_ok();
        return Ok(if is_whole { RepairProgress::Partial } else { RepairProgress::Foreign });
    }
    match journal.check_saved_bytes(len) {
        Err(StorageError::Changed { .. }) => return Ok(RepairProgress::Foreign),
        checked => checked?,
    }
    // A plan without steps changes only the index, and is rolled back.
    let mut is_complete = !plan.steps.is_empty() && planned_len.is_none_or(|planned| planned == len);
    match settings_state(paths, log, (plan, journal.record.begun_ms))? {
        SettingsState::After | SettingsState::Unchanged => {}
        // A file that another program has changed stays as it is.
        SettingsState::Before | SettingsState::Other => is_complete = false,
    }
    for step in &plan.steps {
        match measure_step_progress(log, journal, step, meter)? {
            RepairProgress::Foreign => return Ok(RepairProgress::Foreign),
            RepairProgress::Partial => is_complete = false,
            RepairProgress::Complete => {}
        }
    }
    Ok(if is_complete { RepairProgress::Complete } else { RepairProgress::Partial })
}

fn measure_step_progress(
    log: &LogFile,
    journal: &JournalReader,
    step: &RepairStep,
    meter: &WorkMeter,
) -> Result<RepairProgress, StorageError> {
    if let Some(state) = file_step_state(log, step)? {
        return Ok(match state {
            FileStepState::After | FileStepState::NoFile => RepairProgress::Complete,
            FileStepState::Before | FileStepState::Partial => RepairProgress::Partial,
            FileStepState::Foreign => RepairProgress::Foreign,
        });
    }
    let mut output = journaled_output(journal, step);
    let mut progress = RepairProgress::Complete;
    let Range { start: mut at, end: compared_end } = compared_range(step, log.len()?);
    while at < compared_end {
        let end = at + CHUNK.min(compared_end - at);
        match measure_chunk_progress(log, journal, step, &mut output, at..end)? {
            RepairProgress::Foreign => return Ok(RepairProgress::Foreign),
            RepairProgress::Partial => progress = RepairProgress::Partial,
            RepairProgress::Complete => {}
        }
        meter.advance(end - at)?;
        at = end;
    }
    Ok(progress)
}

fn measure_chunk_progress(
    log: &LogFile,
    journal: &JournalReader,
    step: &RepairStep,
    output: &mut StepOutput,
    chunk: Range<u64>,
) -> Result<RepairProgress, StorageError> {
    let at = chunk.start;
    let mut now = vec![0; (chunk.end - at) as usize];
    let read = log.read_at(&mut now, at)?;
    now.truncate(read);
    let before_range = at..chunk.end.min(step.end).max(at);
    let Some(before) = journal.read_range(JournalSection::BeforeImage, before_range)? else {
        return Ok(RepairProgress::Foreign);
    };
    let planned = output.read_chunk(at..chunk.end.min(step.new_end).max(at), &before)?;
    let mut progress = RepairProgress::Complete;
    for (i, byte) in now.iter().enumerate() {
        let (before, planned) = (before.get(i), planned.get(i));
        if planned == Some(byte) {
            continue;
        }
        // A file that was extended has zeros after its old end until the planned bytes are written.
        if before != Some(byte) && (before.is_some() || *byte != 0) {
            return Ok(RepairProgress::Foreign);
        }
        progress = RepairProgress::Partial;
    }
    Ok(progress)
}

/// True when the header and the first frame are as in the plan, apart from bytes that the plan changes.
fn is_same_log(log: &LogFile, plan: &Plan) -> Result<bool, StorageError> {
    let first_change = plan.steps.first().map_or(u64::MAX, |step| step.start);
    // A plan that writes or removes the first segment changes which header is the first one.
    let log_start = log.storage().segments().map(SegmentSet::log_start);
    let changes_first = |step: &RepairStep| step.changes_file() && Some(step.start) == log_start;
    if plan.steps.first().is_some_and(changes_first) {
        return has_planned_file_or_neighbour(log, plan);
    }
    let header_len = log.first_frame_offset();
    if first_change >= header_len && log.read_header()? != plan.log.header {
        return Ok(false);
    }
    // A first frame that the plan changes is compared byte by byte in `measure_step_progress` instead.
    let changes_first_frame = first_change == header_len
        || plan.steps.iter().any(|step| step.start <= header_len && step.new_end > header_len);
    if plan.log.first_checksum.is_some() && !changes_first_frame {
        return Ok(read_first_checksum(log)? == plan.log.first_checksum);
    }
    Ok(first_change >= header_len || has_planned_file_or_neighbour(log, plan)?)
}

/// True when the log is the file of the plan, or has a frame next to the planned ranges at its offset.
///
/// This identifies a log of which the plan changes both the header and the first frame.
fn has_planned_file_or_neighbour(log: &LogFile, plan: &Plan) -> Result<bool, StorageError> {
    let file = log.storage().identity().map_err(|error| StorageError::io(log.path(), "find", error))?;
    if plan.log.file.is_some() && plan.log.file == file.device_inode {
        return Ok(true);
    }
    for expected in plan.steps.iter().flat_map(|step| &step.neighbours) {
        if read_neighbour(log, expected.offset)? == Some(*expected) {
            return Ok(true);
        }
    }
    Ok(false)
}
