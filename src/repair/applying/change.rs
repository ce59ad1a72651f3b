//! [`PlannedChange`]: what every stage of applying a plan needs.

use std::sync::Arc;

use crate::file::LogFile;
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
