//! The rows of the events pane: a window on the log, and where the cursor is in it.
//!
//! The window holds some pages around the cursor. A movement that leaves it is owed until further rows have come.

use crate::format::FindingLayout;
use crate::query::{Direction, Filter, LogRow, RowContent, RowPage};

/// Rows kept on either side of the cursor.
const ROWS_KEPT_PER_SIDE: usize = 400;
/// Rows asked for at once.
pub(crate) const ROW_BATCH: usize = 200;

/// The events pane.
#[derive(Debug, Clone)]
pub(crate) struct EventList {
    /// The window, ascending.
    pub(crate) rows: Vec<LogRow>,
    /// No row comes before the window.
    pub(crate) at_start: bool,
    /// No row comes behind it.
    pub(crate) at_end: bool,
    /// The row under the cursor, by its place in the window.
    pub(crate) cursor: usize,
    /// The first row on the screen, likewise.
    pub(crate) top: usize,
    /// What is to be shown.
    pub(crate) filter: Filter,
    /// What the rows in the window were shown by: another filter, until those of the new one have come.
    applied_filter: Filter,
    /// Columns scrolled to the right.
    pub(crate) scroll_columns: u16,
    /// Rows that the cursor still has to move once they are there.
    pending_move: i64,
    /// Rows on the screen.
    height: usize,
    /// What was asked for and has not come.
    request_state: RowRequestState,
    /// The log's size when that was asked.
    requested_at_size: u64,
    /// Where the cursor will be in another window.
    target_offset: Option<u64>,
}

/// What a list waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowRequestState {
    /// Nothing.
    Idle,
    /// Another window.
    Window,
    /// Further rows.
    More(Direction),
    /// Nothing, because the user stopped it; the next movement asks again.
    Stopped,
}

