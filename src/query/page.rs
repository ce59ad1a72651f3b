//! Reads a page of rows from an offset, or the row at an offset. Uses the index where it lists the rows.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::indexed_reader::IndexedReader;
use super::log_reader::LogReader;
use super::payload_excerpt::ExcerptRequest;
use super::progress_meter::ProgressMeter;
use super::row::{Direction, LogRow, ReadStart, RowBatch, RowPage};
use super::row_filter::RowFilter;
use crate::StorageError;
use crate::index::{AggregateIndex, IndexFault};
use crate::inspect::{LogView, OnProgress};

/// A request for a page of rows.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PageRequest<'a> {
    /// The filter, which selects the rows.
    pub filter: &'a Filter,
    /// The start and the direction of the read.
    pub start: ReadStart,
    /// Largest number of rows.
    pub limit: usize,
    /// The offset at which a forward read ends, which must be the end of a row; `None` for the end of the log.
    pub end: Option<u64>,
    /// What the rows of events contain of the payload; `None` for nothing.
    pub excerpt: Option<&'a ExcerptRequest>,
}

impl<'a> PageRequest<'a> {
    /// Creates the request of at most `limit` rows that a filter shows.
    pub const fn new(filter: &'a Filter, start: ReadStart, limit: usize) -> Self {
        Self { filter, start, limit, end: None, excerpt: None }
    }

    /// Returns this request with an end of its forward read, which must be the end of a row. Nothing after it is read,
    /// and [`RowPage::at_end`] is true when no further row comes before it.
    #[must_use]
    pub const fn ending_at(self, end: u64) -> Self {
        Self { end: Some(end), ..self }
    }

    /// Returns this request with a part of the payload of each event.
    #[must_use]
    pub const fn with_excerpt(self, excerpt: &'a ExcerptRequest) -> Self {
        Self { excerpt: Some(excerpt), ..self }
    }
}

/// Reads the rows nearest to an offset.
///
/// Without a filter, only the log around the offset is read. A page that reaches a damaged or unfinished end of the log
/// takes 250 ms longer, because the end is read twice. With a filter, the log is scanned until the page is full. `index`
/// shortens the scan: it lists the events of the filter's aggregates, and it excludes blocks by types, namespaces,
/// schemas, times or offsets. Damage that appeared in the skipped ranges after the index was built is not noticed.
/// `on_progress` is called about once per mebibyte.
///
/// The forward page and the backward page from one offset share no row, and no row between them is missing. The empty row
/// for a lost end of the log is on the forward page. `at_start` and `at_end` are also false when the answer is unknown.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log or its index cannot be read.
pub fn read_page(
    view: &LogView,
    index: Option<&AggregateIndex>,
    request: &PageRequest,
    on_progress: &mut OnProgress,
) -> Result<RowPage, StorageError> {
    if request.limit == 0 {
        return Ok(RowPage::default());
    }
    let row_filter = RowFilter { filter: request.filter, pattern: None, excerpt: request.excerpt };
    let reader = LogReader::new(view, row_filter)?;
    let reader = request.end.map_or(reader, |end| reader.with_read_end(end));
    let mut meter = ProgressMeter::new(on_progress, reader.log_end);
    if let Some(index) = index
        && let Some(indexed) = IndexedReader::from_index(reader, index)?
    {
        match read_indexed_page(&reader, &indexed, request, &mut meter) {
            Ok(page) => return Ok(page),
            Err(IndexFault::Io(error)) => return Err(error),
            // The index was found to be corrupt while it was read, so the log is scanned instead.
            Err(_) => {}
        }
    }
    let pruner = BlockPruner::new(view.log(), index, request.filter);
    let reader = reader.with_pruner(&pruner);
    match request.start.direction {
        Direction::Forward => {
            build_forward_page(&reader, request, |limit| reader.read_forward(request.start.from, limit, &mut meter))
        }
        Direction::Backward => {
            let floor = view.log().first_frame_offset();
            build_backward_page(&reader, request, |limit| {
                reader.read_backward(request.start.from, floor, limit, &mut meter)
            })
        }
    }
}

/// Reads the row that contains `offset`; `None` after the end of the log. At the end of a log that has lost its end, this
/// is the row that reports the loss.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn read_row_at(view: &LogView, offset: u64) -> Result<Option<LogRow>, StorageError> {
    let filter = Filter::default();
    let request = PageRequest::new(&filter, ReadStart::forward(offset), 1);
    let page = read_page(view, None, &request, &mut |_| ControlFlow::Continue(()))?;
    Ok(page.rows.into_iter().next())
}

/// Reads a page with an indexed reader.
pub(super) fn read_indexed_page(
    reader: &LogReader,
    indexed: &IndexedReader,
    request: &PageRequest,
    meter: &mut ProgressMeter,
) -> Result<RowPage, IndexFault> {
    match request.start.direction {
        Direction::Forward => {
            build_forward_page(reader, request, |limit| indexed.read_forward(request.start.from, limit, meter))
        }
        Direction::Backward => {
            build_backward_page(reader, request, |limit| indexed.read_backward(request.start.from, limit, meter))
        }
    }
}

/// Builds a forward page: the header row when it is not before the offset, and the rows that `read_rows` returns for the
/// rest of the limit.
fn build_forward_page<E>(
    reader: &LogReader,
    request: &PageRequest,
    read_rows: impl FnOnce(usize) -> Result<RowBatch, E>,
) -> Result<RowPage, E> {
    let header = reader.header_row();
    let first = header.as_ref().map_or(reader.view.log().first_frame_offset(), |row| row.start);
    let mut rows: Vec<LogRow> = header.into_iter().filter(|row| request.start.from < row.end).collect();
    let found = read_rows(request.limit - rows.len())?;
    let at_start = request.start.from <= first || !rows.is_empty();
    rows.extend(found.rows);
    Ok(RowPage { rows, at_start, at_end: found.complete })
}

/// Builds a backward page: the rows that `read_rows` returns, preceded by the header row when the limit allows.
fn build_backward_page<E>(
    reader: &LogReader,
    request: &PageRequest,
    read_rows: impl FnOnce(usize) -> Result<RowBatch, E>,
) -> Result<RowPage, E> {
    let RowBatch { mut rows, complete } = read_rows(request.limit)?;
    let header = reader.header_row().filter(|row| row.end <= request.start.from);
    let fits = rows.len() < request.limit;
    let at_start = complete && (header.is_none() || fits);
    if let Some(header) = header.filter(|_| complete && fits) {
        rows.push_front(header);
    }
    let rows: Vec<LogRow> = VecDeque::into(rows);
    let at_end =
        request.start.from > reader.log_end || (request.start.from == reader.log_end && !reader.is_truncated());
    Ok(RowPage { rows, at_start, at_end })
}
