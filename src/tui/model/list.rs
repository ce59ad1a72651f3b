//! The rows of the events pane: a window of the log, with the cursor in it.
//!
//! The window holds some pages around the cursor. A movement that leaves it is completed when further rows arrive.

use super::columns::ColumnLayout;
use crate::format::FindingLayout;
use crate::query::{Direction, Filter, FindingRows, LogRow, RowContent, RowPage};

/// Largest number of rows of the window on either side of the cursor. Rows farther away are dropped.
const MAX_ROWS_PER_SIDE: usize = 400;
/// Number of rows that are requested at once.
pub(crate) const ROW_BATCH: usize = 200;

/// The state of the events pane.
#[derive(Debug, Clone)]
pub(crate) struct EventList {
    /// The rows of the window, in ascending order.
    pub(crate) rows: Vec<LogRow>,
    /// Whether the window starts with the first row of the log.
    pub(crate) at_start: bool,
    /// Whether the window ends with the last row of the log.
    pub(crate) at_end: bool,
    /// Position of the selected row in the window.
    pub(crate) cursor: usize,
    /// Position of the first visible row in the window.
    pub(crate) top: usize,
    /// The filter that the user has set.
    pub(crate) filter: Filter,
    /// Whether damage and gaps are rows under a filter, or one line below the rows.
    pub(crate) finding_rows: FindingRows,
    /// The filter of the rows in the window: an earlier filter, until the rows of the new one arrive.
    applied_filter: Filter,
    /// The columns that are shown.
    pub(crate) columns: ColumnLayout,
    /// Number of columns that are scrolled out of view.
    pub(crate) scroll_columns: u16,
    /// Number of rows that the cursor still has to move when further rows arrive.
    pending_move: i64,
    /// Number of visible rows.
    height: usize,
    /// The request that is in progress.
    request_state: RowRequestState,
    /// Size of the log when the request was made.
    requested_at_size: u64,
    /// Offset of the row that will be selected in the requested window.
    target_offset: Option<u64>,
}

/// The request for rows that is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowRequestState {
    /// No request is in progress.
    Idle,
    /// A window was requested that replaces the current one.
    Window,
    /// Rows were requested that extend the window in a direction.
    More(Direction),
    /// No request is in progress, because the user has stopped it. The next movement makes a new one.
    Stopped,
}

/// Rows that have to be requested to extend the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowsNeeded {
    /// Offset to read from.
    pub(crate) from: u64,
    /// Direction to read in.
    pub(crate) direction: Direction,
}

