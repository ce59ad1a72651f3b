//! Copies the latest event of each aggregate that a filter shows into a new log.

use std::ops::ControlFlow;

use super::SharedState;
use crate::StorageError;
use crate::format::EventView;
use crate::inspect::{OnProgress, SurveyUpdate};
use crate::repair::{CompactRule, CopyOptions, CopyUpdate, compact};
use crate::report::copies::copy_summary_line;
use crate::tui::message::{CompactResult, Response};
use crate::tui::request::CompactRequest;

/// Writes the new log of a request, which appears complete or not at all.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; the errors of [`compact`].
pub(super) fn write_latest_events(
    shared: &SharedState,
    request: CompactRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let CompactRequest { path, filter } = request;
    let log = shared.open_options().open_read_only(shared.path())?;
    let update = log.catch_up_index(&mut |update| match update {
        SurveyUpdate::Progress(read) => on_progress(read),
        SurveyUpdate::Finding(_) => ControlFlow::Continue(()),
    })?;
    let rule = CompactRule::new().latest(&update.index);
    let is_shown = |offset: u64, event: &EventView| filter.matches_event(offset, event);
    let rule = if filter.is_empty() { rule } else { rule.condition(&is_shown) };
    let summary = compact(log.view(), &CopyOptions::new(&path), &rule, &mut |update| match update {
        CopyUpdate::Progress(read) => on_progress(read),
        CopyUpdate::Omitted(_) => ControlFlow::Continue(()),
    })?;
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(Response::Compacted(Box::new(CompactResult { path, summary: copy_summary_line(&summary) })))
}
