//! JSON text laid out in foldable lines. Every token is a slice of the text as stored.
//!
//! Tokens are not parsed into values and not formatted again: `1.0` stays `1.0`. The text need not be valid JSON; every
//! text is laid out in some way.

use std::collections::BTreeSet;
use std::ops::Range;

use super::json_lines::{JsonLine, layout_lines};
use super::json_rows::{JsonRow, wrap_rows};

/// Largest number of bytes of a text that are laid out. Only the size of the rest is shown.
pub(crate) const MAX_LAYOUT_BYTES: usize = 1 << 20;

/// The kind of value that a document contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum JsonRoot {
    /// A whole event, as its frame stores it.
    #[default]
    Event,
    /// The payload of an event.
    Payload,
}

/// A JSON text laid out in lines, and in rows of the pane that shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JsonDoc {
    pub(super) text: String,
    pub(super) root: JsonRoot,
    pub(super) lines: Vec<JsonLine>,
    pub(super) folded: BTreeSet<usize>,
    /// Ranges of the text that take the place of bytes that are not text, or that a fix would change; ascending.
    pub(super) bad_ranges: Vec<Range<usize>>,
    /// The rows of the visible lines.
    pub(super) rows: Vec<JsonRow>,
    /// Number of columns at which long values are wrapped; `None` when each line is one row.
    wrap_columns: Option<usize>,
    /// Number of bytes at the end of the text that are not laid out.
    pub(crate) omitted_bytes: usize,
}

/// A row of a document as it is drawn: a line, or a part of a line whose value is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonRowView<'a> {
    /// Nesting depth of the line, counted from 0.
    pub(crate) depth: usize,
    /// The key's token, quotes included; `None` in the second and later rows of a line.
    pub(crate) key: Option<&'a str>,
    /// Position of the key in the text.
    pub(crate) key_start: usize,
    /// The part of the value or the bracket in this row.
    pub(crate) value: &'a str,
    /// Position of the part in the text.
    pub(crate) value_start: usize,
    /// Whole token of the value or the bracket.
    pub(crate) token: &'a str,
    /// Whether the row starts its line.
    pub(crate) is_first: bool,
    /// Whether the row ends its line.
    pub(crate) is_last: bool,
    /// The hidden part, when the line is folded.
    pub(crate) folded: Option<FoldedLines<'a>>,
    /// Whether a comma follows the value.
    pub(crate) has_comma: bool,
}

/// The part of a text that a fold hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoldedLines<'a> {
    /// The bracket that closes the folded part.
    pub(crate) closing: &'a str,
    /// Number of hidden lines.
    pub(crate) count: usize,
}

impl JsonDoc {
    /// Lays out a text.
    pub(crate) fn new(text: &str, root: JsonRoot) -> Self {
        let mut cut = text.len().min(MAX_LAYOUT_BYTES);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let omitted_bytes = text.len() - cut;
        let text = text.get(..cut).unwrap_or_default().to_owned();
        let lines = layout_lines(&text);
        let mut doc = Self { text, root, lines, omitted_bytes, ..Self::default() };
        doc.update_rows();
        doc
    }

