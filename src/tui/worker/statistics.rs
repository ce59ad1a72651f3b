//! Counts the events that a filter shows in groups.

use super::SharedState;
use crate::StorageError;
use crate::inspect::OnProgress;
use crate::query::{EventTimes, StatisticsDetail, StatisticsOptions, collect_statistics, written_since_word};
use crate::tui::message::Response;
use crate::tui::model::StatisticsResult;
use crate::tui::request::StatisticsRequest;

/// The largest number of groups that the screen lists.
const MAX_GROUPS: usize = 10_000;

/// Counts the events of a request.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub(super) fn count_events(
    shared: &SharedState,
    request: StatisticsRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let StatisticsRequest { by, period, filter, detail } = request;
    let view = shared.view();
    let index = shared.known_index(&view);
    let mut period_word = String::new();
    if let Some(length) = period.length_ms()
        && let Some(EventTimes { last_ms, .. }) = EventTimes::read(&view)?
    {
        period_word = written_since_word(last_ms.saturating_sub(length)).unwrap_or_default();
    }
    let filter = filter.with_words(&period_word).unwrap_or(filter);
    let mut options = StatisticsOptions::new(by).max_groups(MAX_GROUPS);
    if detail == StatisticsDetail::Counts {
        options = options.counts_only();
    }
    let statistics = collect_statistics(&view, index.as_deref(), &filter, &options, on_progress)?;
    Ok(Response::Statistics(Box::new(StatisticsResult { statistics, period_word, read_at_ms: 0 })))
}
