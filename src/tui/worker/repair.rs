//! Repairs: plans made and carried out, and the medical record read.

use super::{ProgressCallback, SharedState};
use crate::StorageError;
use crate::repair::{self, ApplyOptions, Plan};
use crate::report::recovered_line;
use crate::tui::message::{BackgroundUpdate, RepairResult, Response};
use crate::tui::model::{PlanPreview, PlanRequest};

/// Reads the medical record.
///
/// # Errors
/// As [`repair_refusal::records`].
pub(super) fn read_records(shared: &SharedState) -> Result<Response, StorageError> {
    let (records, notices) = repair::read_repair_records(&shared.open_options().log_paths(shared.path())?)?;
    Ok(Response::RepairHistory(records, notices))
}

/// Makes a plan. Writes nothing.
///
/// # Errors
/// As [`repair_refusal::plan_repair`] and [`repair_refusal::plan_undo`].
pub(super) fn make_plan(
    shared: &SharedState,
    wanted: PlanRequest,
    on: &mut ProgressCallback,
) -> Result<Response, StorageError> {
    let plan = match &wanted {
        PlanRequest::Repair { options: wishes, .. } => {
            shared.refresh_view()?;
            repair::plan_repair(&shared.view(), wishes, None, on)?
        }
        PlanRequest::Undo(number) => repair::plan_undo(&shared.open_options().log_paths(shared.path())?, *number)?,
    };
    Ok(Response::Planned(Box::new(PlanPreview::new(wanted, plan))))
}

/// Carries a plan out, exactly. A repair that was killed before is ended first.
///
/// # Errors
/// As [`repair_refusal::apply_plan`].
pub(super) fn apply_plan(shared: &SharedState, plan: &Plan) -> Result<Response, StorageError> {
    let site = shared.open_options().log_paths(shared.path())?;
    let (applied, recovered) = shared.with_watch_paused(|| {
        let recovered = repair::recover(&site)?;
        let applied = repair::apply(&site, plan, ApplyOptions::default());
        // What was known of the bytes no longer holds.
        if applied.is_ok() || recovered.is_some() {
            shared.reopen_log()?;
        }
        Ok::<_, StorageError>((applied, recovered.as_ref().map(recovered_line)))
    })?;
    match (applied, recovered) {
        (Ok(applied), recovered) => {
            let (undoes, facts) = (plan.undoes, shared.facts()?);
            Ok(Response::Repaired(Box::new(RepairResult {
                applied,
                recovery_note: recovered,
                undoes,
                log_info: facts,
            })))
        }
        (Err(error), recovered) => {
            if let Some(recovered) = recovered {
                shared.queue_update(BackgroundUpdate::RepairRecovered(Box::new(shared.facts()?), recovered));
            }
            Err(error)
        }
    }
}