impl EventList {
    /// Creates the state of a pane without rows.
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            rows: Vec::new(),
            at_start: false,
            at_end: false,
            cursor: 0,
            top: 0,
            applied_filter: filter.clone(),
            filter,
            finding_rows: FindingRows::Hidden,
            columns: ColumnLayout::default(),
            scroll_columns: 0,
            pending_move: 0,
            height: 0,
            request_state: RowRequestState::Idle,
            requested_at_size: 0,
            target_offset: None,
        }
    }

    /// Returns the selected row.
    pub(crate) fn selected_row(&self) -> Option<&LogRow> {
        self.rows.get(self.cursor)
    }

    /// Returns the offset of the row that will be selected in the requested window.
    pub(crate) fn target_offset(&self) -> Option<u64> {
        self.target_offset.filter(|_| self.request_state == RowRequestState::Window)
    }

    /// Returns the offset of the selected row; 0 when there is none.
    pub(crate) fn selected_offset(&self) -> u64 {
        self.selected_row().map_or(0, |row| row.start)
    }

    /// Returns whether the rows in the window are those of an earlier filter.
    pub(crate) fn has_stale_rows(&self) -> bool {
        !self.applied_filter.is_same(&self.filter)
    }

    /// Returns the visible rows.
    pub(crate) fn visible_rows(&self) -> &[LogRow] {
        let end = self.rows.len().min(self.top + self.height);
        self.rows.get(self.top..end).unwrap_or_default()
    }

    /// Returns the range of the file that the visible rows span.
    pub(crate) fn visible_range(&self) -> Option<std::ops::Range<u64>> {
        let visible = self.visible_rows();
        Some(visible.first()?.start..visible.last()?.end)
    }

    /// Returns the number of visible rows.
    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// Returns the request that is in progress.
    pub(crate) const fn request_state(&self) -> RowRequestState {
        self.request_state
    }

    /// Sets the number of visible rows.
    pub(crate) fn resize(&mut self, height: usize) {
        self.height = height;
        self.scroll_to_cursor();
    }

    /// Moves the cursor by a number of rows. The part of the movement that leaves the window is completed when further
    /// rows arrive.
    pub(crate) fn move_by(&mut self, rows: i64) {
        if self.request_state == RowRequestState::Stopped && rows != 0 {
            self.request_state = RowRequestState::Idle;
        }
        let last = self.rows.len().saturating_sub(1) as i64;
        let target = self.cursor as i64 + self.pending_move + rows;
        let cursor = target.clamp(0, last);
        self.pending_move = target - cursor;
        let beyond_end = self.pending_move > 0 && self.at_end;
        let beyond_start = self.pending_move < 0 && self.at_start;
        if beyond_end || beyond_start {
            self.pending_move = 0;
        }
        self.cursor = cursor as usize;
        self.scroll_to_cursor();
    }

    /// Returns whether the cursor still has to move to a row that has not been read.
    pub(crate) const fn is_moving(&self) -> bool {
        match self.request_state {
            RowRequestState::Window => true,
            // Without a request, the rows are requested once the hits of the filter are counted up to them.
            RowRequestState::Idle | RowRequestState::More(_) => self.pending_move != 0,
            RowRequestState::Stopped => false,
        }
    }

    /// Returns whether the last row of the log is selected.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at_end && self.cursor + 1 >= self.rows.len()
    }

    /// Selects the row that contains an offset. Returns false when the window does not hold it.
    pub(crate) fn select_offset(&mut self, offset: u64) -> bool {
        let position = self.rows.partition_point(|row| row.start < offset);
        // An offset inside a row selects that row, not the one after it.
        let containing = position.checked_sub(1).filter(|i| self.rows.get(*i).is_some_and(|row| row.end > offset));
        let exact = self.rows.get(position).is_some_and(|row| row.start == offset);
        let Some(selected) = (if exact { Some(position) } else { containing }) else { return false };
        self.cursor = selected;
        self.pending_move = 0;
        self.center_cursor();
        true
    }

    /// Records that a window of a log of `log_bytes` bytes is requested, in which the row at `target_offset` will be
    /// selected.
    pub(crate) fn begin_window_request(&mut self, log_bytes: u64, target_offset: Option<u64>) {
        self.target_offset = target_offset;
        self.request_state = RowRequestState::Window;
        self.requested_at_size = log_bytes;
        self.pending_move = 0;
    }

    /// Removes all rows, because the log has no rows that could be requested.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            height: self.height,
            columns: self.columns.clone(),
            at_start: true,
            at_end: true,
            ..Self::new(self.filter.clone())
        };
    }

    /// Records that the request was cancelled. No rows are requested until the cursor moves.
    ///
    /// A filter whose rows have not arrived is dropped, because the rows in the window are not those of that filter.
    pub(crate) fn cancel_request(&mut self) {
        if self.request_state == RowRequestState::Window {
            self.filter = self.applied_filter.clone();
        }
        self.request_state = RowRequestState::Stopped;
        self.pending_move = 0;
    }

    /// Returns the rows to request from a log of `log_bytes` bytes, so that they are loaded before the cursor reaches
    /// them.
    ///
    /// Rows for which `is_ready` returns false are not requested yet.
    pub(crate) fn begin_next_request(
        &mut self,
        log_bytes: u64,
        is_ready: impl Fn(RowsNeeded) -> bool,
    ) -> Option<RowsNeeded> {
        if self.request_state != RowRequestState::Idle {
            return None;
        }
        let margin = (self.height * 2).max(20);
        let after = self.rows.last().filter(|_| !self.at_end && self.cursor + margin >= self.rows.len());
        let before = self.rows.first().filter(|_| !self.at_start && self.cursor < margin);
        let after = after.map(|row| RowsNeeded { from: row.end, direction: Direction::Forward });
        let before = before.map(|row| RowsNeeded { from: row.start, direction: Direction::Backward });
        let order = if self.pending_move < 0 { [before, after] } else { [after, before] };
        let needed = order.into_iter().flatten().find(|needed| is_ready(*needed))?;
        self.request_state = RowRequestState::More(needed.direction);
        self.requested_at_size = log_bytes;
        Some(needed)
    }

    /// Replaces the window and selects the row that contains `offset`, or the next one. `log_bytes` is the current size
    /// of the log.
    pub(crate) fn set_window(&mut self, page: RowPage, offset: u64, log_bytes: u64) {
        // The selected row stays on its line of the screen, so that a new filter changes only the rows around it.
        let screen_line = self.cursor.saturating_sub(self.top);
        self.applied_filter = self.filter.clone();
        self.rows = page.rows;
        self.at_start = page.at_start;
        self.at_end = page.at_end;
        self.request_state = RowRequestState::Idle;
        self.pending_move = 0;
        let position = self.rows.partition_point(|row| row.end <= offset && row.start < offset);
        self.cursor = position.min(self.rows.len().saturating_sub(1));
        self.top = self.cursor.saturating_sub(screen_line);
        self.scroll_to_cursor();
        self.reopen_end_if_grown(log_bytes);
    }

    /// Extends the window by the rows that were requested. `log_bytes` is the current size of the log.
    pub(crate) fn extend_window(&mut self, page: RowPage, log_bytes: u64) {
        let RowRequestState::More(direction) = self.request_state else { return };
        self.request_state = RowRequestState::Idle;
        match direction {
            Direction::Forward => {
                self.rows.extend(page.rows);
                self.at_end = page.at_end;
                let surplus = self.cursor.min(self.top).saturating_sub(MAX_ROWS_PER_SIDE);
                if surplus > 0 {
                    self.rows.drain(..surplus);
                    self.cursor -= surplus;
                    self.top -= surplus;
                    self.at_start = false;
                }
            }
            Direction::Backward => {
                let added = page.rows.len();
                self.rows.splice(..0, page.rows);
                self.cursor += added;
                self.top += added;
                self.at_start = page.at_start;
                let max_rows = self.cursor.max(self.top + self.height) + MAX_ROWS_PER_SIDE;
                if self.rows.len() > max_rows {
                    self.rows.truncate(max_rows);
                    self.at_end = false;
                }
            }
        }
        self.move_by(0);
        self.reopen_end_if_grown(log_bytes);
    }

    /// Makes the window request rows at its end again when the log has grown since the last request, because the end
    /// that the page reported is outdated.
    fn reopen_end_if_grown(&mut self, log_bytes: u64) {
        if log_bytes > self.requested_at_size {
            self.reopen_end();
        }
    }

    /// Makes the window request rows at its end again, because the log has grown. An unfinished last frame is removed,
    /// because it may be complete now.
    pub(crate) fn reopen_end(&mut self) {
        if !self.at_end {
            return;
        }
        self.at_end = false;
        let is_unfinished = |row: &LogRow| match &row.content {
            RowContent::InFlight => true,
            RowContent::Finding(finding) => finding.kind.layout() != FindingLayout::ValidFrame,
            _ => false,
        };
        while self.rows.len() > 1 && self.rows.last().is_some_and(is_unfinished) {
            self.rows.pop();
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        self.scroll_to_cursor();
    }

    fn center_cursor(&mut self) {
        let visible = self.top..self.top + self.height;
        if !visible.contains(&self.cursor) {
            self.top = self.cursor.saturating_sub(self.height / 2);
        }
        self.scroll_to_cursor();
    }

    /// Scrolls as little as needed to make the selected row visible.
    fn scroll_to_cursor(&mut self) {
        let height = self.height.max(1);
        self.top = self.top.min(self.rows.len().saturating_sub(height));
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{DamageKind, Finding};

    fn row(start: u64) -> LogRow {
        LogRow { start, end: start + 10, content: RowContent::InFlight }
    }

    fn rows(range: std::ops::Range<u64>) -> Vec<LogRow> {
        range.map(|n| row(n * 10)).collect()
    }

    fn list(page: RowPage) -> EventList {
        let mut list = EventList::new(Filter::default());
        list.resize(10);
        list.set_window(page, 0, 0);
        list
    }

    fn first_page(range: std::ops::Range<u64>) -> RowPage {
        RowPage { rows: rows(range), at_start: true, at_end: false }
    }

    fn whole_log(range: std::ops::Range<u64>) -> RowPage {
        RowPage { rows: rows(range), at_start: true, at_end: true }
    }

    fn needed(from: u64, direction: Direction) -> RowsNeeded {
        RowsNeeded { from, direction }
    }

    #[test]
    fn a_movement_beyond_the_window_is_completed_when_rows_arrive() {
        let mut list = list(first_page(0..100));
        list.move_by(150);
        assert_eq!(list.selected_offset(), 990);
        assert_eq!(list.begin_next_request(0, |_| false), None, "the hits of the filter are not counted yet");
        assert!(list.is_moving(), "the row is not there, although no request is in progress");
        assert_eq!(list.begin_next_request(0, |_| true), Some(needed(1000, Direction::Forward)));
        assert_eq!(list.begin_next_request(0, |_| true), None, "one request at a time");
        list.extend_window(RowPage { rows: rows(100..300), at_start: false, at_end: true }, 0);
        assert_eq!(list.selected_offset(), 1500);
        list.move_by(1000);
        assert_eq!(list.selected_offset(), 2990);
        list.move_by(-1);
        assert_eq!(list.selected_offset(), 2980, "no movement is pending beyond the end");
        assert!(!list.is_moving());
    }

    #[test]
    fn rows_far_from_the_cursor_are_dropped_and_requested_again() {
        let mut list = list(first_page(0..100));
        let mut next = 100;
        while next < 1100 {
            list.move_by(200);
            if list.begin_next_request(0, |_| true).is_some() {
                list.extend_window(RowPage { rows: rows(next..next + 200), at_start: false, at_end: false }, 0);
                next += 200;
            }
        }
        assert!(list.rows.len() < 900 && !list.at_start, "{}", list.rows.len());
        let first = list.rows[0].start;
        list.cursor = 0;
        list.move_by(-5);
        assert_eq!(list.begin_next_request(0, |_| true), Some(needed(first, Direction::Backward)));
        list.extend_window(RowPage { rows: rows(0..first / 10), at_start: true, at_end: false }, 0);
        assert_eq!(list.selected_offset(), first - 50);
    }

    #[test]
    fn the_selected_row_is_always_visible() {
        let mut list = list(whole_log(0..100));
        for step in [5, 50, -3, -60, 99, -99, 1] {
            list.move_by(step);
            assert!((list.top..list.top + 10).contains(&list.cursor), "{step}");
            assert_eq!(list.visible_rows().len(), 10);
        }
        list.resize(3);
        assert!(list.visible_rows().iter().any(|row| row.start == list.selected_offset()));
    }

    #[test]
    fn an_unfinished_end_is_requested_again_when_the_log_grows() {
        let mut list = list(whole_log(0..3));
        list.rows.insert(0, LogRow { start: 0, end: 1, content: RowContent::Header });
        let torn = Finding::new(DamageKind::TornTail, 30..35);
        list.rows.push(LogRow { start: 30, end: 35, content: RowContent::Finding(torn) });
        list.cursor = 4;
        list.reopen_end();
        assert_eq!(list.rows.len(), 1);
        assert_eq!(list.begin_next_request(0, |_| true), Some(needed(1, Direction::Forward)));
    }

    #[test]
    fn an_offset_inside_a_row_selects_that_row() {
        let mut list = list(whole_log(0..50));
        assert!(list.select_offset(205));
        assert_eq!(list.selected_offset(), 200);
        assert!(!list.select_offset(10_000));
    }
}
