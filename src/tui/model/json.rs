//! JSON laid out in lines that can be folded, every token a slice of the text as stored.
//!
//! Nothing is parsed into values and nothing is written anew: `1.0` stays `1.0`. The text was judged before; what is no
//! JSON comes out as lines too.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::query::JsonTokens;

/// Bytes of a text that are laid out at most; what follows is told as a number.
pub(crate) const MAX_LAYOUT_BYTES: usize = 1 << 20;

/// A text in lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JsonDoc {
    text: String,
    lines: Vec<JsonLine>,
    folded: BTreeSet<usize>,
    /// Bytes of the text that are not laid out.
    pub(crate) omitted_bytes: usize,
}

/// A line: a key, a value or a bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonLine {
    /// How deep it lies.
    pub(crate) depth: usize,
    /// The key's token, quotes included.
    key: Option<Range<usize>>,
    /// The value's token, or the bracket.
    value: Range<usize>,
    /// A comma stands behind it.
    pub(crate) comma: bool,
    /// The line that closes what this one opens.
    closing_line: Option<usize>,
}

/// What a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonLineView<'a> {
    /// How deep it lies.
    pub(crate) depth: usize,
    /// The key's token.
    pub(crate) key: Option<&'a str>,
    /// The value's token or bracket.
    pub(crate) value: &'a str,
    /// What closes it, when it is folded, and how many lines that hides.
    pub(crate) folded: Option<(&'a str, usize)>,
    /// A comma stands behind it.
    pub(crate) comma: bool,
}

impl JsonDoc {
    /// Lays a text out.
    pub(crate) fn new(text: &str) -> Self {
        let mut cut = text.len().min(MAX_LAYOUT_BYTES);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let left_out = text.len() - cut;
        let text = text.get(..cut).unwrap_or_default().to_owned();
        let lines = layout_lines(&text);
        Self { text, lines, folded: BTreeSet::new(), omitted_bytes: left_out }
    }

    /// The lines in sight, by number: those hidden in a fold are not.
    pub(crate) fn visible_lines(&self) -> impl Iterator<Item = usize> + '_ {
        let mut next = 0;
        std::iter::from_fn(move || {
            let now = next;
            let line = self.lines.get(now)?;
            next = match line.closing_line {
                Some(close) if self.folded.contains(&now) => close + 1,
                _ => now + 1,
            };
            Some(now)
        })
    }

    /// How many lines are in sight.
    pub(crate) fn visible_line_count(&self) -> usize {
        if self.folded.is_empty() { self.lines.len() } else { self.visible_lines().count() }
    }

    /// The line of that number.
    pub(crate) fn line(&self, number: usize) -> Option<JsonLineView<'_>> {
        let line = self.lines.get(number)?;
        let slice = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let closed_by = line.closing_line.filter(|_| self.folded.contains(&number));
        let closing = closed_by.and_then(|close| Some((close, self.lines.get(close)?)));
        Some(JsonLineView {
            depth: line.depth,
            key: line.key.as_ref().map(slice),
            value: slice(&line.value),
            folded: closing.map(|(close, line)| (slice(&line.value), close - number - 1)),
            comma: closing.map_or(line.comma, |(_, line)| line.comma),
        })
    }

    /// Folds or unfolds what opens on the `nth` line in sight; false when nothing does.
    pub(crate) fn toggle_fold(&mut self, nth: usize) -> bool {
        let Some(number) = self.visible_lines().nth(nth) else { return false };
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
    let mut open: Vec<usize> = Vec::new();
    let mut key = None;
    let mut tokens = JsonTokens::new(text).peekable();
    while let Some((first, range)) = tokens.next() {
        let depth = open.len();
        match first {
            b':' => {}
            b',' => {
                if let Some(last) = lines.last_mut() {
                    last.comma = true;
                }
            }
            b'"' if key.is_none() && tokens.peek().is_some_and(|(next, _)| *next == b':') => key = Some(range),
            b'{' | b'[' => {
                let close = if first == b'{' { b'}' } else { b']' };
                let empty = tokens.next_if(|(next, _)| *next == close);
                let value = empty.as_ref().map_or(range.clone(), |(_, end)| range.start..end.end);
                if empty.is_none() {
                    open.push(lines.len());
                }
                lines.push(JsonLine { depth, key: key.take(), value, comma: false, closing_line: None });
            }
            b'}' | b']' => {
                let number = lines.len();
                if let Some(opener) = open.pop().and_then(|opener| lines.get_mut(opener)) {
                    opener.closing_line = Some(number);
                }
                lines.push(JsonLine { depth: open.len(), key: None, value: range, comma: false, closing_line: None });
            }
            _ => lines.push(JsonLine { depth, key: key.take(), value: range, comma: false, closing_line: None }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(doc: &JsonDoc) -> Vec<String> {
        doc.visible_lines()
            .map(|number| {
                let line = doc.line(number).unwrap();
                let key = line.key.map(|key| format!("{key}: ")).unwrap_or_default();
                let fold = line.folded.map(|(close, hidden)| format!(" {hidden} {close}")).unwrap_or_default();
                let comma = if line.comma { "," } else { "" };
                format!("{}{key}{}{fold}{comma}", "  ".repeat(line.depth), line.value)
            })
            .collect()
    }

    #[test]
    fn every_token_stays_as_it_is_stored() {
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
        assert_eq!(drawn(&doc), expected);
        let again: String = drawn(&doc).iter().flat_map(|line| line.trim_start().chars()).collect();
        assert_eq!(again.replace("\": ", "\":"), text);
    }

    #[test]
    fn a_fold_hides_what_it_holds_and_comes_back() {
        let mut doc = JsonDoc::new(r#"{"a":[1,2],"b":3}"#);
        assert!(doc.toggle_fold(1));
        assert_eq!(drawn(&doc), ["{", "  \"a\": [ 2 ],", "  \"b\": 3", "}"]);
        assert_eq!(doc.visible_line_count(), 4);
        assert!(!doc.toggle_fold(2), "a number does not fold");
        assert!(doc.toggle_fold(1));
        assert_eq!(doc.visible_line_count(), 7);
    }

    #[test]
    fn what_is_no_json_comes_out_as_lines() {
        for text in ["", "\"abc", "{{{", "]]", "é:é,é", "\"\\", "{\"a\"é"] {
            let doc = JsonDoc::new(text);
            let shown: usize = doc.visible_lines().filter_map(|n| doc.line(n)).map(|line| line.value.len()).sum();
            assert!(shown <= text.len(), "{text}");
        }
    }

    #[test]
    fn a_huge_text_is_cut_between_characters_and_says_so() {
        let text = "é".repeat(MAX_LAYOUT_BYTES);
        assert_eq!(JsonDoc::new(&text).omitted_bytes, MAX_LAYOUT_BYTES);
    }
}
