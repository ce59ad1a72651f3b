//! Search: the next event whose stored JSON holds a text, or matches a pattern.

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::log_reader::LogReader;
use super::progress_meter::ProgressMeter;
use super::row::Direction;
use super::row_filter::RowFilter;
use super::search_pattern::SearchPattern;
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress};

/// The start of the nearest event that matches and that `filter` shows: forward the first that reaches behind `from`,
/// backward the last that ends at or before it; `None` when there is none.
///
/// Streams, passing over the blocks that `index` rules out by the filter, and tells `on` where it is about every mebibyte.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
pub fn find_match(
    view: &LogView,
    index: Option<&AggregateIndex>,
    pattern: &SearchPattern,
    filter: &Filter,
    from: u64,
    direction: Direction,
    on_progress: &mut OnProgress,
) -> Result<Option<u64>, StorageError> {
    let row_filter = RowFilter { filter, pattern: Some(pattern) };
    let pruner = BlockPruner::new(view.log(), index, filter);
    let reader = LogReader::new(view, row_filter)?.with_pruner(&pruner);
    let mut meter = ProgressMeter::new(on_progress, reader.log_end);
    let found = match direction {
        Direction::Forward => reader.read_forward(from, 1, &mut meter)?,
        Direction::Backward => reader.read_backward(from, view.log().first_frame_offset(), 1, &mut meter)?,
    };
    Ok(found.rows.front().map(|row| row.start))
}
