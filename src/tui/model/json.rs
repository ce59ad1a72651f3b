//! JSON text laid out in foldable lines. Every token is a slice of the text as stored.
//!
//! Tokens are not parsed into values and not formatted again: `1.0` stays `1.0`. The text need not be valid JSON; every
//! text is laid out in some way.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::query::JsonTokens;

/// Largest number of bytes of a text that are laid out. Only the size of the rest is shown.
const MAX_LAYOUT_BYTES: usize = 1 << 20;

/// A JSON text laid out in lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JsonDoc {
    text: String,
    lines: Vec<JsonLine>,
    folded: BTreeSet<usize>,
    /// Number of bytes at the end of the text that are not laid out.
    pub(crate) omitted_bytes: usize,
}

/// A line: a value or a bracket, with the key before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct JsonLine {
    /// Nesting depth of the line, counted from 0.
    depth: usize,
    /// The key's token, quotes included.
    key: Option<Range<usize>>,
    /// The token of the value or the bracket.
    value: Range<usize>,
    /// Whether a comma follows the value.
    has_comma: bool,
    /// The line with the closing bracket, when this line holds the opening one.
    closing_line: Option<usize>,
}

/// A line as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonLineView<'a> {
    /// Nesting depth of the line, counted from 0.
    pub(crate) depth: usize,
    /// The key's token, quotes included.
    pub(crate) key: Option<&'a str>,
    /// The token of the value or the bracket.
    pub(crate) value: &'a str,
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
    pub(crate) fn new(text: &str) -> Self {
        let mut cut = text.len().min(MAX_LAYOUT_BYTES);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let omitted_bytes = text.len() - cut;
        let text = text.get(..cut).unwrap_or_default().to_owned();
        let lines = layout_lines(&text);
        Self { text, lines, folded: BTreeSet::new(), omitted_bytes }
    }

    /// Returns the numbers of the visible lines: those that no fold hides.
    pub(crate) fn visible_lines(&self) -> impl Iterator<Item = usize> + '_ {
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

    /// Returns the number of visible lines.
    pub(crate) fn visible_line_count(&self) -> usize {
        if self.folded.is_empty() { self.lines.len() } else { self.visible_lines().count() }
    }

    /// Returns the line with this number.
    pub(crate) fn line(&self, number: usize) -> Option<JsonLineView<'_>> {
        let line = self.lines.get(number)?;
        let slice = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let closed_by = line.closing_line.filter(|_| self.folded.contains(&number));
        let closing = closed_by.and_then(|close| Some((close, self.lines.get(close)?)));
        Some(JsonLineView {
            depth: line.depth,
            key: line.key.as_ref().map(slice),
            value: slice(&line.value),
            folded: closing.map(|(close, line)| FoldedLines { closing: slice(&line.value), count: close - number - 1 }),
            has_comma: closing.map_or(line.has_comma, |(_, line)| line.has_comma),
        })
    }

    /// Folds or unfolds the object or array that opens on a visible line, counted from 0. Returns
    /// false when no object or array opens there.
    pub(crate) fn toggle_fold(&mut self, visible_line: usize) -> bool {
        let Some(number) = self.visible_lines().nth(visible_line) else { return false };
        if self.lines.get(number).is_none_or(|line| line.closing_line.is_none()) {
            return false;
        }
        if !self.folded.remove(&number) {
            self.folded.insert(number);
        }
        true
    }
}

fn layout_lines(text: &str) -> Vec<JsonLine> {
    let mut lines: Vec<JsonLine> = Vec::new();
    let mut open_lines: Vec<usize> = Vec::new();
    let mut key = None;
    let mut tokens = JsonTokens::new(text).peekable();
    while let Some((first_byte, range)) = tokens.next() {
        let depth = open_lines.len();
        match first_byte {
            b':' => {}
            b',' => {
                if let Some(last) = lines.last_mut() {
                    last.has_comma = true;
                }
            }
            b'"' if key.is_none() && tokens.peek().is_some_and(|(next, _)| *next == b':') => key = Some(range),
            b'{' | b'[' => {
                let close = if first_byte == b'{' { b'}' } else { b']' };
                // With blanks between the brackets, each gets its own line, because a token contains no blanks.
                let empty = tokens.next_if(|(next, end)| *next == close && end.start == range.end);
                let value = empty.as_ref().map_or(range.clone(), |(_, end)| range.start..end.end);
                if empty.is_none() {
                    open_lines.push(lines.len());
                }
                lines.push(JsonLine { depth, key: key.take(), value, has_comma: false, closing_line: None });
            }
            b'}' | b']' => {
                let number = lines.len();
                if let Some(opener) = open_lines.pop().and_then(|opener| lines.get_mut(opener)) {
                    opener.closing_line = Some(number);
                }
                lines.push(JsonLine {
                    depth: open_lines.len(),
                    key: None,
                    value: range,
                    has_comma: false,
                    closing_line: None,
                });
            }
            _ => lines.push(JsonLine { depth, key: key.take(), value: range, has_comma: false, closing_line: None }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(doc: &JsonDoc) -> Vec<String> {
        doc.visible_lines()
            .map(|number| {
                let line = doc.line(number).unwrap();
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
        let doc = JsonDoc::new(text);
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
        assert_eq!(draw(&JsonDoc::new("[{\t},[ ]]")), ["[", "  {", "  },", "  [", "  ]", "]"]);
    }

    #[test]
    fn a_fold_hides_its_content_and_opens_again() {
        let mut doc = JsonDoc::new(r#"{"a":[1,2],"b":3}"#);
        assert!(doc.toggle_fold(1));
        assert_eq!(draw(&doc), ["{", "  \"a\": [ 2 ],", "  \"b\": 3", "}"]);
        assert_eq!(doc.visible_line_count(), 4);
        assert!(!doc.toggle_fold(2), "a number does not fold");
        assert!(doc.toggle_fold(1));
        assert_eq!(doc.visible_line_count(), 7);
    }

    #[test]
    fn text_that_is_not_json_is_laid_out_too() {
        for text in ["", "\"abc", "{{{", "]]", "é:é,é", "\"\\", "{\"a\"é"] {
            let doc = JsonDoc::new(text);
            let shown_bytes: usize = doc.visible_lines().filter_map(|n| doc.line(n)).map(|line| line.value.len()).sum();
            assert!(shown_bytes <= text.len(), "{text}");
        }
    }

    #[test]
    fn a_huge_text_is_cut_between_characters_and_counts_the_rest() {
        let text = "é".repeat(MAX_LAYOUT_BYTES);
        assert_eq!(JsonDoc::new(&text).omitted_bytes, MAX_LAYOUT_BYTES);
    }
}