    /// Lays out bytes that need not be text. Each byte that is not part of a character becomes U+FFFD, and is marked as
    /// bad, as are the bytes in `bad_bytes`, positions in `bytes`.
    pub(crate) fn from_bytes(bytes: &[u8], root: JsonRoot, bad_bytes: &[Range<usize>]) -> Self {
        let mut text = String::with_capacity(bytes.len());
        let mut bad_ranges: Vec<Range<usize>> = Vec::new();
        let mut position = 0;
        let is_bad = |at: usize| bad_bytes.iter().any(|range| range.contains(&at));
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                let start = text.len();
                text.push(c);
                if is_bad(position) || c.is_control() && !matches!(c, '\n' | '\r' | '\t') {
                    push_range(&mut bad_ranges, start..text.len());
                }
                position += c.len_utf8();
            }
            for _ in chunk.invalid() {
                let start = text.len();
                text.push(char::REPLACEMENT_CHARACTER);
                push_range(&mut bad_ranges, start..text.len());
                position += 1;
            }
        }
        Self { bad_ranges, ..Self::new(&text, root) }
    }

    /// Returns whether the text is empty.
    pub(crate) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns whether the document is a whole event, and not a part of one.
    pub(crate) fn is_event(&self) -> bool {
        self.root == JsonRoot::Event
    }

    /// Returns the ranges of the text that take the place of bad bytes, ascending.
    pub(crate) fn bad_ranges(&self) -> &[Range<usize>] {
        &self.bad_ranges
    }

    /// Sets the number of columns at which long values are wrapped; `None` when each line is one row.
    pub(crate) fn set_wrap(&mut self, columns: Option<usize>) {
        if self.wrap_columns != columns {
            self.wrap_columns = columns;
            self.update_rows();
        }
    }

    /// Returns the numbers of the visible lines: those that no fold hides.
    fn visible_lines(&self) -> impl Iterator<Item = usize> + '_ {
        let mut next = 0;
        std::iter::from_fn(move || {
            let current = next;
            let line = self.lines.get(current)?;
            next = match line.closing_line {
                Some(close) if self.folded.contains(&current) => close + 1,
                _ => current + 1,
            };
            Some(current)
        })
    }

    /// Computes the rows of the visible lines.
    fn update_rows(&mut self) {
        self.rows = match self.wrap_columns {
            None => {
                let row = |line| JsonRow { line, part: self.lines.get(line).map_or(0..0, |line| line.value.clone()) };
                self.visible_lines().map(row).collect()
            }
            Some(columns) => self
                .visible_lines()
                .flat_map(|number| {
                    let line = self.lines.get(number).map(|line| wrap_rows(&self.text, number, line, columns));
                    line.unwrap_or_default()
                })
                .collect(),
        };
    }

    /// Returns the number of rows.
    pub(crate) const fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// Returns the row with this number.
    pub(crate) fn row(&self, number: usize) -> Option<JsonRowView<'_>> {
        let JsonRow { line: line_number, part } = self.rows.get(number)?;
        let line = self.lines.get(*line_number)?;
        let slice = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let (is_first, is_last) = (part.start == line.value.start, part.end == line.value.end);
        let closed_by = line.closing_line.filter(|_| self.folded.contains(line_number));
        let closing = closed_by.and_then(|close| Some((close, self.lines.get(close)?)));
        let folded = |(close, line): (usize, &JsonLine)| FoldedLines {
            closing: self.text.get(line.value.clone()).unwrap_or_default(),
            count: close - line_number - 1,
        };
        Some(JsonRowView {
            depth: line.depth,
            key: line.key.as_ref().filter(|_| is_first).map(slice),
            key_start: line.key.as_ref().map_or(0, |key| key.start),
            value: slice(part),
            value_start: part.start,
            token: slice(&line.value),
            is_first,
            is_last,
            folded: closing.map(folded),
            has_comma: closing.map_or(line.has_comma, |(_, line)| line.has_comma),
        })
    }

    /// Folds or unfolds the object or array that opens on a row. Returns false when none opens there.
    pub(crate) fn toggle_fold(&mut self, row: usize) -> bool {
        let Some(number) = self.line_of_row(row) else { return false };
        if self.lines.get(number).is_none_or(|line| line.closing_line.is_none()) {
            return false;
        }
        if !self.folded.remove(&number) {
            self.folded.insert(number);
        }
        self.update_rows();
        true
    }

    /// Unfolds everything; when nothing is folded, folds every object and array inside the outermost value.
    ///
    /// Returns the row that then shows the line of `row`, or the fold that hides it.
    pub(crate) fn toggle_all_folds(&mut self, row: usize) -> usize {
        let line = self.line_of_row(row).unwrap_or_default();
        if self.folded.is_empty() {
            let can_fold = |line: &JsonLine| line.closing_line.is_some() && line.parent.is_some();
            self.folded = (0..self.lines.len()).filter(|n| self.lines.get(*n).is_some_and(can_fold)).collect();
        } else {
            self.folded.clear();
        }
        self.update_rows();
        self.rows.partition_point(|row| row.line <= line).saturating_sub(1)
    }

    /// Returns the line that a row belongs to.
    pub(super) fn line_of_row(&self, row: usize) -> Option<usize> {
        self.rows.get(row).map(|row| row.line)
    }

    /// Unfolds the objects and arrays that hide a position of the text, and returns the row with the position.
    pub(crate) fn reveal(&mut self, position: usize) -> usize {
        let line = self.lines.partition_point(|line| line.start() <= position).saturating_sub(1);
        let mut parent = self.lines.get(line).and_then(|line| line.parent);
        let mut has_unfolded = false;
        while let Some(number) = parent {
            has_unfolded |= self.folded.remove(&number);
            parent = self.lines.get(number).and_then(|line| line.parent);
        }
        if has_unfolded {
            self.update_rows();
        }
        let is_before = |row: &JsonRow| row.line < line || row.line == line && row.part.start <= position;
        let first = self.rows.partition_point(|row| row.line < line);
        self.rows.partition_point(is_before).saturating_sub(1).max(first)
    }
}

