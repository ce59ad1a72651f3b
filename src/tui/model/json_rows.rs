//! Wraps the lines of a JSON document into rows of a given width.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::json_lines::JsonLine;
use crate::report::sanitize;

/// Number of columns of one level of indentation.
pub(crate) const INDENT_COLUMNS: usize = 2;
/// Minimum number of columns of a part of a value, however narrow the pane is.
const MIN_PART_COLUMNS: usize = 8;

/// A row: a line, or a part of a line whose value is wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonRow {
    /// Number of the line.
    pub(super) line: usize,
    /// The part of the value's token, as a range of the text.
    pub(super) part: Range<usize>,
}

/// Splits the line with this number into rows of at most `columns` columns. The parts of a value after the first are indented once more.
pub(super) fn wrap_rows(text: &str, number: usize, line: &JsonLine, columns: usize) -> Vec<JsonRow> {
    let slice = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    let indent = line.depth * INDENT_COLUMNS;
    let key = line.key.as_ref().map_or(0, |key| safe_columns(slice(key)) + 2);
    let mut available = columns.saturating_sub(indent + key).max(MIN_PART_COLUMNS);
    let rest = columns.saturating_sub(indent + INDENT_COLUMNS).max(MIN_PART_COLUMNS);
    let (mut rows, mut start, mut used) = (Vec::new(), line.value.start, 0);
    for (at, c) in slice(&line.value).char_indices() {
        let width = safe_char_columns(c);
        if used + width > available && used > 0 {
            let end = line.value.start + at;
            rows.push(JsonRow { line: number, part: start..end });
            (start, used, available) = (end, 0, rest);
        }
        used += width;
    }
    rows.push(JsonRow { line: number, part: start..line.value.end });
    rows
}

/// Returns the number of columns that a text takes after it was made safe for the terminal.
pub(super) fn safe_columns(text: &str) -> usize {
    text.chars().map(safe_char_columns).sum()
}

/// Returns the number of columns that a character takes after it was made safe for the terminal.
fn safe_char_columns(c: char) -> usize {
    if matches!(c, ' '..='~') {
        return 1;
    }
    let mut buf = [0; 4];
    let width = |c: char| c.width().unwrap_or(0);
    // A combining mark takes no column after its base character, and is escaped only without one.
    if width(c) == 0 && !c.is_control() { 0 } else { sanitize(c.encode_utf8(&mut buf)).chars().map(width).sum() }
}
