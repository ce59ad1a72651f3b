//! Handles repair requests: reads the repair history, makes plans, and applies them.

use super::SharedState;
use crate::StorageError;
use crate::inspect::OnProgress;
use crate::log::{removal_after_repairs, removals_of};
use crate::query::{Filter, select_events};
use crate::repair::{self, ApplyOptions, Cancellation, EraseOptions, Plan, RepairHistory};
use crate::report::{PlanRowSource, PlanWords, damaged_ranges_note, recovery_line, screen_message};
use crate::tui::message::{BackgroundUpdate, RepairResult, Response};
use crate::tui::model::PlanPreview;
use crate::tui::request::{EraseTarget, PlanRequest, SegmentChange};

/// Reads the log's repair history.
///
/// # Errors
/// Returns the errors of [`repair::read_repair_history`].
pub(super) fn read_records(shared: &SharedState) -> Result<Response, StorageError> {
    let paths = shared.open_options().log_paths(shared.path())?;
    let RepairHistory { records, mut notices } = repair::read_repair_history(&paths)?;
    let view = shared.view();
    let mut removals = Vec::new();
    if view.segments().is_some() {
        // The journals are listed, also when the folder of removed segments cannot be used.
        match removals_of(&view) {
            Ok((found, unused)) => {
                removals = found;
                notices.extend(unused);
            }
            Err(error) => notices.push(screen_message(&error)),
        }
    }
    Ok(Response::RepairHistory { records, removals, notices })
}

/// Makes the plan of a request. Nothing is written.
///
/// # Errors
/// Returns the errors of [`repair::plan_repair`], [`repair::plan_undo`], [`repair::plan_erase`] and [`repair::plan_purge`].
pub(super) fn make_plan(
    shared: &SharedState,
    request: PlanRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let plan = match &request {
        PlanRequest::Repair { options, .. } => {
            shared.refresh_view()?;
            repair::plan_repair(&shared.view(), options, on_progress)?
        }
        PlanRequest::Erase { target, reason } => {
            shared.refresh_view()?;
            let view = shared.view();
            let mut options = EraseOptions::new([]);
            options.reason.clone_from(reason);
            match target {
                EraseTarget::Event(offset) => options.offsets.push(*offset),
                EraseTarget::Aggregate(id) => {
                    // A filter of no word would select every event, so a text that is not parsed selects none.
                    let filters: Vec<Filter> = Filter::parse(&format!("agg:{id}"), 0).into_iter().collect();
                    let found = select_events(&view, &filters, EraseOptions::MAX_EVENTS + 1, on_progress)?;
                    options.offsets = found.offsets;
                    options.notes.extend(damaged_ranges_note(found.damaged_ranges));
                }
            }
            repair::plan_erase(&view, &options, on_progress)?
        }
        PlanRequest::Purge(number) => {
            let paths = shared.open_options().log_paths(shared.path())?;
            repair::plan_purge(&paths, *number, on_progress)?
        }
        PlanRequest::Undo(number) => {
            let paths = shared.open_options().log_paths(shared.path())?;
            // Without a number, the last change is undone, which can be a removal of segments.
            if number.is_none() {
                let repairs = repair::read_repair_history(&paths)?.records;
                if let Some(removal) = removal_after_repairs(&shared.view(), &repairs)? {
                    return Ok(Response::SegmentChangePlanned(Box::new(SegmentChange::Restore(removal))));
                }
            }
            repair::plan_undo_with_progress(&paths, *number, on_progress)?
        }
    };
    Ok(Response::Planned(Box::new(PlanPreview::new(request, plan))))
}

/// Reads the bytes of a part of a plan before and after the repair. A failure is part of the response, because the dialog
/// of the plan shows it in place of the bytes.
pub(super) fn read_plan_bytes(shared: &SharedState, plan: &Plan, source: PlanRowSource) -> Response {
    let read = || {
        let paths = shared.open_options().log_paths(shared.path())?;
        let view = shared.view();
        match source {
            PlanRowSource::Step(number) => repair::preview_step(&paths, view.log(), plan, number),
            PlanRowSource::Unrepaired(number) => {
                let range = plan.unrepaired.get(number).map(|range| range.piece.start..range.piece.end);
                range.map_or(Ok(Vec::new()), |range| repair::preview_range(view.log(), range))
            }
        }
    };
    let parts: Result<_, StorageError> = read();
    Response::PlanBytes(parts.map_err(|error| screen_message(&error)))
}

/// Applies exactly this plan. A repair that was killed earlier is completed or rolled back first.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks before the first byte of the log changes; later, a break has no effect. Otherwise
/// the errors of [`repair::recover`] and [`repair::apply`].
pub(super) fn apply_plan(
    shared: &SharedState,
    plan: &Plan,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let paths = shared.open_options().log_paths(shared.path())?;
    // Once bytes of the log change, stopping would only mean to write the old ones again.
    let apply_options = ApplyOptions::new().cancellation(Cancellation::BeforeChanges);
    let (applied, recovery_note) = shared.with_watch_paused(|| {
        let recovered = repair::recover_with_progress(&paths, apply_options.lock_timeout, on_progress)?;
        let applied = repair::apply_with_progress(&paths, plan, apply_options, on_progress);
        // The open log and its index describe the bytes before the repair. A repair that failed may have changed them.
        let may_be_changed = matches!(applied, Ok(_) | Err(StorageError::RepairFailed { .. }));
        if may_be_changed || recovered.is_some() {
            shared.reopen_log()?;
        }
        Ok::<_, StorageError>((applied, recovered.as_ref().map(recovery_line)))
    })?;
    match applied {
        Ok(applied) => {
            let log_info = shared.log_info()?;
            Ok(Response::Repaired(Box::new(RepairResult {
                applied,
                recovery_note,
                undoes: plan.undoes,
                words: PlanWords::of(plan),
                log_info,
            })))
        }
        Err(error) => {
            // The plan was refused, but the recovery before it has changed the log.
            if let Some(note) = recovery_note {
                shared.queue_update(BackgroundUpdate::RepairRecovered(Box::new(shared.log_info()?), note));
            }
            Err(error)
        }
    }
}
