//! Handles requests to remove, restore and delete segments: makes plans, and applies them.

use super::SharedState;
use super::writing::open_for_append;
use crate::inspect::OnProgress;
use crate::log::{last_removal_of, removed_segments_of};
use crate::repair::{RetentionLimit, plan_retention, refused_error};
use crate::tui::message::{Response, SegmentsChanged};
use crate::tui::request::{RetainLimit, SegmentChange, SegmentChangeRequest};
use crate::{EventLog, StorageError};

/// The next step when a plan is not applied, because the folder is no longer as it was shown.
const PLAN_AGAIN: &str = "Make the plan again";

/// Makes the plan of a change. Nothing is written.
///
/// # Errors
/// Those of [`plan_retention`], [`crate::EventLog::last_removal`] and [`crate::EventLog::removed_segments`].
pub(super) fn make_plan(
    shared: &SharedState,
    request: &SegmentChangeRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    shared.refresh_view()?;
    let view = shared.view();
    let planned = match request {
        SegmentChangeRequest::Retain(limits) => {
            let wanted: Vec<RetentionLimit> = limits.iter().map(RetainLimit::limit).collect();
            SegmentChange::Retain { plan: plan_retention(&view, &wanted, on_progress)?, limits: limits.clone() }
        }
        SegmentChangeRequest::Restore => SegmentChange::Restore(last_removal_of(&view)?),
        SegmentChangeRequest::Delete => SegmentChange::Delete(removed_segments_of(&view)?),
    };
    Ok(Response::SegmentChangePlanned(Box::new(planned)))
}

/// Applies exactly this plan.
///
/// # Errors
/// Those of [`crate::EventLog::apply_retention`], [`crate::EventLog::undo_removal`] and [`crate::EventLog::purge_removed`];
/// `Refused` when the removed segments are not those that were shown.
pub(super) fn apply_plan(shared: &SharedState, plan: &SegmentChange) -> Result<Response, StorageError> {
    let (mut log, recovery_notes) = open_for_append(shared)?;
    let changed = shared.with_watch_paused(|| {
        let changed = change_segments(&mut log, plan);
        // A change that failed may have moved some of the files. The index is saved when the user asks for it.
        drop(log);
        shared.reopen_log()?;
        changed
    });
    changed?;
    let log_info = shared.log_info()?;
    Ok(Response::SegmentsChanged(Box::new(SegmentsChanged { change: plan.clone(), recovery_notes, log_info })))
}

fn change_segments(log: &mut EventLog, plan: &SegmentChange) -> Result<(), StorageError> {
    let other_segments = |log: &EventLog| {
        let reason = "the removed segments are not those of the plan any more".to_owned();
        Err(refused_error(log.view().path(), reason, PLAN_AGAIN))
    };
    match plan {
        SegmentChange::Retain { plan, .. } => log.apply_retention(plan).map(drop),
        SegmentChange::Restore(removal) if log.last_removal()? != *removal => other_segments(log),
        SegmentChange::Restore(_) => log.undo_removal().map(drop),
        SegmentChange::Delete(found) if log.removed_segments()? != *found => other_segments(log),
        SegmentChange::Delete(_) => log.purge_removed().map(drop),
    }
}