impl EventList {
    /// An empty window.
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            rows: Vec::new(),
            at_start: false,
            at_end: false,
            cursor: 0,
            top: 0,
            applied_filter: filter.clone(),
            filter,
            scroll_columns: 0,
            pending_move: 0,
            height: 0,
            request_state: RowRequestState::Idle,
            requested_at_size: 0,
            target_offset: None,
        }
    }

    /// The row under the cursor.
    pub(crate) fn selected_row(&self) -> Option<&LogRow> {
        self.rows.get(self.cursor)
    }

    /// Where the cursor will be in the window that was asked for.
    pub(crate) fn target_offset(&self) -> Option<u64> {
        self.target_offset.filter(|_| self.request_state == RowRequestState::Window)
    }

    /// The offset under the cursor.
    pub(crate) fn selected_offset(&self) -> u64 {
        self.selected_row().map_or(0, |row| row.start)
    }

    /// True when the rows of the filter have not come: those that are there are another one's.
    pub(crate) fn has_stale_rows(&self) -> bool {
        !self.applied_filter.is_same(&self.filter)
    }

    /// The rows on the screen.
    pub(crate) fn visible_rows(&self) -> &[LogRow] {
        let end = self.rows.len().min(self.top + self.height);
        self.rows.get(self.top..end).unwrap_or_default()
    }

    /// The part of the file that is on the screen.
    pub(crate) fn visible_range(&self) -> Option<std::ops::Range<u64>> {
        let shown = self.visible_rows();
        Some(shown.first()?.start..shown.last()?.end)
    }

    /// Rows on the screen.
    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// What it waits for.
    pub(crate) const fn request_state(&self) -> RowRequestState {
        self.request_state
    }

    /// The screen shows this many rows.
    pub(crate) fn resize(&mut self, height: usize) {
        self.height = height;
        self.scroll_to_cursor();
    }

    /// Moves the cursor by so many rows; what the window does not hold is owed.
    pub(crate) fn move_by(&mut self, rows: i64) {
        if self.request_state == RowRequestState::Stopped && rows != 0 {
            self.request_state = RowRequestState::Idle;
        }
        let last = self.rows.len().saturating_sub(1) as i64;
        let wanted = self.cursor as i64 + self.pending_move + rows;
        let there = wanted.clamp(0, last);
        self.pending_move = wanted - there;
        let beyond_end = self.pending_move > 0 && self.at_end;
        let beyond_start = self.pending_move < 0 && self.at_start;
        if beyond_end || beyond_start {
            self.pending_move = 0;
        }
        self.cursor = there as usize;
        self.scroll_to_cursor();
    }

    /// True when the window's last row is the log's, and under the cursor.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at_end && self.cursor + 1 >= self.rows.len()
    }

    /// Puts the cursor on the row at or behind an offset, when the window holds its place.
    pub(crate) fn select_offset(&mut self, offset: u64) -> bool {
        let at = self.rows.partition_point(|row| row.start < offset);
        // Damage with a frame's events inside it: the row that holds the offset, not the one behind it.
        let inside = at.checked_sub(1).filter(|i| self.rows.get(*i).is_some_and(|row| row.end > offset));
        let exact = self.rows.get(at).is_some_and(|row| row.start == offset);
        let Some(at) = (if exact { Some(at) } else { inside }) else { return false };
        self.cursor = at;
        self.pending_move = 0;
        self.center_cursor();
        true
    }

    /// Another window is being asked for, of a log of `bytes`, the cursor to be at a place.
    pub(crate) fn begin_window_request(&mut self, bytes: u64, heading: Option<u64>) {
        self.target_offset = heading;
        self.request_state = RowRequestState::Window;
        self.requested_at_size = bytes;
        self.pending_move = 0;
    }

    /// There is nothing to show, nor to be waited for.
    pub(crate) fn clear(&mut self) {
        *self = Self { height: self.height, at_start: true, at_end: true, ..Self::new(self.filter.clone()) };
    }

    /// Nothing is waited for any more, nor asked for until the cursor moves. A filter whose rows have not come is
    /// none: the rows that are there would not be what it shows.
    pub(crate) fn cancel_request(&mut self) {
        if self.request_state == RowRequestState::Window {
            self.filter = self.applied_filter.clone();
        }
        self.request_state = RowRequestState::Stopped;
        self.pending_move = 0;
    }

    /// What has to be asked for of a log of `bytes`, so that the next movement finds its rows: from where, and which way.
    /// Nothing that is not `ready` to be answered: it is asked for later.
    pub(crate) fn begin_next_request(
        &mut self,
        bytes: u64,
        ready: impl Fn(u64, Direction) -> bool,
    ) -> Option<(u64, Direction)> {
        if self.request_state != RowRequestState::Idle {
            return None;
        }
        let margin = (self.height * 2).max(20);
        let ahead = self.rows.last().filter(|_| !self.at_end && self.cursor + margin >= self.rows.len());
        let behind = self.rows.first().filter(|_| !self.at_start && self.cursor < margin);
        let ahead = ahead.map(|row| (row.end, Direction::Forward));
        let behind = behind.map(|row| (row.start, Direction::Backward));
        let order = if self.pending_move < 0 { [behind, ahead] } else { [ahead, behind] };
        let wanted = order.into_iter().flatten().find(|(from, direction)| ready(*from, *direction))?;
        self.request_state = RowRequestState::More(wanted.1);
        self.requested_at_size = bytes;
        Some(wanted)
    }

    /// Takes a window, the cursor on the row at or behind `offset`. The log has `bytes` by now.
    pub(crate) fn set_window(&mut self, page: RowPage, offset: u64, bytes: u64) {
        // The cursor's line stays where it is on the screen, so that a filter changes what is around it and not the place.
        let line = self.cursor.saturating_sub(self.top);
        self.applied_filter = self.filter.clone();
        self.rows = page.rows;
        self.at_start = page.at_start;
        self.at_end = page.at_end;
        self.request_state = RowRequestState::Idle;
        self.pending_move = 0;
        let at = self.rows.partition_point(|row| row.end <= offset && row.start < offset);
        self.cursor = at.min(self.rows.len().saturating_sub(1));
        self.top = self.cursor.saturating_sub(line);
        self.scroll_to_cursor();
        self.reopen_end_if_grown(bytes);
    }

    /// Takes further rows. The log has `bytes` by now.
    pub(crate) fn extend_window(&mut self, page: RowPage, bytes: u64) {
        let RowRequestState::More(direction) = self.request_state else { return };
        self.request_state = RowRequestState::Idle;
        match direction {
            Direction::Forward => {
                self.rows.extend(page.rows);
                self.at_end = page.at_end;
                let surplus = self.cursor.min(self.top).saturating_sub(ROWS_KEPT_PER_SIDE);
                if surplus > 0 {
                    self.rows.drain(..surplus);
                    self.cursor -= surplus;
                    self.top -= surplus;
                    self.at_start = false;
                }
            }
            Direction::Backward => {
                let new = page.rows.len();
                self.rows.splice(..0, page.rows);
                self.cursor += new;
                self.top += new;
                self.at_start = page.at_start;
                let kept = self.cursor.max(self.top + self.height) + ROWS_KEPT_PER_SIDE;
                if self.rows.len() > kept {
                    self.rows.truncate(kept);
                    self.at_end = false;
                }
            }
        }
        self.move_by(0);
        self.reopen_end_if_grown(bytes);
    }

    /// An end that was told before the log grew is none.
    fn reopen_end_if_grown(&mut self, bytes: u64) {
        if bytes > self.requested_at_size {
            self.reopen_end();
        }
    }

    /// The log has grown: what was its end may go on, and what was unfinished may be whole.
    pub(crate) fn reopen_end(&mut self) {
        if !self.at_end {
            return;
        }
        self.at_end = false;
        let unfinished = |row: &LogRow| match &row.content {
            RowContent::InFlight => true,
            RowContent::Finding(finding) => finding.kind.layout() != FindingLayout::ValidFrame,
            _ => false,
        };
        while self.rows.len() > 1 && self.rows.last().is_some_and(unfinished) {
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

    /// Scrolls as little as shows the cursor.
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

    fn list(range: std::ops::Range<u64>, at_start: bool, at_end: bool) -> EventList {
        let mut list = EventList::new(Filter::default());
        list.resize(10);
        list.set_window(RowPage { rows: rows(range), at_start, at_end }, 0, 0);
        list
    }

    #[test]
    fn a_movement_beyond_the_window_is_owed_until_rows_come() {
        let mut list = list(0..100, true, false);
        list.move_by(150);
        assert_eq!(list.selected_offset(), 990);
        assert_eq!(list.begin_next_request(0, |_, _| true), Some((1000, Direction::Forward)));
        assert_eq!(list.begin_next_request(0, |_, _| true), None, "asked once");
        list.extend_window(RowPage { rows: rows(100..300), at_start: false, at_end: true }, 0);
        assert_eq!(list.selected_offset(), 1500);
        list.move_by(1000);
        assert_eq!(list.selected_offset(), 2990);
        list.move_by(-1);
        assert_eq!(list.selected_offset(), 2980, "nothing is owed beyond the end");
    }

    #[test]
    fn rows_far_behind_the_cursor_are_let_go_and_come_back() {
        let mut list = list(0..100, true, false);
        let mut next = 100;
        while next < 1100 {
            list.move_by(200);
            if list.begin_next_request(0, |_, _| true).is_some() {
                list.extend_window(RowPage { rows: rows(next..next + 200), at_start: false, at_end: false }, 0);
                next += 200;
            }
        }
        assert!(list.rows.len() < 900 && !list.at_start, "{}", list.rows.len());
        let first = list.rows[0].start;
        list.cursor = 0;
        list.move_by(-5);
        assert_eq!(list.begin_next_request(0, |_, _| true), Some((first, Direction::Backward)));
        list.extend_window(RowPage { rows: rows(0..first / 10), at_start: true, at_end: false }, 0);
        assert_eq!(list.selected_offset(), first - 50);
    }

    #[test]
    fn the_cursor_is_always_on_the_screen() {
        let mut list = list(0..100, true, true);
        for step in [5, 50, -3, -60, 99, -99, 1] {
            list.move_by(step);
            assert!((list.top..list.top + 10).contains(&list.cursor), "{step}");
            assert_eq!(list.visible_rows().len(), 10);
        }
        list.resize(3);
        assert!(list.visible_rows().iter().any(|row| row.start == list.selected_offset()));
    }

    #[test]
    fn a_log_that_grows_gives_up_its_unfinished_end_and_asks_for_more() {
        let mut list = list(0..3, true, true);
        list.rows.insert(0, LogRow { start: 0, end: 1, content: RowContent::Header });
        let torn = Finding::new(DamageKind::TornTail, 30..35);
        list.rows.push(LogRow { start: 30, end: 35, content: RowContent::Finding(torn) });
        list.cursor = 4;
        list.reopen_end();
        assert_eq!(list.rows.len(), 1);
        assert_eq!(list.begin_next_request(0, |_, _| true), Some((1, Direction::Forward)));
    }

    #[test]
    fn a_place_inside_a_row_is_that_row() {
        let mut list = list(0..50, true, true);
        assert!(list.select_offset(205));
        assert_eq!(list.selected_offset(), 200);
        assert!(!list.select_offset(10_000));
    }
}
