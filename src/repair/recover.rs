//! A repair that was killed: completed where all of it stands in the log, else taken back, byte by byte, from its journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::apply::{SourceFiles, restore_undone_index, sync_log};
use super::identity::{CHUNK, read_first_checksum, read_header_bytes};
use super::index_maintenance::restore_index;
use super::journal_reader::{JournalReader, RepairState, list_journals};
use super::journal_writer::JournalState;
use super::preconditions::open_and_lock;
use super::step_output::{ByteSource, StepOutput};
use super::{LogPaths, Plan, RepairStep};
use crate::StorageError;
use crate::file::{Disk, HeaderState, LogFile, OpenMode};
use crate::format::journal::JournalSection;
use crate::format::{HEADER_LEN, Version};

/// A repair that is journaled and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRepair {
    /// What it does.
    pub action: String,
    /// File offset of the first byte it is about.
    pub start: u64,
    /// File offset behind the last.
    pub end: u64,
    /// Its journal.
    pub journal: PathBuf,
}

/// What became of a repair that was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryOutcome {
    /// Its number.
    pub number: u32,
    /// Its journal.
    pub journal: PathBuf,
    /// True when all of it stood in the log and it was completed; false when it was taken back.
    pub completed: bool,
}

/// How far a killed repair came, by the log's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RepairProgress {
    /// All of it.
    Complete,
    /// Some of it, or nothing: every byte is as before or as planned.
    Partial,
    /// There are other bytes than those of before and those planned: the journal does not speak of this file.
    Foreign,
}

/// The repair of `log` that is pending by the journals in `folder`. Writes nothing.
///
/// A journal of another log, one that is torn before it holds what it keeps, and one whose bytes are not those of the
/// log any more speak of nothing that is pending.
///
/// # Errors
/// `Io` when the folder or the log cannot be read.
pub fn pending_repair(disk: &dyn Disk, log: &LogFile, folder: &Path) -> Result<Option<PendingRepair>, StorageError> {
    let Some(file) = find_pending_journal(disk, folder)? else { return Ok(None) };
    if measure_progress(log, &file)? == RepairProgress::Foreign {
        return Ok(None);
    }
    let plan = &file.record.plan;
    let start = plan.steps.first().map_or(plan.log.bytes, |step| step.start);
    let end = plan.steps.last().map_or(plan.log.bytes, |step| step.end);
    Ok(Some(PendingRepair { action: plan.journal_name().into(), start, end, journal: file.record.journal.clone() }))
}

