//! One repair in a log's repair history: its plan, its state, and whether it is still in effect.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::state::JournalState;
use crate::repair::types::{Plan, RepairAction, RepairStep};

/// The state of a repair, according to its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepairState {
    /// The journal was not completed, so the log was not changed.
    Unfinished,
    /// The journal is complete, and has no record of how the repair ended.
    Pending,
    /// The repair was applied.
    Applied,
    /// The repair failed or was killed, and was rolled back.
    RolledBack,
}

impl From<JournalState> for RepairState {
    fn from(state: JournalState) -> Self {
        match state {
            JournalState::Prepared => Self::Pending,
            JournalState::Applied => Self::Applied,
            JournalState::RolledBack => Self::RolledBack,
        }
    }
}

/// One repair in a log's repair history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RepairRecord {
    /// The repair's number, counted from 1.
    pub number: u32,
    /// Path of the repair's journal.
    pub journal: PathBuf,
    /// When the repair began, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// State of the repair.
    pub state: RepairState,
    /// The number of the undo that reversed the repair; `None` while it is not undone.
    pub undone_by: Option<u32>,
    /// The plan of the repair.
    pub plan: Plan,
}

impl RepairRecord {
    /// True when the repair was applied and not undone.
    pub(crate) fn is_in_effect(&self) -> bool {
        self.state == RepairState::Applied && self.undone_by.is_none()
    }

    /// True for a repair in effect that is not itself an undo.
    pub(crate) fn is_undoable(&self) -> bool {
        self.is_in_effect() && self.plan.undoes.is_none()
    }
}

/// Returns the journal that holds the original bytes of a gap: that of the last repair in effect that wrote the gap.
pub fn find_gap_journal(records: &[RepairRecord], gap: Range<u64>) -> Option<&Path> {
    let wrote_gap = |step: &RepairStep| {
        step.action == RepairAction::Gap && step.start <= gap.start && gap.start < step.end && gap.end <= step.new_end
    };
    let mut undoable = records.iter().rev().filter(|record| record.is_undoable());
    undoable.find(|record| record.plan.steps.iter().any(wrote_gap)).map(|record| record.journal.as_path())
}

/// Returns the number at the start of a journal's file name.
pub(super) fn journal_number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}
