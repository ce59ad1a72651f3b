//! The table of aggregates, which is loaded from the index once, sorted as requested, and returned a page at a time.

use std::sync::Arc;

use super::SharedState;
use crate::StorageError;
use crate::file::LogFile;
use crate::format::EventView;
use crate::index::{AggregateIndex, AggregateSummary};
use crate::inspect::{OnProgress, Progress};
use crate::tui::message::Response;
use crate::tui::request::{AggregateRow, AggregateSelection, AggregateSort, IdPrefix};

/// Largest number of aggregates that are loaded and sorted. They take 32 MiB of memory.
const MAX_ROWS: usize = 1 << 20;
/// Number of aggregates that are loaded between two progress reports.
const ROWS_PER_REPORT: usize = 4096;

/// The aggregates of one index in the order that was requested last.
#[derive(Debug, Default)]
pub(super) struct SortedAggregates {
    index: Option<Arc<AggregateIndex>>,
    /// All aggregates that were loaded, in the order of `selection`.
    rows: Vec<AggregateSummary>,
    /// The order of `rows`, and the filter of `matching`.
    selection: AggregateSelection,
    /// The positions in `rows` of the aggregates that the filter shows; `None` for all.
    matching: Option<Vec<u32>>,
    is_truncated: bool,
}

impl SortedAggregates {
    /// Returns `count` rows of the table, starting with row `from`.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; `UnusableIndex` when the index turns out to be corrupt; `Io` when it
    /// cannot be read.
    pub(super) fn read_rows(
        &mut self,
        shared: &SharedState,
        selection: &AggregateSelection,
        from: usize,
        count: usize,
        on_progress: &mut OnProgress,
    ) -> Result<Response, StorageError> {
        let Some(index) = shared.index() else { return Ok(Response::NoIndex) };
        if self.index.as_ref().is_none_or(|loaded| !Arc::ptr_eq(loaded, &index)) {
            self.load_rows(shared, &index, on_progress)?;
            self.index = Some(index);
            self.sort_rows(selection.sort);
            self.find_matching(&selection.prefix);
        } else if self.selection != *selection {
            if self.selection.sort != selection.sort {
                self.sort_rows(selection.sort);
            }
            self.find_matching(&selection.prefix);
        }
        self.selection = selection.clone();
        let total = self.matching.as_ref().map_or(self.rows.len(), Vec::len);
        let log = shared.view().log().clone();
        let with_times = |summary: &AggregateSummary| {
            let (first_time_ms, last_time_ms) = (event_time(&log, summary.first)?, event_time(&log, summary.last)?);
            Ok(AggregateRow { summary: *summary, first_time_ms, last_time_ms })
        };
        let shown = (from.min(total)..total.min(from.saturating_add(count))).filter_map(|position| self.row(position));
        let rows: Result<_, StorageError> = shown.map(with_times).collect();
        let is_exact = |position: &usize| self.row(*position).is_some_and(|row| selection.prefix.is_exactly(row.id));
        Ok(Response::Aggregates {
            from: from.min(total),
            rows: rows?,
            total,
            unfiltered_total: self.rows.len(),
            exact: if selection.prefix.is_empty() { None } else { (0..total).find(is_exact) },
            over_limit: self.is_truncated,
        })
    }

    fn load_rows(
        &mut self,
        shared: &SharedState,
        index: &AggregateIndex,
        on_progress: &mut OnProgress,
    ) -> Result<(), StorageError> {
        self.rows.clear();
        self.is_truncated = false;
        self.index = None;
        for (number, row) in index.iter().enumerate() {
            if self.rows.len() >= MAX_ROWS {
                self.is_truncated = true;
                break;
            }
            self.rows.push(row.map_err(|fault| fault.into_error(shared.view().index_path()))?);
            if number % ROWS_PER_REPORT == 0
                && on_progress(Progress { position: number as u64, total: MAX_ROWS as u64 }).is_break()
            {
                return Err(StorageError::Cancelled);
            }
        }
        Ok(())
    }

    /// Returns the row at a position among those that the filter shows.
    fn row(&self, position: usize) -> Option<&AggregateSummary> {
        match &self.matching {
            None => self.rows.get(position),
            Some(matching) => self.rows.get(*matching.get(position)? as usize),
        }
    }

    fn find_matching(&mut self, prefix: &IdPrefix) {
        let matches = |(number, row): (u32, &AggregateSummary)| prefix.matches(row.id).then_some(number);
        self.matching = (!prefix.is_empty()).then(|| (0..).zip(&self.rows).filter_map(matches).collect());
    }

    fn sort_rows(&mut self, sort: AggregateSort) {
        match sort {
            AggregateSort::Id => self.rows.sort_unstable_by_key(|row| row.id),
            AggregateSort::Events => self.rows.sort_unstable_by_key(|row| (u64::MAX - row.events, row.id)),
            AggregateSort::First => self.rows.sort_unstable_by_key(|row| row.first),
            AggregateSort::Last => self.rows.sort_unstable_by_key(|row| u64::MAX - row.last),
        }
    }
}

/// Returns the time of the event at an offset; `None` when there is no valid event.
fn event_time(log: &LogFile, offset: u64) -> Result<Option<u64>, StorageError> {
    let mut buf = Vec::new();
    let frame = log.read_frame_at(offset, &mut buf)?;
    let event = frame.as_ref().and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
    Ok(event.map(|event| event.write_timestamp_ms()))
}
