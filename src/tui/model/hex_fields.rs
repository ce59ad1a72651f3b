//! The names of a row's fields in the hex view: at the ends of the lines of bytes where they fit, else in lines above them.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::{Model, RowContents};
use crate::query::FieldSpan;

/// Columns of a byte in the hex view: two digits, a blank or a mark, and its character.
const HEX_BYTE_COLUMNS: usize = 4;
/// Columns between the offset and the bytes, and before the names.
const BLANK_COLUMNS: usize = 2 + 1;
/// Columns between two names in a line above the bytes.
const NAME_GAP: usize = 2;

/// The name of a field in a line above the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedField {
    /// The offset of the field and its name, with the blanks before the next one.
    pub(crate) text: String,
    /// Offset of the first byte of the field.
    pub(crate) start: u64,
}

impl Model {
    /// Returns the lines above the bytes that name the fields with their offsets, in at most `width` columns. There are none
    /// where the names fit at the ends of the lines of bytes.
    pub(crate) fn hex_field_lines(&self, contents: &RowContents, width: usize) -> Vec<Vec<NamedField>> {
        if longest_names(contents, self.hex_line_bytes())
            <= width.saturating_sub(self.hex_columns(self.hex_line_bytes()))
        {
            return Vec::new();
        }
        let mut lines: Vec<Vec<NamedField>> = Vec::new();
        let mut used = 0;
        for FieldSpan { name, range, .. } in &contents.details.fields {
            let text = format!("{} {name}", self.format_offset(range.start));
            let columns = text.width();
            if lines.is_empty() || used + columns > width {
                lines.push(Vec::new());
                used = 0;
            }
            used += columns + NAME_GAP;
            if let Some(line) = lines.last_mut() {
                line.push(NamedField { text: text + &" ".repeat(NAME_GAP), start: range.start });
            }
        }
        lines
    }

    /// Returns the columns of a line of `bytes` bytes up to the names at its end.
    pub(crate) fn hex_columns(&self, bytes: usize) -> usize {
        self.offset_columns() + BLANK_COLUMNS + bytes * HEX_BYTE_COLUMNS
    }

    /// Returns the number of bytes in a line of the hex view.
    pub(crate) fn hex_line_bytes(&self) -> usize {
        self.detail.hex_width.max(1)
    }
}

/// Returns the names of the fields to show at the end of a line of bytes.
///
/// A field is named on the line on which it starts. When several fields start on one line, those after the first that
/// extend into the next line are named there instead, so that a name is next to most of the field's bytes.
pub(crate) fn line_field_names(contents: &RowContents, line: Range<u64>) -> String {
    let line_before = line.start.saturating_sub(line.end - line.start)..line.start;
    let starting_in = |range: Range<u64>| {
        contents.details.fields.iter().filter(move |field| range.contains(&field.range.start)).enumerate()
    };
    let is_deferred = |nth: usize, field: &FieldSpan, end: u64| nth > 0 && field.range.end > end;
    let deferred = starting_in(line_before).filter(|(nth, field)| is_deferred(*nth, field, line.start));
    let not_deferred = starting_in(line.clone()).filter(|(nth, field)| !is_deferred(*nth, field, line.end));
    deferred.chain(not_deferred).map(|(_, field)| field.name).collect::<Vec<_>>().join(", ")
}

/// Returns the columns of the longest names at the end of a line of `bytes` bytes.
fn longest_names(contents: &RowContents, bytes: usize) -> usize {
    let (row, bytes) = (&contents.details.row, bytes as u64);
    // A field is named on the line on which it starts, or on the next one.
    let starts = contents.details.fields.iter().flat_map(|field| {
        let line = row.start + field.range.start.saturating_sub(row.start) / bytes * bytes;
        [line, line + bytes]
    });
    let lines = starts.map(|start| line_field_names(contents, start..(start + bytes).min(row.end.max(start))));
    lines.map(|names| names.width()).max().unwrap_or_default()
}
