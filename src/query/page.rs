//! Pages: some rows around a place, from the log or through the index, and the row at a place.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::indexed_reader::IndexedReader;
use super::log_reader::LogReader;
use super::progress_meter::ProgressMeter;
use super::row::{Direction, LogRow, RowBatch, RowPage};
use super::row_filter::RowFilter;
use crate::StorageError;
use crate::index::{AggregateIndex, IndexFault};
use crate::inspect::{LogView, OnProgress};

/// Which rows a page is to have.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'a> {
    /// The place they lie around, in bytes of the file; any number. The row that covers it counts as lying behind it.
    pub from: u64,
    /// Where they lie.
    pub direction: Direction,
    /// How many there may be.
    pub limit: usize,
    /// Which are shown.
    pub filter: &'a Filter,
}

/// The rows nearest to a place.
///
/// Without a filter it costs the reading around the place, and 250 ms more where the page reaches an end of the log that
/// is damaged or unfinished: it is looked at twice. With a filter the log is scanned until the page is full, and `on` is
/// told the place about every mebibyte; where the filter names aggregates, `index` leads to their events as far as it
/// covers the log, and where it names types, namespaces, schemas, times or offsets, blocks that `index` rules out are
/// passed over. An index knows the damage that was there when it was built.
///
/// Forward and backward from one place, every row is on one page: the row without bytes, at the end of a log that lost
/// its end without a trace, lies behind that end. `at_start` and `at_end` are false also where it is not known, under a
/// filter, and backward from that end.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read, or `Io` its index.
pub fn read_page(
    view: &LogView,
    index: Option<&AggregateIndex>,
    request: &PageRequest,
    on_progress: &mut OnProgress,
) -> Result<RowPage, StorageError> {
    if request.limit == 0 {
        return Ok(RowPage::default());
    }
    let row_filter = RowFilter { filter: request.filter, pattern: None };
    let reader = LogReader::new(view, row_filter)?;
    let mut meter = ProgressMeter::new(on_progress, reader.log_end);
    if let Some(index) = index
        && let Some(indexed) = IndexedReader::from_index(reader, index)?
    {
        match read_indexed_page(&reader, &indexed, request, &mut meter) {
            Ok(page) => return Ok(page),
            Err(IndexFault::Io(error)) => return Err(error),
            // Found broken only now, behind its head: the log itself answers.
            Err(_) => {}
        }
    }
    let pruner = BlockPruner::new(view.log(), index, request.filter);
    let reader = reader.with_pruner(&pruner);
    match request.direction {
        Direction::Forward => {
            build_forward_page(&reader, request, |limit| reader.read_forward(request.from, limit, &mut meter))
        }
        Direction::Backward => {
            let floor = view.log().first_frame_offset();
            build_backward_page(&reader, request, |limit| reader.read_backward(request.from, floor, limit, &mut meter))
        }
    }
}

/// The row that covers `offset`; at the end of a log that lost its end, the one that says so.
///
/// # Errors
/// As [`read_page`].
pub fn read_row_at(view: &LogView, offset: u64) -> Result<Option<LogRow>, StorageError> {
    let request = PageRequest { from: offset, direction: Direction::Forward, limit: 1, filter: &Filter::default() };
    let page = read_page(view, None, &request, &mut |_| ControlFlow::Continue(()))?;
    Ok(page.rows.into_iter().next())
}

pub(super) fn read_indexed_page(
    reader: &LogReader,
    indexed: &IndexedReader,
    request: &PageRequest,
    meter: &mut ProgressMeter,
) -> Result<RowPage, IndexFault> {
    match request.direction {
        Direction::Forward => {
            build_forward_page(reader, request, |limit| indexed.read_forward(request.from, limit, meter))
        }
        Direction::Backward => {
            build_backward_page(reader, request, |limit| indexed.read_backward(request.from, limit, meter))
        }
    }
}

/// The header where it belongs, and behind it the rows that `rest` finds, as many as it is told.
fn build_forward_page<E>(
    reader: &LogReader,
    request: &PageRequest,
    read_rows: impl FnOnce(usize) -> Result<RowBatch, E>,
) -> Result<RowPage, E> {
    let header = reader.header_row();
    let first = header.as_ref().map_or(reader.view.log().first_frame_offset(), |row| row.start);
    let mut rows: Vec<LogRow> = header.into_iter().filter(|row| request.from < row.end).collect();
    let found = read_rows(request.limit - rows.len())?;
    let at_start = request.from <= first || !rows.is_empty();
    rows.extend(found.rows);
    Ok(RowPage { rows, at_start, at_end: found.complete })
}

/// The rows that `rest` finds, and before them the header where there is room for it.
fn build_backward_page<E>(
    reader: &LogReader,
    request: &PageRequest,
    read_rows: impl FnOnce(usize) -> Result<RowBatch, E>,
) -> Result<RowPage, E> {
    let RowBatch { mut rows, complete } = read_rows(request.limit)?;
    let header = reader.header_row().filter(|row| row.end <= request.from);
    let fits = rows.len() < request.limit;
    let at_start = complete && (header.is_none() || fits);
    if let Some(header) = header.filter(|_| complete && fits) {
        rows.push_front(header);
    }
    let rows: Vec<LogRow> = VecDeque::into(rows);
    let at_end = request.from > reader.log_end || (request.from == reader.log_end && !reader.is_truncated());
    Ok(RowPage { rows, at_start, at_end })
}
