//! Repairs: plans made and carried out, and the medical record read.

use super::{OnProgress, Shared};
use crate::StorageError;
use crate::repair::{self, Plan, Terms};
use crate::report::recovered_line;
use crate::tui::message::{News, Repaired, Told};
use crate::tui::model::{Offer, Wanted};

/// Reads the medical record.
///
/// # Errors
/// As [`repair::records`].
pub(super) fn records(shared: &Shared) -> Result<Told, StorageError> {
    let (records, notices) = repair::records(&shared.options().site(shared.path())?)?;
    Ok(Told::Records(records, notices))
}

/// Makes a plan. Writes nothing.
///
/// # Errors
/// As [`repair::plan_repair`] and [`repair::plan_undo`].
pub(super) fn plan(shared: &Shared, wanted: Wanted, on: &mut OnProgress) -> Result<Told, StorageError> {
    let plan = match &wanted {
        Wanted::Repair { wishes, .. } => {
            shared.refresh()?;
            repair::plan_repair(&shared.view(), wishes, None, on)?
        }
        Wanted::Undo(number) => repair::plan_undo(&shared.options().site(shared.path())?, *number)?,
    };
    Ok(Told::Planned(Box::new(Offer::new(wanted, plan))))
}

/// Carries a plan out, exactly. A repair that was killed before is ended first.
///
/// # Errors
/// As [`repair::apply`].
pub(super) fn apply(shared: &Shared, plan: &Plan) -> Result<Told, StorageError> {
    let site = shared.options().site(shared.path())?;
    let (applied, recovered) = shared.repairing(|| {
        let recovered = repair::recover(&site)?;
        let applied = repair::apply(&site, plan, Terms::default());
        // What was known of the bytes no longer holds.
        if applied.is_ok() || recovered.is_some() {
            shared.reopen()?;
        }
        Ok::<_, StorageError>((applied, recovered.as_ref().map(recovered_line)))
    })?;
    match (applied, recovered) {
        (Ok(applied), recovered) => {
            let (undoes, facts) = (plan.undoes, shared.facts()?);
            Ok(Told::Repaired(Box::new(Repaired { applied, recovered, undoes, facts })))
        }
        (Err(error), recovered) => {
            if let Some(recovered) = recovered {
                shared.tell(News::Recovered(Box::new(shared.facts()?), recovered));
            }
            Err(error)
        }
    }
}
