//! Setting an unfinished end aside when a log is opened for append: a plan of one step, which is applied at once and told.

use std::path::PathBuf;
use std::sync::Arc;

use super::apply::execute_plan;
use super::identity::{read_identity, sha256_of_range};
use super::neighbours::Neighbours;
use super::planner::{assign_plan_id, estimate_lock_ms};
use super::preconditions::{changed_error, check_plan};
use super::step_output::{ByteSource, StepOutput};
use super::{LogPaths, Loss, PLAN_VERSION, Plan, PlannedPiece, RepairAction, RepairStep, StepWrite};
use crate::StorageError;
use crate::file::{LogFile, OpenMode};
use crate::format::Finding;

/// What was set aside, for whoever has to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct TailBackup {
    /// What it was.
    pub finding: Finding,
    /// The journal that holds its bytes.
    pub journal: PathBuf,
}

/// The log of `log` opened to be changed in place.
fn reopen_for_repair(paths: &LogPaths, log: &LogFile) -> Result<Arc<LogFile>, StorageError> {
    let path = log.path();
    let storage =
        paths.disk.open(path, OpenMode::Repair).map_err(|error| StorageError::io(path, "open for repair", error))?;
    let find = |error| StorageError::io(path, "find", error);
    let (locked, named) = (log.storage().identity().map_err(find)?, storage.identity().map_err(find)?);
    if !locked.is_same_file(named) {
        return Err(changed_error(path, "the file that was opened", "another file under its name"));
    }
    Ok(Arc::new(LogFile::with_header(storage, path, log.version(), log.header())))
}

/// Sets the last piece of a log aside when it may be: it is `torn_tail`, `zeros` or `garbage`, ends the log, and starts
/// at or after everything an index has seen. `log` holds the writer's lock.
///
/// Killed at any instant, the log has its end still, or has lost it with the journal whole.
///
/// # Errors
/// As [`super::apply`].
pub fn set_aside_tail(
    paths: &LogPaths,
    log: &Arc<LogFile>,
    last: &Finding,
    witnessed_end: Option<u64>,
) -> Result<Option<TailBackup>, StorageError> {
    // The lock is held by the handle that appends, and that cannot write in place: what has to be put back would be added
    // at the end.
    let log = &reopen_for_repair(paths, log)?;
    let identity = read_identity(log)?;
    if !last.kind.can_set_aside() || last.end != identity.bytes || last.start < witnessed_end.unwrap_or_default() {
        return Ok(None);
    }
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
        before_sha256: sha256_of_range(log, last.range())?,
        after_sha256: Vec::new(),
        neighbours: Neighbours::find(log, &last.range(), last.end)?.into_vec(),
    };
    step.after_sha256 = StepOutput::new(&step, ByteSource::Unavailable).sha256(log)?;
    let mut plan = Plan {
        layout_version: PLAN_VERSION,
        id: String::new(),
        undoes: None,
        log: identity,
        estimated_lock_ms: estimate_lock_ms(std::slice::from_ref(&step)),
        steps: vec![step],
        unrepaired: Vec::new(),
        notes: Vec::new(),
        forgotten_index_end: None,
        forgotten_loss: Loss::default(),
    };
    assign_plan_id(&mut plan);
    check_plan(log, &plan)?;
    let applied = execute_plan(paths, log, &plan, false)?;
    Ok(Some(TailBackup { finding: last.clone(), journal: applied.journal }))
}
