//! JSON laid out in lines that can be folded, every token a slice of the text as stored.
//!
//! Nothing is parsed into values and nothing is written anew: `1.0` stays `1.0`. The text was judged before; what is no
//! JSON comes out as lines too.

use std::collections::BTreeSet;
use std::ops::Range;

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

/// The tokens of a text: strings, brackets, colons, commas, and words and numbers as they stand.
struct JsonTokens<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for JsonTokens<'_> {
    type Item = (u8, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let start = self.at;
        let first = *bytes.get(start)?;
        self.at += 1;
        match first {
            b'"' => {
                while let Some(byte) = bytes.get(self.at) {
                    self.at += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
                self.at = self.at.min(bytes.len());
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' => {}
            _ => {
                while bytes.get(self.at).is_some_and(|byte| {
                    !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b':' | b',')
                }) {
                    self.at += 1;
                }
            }
        }
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        Some((first, start..self.at))
    }
}

fn layout_lines(text: &str) -> Vec<JsonLine> {
    let mut lines: Vec<JsonLine> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut key = None;
    let mut tokens = JsonTokens { text, at: 0 }.peekable();
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

/// The leaves of a JSON text: path and token, in order.
pub(crate) fn leaf_values(text: &str) -> Vec<(String, &str)> {
    let mut out = Vec::new();
    // One step of the path for each open container: its key in the one around it, and the number of the next item.
    let mut path: Vec<(String, Option<usize>)> = Vec::new();
    let mut key: Option<&str> = None;
    let mut tokens = JsonTokens { text, at: 0 }.peekable();
    while let Some((first, range)) = tokens.next() {
        let token = text.get(range.clone()).unwrap_or_default();
        match first {
            b':' | b',' => {}
            b'"' if key.is_none() && tokens.peek().is_some_and(|(next, _)| *next == b':') => key = Some(token),
            b'}' | b']' => {
                path.pop();
            }
            _ => {
                let step = path_segment(&mut path, key.take());
                let opens = matches!(first, b'{' | b'[');
                let close = if first == b'{' { b'}' } else { b']' };
                if opens && tokens.peek().is_none_or(|(next, _)| *next != close) {
                    path.push((step, (first == b'[').then_some(0)));
                } else {
                    let end = if opens { tokens.next().map_or(range.end, |(_, end)| end.end) } else { range.end };
                    let steps = path.iter().map(|(step, _)| step.as_str()).chain([step.as_str()]);
                    let whole: String = steps.collect::<Vec<_>>().concat();
                    let whole = whole.strip_prefix('.').unwrap_or(&whole).to_owned();
                    out.push((whole, text.get(range.start..end).unwrap_or_default()));
                }
            }
        }
    }
    out
}

/// The step of a value in the container that is open: `.key` or `[3]`.
fn path_segment(path: &mut [(String, Option<usize>)], key: Option<&str>) -> String {
    match (key, path.last_mut()) {
        (Some(key), _) => format!(".{}", key.trim_matches('"')),
        (None, Some((_, Some(number)))) => {
            *number += 1;
            format!("[{}]", *number - 1)
        }
        _ => String::new(),
    }
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

    #[test]
    fn leaves_have_their_paths() {
        let text = r#"{"a":{"b":[1,{"c":2.0}]},"d":[],"e":"x"}"#;
        let found: Vec<_> = leaf_values(text).into_iter().map(|(path, token)| format!("{path}={token}")).collect();
        assert_eq!(found, ["a.b[0]=1", "a.b[1].c=2.0", "d=[]", "e=\"x\""]);
        assert_eq!(leaf_values("7"), [(String::new(), "7")]);
    }
}
