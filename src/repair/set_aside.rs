//! Setting an unfinished end aside when a log is opened for append: a plan of one step, which is applied at once and told.

use std::path::PathBuf;
use std::sync::Arc;

use super::after::{After, Source};
use super::apply::carry_out;
use super::guard::{changed, check_plan};
use super::identity::{identity, sha256};
use super::neighbours::Beside;
use super::planner::{lock_ms, name_plan};
use super::{Action, Loss, PLAN_VERSION, Piece, Plan, Site, Step, Write};
use crate::StorageError;
use crate::file::{LogFile, Open};
use crate::format::{Finding, Kind};

/// What was set aside, for whoever has to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAside {
    /// What it was.
    pub finding: Finding,
    /// The journal that holds its bytes.
    pub journal: PathBuf,
}

/// The log of `log` opened to be changed in place.
fn in_place(site: &Site, log: &LogFile) -> Result<Arc<LogFile>, StorageError> {
    let path = log.path();
    let storage =
        site.disk.open(path, Open::Repair).map_err(|error| StorageError::io(path, "open for repair", error))?;
    let find = |error| StorageError::io(path, "find", error);
    let (locked, named) = (log.storage().identity().map_err(find)?, storage.identity().map_err(find)?);
    if (locked.device, locked.inode) != (named.device, named.inode) {
        return Err(changed(path, "the file that was opened", "another file under its name"));
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
    site: &Site,
    log: &Arc<LogFile>,
    last: &Finding,
    witnessed_end: Option<u64>,
) -> Result<Option<SetAside>, StorageError> {
    // The lock is held by the handle that appends, and that cannot write in place: what has to be put back would be added
    // at the end.
    let log = &in_place(site, log)?;
    let may = matches!(last.kind, Kind::TornTail | Kind::Zeros | Kind::Garbage);
    let identity = identity(log)?;
    if !may || last.end != identity.bytes || last.start < witnessed_end.unwrap_or_default() {
        return Ok(None);
    }
    let mut step = Step {
        action: Action::SetAsideTail,
        certainty: None,
        start: last.start,
        end: last.end,
        new_end: last.start,
        pieces: vec![Piece { kind: last.kind.name().into(), start: last.start, end: last.end }],
        write: Write::Cut,
        restored: 0,
        given_up: Loss::default(),
        also_possible: Vec::new(),
        before: sha256(log, last.range())?,
        after: Vec::new(),
        neighbours: Beside::of(log, &last.range(), last.end)?.both(),
    };
    step.after = After::of(&step, Source::Nowhere).sha256(log)?;
    let mut plan = Plan {
        plan: PLAN_VERSION,
        id: String::new(),
        undoes: None,
        log: identity,
        lock_ms: lock_ms(std::slice::from_ref(&step)),
        steps: vec![step],
        left: Vec::new(),
        notes: Vec::new(),
        forgets: None,
        forgotten: Loss::default(),
    };
    name_plan(&mut plan);
    check_plan(log, &plan)?;
    let applied = carry_out(site, log, &plan, false)?;
    Ok(Some(SetAside { finding: last.clone(), journal: applied.journal }))
}
