//! The table of aggregates in any order, some lines at a time.

use std::sync::Arc;

use super::{ProgressCallback, SharedState};
use crate::StorageError;
use crate::index::{AggregateIndex, AggregateSummary};
use crate::tui::message::Response;
use crate::tui::model::AggregateSort;

/// Aggregates that are sorted at most: 32 MiB of them.
const MAX_ROWS: usize = 1 << 20;

/// The table in the order it was asked for last.
#[derive(Debug, Default)]
pub(super) struct SortedAggregates {
    index: Option<Arc<AggregateIndex>>,
    sort: AggregateSort,
    rows: Vec<AggregateSummary>,
    is_truncated: bool,
}

impl SortedAggregates {
    /// Lines of the table.
    ///
    /// # Errors
    /// `Stopped`; `Index` when the index turns out to be corrupt, `Io`.
    pub(super) fn read_rows(
        &mut self,
        shared: &SharedState,
        sort: AggregateSort,
        from: usize,
        rows: usize,
        on: &mut ProgressCallback,
    ) -> Result<Response, StorageError> {
        let Some(index) = shared.index() else { return Ok(Response::NoIndex) };
        if self.index.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &index)) {
            self.load_rows(shared, &index, on)?;
            self.index = Some(index);
            self.sort_rows(sort);
        } else if self.sort != sort {
            self.sort_rows(sort);
        }
        let total = self.rows.len();
        let rows = self.rows.iter().skip(from).take(rows).copied().collect();
        Ok(Response::Aggregates { from: from.min(total), rows, total, over_limit: self.is_truncated })
    }

    fn load_rows(
        &mut self,
        shared: &SharedState,
        index: &AggregateIndex,
        on: &mut ProgressCallback,
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
            if number % 4096 == 0 && on(number as u64, MAX_ROWS as u64).is_break() {
                return Err(StorageError::Cancelled);
            }
        }
        Ok(())
    }

    fn sort_rows(&mut self, sort: AggregateSort) {
        self.sort = sort;
        match sort {
            AggregateSort::Id => self.rows.sort_unstable_by_key(|row| row.id),
            AggregateSort::Events => self.rows.sort_unstable_by_key(|row| (u64::MAX - row.events, row.id)),
            AggregateSort::First => self.rows.sort_unstable_by_key(|row| row.first),
            AggregateSort::Last => self.rows.sort_unstable_by_key(|row| u64::MAX - row.last),
        }
    }
}
