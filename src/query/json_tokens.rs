//! Splits a JSON text into tokens, and lists its leaf values with their paths. No value is parsed or rewritten.
//!
//! The text should be valid JSON. Other text is split into tokens too, without a panic.

use std::ops::Range;

use crate::format::json::resolve_escapes;

/// Iterator over the tokens of a JSON text: the first byte of each token and its byte range.
///
/// A token is a string with its quotes, one of `{}[]:,`, or a run of other characters such as a number or `true`.
pub(crate) struct JsonTokens<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> JsonTokens<'a> {
    /// Creates an iterator over the tokens of `text`.
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    /// Moves to the byte after the string whose opening quote is just before the position.
    fn skip_string(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.position) {
            self.position += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        self.position = self.position.min(bytes.len());
    }
}

impl Iterator for JsonTokens<'_> {
    type Item = (u8, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.position).is_some_and(u8::is_ascii_whitespace) {
            self.position += 1;
        }
        let start = self.position;
        let first = *bytes.get(start)?;
        self.position += 1;
        match first {
            b'"' => self.skip_string(),
            _ if is_structural(first) => {}
            _ => {
                let is_word = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'"' && !is_structural(*byte);
                while bytes.get(self.position).is_some_and(is_word) {
                    self.position += 1;
                }
            }
        }
        while !self.text.is_char_boundary(self.position) {
            self.position += 1;
        }
        Some((first, start..self.position))
    }
}

const fn is_structural(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',')
}

/// An object or array that contains the current leaf: its path step and, for an array, the index of the next element.
struct OpenContainer {
    step: String,
    next_index: Option<usize>,
}

/// A value of a JSON text that contains no further values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeafValue<'a> {
    /// The path as text, such as `address.street[0]`.
    pub(super) path: String,
    /// The keys and positions of the path.
    pub(super) steps: Vec<String>,
    /// The stored text of the value.
    pub(super) token: &'a str,
}

/// Lists the leaf values of a JSON text in order. Empty objects and arrays are leaves too.
pub(super) fn leaf_values(text: &str) -> Vec<LeafValue<'_>> {
    let mut leaves = Vec::new();
    let mut containers: Vec<OpenContainer> = Vec::new();
    let mut key: Option<&str> = None;
    let mut tokens = JsonTokens::new(text).peekable();
    while let Some((first, range)) = tokens.next() {
        let token = text.get(range.clone()).unwrap_or_default();
        match first {
            b':' | b',' => {}
            b'"' if key.is_none() && tokens.peek().is_some_and(|(next, _)| *next == b':') => key = Some(token),
            b'}' | b']' => {
                containers.pop();
            }
            _ => {
                let step = path_step(&mut containers, key.take());
                let opens = matches!(first, b'{' | b'[');
                let close = if first == b'{' { b'}' } else { b']' };
                if opens && tokens.peek().is_none_or(|(next, _)| *next != close) {
                    containers.push(OpenContainer { step, next_index: (first == b'[').then_some(0) });
                } else {
                    let end = if opens { tokens.next().map_or(range.end, |(_, end)| end.end) } else { range.end };
                    let steps = || containers.iter().map(|open| open.step.as_str()).chain([step.as_str()]);
                    let path: String = steps().collect();
                    let path = path.strip_prefix('.').unwrap_or(&path).to_owned();
                    let steps = steps().filter_map(plain_step).collect();
                    leaves.push(LeafValue { path, steps, token: text.get(range.start..end).unwrap_or_default() });
                }
            }
        }
    }
    leaves
}

/// Returns the path step of a value in the innermost open container: `.key` in an object, `[3]` in an array.
fn path_step(containers: &mut [OpenContainer], key: Option<&str>) -> String {
    match (key, containers.last_mut()) {
        (Some(key), _) => format!(".{}", key.trim_matches('"')),
        (None, Some(OpenContainer { next_index: Some(index), .. })) => {
            *index += 1;
            format!("[{}]", *index - 1)
        }
        _ => String::new(),
    }
}

/// Returns the key or the position in a path step; `None` for the outermost value, which has neither.
fn plain_step(step: &str) -> Option<String> {
    let position = || step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
    step.strip_prefix('.').map(|key| resolve_escapes(key).into_owned()).or_else(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_have_their_paths() {
        let text = r#"{"a":{"b":[1,{"c":2.0}]},"d":[],"e":"x"}"#;
        let found: Vec<_> =
            leaf_values(text).iter().map(|leaf| format!("{} {:?}={}", leaf.path, leaf.steps, leaf.token)).collect();
        let expected =
            [r#"a.b[0] ["a", "b", "0"]=1"#, r#"a.b[1].c ["a", "b", "1", "c"]=2.0"#, r#"d ["d"]=[]"#, r#"e ["e"]="x""#];
        assert_eq!(found, expected);
        assert_eq!(leaf_values("7"), [LeafValue { path: String::new(), steps: Vec::new(), token: "7" }]);
        assert_eq!(leaf_values(r#"{"a.\u0062":1}"#)[0].steps, ["a.b"]);
    }
}
