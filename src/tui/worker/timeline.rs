//! Counts the events that the list shows in intervals of time.

use std::sync::Arc;

use super::SharedState;
use crate::StorageError;
use crate::inspect::OnProgress;
use crate::query::{TimelineOptions, extend_timeline, read_timeline};
use crate::tui::message::Response;
use crate::tui::request::TimelineRequest;

/// Counts the events of a request.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub(super) fn count_events(
    shared: &SharedState,
    request: TimelineRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let TimelineRequest { filter, max_intervals, base } = request;
    let view = shared.view();
    let timeline = if let Some(base) = base {
        extend_timeline(&base, &view, &filter, on_progress)?
    } else {
        let index = shared.known_index(&view);
        read_timeline(&view, index.as_deref(), &filter, TimelineOptions::new(max_intervals), on_progress)?
    };
    Ok(Response::Timeline(Arc::new(timeline)))
}
