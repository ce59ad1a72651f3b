//! The tables of the other tabs: aggregates, a window at a time, and the cursor in the findings.

use crate::index::AggregateSummary;

/// The order of the aggregates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AggregateSort {
    /// By id.
    #[default]
    Id,
    /// Most events first.
    Events,
    /// By the offset of the first event.
    First,
    /// Latest event first.
    Last,
}

impl AggregateSort {
    /// The next order.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Id => Self::Events,
            Self::Events => Self::First,
            Self::First => Self::Last,
            Self::Last => Self::Id,
        }
    }
}

/// A cursor in lines of which some are on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ListCursor {
    /// The line under the cursor.
    pub(crate) line: usize,
    /// The first line on the screen.
    pub(crate) top: usize,
    /// Lines on the screen.
    pub(crate) height: usize,
}

impl ListCursor {
    /// Moves by so many of `total` lines.
    pub(crate) fn move_by(&mut self, by: i64, total: usize) {
        let last = total.saturating_sub(1) as i64;
        self.line = (self.line as i64).saturating_add(by).clamp(0, last) as usize;
        self.scroll_to_cursor(total);
    }

    /// Scrolls as little as shows the cursor.
    pub(crate) fn scroll_to_cursor(&mut self, total: usize) {
        let height = self.height.max(1);
        self.top = self.top.min(total.saturating_sub(height));
        self.top = self.top.min(self.line).max((self.line + 1).saturating_sub(height));
    }
}

/// The table of aggregates.
#[derive(Debug, Clone, Default)]
pub(crate) struct AggregateTable {
    /// Its order.
    pub(crate) sort: AggregateSort,
    /// The cursor.
    pub(crate) cursor: ListCursor,
    /// How many there are.
    pub(crate) total: usize,
    /// There are more than can be sorted.
    pub(crate) over_limit: bool,
    /// The lines that are there.
    pub(crate) rows: Vec<AggregateSummary>,
    /// The number of the first of them.
    pub(crate) first_row: usize,
    /// Where they come from.
    pub(crate) load_state: AggregateLoadState,
}

/// Whether aggregates can be listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AggregateLoadState {
    /// Nobody has asked yet.
    #[default]
    NotRequested,
    /// Asked.
    Requested,
    /// They are there.
    Loaded,
    /// No index is there to take them from.
    NoIndex,
}

impl AggregateTable {
    /// The line of that number, when it is there.
    pub(crate) fn row(&self, number: usize) -> Option<&AggregateSummary> {
        self.rows.get(number.checked_sub(self.first_row)?)
    }

    /// The first line to ask for, when one on the screen is not there.
    pub(crate) fn missing_rows_start(&self) -> Option<usize> {
        let shown = self.cursor.top..(self.cursor.top + self.cursor.height.max(1)).min(self.total.max(1));
        let have = self.first_row..self.first_row + self.rows.len();
        let enough = have.contains(&shown.start) && shown.end <= have.end;
        (!enough).then(|| shown.start.saturating_sub(super::ROW_BATCH / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_lines_and_on_the_screen() {
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
    fn lines_that_are_not_there_are_asked_for() {
        let mut table = AggregateTable { total: 1000, ..AggregateTable::default() };
        table.cursor.height = 10;
        assert_eq!(table.missing_rows_start(), Some(0));
        table.rows = vec![AggregateSummary { id: 1, events: 1, first: 0, last: 0 }; 200];
        assert_eq!(table.missing_rows_start(), None);
        table.cursor.move_by(500, 1000);
        assert_eq!(table.missing_rows_start(), Some(391));
        assert!(table.row(200).is_none() && table.row(199).is_some());
    }
}