/// Completes or takes back a repair that was killed. Where there is none, nothing is opened for writing.
///
/// # Errors
/// `Locked` when another process holds the writer's lock; `Io`; `Poisoned` when a sync failed.
pub fn recover(paths: &LogPaths) -> Result<Option<RecoveryOutcome>, StorageError> {
    if find_pending_journal(paths.disk.as_ref(), &paths.journal_folder())?.is_none() {
        return Ok(None);
    }
    let path = &paths.path;
    let storage = paths.disk.open(path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let look = LogFile::with_header(storage, path, Version::V1, HeaderState::Absent);
    if pending_repair(paths.disk.as_ref(), &look, &paths.journal_folder())?.is_none() {
        return Ok(None);
    }
    let log = open_and_lock(paths, Duration::ZERO)?;
    recover_locked(paths, &log)
}

/// The same under the lock that `log` holds.
pub(super) fn recover_locked(paths: &LogPaths, log: &Arc<LogFile>) -> Result<Option<RecoveryOutcome>, StorageError> {
    let Some(file) = find_pending_journal(paths.disk.as_ref(), &paths.journal_folder())? else { return Ok(None) };
    let completed = match measure_progress(log, &file)? {
        RepairProgress::Foreign => return Ok(None),
        RepairProgress::Complete => {
            // It may have stood in memory only when the repair was killed.
            sync_log(log)?;
            restore_undone_index(paths, &SourceFiles::open_undone_journal(paths, &file.record.plan)?)?;
            true
        }
        RepairProgress::Partial => {
            roll_back(paths, log, &file)?;
            false
        }
    };
    let said = if completed { JournalState::Applied } else { JournalState::RolledBack };
    file.append_state(paths.disk.as_ref(), said)?;
    Ok(Some(RecoveryOutcome { number: file.record.number, journal: file.record.journal.clone(), completed }))
}

/// The newest journal that is whole, when nothing says that its repair was done. Older ones are not looked at: no repair
/// begins while one is pending, unless it speaks of another file.
fn find_pending_journal(disk: &dyn Disk, folder: &Path) -> Result<Option<JournalReader>, StorageError> {
    for path in list_journals(disk, folder)?.into_iter().rev() {
        let Ok(file) = JournalReader::open(disk, &path) else { continue };
        match file.record.state {
            RepairState::Unfinished => {}
            RepairState::Pending => return Ok(Some(file)),
            RepairState::Applied | RepairState::RolledBack => break,
        }
    }
    Ok(None)
}

fn measure_progress(log: &LogFile, file: &JournalReader) -> Result<RepairProgress, StorageError> {
    let (plan, len) = (&file.record.plan, log.len()?);
    let new_len = plan.steps.last().filter(|step| step.touches_tail()).map(|step| step.new_end);
    let fits = match new_len {
        Some(new) => (new.min(plan.log.bytes)..=new.max(plan.log.bytes)).contains(&len),
        None => len >= plan.log.bytes,
    };
    if !fits || !is_same_log(log, plan)? {
        return Ok(RepairProgress::Foreign);
    }
    // A plan without steps changes the index alone, and that is taken back.
    let mut everything = !plan.steps.is_empty() && new_len.is_none_or(|new| new == len);
    for step in &plan.steps {
        let mut after = StepOutput::new(step, ByteSource::Journal(file, JournalSection::AfterImage));
        let mut at = step.start;
        while at < step.end.max(step.new_end) {
            let to = step.end.max(step.new_end).min(at + CHUNK);
            match measure_chunk_progress(log, file, step, &mut after, at, to)? {
                RepairProgress::Foreign => return Ok(RepairProgress::Foreign),
                RepairProgress::Partial => everything = false,
                RepairProgress::Complete => {}
            }
            at = to;
        }
    }
    Ok(if everything { RepairProgress::Complete } else { RepairProgress::Partial })
}

fn measure_chunk_progress(
    log: &LogFile,
    file: &JournalReader,
    step: &RepairStep,
    after: &mut StepOutput,
    at: u64,
    to: u64,
) -> Result<RepairProgress, StorageError> {
    let mut now = vec![0; (to - at) as usize];
    let read = log.read_at(&mut now, at)?;
    now.truncate(read);
    let Some(before) = file.read_range(JournalSection::BeforeImage, at..to.min(step.end).max(at))? else {
        return Ok(RepairProgress::Foreign);
    };
    let planned = after.read_chunk(at..to.min(step.new_end).max(at), &before)?;
    let mut reached = RepairProgress::Complete;
    for (i, byte) in now.iter().enumerate() {
        let (before, planned) = (before.get(i), planned.get(i));
        if planned == Some(byte) {
            continue;
        }
        // Behind the old end a file that was made longer shows zeros until its bytes have come.
        if before != Some(byte) && (before.is_some() || *byte != 0) {
            return Ok(RepairProgress::Foreign);
        }
        reached = RepairProgress::Partial;
    }
    Ok(reached)
}

/// True when what the plan does not touch of the log's start is as the plan knows it.
fn is_same_log(log: &LogFile, plan: &Plan) -> Result<bool, StorageError> {
    let first = plan.steps.first().map_or(u64::MAX, |step| step.start);
    let same_header = first < HEADER_LEN || read_header_bytes(log)? == plan.log.header;
    let same_frame = read_first_checksum(log)? == plan.log.first_checksum;
    // Where the first frame itself changes, its bytes are compared one by one.
    Ok(same_header
        && (same_frame
            || plan.steps.iter().any(|step| step.start <= HEADER_LEN && step.new_end > HEADER_LEN)
            || first == HEADER_LEN
            || plan.log.first_checksum.is_none()))
}

/// Puts back every byte that a journal keeps, the log's length, and the index.
pub(super) fn roll_back(paths: &LogPaths, log: &LogFile, file: &JournalReader) -> Result<(), StorageError> {
    let plan = &file.record.plan;
    // All of it is read before any of it is written: a journal that is damaged itself changes nothing.
    for part in [JournalSection::BeforeImage, JournalSection::IndexBeforeImage] {
        for kept in file.read_saved_bytes(part) {
            kept?;
        }
    }
    for kept in file.read_saved_bytes(JournalSection::BeforeImage) {
        let (offset, bytes) = kept?;
        let io = |error| StorageError::io_at(log.path(), "write", offset, error);
        log.storage().write_at(&bytes, offset).map_err(io)?;
    }
    if plan.steps.last().is_some_and(|step| step.new_end > step.end) {
        let cut = |error| StorageError::io_at(log.path(), "cut", plan.log.bytes, error);
        log.storage().set_len(plan.log.bytes).map_err(cut)?;
    }
    sync_log(log)?;
    restore_index(paths, file)
}
