//! Sets an unfinished tail aside when a log is opened for append, by a plan of one step that is applied at once.

use std::path::PathBuf;
use std::sync::Arc;

use super::apply::{CheckExtent, execute_plan};
use super::change::PlannedChange;
use super::lock::reopen_for_repair;
use super::preconditions::check_plan;
use crate::StorageError;
use crate::file::LogFile;
use crate::format::Finding;
use crate::index::SeenEnd;
use crate::repair::planning::{Neighbours, StepOutput};
use crate::repair::types::{
    LogPaths, Loss, Plan, PlannedPiece, RepairAction, RepairStep, StepWrite, WorkMeter, changed_error, read_identity,
    sha256_of_range,
};

/// A tail that was set aside: saved in a journal and cut off.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TailBackup {
    /// The finding that described the tail.
    pub finding: Finding,
    /// Path of the journal that contains the bytes of the tail.
    pub journal: PathBuf,
}

/// Saves the damaged range at the end of a log in a journal, and cuts it off. `log` must hold the writer's lock.
///
/// Returns `None`, and changes nothing, unless the finding is `torn_tail`, `zeros` or `garbage`, ends the log, and starts
/// where `seen_end` allows a cut. After a kill at any instant, either the log
/// still has its tail, or the journal contains all of it.
///
/// # Errors
/// Those of [`apply`](super::apply()).
pub(crate) fn set_aside_tail(
    paths: &LogPaths,
    log: &Arc<LogFile>,
    last: &Finding,
    seen_end: &SeenEnd,
) -> Result<Option<TailBackup>, StorageError> {
    let log = &reopen_for_repair(paths, log)?;
    let identity = read_identity(log)?;
    if !last.kind.can_set_aside() || last.end != identity.bytes || !seen_end.allows_cut_at(last.start) {
        return Ok(None);
    }
    let meter = WorkMeter::silent();
    let mut step = RepairStep {
        action: RepairAction::SetAsideTail,
        certainty: None,
        start: last.start,
        end: last.end,
        new_end: last.start,
        pieces: vec![PlannedPiece { kind: last.kind.name().into(), start: last.start, end: last.end }],
        write: StepWrite::Truncate,
        restored_events: 0,
        loss: Loss::default(),
        alternatives: Vec::new(),
        before_sha256: sha256_of_range(log, last.range(), &meter)?,
        after_sha256: Vec::new(),
        neighbours: Neighbours::find(log, &last.range(), last.end)?.into_vec(),
    };
    if log.read_frame_at(last.start, &mut Vec::new())?.is_some() {
        return Err(changed_error(log.path(), "a damaged end", "a valid frame: a program writes without the lock"));
    }
    let after_sha256 = StepOutput::new(log.format(), &step, None).sha256(log, &meter)?;
    step.after_sha256 = after_sha256;
    let mut plan = Plan::new(identity, vec![step]);
    plan.assign_id();
    plan.seal();
    let change = PlannedChange { paths, log, plan: &plan, meter: &meter };
    check_plan(log, &plan)?;
    let applied = execute_plan(change, CheckExtent::Steps)?;
    Ok(Some(TailBackup { finding: last.clone(), journal: applied.journal }))
}