/// Appends a range, and joins it with the one before when they are adjacent.
fn push_range(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(doc: &JsonDoc) -> Vec<String> {
        (0..doc.row_count())
            .map(|number| {
                let line = doc.row(number).unwrap();
                let key = line.key.map(|key| format!("{key}: ")).unwrap_or_default();
                let fold = line.folded.map(|fold| format!(" {} {}", fold.count, fold.closing)).unwrap_or_default();
                let comma = if line.has_comma { "," } else { "" };
                format!("{}{key}{}{fold}{comma}", "  ".repeat(line.depth), line.value)
            })
            .collect()
    }

    #[test]
    fn every_token_is_drawn_as_stored() {
        let text = r#"{"a":1.0,"b":[1e400,123456789012345678901234567890,"A\"\ud800"],"c":{},"a":[]}"#;
        let doc = JsonDoc::new(text, JsonRoot::Event);
        let expected = [
            "{",
            "  \"a\": 1.0,",
            "  \"b\": [",
            "    1e400,",
            "    123456789012345678901234567890,",
            r#"    "A\"\ud800""#,
            "  ],",
            "  \"c\": {},",
            "  \"a\": []",
            "}",
        ];
        assert_eq!(draw(&doc), expected);
        let again: String = draw(&doc).iter().flat_map(|line| line.trim_start().chars()).collect();
        assert_eq!(again.replace("\": ", "\":"), text);
    }

    #[test]
    fn blanks_between_brackets_are_not_drawn() {
        assert_eq!(draw(&JsonDoc::new("[{\t},[ ]]", JsonRoot::Event)), ["[", "  {", "  },", "  [", "  ]", "]"]);
    }

    #[test]
    fn a_fold_hides_its_content_and_opens_again() {
        let mut doc = JsonDoc::new(r#"{"a":[1,2],"b":3}"#, JsonRoot::Event);
        assert!(doc.toggle_fold(1));
        assert_eq!(draw(&doc), ["{", "  \"a\": [ 2 ],", "  \"b\": 3", "}"]);
        assert_eq!(doc.row_count(), 4);
        assert!(!doc.toggle_fold(2), "a number does not fold");
        assert!(doc.toggle_fold(1));
        assert_eq!(doc.row_count(), 7);
    }

    #[test]
    fn text_that_is_not_json_is_laid_out_too() {
        for text in ["", "\"abc", "{{{", "]]", "é:é,é", "\"\\", "{\"a\"é"] {
            let doc = JsonDoc::new(text, JsonRoot::Event);
            let shown_bytes: usize = (0..doc.row_count()).filter_map(|n| doc.row(n)).map(|row| row.value.len()).sum();
            assert!(shown_bytes <= text.len(), "{text}");
        }
    }

    #[test]
    fn a_huge_text_is_cut_between_characters_and_counts_the_rest() {
        let text = "é".repeat(MAX_LAYOUT_BYTES);
        assert_eq!(JsonDoc::new(&text, JsonRoot::Event).omitted_bytes, MAX_LAYOUT_BYTES);
    }

    #[test]
    fn all_folds_open_and_close_around_the_same_line() {
        let mut doc = JsonDoc::new(r#"{"a":{"b":[1,{"c":2}]},"d":3}"#, JsonRoot::Event);
        assert_eq!(draw(&doc).len(), 11);
        // The row of `"c": 2` is hidden by the fold of `a`.
        assert_eq!(doc.toggle_all_folds(5), 1);
        assert_eq!(draw(&doc), ["{", "  \"a\": { 6 },", "  \"d\": 3", "}"]);
        assert_eq!(doc.toggle_all_folds(2), 9);
        assert_eq!(draw(&doc).len(), 11);
    }

    #[test]
    fn a_position_is_revealed_and_only_what_hides_it_unfolds() {
        let text = r#"{"a":{"b":[1,{"c":2}]},"d":{"e":3}}"#;
        let mut doc = JsonDoc::new(text, JsonRoot::Event);
        doc.toggle_all_folds(0);
        let row = doc.reveal(text.find('2').unwrap());
        assert_eq!(draw(&doc)[row], "        \"c\": 2");
        assert!(draw(&doc).contains(&"  \"d\": { 1 }".to_owned()), "{:?}", draw(&doc));
        assert_eq!(doc.reveal(0), 0);
        assert_eq!(doc.reveal(usize::MAX), doc.row_count() - 1);
    }

    #[test]
    fn bytes_that_are_not_text_are_marked_where_they_are() {
        let doc = JsonDoc::from_bytes(b"{\"a\":\"x\xff\xfe\x00y\",\"n\":1", JsonRoot::Event, &[3..4, 17..18]);
        assert_eq!(draw(&doc), ["{", "  \"a\": \"x\u{fffd}\u{fffd}\0y\",", "  \"n\": 1"]);
        let bad: Vec<&str> = doc.bad_ranges().iter().map(|range| &doc.text[range.clone()]).collect();
        assert_eq!(bad, ["\"", "\u{fffd}\u{fffd}\0", "1"]);
    }

    fn wrapped(text: &str, columns: usize) -> Vec<(usize, String)> {
        let mut doc = JsonDoc::new(text, JsonRoot::Event);
        doc.set_wrap(Some(columns));
        (0..doc.row_count()).filter_map(|n| doc.row(n)).map(|row| (row.depth, row.value.to_owned())).collect()
    }

    #[test]
    fn a_long_value_takes_several_rows_and_loses_nothing() {
        let rows = wrapped(r#"{"key":"abcdefghijklmnopqrstuvwxyz","n":1}"#, 20);
        let values: Vec<&str> = rows.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["{", "\"abcdefghij", "klmnopqrstuvwxyz", "\"", "1", "}"]);
        assert!(values.iter().all(|value| value.len() <= 16));
    }

    #[test]
    fn wide_and_hostile_characters_are_counted_as_they_are_drawn() {
        let rows = wrapped("[\"日本日本日本日本\",\"\u{1b}\u{1b}\u{1b}\"]", 12);
        let values: Vec<&str> = rows.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["[", "\"日本日本", "日本日本", "\"", "\"\u{1b}", "\u{1b}", "\u{1b}\"", "]"]);
    }

    #[test]
    fn a_position_in_a_wrapped_value_leads_to_its_row() {
        let text = r#"{"key":"abcdefghijklmnopqrstuvwxyz"}"#;
        let mut doc = JsonDoc::new(text, JsonRoot::Event);
        doc.set_wrap(Some(20));
        assert_eq!(doc.reveal(text.find('b').unwrap()), 1);
        assert_eq!(doc.reveal(text.find('k').unwrap()), 1, "the k of the key");
        assert_eq!(doc.reveal(text.find('z').unwrap()), 2);
    }
}
