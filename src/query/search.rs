//! Searches for the nearest event whose stored JSON contains a text or matches a regular expression.

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::log_reader::LogReader;
use super::progress_meter::ProgressMeter;
use super::row::{Direction, ReadStart};
use super::row_filter::RowFilter;
use super::search_pattern::SearchPattern;
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress};

/// A request for the nearest event that matches a pattern.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SearchRequest<'a> {
    /// The pattern that the event's stored JSON must match.
    pub pattern: &'a SearchPattern,
    /// The filter that must show the event.
    pub filter: &'a Filter,
    /// The start and the direction of the search.
    pub start: ReadStart,
}

impl<'a> SearchRequest<'a> {
    /// Creates the request of the nearest event that matches a pattern and that a filter shows.
    pub const fn new(pattern: &'a SearchPattern, filter: &'a Filter, start: ReadStart) -> Self {
        Self { pattern, filter, start }
    }
}

/// Finds the nearest event that the pattern matches and the filter shows, and returns its offset; `None` when there is
/// none.
///
/// A forward search finds the first event that contains the start or comes after it. A backward search finds the last
/// event that ends at or before the start. The log is read in one pass, without the blocks that `index` excludes under
/// the filter. `on_progress` is called about once per mebibyte.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn find_match(
    view: &LogView,
    index: Option<&AggregateIndex>,
    request: &SearchRequest,
    on_progress: &mut OnProgress,
) -> Result<Option<u64>, StorageError> {
    let SearchRequest { pattern, filter, start: ReadStart { from, direction } } = *request;
    let row_filter = RowFilter { filter, pattern: Some(pattern), excerpt: None };
    let pruner = BlockPruner::new(view.log(), index, filter);
    let reader = LogReader::new(view, row_filter)?.with_pruner(&pruner);
    let mut meter = ProgressMeter::new(on_progress, reader.log_end);
    let found = match direction {
        Direction::Forward => reader.read_forward(from, 1, &mut meter)?,
        Direction::Backward => reader.read_backward(from, view.log().first_frame_offset(), 1, &mut meter)?,
    };
    Ok(found.rows.front().map(|row| row.start))
}
