//! Lays out a JSON text in lines: a value or a bracket each. The text need not be valid JSON.

use std::ops::Range;

use crate::query::JsonTokens;

/// A line: a value or a bracket, with the key before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonLine {
    /// Nesting depth of the line, counted from 0.
    pub(super) depth: usize,
    /// The key's token, quotes included.
    pub(super) key: Option<Range<usize>>,
    /// The token of the value or the bracket.
    pub(super) value: Range<usize>,
    /// Whether a comma follows the value.
    pub(super) has_comma: bool,
    /// The line with the closing bracket, when this line holds the opening one.
    pub(super) closing_line: Option<usize>,
    /// The line with the bracket that opens the object or array around this line.
    pub(super) parent: Option<usize>,
    /// Position of the value in the object or array around it, counted from 0.
    pub(super) position: usize,
}

impl JsonLine {
    /// Returns the position of the line's first token.
    pub(super) fn start(&self) -> usize {
        self.key.as_ref().map_or(self.value.start, |key| key.start)
    }
}

/// An object or array that is open while lines are laid out.
struct OpenValue {
    line: usize,
    /// Number of values in it so far.
    values: usize,
}

/// Lays out a text in lines, indented by two blanks for each level. Every token stays as it is.
pub(super) fn indented_lines(text: &str) -> Vec<String> {
    let token = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    let line = |line: &JsonLine| {
        let key = line.key.as_ref().map(|key| format!("{}: ", token(key))).unwrap_or_default();
        let comma = if line.has_comma { "," } else { "" };
        format!("{}{key}{}{comma}", "  ".repeat(line.depth), token(&line.value))
    };
    layout_lines(text).iter().map(line).collect()
}

/// Lays out a text in lines.
pub(super) fn layout_lines(text: &str) -> Vec<JsonLine> {
    let mut lines: Vec<JsonLine> = Vec::new();
    let mut open: Vec<OpenValue> = Vec::new();
    let mut key = None;
    let mut tokens = JsonTokens::new(text).peekable();
    while let Some((first_byte, range)) = tokens.next() {
        let mut push = |open: &mut Vec<OpenValue>, key: Option<Range<usize>>, value: Range<usize>| {
            let depth = open.len();
            let parent = open.last().map(|parent| parent.line);
            let position = open.last_mut().map_or(0, |parent| {
                parent.values += 1;
                parent.values - 1
            });
            lines.push(JsonLine { depth, key, value, has_comma: false, closing_line: None, parent, position });
            lines.len() - 1
        };
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
                let line = push(&mut open, key.take(), value);
                if empty.is_none() {
                    open.push(OpenValue { line, values: 0 });
                }
            }
            b'}' | b']' => {
                let opener = open.pop();
                let number = push(&mut open, None, range);
                // The closing bracket is no value of the object or array around it.
                if let Some(outer) = open.last_mut() {
                    outer.values -= 1;
                }
                if let Some(opener) = opener.and_then(|opener| lines.get_mut(opener.line)) {
                    opener.closing_line = Some(number);
                }
            }
            b'"' => {
                push(&mut open, key.take(), range);
            }
            _ => {
                // Words follow each other where the quotes of a string are damaged. Its text stays in one line.
                let mut value = range;
                while let Some((_, next)) = tokens.next_if(|(next, _)| starts_word(*next)) {
                    value.end = next.end;
                }
                push(&mut open, key.take(), value);
            }
        }
    }
    lines
}

/// Returns whether a token with this first byte is neither a string nor a bracket, a colon or a comma.
const fn starts_word(first_byte: u8) -> bool {
    !matches!(first_byte, b'"' | b'{' | b'}' | b'[' | b']' | b':' | b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_string_without_its_quotes_are_one_line() {
        let texts = |text| indented_lines(text).into_iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(
            texts(r#"{"a":two lists  did not agree,"b":1}"#),
            ["{", r#""a": two lists  did not agree,"#, r#""b": 1"#, "}"]
        );
        assert_eq!(texts("[1, 2,true]"), ["[", "1,", "2,", "true", "]"]);
    }
}
