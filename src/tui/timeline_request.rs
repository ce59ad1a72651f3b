//! The request to count the events that the list shows in intervals of time.

use std::sync::Arc;

use crate::query::{Filter, Timeline};

/// A request to count events in intervals of time.
#[derive(Debug, Clone)]
pub(crate) struct TimelineRequest {
    /// The filter that selects the events.
    pub(crate) filter: Filter,
    /// The largest number of intervals.
    pub(crate) max_intervals: usize,
    /// The timeline of an earlier part of the log, which is extended; `None` to read the whole log.
    pub(crate) base: Option<Arc<Timeline>>,
}
