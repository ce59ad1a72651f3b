//! Reads the log and the journal after a repair failed, so that the error reports what they contain and not what they
//! should contain.

use std::path::Path;

use super::change::PlannedChange;
use super::segment_files::{FileStepState, file_step_state, relist};
use crate::StorageError;
use crate::error::RepairFailure;
use crate::failed_repair::{JournalStateAfterFailure, LogStateAfterFailure};
use crate::file::LogFile;
use crate::repair::journal::{JournalFolder, RepairState};
use crate::repair::types::{Plan, RepairStep, WorkMeter, sha256_of_range};

/// A repair whose journal is written, so that the log may be changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartedRepair<'a, 'm> {
    pub(super) change: PlannedChange<'a, 'm>,
    /// Path of the repair's journal.
    pub(super) journal: &'a Path,
    /// What fails when it fails: "repair", "undo" or "recovery".
    pub(super) action: &'static str,
}

impl StartedRepair<'_, '_> {
    /// Returns the error of the repair that `cause` stopped, with the present contents of the log and of the journal.
    pub(super) fn to_error(self, cause: StorageError) -> StorageError {
        let PlannedChange { paths, log, plan, .. } = self.change;
        let state = match cause {
            // After a failed sync, reads may return bytes that never reach the disk.
            StorageError::Poisoned { .. } => {
                LogStateAfterFailure::Unknown { reason: "a failed sync may have lost any of the written bytes".into() }
            }
            _ => read_log_state(log, plan)
                .unwrap_or_else(|error| LogStateAfterFailure::Unknown { reason: error.to_string() }),
        };
        let failure = RepairFailure {
            action: self.action,
            cause,
            log_state: state,
            journal: self.journal.to_owned(),
            journal_state: self.read_journal_state(),
        };
        StorageError::RepairFailed { path: paths.path.clone(), failure: Box::new(failure) }
    }

    fn read_journal_state(self) -> JournalStateAfterFailure {
        let PlannedChange { paths, log, .. } = self.change;
        let folder = match JournalFolder::open(paths, log) {
            Ok(folder) => folder,
            Err(error) => return JournalStateAfterFailure::Unreadable { reason: error.to_string() },
        };
        match folder.open_journal(self.journal) {
            Ok(journal) => match journal.record.state {
                RepairState::Pending => JournalStateAfterFailure::Pending,
                RepairState::Applied | RepairState::Purged => JournalStateAfterFailure::Applied,
                RepairState::RolledBack => JournalStateAfterFailure::RolledBack,
                RepairState::Unfinished => JournalStateAfterFailure::Incomplete,
            },
            Err(fault) => JournalStateAfterFailure::Unreadable { reason: fault.reason() },
        }
    }
}

/// Compares the ranges of a plan, and the size of the log, with their state before and after the repair.
pub(super) fn read_log_state(log: &LogFile, plan: &Plan) -> Result<LogStateAfterFailure, StorageError> {
    log.storage().drop_cache();
    relist(log)?;
    let (mut changed, mut is_after) = (Vec::new(), !plan.steps.is_empty());
    for step in &plan.steps {
        match file_step_state(log, step)? {
            None => {}
            Some(FileStepState::NoFile) => continue,
            Some(state) => {
                if state != FileStepState::Before {
                    changed.push(step.affected_range());
                }
                is_after &= state == FileStepState::After;
                continue;
            }
        }
        if !has_bytes(log, step, step.end, &step.before_sha256)? {
            changed.push(step.start..step.max_end());
        }
        is_after &= has_bytes(log, step, step.new_end, &step.after_sha256)?;
    }
    Ok(if changed.is_empty() {
        LogStateAfterFailure::Before
    } else if is_after {
        LogStateAfterFailure::After
    } else {
        LogStateAfterFailure::Partly { changed }
    })
}

/// True when the range of `step` up to `end` has this hash. A step that changes the size also requires that size.
fn has_bytes(log: &LogFile, step: &RepairStep, end: u64, sha256: &[u8]) -> Result<bool, StorageError> {
    let len = log.len()?;
    let is_size_possible = if step.touches_tail() { len == end } else { len >= end };
    Ok(is_size_possible && sha256_of_range(log, step.start..end, &WorkMeter::silent())? == sha256)
}
