//! The place in the detail pane where a search matches.

use super::detail::DetailView;
use super::detail_lines::wrapped_row_lines;
use super::detail_pane::{DetailPane, LineWrap};
use super::difference_text::DifferenceText;
use super::json::JsonDoc;
use super::json_value::TokenSearch;
use crate::query::{Direction, SearchPattern};

/// The width of the pane divided by this number is the number of columns left of a match that was scrolled into view.
const COLUMNS_BEFORE_MATCH: usize = 3;

impl DetailPane {
    /// Moves the cursor to the next match of a search after the cursor, in the shown view. Returns false when there is none.
    pub(crate) fn go_to_next_match(&mut self, pattern: &SearchPattern, direction: Direction) -> bool {
        let line = self.cursor.line;
        let Some(doc) = self.doc() else { return self.go_to_line_with_match(pattern, direction, Some(line)) };
        let search = match direction {
            Direction::Forward => doc.end_of_row(line).map(TokenSearch::From),
            Direction::Backward => doc.position_of_row(line).map(TokenSearch::Before),
        };
        search.is_some_and(|search| self.go_to_token(pattern, search))
    }

    /// Moves the cursor to the first match of a search in the shown view; in a backward search, to the last one.
    pub(crate) fn go_to_first_match(&mut self, pattern: &SearchPattern, direction: Direction) -> bool {
        if self.doc().is_none() {
            return self.go_to_line_with_match(pattern, direction, None);
        }
        self.go_to_token(
            pattern,
            match direction {
                Direction::Forward => TokenSearch::From(0),
                Direction::Backward => TokenSearch::Before(usize::MAX),
            },
        )
    }

    fn go_to_token(&mut self, pattern: &SearchPattern, search: TokenSearch) -> bool {
        let Some(position) = self.doc().and_then(|doc| find_match(doc, pattern, search)) else { return false };
        self.go_to_position(position);
        true
    }

    /// Moves the cursor to a position in the text of the shown document, and scrolls until it is visible.
    pub(crate) fn go_to_position(&mut self, position: usize) {
        let Some(doc) = self.doc_mut() else { return };
        let row = doc.reveal(position);
        let column = doc.column_of_position(row, position);
        let is_visible_row =
            self.cursor.top <= row && row < self.cursor.top + self.cursor.height.max(1) && self.cursor.height > 0;
        if is_visible_row {
            self.move_by(row as i64 - self.cursor.line as i64);
        } else {
            self.show_at_third(row);
        }
        self.scroll_to_column(column);
    }

    /// Scrolls sideways until a column of the line under the cursor is visible.
    fn scroll_to_column(&mut self, column: usize) {
        let margin = self.width / COLUMNS_BEFORE_MATCH;
        let is_visible = (self.scroll_columns..(self.scroll_columns + self.width).saturating_sub(2)).contains(&column);
        if self.wrap == LineWrap::On && self.doc().is_some() {
            self.scroll_columns = 0;
        } else if !is_visible || self.scroll_columns > 0 && column + margin < self.width {
            self.scroll_columns = if column + margin < self.width { 0 } else { column - margin };
        }
    }

    /// Moves the cursor to a line of a view without a document that shows the match.
    fn go_to_line_with_match(&mut self, pattern: &SearchPattern, direction: Direction, after: Option<usize>) -> bool {
        let Some(contents) = &self.contents else { return false };
        let matches = |text: &str| pattern.is_match(text.as_bytes());
        let lines: Vec<usize> = match self.shown_view() {
            DetailView::Hex => {
                let text = contents.details.payload_text.as_deref().unwrap_or_default();
                let offsets =
                    pattern.match_ranges(text).into_iter().map(|range| contents.offset_of_position(range.start));
                let line = |offset: u64| (offset - contents.details.row.start) as usize / self.hex_width.max(1);
                offsets.flatten().map(line).collect()
            }
            DetailView::Frame => {
                let lines = wrapped_row_lines(contents, self.width);
                lines.iter().enumerate().filter(|(_, line)| matches(&line.text)).map(|(number, _)| number).collect()
            }
            DetailView::Aggregate => {
                let Some(history) = &contents.history else { return false };
                let is_match = |line: &usize| {
                    let is_of_row = |line| {
                        history.entry_at(line).is_some_and(|entry| entry.row.start == contents.details.row.start)
                    };
                    let values = |change: &crate::query::PayloadDifference| {
                        [Some(&change.path), change.before.as_ref(), change.after.as_ref()]
                            .into_iter()
                            .flatten()
                            .any(|text| matches(text))
                    };
                    is_of_row(*line) && history.change_at(*line).is_some_and(values)
                };
                (0..history.lines().len()).filter(is_match).collect()
            }
            DetailView::Json | DetailView::Backup => return false,
        };
        let found = match (direction, after) {
            (Direction::Forward, Some(after)) => lines.iter().find(|line| **line > after),
            (Direction::Backward, Some(after)) => lines.iter().rev().find(|line| **line < after),
            (Direction::Forward, None) => lines.first(),
            (Direction::Backward, None) => lines.last(),
        };
        let Some(line) = found.copied() else { return false };
        if (self.cursor.top..self.cursor.top + self.cursor.height).contains(&line) {
            self.move_by(line as i64 - self.cursor.line as i64);
        } else {
            self.show_at_third(line);
        }
        let history = self.contents.as_ref().and_then(|contents| contents.history.as_ref());
        let change = history.filter(|_| self.shown_view() == DetailView::Aggregate).and_then(|h| h.change_at(line));
        if let Some(column) = change.map(|change| DifferenceText::new(change, Some(pattern)).match_column()) {
            self.scroll_to_column(column.unwrap_or_default());
        }
        true
    }
}

/// Returns the position of a match: in a token as stored, or else the start of a token that matches with its escapes
/// resolved.
fn find_match(doc: &JsonDoc, pattern: &SearchPattern, search: TokenSearch) -> Option<usize> {
    let token = doc.find_token(search, |token| pattern.is_match(token.as_bytes()))?;
    let text = doc.text.get(token.clone())?;
    Some(token.start + pattern.match_ranges(text).first().map_or(0, |range| range.start))
}
