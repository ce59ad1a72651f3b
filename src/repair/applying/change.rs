//! [`PlannedChange`]: what every stage of applying a plan needs, and [`AppliedRepair`], the result.

use std::path::PathBuf;
use std::sync::Arc;

use crate::file::LogFile;
use crate::inspect::LogView;
use crate::repair::types::{LogPaths, Plan, RepairStep, WorkMeter};

/// A plan with the log that it changes, and the meter that reports the progress of the change.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedChange<'a, 'm> {
    pub(super) paths: &'a LogPaths,
    /// The log, opened for changes in place under the writer's lock.
    pub(super) log: &'a Arc<LogFile>,
    pub(super) plan: &'a Plan,
    pub(super) meter: &'a WorkMeter<'m>,
}

impl PlannedChange<'_, '_> {
    /// Opens a view of the log and its index file; `None` for a log that cannot be read before it is repaired.
    pub(super) fn open_view(self) -> Option<LogView> {
        let Self { paths, log, .. } = self;
        LogView::from_storage(paths.disk.clone(), log.path(), log.shared_storage(), paths.custom_index()).ok()
    }
}

/// A repair that was applied.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AppliedRepair {
    /// The repair's number, by which it can be undone.
    pub number: u32,
    /// Path of the repair's journal.
    pub journal: PathBuf,
    /// True when the log has a valid index that may not cover the whole log and should be caught up.
    pub index_behind: bool,
}

/// Returns about how many bytes are read and written to apply a plan.
///
/// The old bytes are hashed and journaled. The new ones are computed and hashed, copied when they come from another file,
/// written, and read again.
pub(super) fn work_of_plan(plan: &Plan) -> u64 {
    let of_step = |step: &RepairStep| {
        let (old, new) = (step.end.saturating_sub(step.start), step.new_end.saturating_sub(step.start));
        let passes = if step.copied_sections().next().is_some() { 5 } else { 3 };
        old.saturating_mul(2).saturating_add(new.saturating_mul(passes))
    };
    plan.steps.iter().map(of_step).fold(0, u64::saturating_add)
}
