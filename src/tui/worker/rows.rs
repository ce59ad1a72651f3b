//! Reads pages of rows for the events pane, from the known hits of a filter where there are any, else from the log.

use std::ops::ControlFlow;

use super::SharedState;
use crate::StorageError;
use crate::inspect::{OnProgress, Progress};
use crate::query::{self, Direction, Filter, Hits, ReadStart, RowPage, number_events, read_page};
use crate::tui::request::{EventNumbers, PageColumns};

/// A query for at most `limit` rows that pass `filter`, from one offset in one direction.
#[derive(Clone, Copy)]
pub(super) struct RowQuery<'a> {
    pub(super) from: u64,
    pub(super) direction: Direction,
    pub(super) limit: usize,
    pub(super) filter: &'a Filter,
    /// Known hits of `filter`. The page is taken from them without searching the log again.
    pub(super) hits: Option<&'a Hits>,
    /// The content of the rows besides the fields of events.
    pub(super) columns: &'a PageColumns,
}

/// The part of the log that a search may have to read: from an offset to the end or the start of the log. Its size is
/// the total of the search's progress.
#[derive(Clone, Copy)]
pub(super) struct SearchSpan {
    pub(super) from: u64,
    pub(super) direction: Direction,
    /// Size of the log in bytes.
    pub(super) log_bytes: u64,
}

impl SearchSpan {
    /// Reports the number of bytes read so far. `reached` has the offset that the search has reached.
    pub(super) fn report(self, reached: Progress, on_progress: &mut OnProgress) -> ControlFlow<()> {
        let from = self.from.min(self.log_bytes);
        on_progress(match self.direction {
            Direction::Forward => {
                Progress { position: reached.position.saturating_sub(from), total: self.log_bytes - from }
            }
            Direction::Backward => Progress { position: from.saturating_sub(reached.position), total: from },
        })
    }
}

/// Reads one page of rows.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` as in [`read_page`].
pub(super) fn read_rows(
    shared: &SharedState,
    rows: RowQuery,
    on_progress: &mut OnProgress,
) -> Result<RowPage, StorageError> {
    let RowQuery { from, direction, limit, filter, hits, columns } = rows;
    let view = shared.view();
    let index = shared.index();
    let span = SearchSpan { from, direction, log_bytes: view.log().len()? };
    let mut report = |reached| span.report(reached, on_progress);
    let start = ReadStart::new(from, direction);
    let mut page = if let Some(hits) = hits {
        let hits = hits.clone().with_excerpt(columns.excerpt.clone());
        hits.read_page(&view, index.as_deref(), start, limit, &mut report)?
    } else {
        let request = query::PageRequest::new(filter, start, limit).with_excerpt(&columns.excerpt);
        read_page(&view, index.as_deref(), &request, &mut report)?
    };
    if columns.numbers == EventNumbers::Counted {
        number_events(&view, index.as_deref(), &mut page.rows)?;
    }
    Ok(page)
}

/// Reads the rows of `forward` and up to `rows_before` rows before them, as one page.
///
/// # Errors
/// Returns the errors of [`read_rows`].
pub(super) fn read_rows_around(
    shared: &SharedState,
    forward: RowQuery,
    rows_before: usize,
    on_progress: &mut OnProgress,
) -> Result<RowPage, StorageError> {
    let after = read_rows(shared, forward, on_progress)?;
    // Searching backwards may take long where no hit is known yet. The first page is shown without it, and the rows
    // before it are requested next.
    let is_slow = forward.hits.is_some_and(|hits| !hits.can_answer(forward.from, Direction::Backward, u64::MAX));
    if is_slow && !after.rows.is_empty() {
        return Ok(after);
    }
    let backward = RowQuery { direction: Direction::Backward, limit: rows_before, ..forward };
    let mut before = read_rows(shared, backward, on_progress)?;
    // The last row of a truncated log is empty, and both directions return it.
    if after.rows.first().is_some_and(|first| before.rows.last() == Some(first)) {
        before.rows.pop();
    }
    let at_start = before.at_start;
    before.rows.extend(after.rows);
    Ok(RowPage { rows: before.rows, at_start, at_end: after.at_end })
}

/// Reads the last rows of the log, as `rows`, a query from the end, asks for them.
///
/// # Errors
/// Returns the errors of [`read_rows`].
pub(super) fn read_last_rows(
    shared: &SharedState,
    rows: RowQuery,
    on_progress: &mut OnProgress,
) -> Result<RowPage, StorageError> {
    let page = read_rows(shared, rows, on_progress)?;
    Ok(RowPage { at_end: true, ..page })
}
