//! Repairs: planned, applied, and the medical record read.

use std::time::Duration;

use super::{OnProgress, Shared};
use crate::StorageError;
use crate::repair::{self, Plan, Terms, Wishes};
use crate::tui::message::{News, Planned, Repaired, Told};

/// How long a repair waits for the writer's lock: a moment, for whoever holds it for one append.
const WAIT: Duration = Duration::from_secs(1);

/// Plans a repair. Writes nothing.
///
/// # Errors
/// As [`repair::plan_repair`].
pub(super) fn plan(shared: &Shared, wishes: Wishes, on: &mut OnProgress) -> Result<Told, StorageError> {
    let mut view = shared.view();
    view.refresh()?;
    let plan = repair::plan_repair(&view, &wishes, None, on)?;
    Ok(Told::Planned(Box::new(Planned { plan, wishes: Some(wishes) })))
}

/// Plans to take one back. Writes nothing.
///
/// # Errors
/// As [`repair::plan_undo`].
pub(super) fn plan_undo(shared: &Shared, number: Option<u32>) -> Result<Told, StorageError> {
    let plan = repair::plan_undo(&shared.options().site(shared.path())?, number)?;
    Ok(Told::Planned(Box::new(Planned { plan, wishes: None })))
}

/// Applies a plan, and opens the log anew: nothing that was known of its bytes holds any more.
///
/// # Errors
/// As [`repair::apply`].
pub(super) fn apply(shared: &Shared, plan: Plan) -> Result<Told, StorageError> {
    let site = shared.options().site(shared.path())?;
    let applied = repair::apply(&site, &plan, Terms { wait: WAIT, full_check: false })?;
    shared.reopen()?;
    shared.tell(News::Facts(Box::new(shared.facts()?)));
    Ok(Told::Repaired(Box::new(Repaired { plan, applied })))
}

/// Reads the medical record.
///
/// # Errors
/// As [`repair::records`].
pub(super) fn records(shared: &Shared) -> Result<Told, StorageError> {
    let (records, notices) = repair::records(&shared.options().site(shared.path())?)?;
    Ok(Told::Records(records, notices))
}
