//! The table of aggregates in any order, some lines at a time.

use std::sync::Arc;

use super::{OnProgress, Shared};
use crate::StorageError;
use crate::index::{AggregateIndex, AggregateSummary};
use crate::tui::message::Told;
use crate::tui::model::Sort;

/// Aggregates that are sorted at most: 32 MiB of them.
const MAX: usize = 1 << 20;

/// The table in the order it was asked for last.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    index: Option<Arc<AggregateIndex>>,
    sort: Sort,
    rows: Vec<AggregateSummary>,
    cut: bool,
}

impl Sorted {
    /// Lines of the table.
    ///
    /// # Errors
    /// `Stopped`; `Index` when the index turns out to be corrupt, `Io`.
    pub(super) fn lines(
        &mut self,
        shared: &Shared,
        sort: Sort,
        from: usize,
        rows: usize,
        on: &mut OnProgress,
    ) -> Result<Told, StorageError> {
        let Some(index) = shared.index() else { return Ok(Told::NoIndex) };
        if self.index.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &index)) {
            self.read(shared, &index, on)?;
            self.index = Some(index);
            self.order(sort);
        } else if self.sort != sort {
            self.order(sort);
        }
        let total = self.rows.len();
        let rows = self.rows.iter().skip(from).take(rows).copied().collect();
        Ok(Told::Aggregates { from: from.min(total), rows, total, cut: self.cut })
    }

    fn read(&mut self, shared: &Shared, index: &AggregateIndex, on: &mut OnProgress) -> Result<(), StorageError> {
        self.rows.clear();
        self.cut = false;
        self.index = None;
        for (number, row) in index.iter().enumerate() {
            if self.rows.len() >= MAX {
                self.cut = true;
                break;
            }
            self.rows.push(row.map_err(|fault| fault.into_error(shared.view().index_path()))?);
            if number % 4096 == 0 && on(number as u64, MAX as u64).is_break() {
                return Err(StorageError::Stopped);
            }
        }
        Ok(())
    }

    fn order(&mut self, sort: Sort) {
        self.sort = sort;
        match sort {
            Sort::Id => self.rows.sort_unstable_by_key(|row| row.id),
            Sort::Events => self.rows.sort_unstable_by_key(|row| (u64::MAX - row.events, row.id)),
            Sort::First => self.rows.sort_unstable_by_key(|row| row.first),
            Sort::Last => self.rows.sort_unstable_by_key(|row| u64::MAX - row.last),
        }
    }
}
