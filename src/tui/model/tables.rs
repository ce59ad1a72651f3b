//! The cursor of a list, and the state of the table of aggregates.

use std::ops::Range;

use crate::tui::request::{AggregateRow, AggregateSort, IdPrefix};

/// A cursor in a list, with its scroll position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ListCursor {
    /// Number of the selected line.
    pub(crate) line: usize,
    /// Number of the first visible line.
    pub(crate) top: usize,
    /// Number of visible lines.
    pub(crate) height: usize,
}

/// The finding that a cursor is on, which is found again after the list has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FindingAnchor {
    /// Offset of the first byte of the finding; `None` for the first finding, whichever that is.
    pub(crate) start: Option<u64>,
    /// The line of the cursor. On another line, the user has moved it.
    pub(crate) line: usize,
}

impl ListCursor {
    /// Moves the cursor by a number of lines within a list of `total` lines, and scrolls to it.
    pub(crate) fn move_by(&mut self, lines: i64, total: usize) {
        let last = total.saturating_sub(1) as i64;
        self.line = (self.line as i64).saturating_add(lines).clamp(0, last) as usize;
        self.scroll_to_cursor(total);
    }

    /// Scrolls as little as needed to make the selected line visible.
    fn scroll_to_cursor(&mut self, total: usize) {
        let height = self.height.max(1);
        self.top = self.top.min(total.saturating_sub(height));
        self.top = self.top.min(self.line).max((self.line + 1).saturating_sub(height));
    }
}

/// The state of the table of aggregates. Only a window of its rows is loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct AggregateTable {
    /// The order of the rows.
    pub(crate) sort: AggregateSort,
    /// The cursor in the whole table.
    pub(crate) cursor: ListCursor,
    /// The first digits of the ids that are shown, as submitted.
    pub(crate) id_prefix: IdPrefix,
    /// The first digits of the ids that were requested last.
    pub(crate) requested_prefix: IdPrefix,
    /// Whether the cursor goes to the aggregate whose id was typed in full, when its rows arrive.
    pub(crate) goes_to_exact: bool,
    /// Number of rows in the table.
    pub(crate) total: usize,
    /// Number of rows of the table without the filter by id.
    pub(crate) unfiltered_total: usize,
    /// Whether the index holds more aggregates than the table can sort.
    pub(crate) over_limit: bool,
    /// The rows that are loaded.
    pub(crate) rows: Vec<AggregateRow>,
    /// Position of the first loaded row in the table.
    pub(crate) first_row: usize,
    /// Whether rows were requested or loaded.
    pub(crate) load_state: AggregateLoadState,
}

/// Whether rows of the table of aggregates were requested or loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AggregateLoadState {
    /// No rows were requested yet.
    #[default]
    NotRequested,
    /// Rows were requested and have not arrived.
    Requested,
    /// The requested rows have arrived.
    Loaded,
    /// There is no index to read aggregates from.
    NoIndex,
}

impl AggregateTable {
    /// Returns the row at a position of the table, when it is loaded.
    pub(crate) fn row(&self, position: usize) -> Option<&AggregateRow> {
        self.rows.get(position.checked_sub(self.first_row)?)
    }

    /// Returns the position from which rows have to be requested, when a visible row is not loaded.
    pub(crate) fn missing_rows_start(&self) -> Option<usize> {
        missing_window_start(&self.cursor, self.first_row..self.first_row + self.rows.len(), self.total)
    }
}

/// Returns the position from which rows of a table of `total` rows have to be requested, when a visible row is not among the
/// loaded ones.
pub(super) fn missing_window_start(cursor: &ListCursor, loaded: Range<usize>, total: usize) -> Option<usize> {
    let visible = cursor.top..(cursor.top + cursor.height.max(1)).min(total);
    // A table without rows has none to request, or it would request them without end.
    let is_loaded = visible.is_empty() || loaded.contains(&visible.start) && visible.end <= loaded.end;
    (!is_loaded).then(|| visible.start.saturating_sub(super::ROW_BATCH / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::AggregateSummary;

    #[test]
    fn the_cursor_stays_within_the_list_and_visible() {
        let mut cursor = ListCursor { height: 5, ..ListCursor::default() };
        cursor.move_by(7, 20);
        assert_eq!((cursor.line, cursor.top), (7, 3));
        cursor.move_by(i64::MAX, 20);
        assert_eq!((cursor.line, cursor.top), (19, 15));
        cursor.move_by(i64::MIN, 20);
        assert_eq!((cursor.line, cursor.top), (0, 0));
        cursor.move_by(1, 0);
        assert_eq!(cursor.line, 0);
    }

    #[test]
    fn rows_that_are_not_loaded_are_requested() {
        assert_eq!(AggregateTable::default().missing_rows_start(), None, "a table without rows");
        let mut table = AggregateTable { total: 1000, ..AggregateTable::default() };
        table.cursor.height = 10;
        assert_eq!(table.missing_rows_start(), Some(0));
        let summary = AggregateSummary { id: 1, events: 1, first: 0, last: 0 };
        table.rows = vec![AggregateRow { summary, first_time_ms: None, last_time_ms: None }; 200];
        assert_eq!(table.missing_rows_start(), None);
        table.cursor.move_by(500, 1000);
        assert_eq!(table.missing_rows_start(), Some(391));
        assert!(table.row(200).is_none() && table.row(199).is_some());
        let empty = AggregateTable::default();
        assert_eq!(empty.missing_rows_start(), None, "an empty table is not requested again and again");
    }
}
