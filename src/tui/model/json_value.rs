//! The value on a row of a JSON document: its path, its text, and the parts that a search matches.

use std::ops::Range;

use super::json::{JsonDoc, JsonRoot};
use super::json_lines::JsonLine;
use super::json_rows::{INDENT_COLUMNS, safe_columns};
use crate::query::{StoredValue, unescape_token};

impl JsonDoc {
    /// Returns the value on a row, with the path that leads to it from the event. On a closing bracket, this is the object
    /// or array that it closes.
    pub(crate) fn value_at(&self, row: usize) -> Option<StoredValue> {
        let number = self.line_of_row(row)?;
        let line = self.lines.get(number)?;
        let is_closing = matches!(self.text.as_bytes().get(line.value.start), Some(b'}' | b']'));
        let opener = if is_closing { self.opener_of(number)? } else { number };
        let (first, last) = (self.lines.get(opener)?, self.lines.get(opener)?.closing_line.unwrap_or(opener));
        let range = first.value.start..self.lines.get(last)?.value.end;
        Some(StoredValue { steps: self.steps_to(opener), token: self.text.get(range)?.to_owned() })
    }

    /// Returns the line with the bracket that a closing bracket closes: the nearest earlier line that names it.
    fn opener_of(&self, closing: usize) -> Option<usize> {
        let mut line = closing.checked_sub(1)?;
        // The line before is the opener, or is inside of it.
        while self.lines.get(line)?.closing_line != Some(closing) {
            line = self.lines.get(line)?.parent?;
        }
        Some(line)
    }

    /// Returns the keys and positions that lead from the event to a line.
    fn steps_to(&self, line: usize) -> Vec<String> {
        let mut steps = Vec::new();
        let mut next = self.lines.get(line);
        while let Some(line) = next {
            let Some(parent) = line.parent else { break };
            steps.push(match &line.key {
                Some(key) => unescape_token(self.text.get(key.clone()).unwrap_or_default()).into_owned(),
                None => line.position.to_string(),
            });
            next = self.lines.get(parent);
        }
        if self.root == JsonRoot::Payload {
            steps.push("payload".to_owned());
        }
        steps.reverse();
        steps
    }

    /// Returns the position in the text of the first token that a row shows.
    pub(crate) fn position_of_row(&self, row: usize) -> Option<usize> {
        let row = self.rows.get(row)?;
        let line = self.lines.get(row.line)?;
        Some(if row.part.start == line.value.start { line.start() } else { row.part.start })
    }

    /// Returns the position in the text after the last token that a row shows, without the part that a fold hides.
    pub(super) fn end_of_row(&self, row: usize) -> Option<usize> {
        self.rows.get(row).map(|row| row.part.end)
    }

    /// Returns the column, counted from 0, of a position of the text in its row.
    pub(super) fn column_of_position(&self, row: usize, position: usize) -> usize {
        let Some((row, line)) = self.rows.get(row).and_then(|row| Some((row, self.lines.get(row.line)?))) else {
            return 0;
        };
        let columns = |range: Range<usize>| self.text.get(range).map_or(0, safe_columns);
        let indent = line.depth * INDENT_COLUMNS;
        let is_first = row.part.start == line.value.start;
        match &line.key {
            Some(key) if is_first && position < line.value.start => indent + columns(key.start..position.min(key.end)),
            Some(key) if is_first => indent + columns(key.clone()) + 2 + columns(line.value.start..position),
            _ if is_first => indent + columns(row.part.start..position),
            _ => indent + INDENT_COLUMNS + columns(row.part.start..position),
        }
    }

    /// Returns the number of columns of a row, without the comma and the time after its value.
    pub(crate) fn row_columns(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |found| self.column_of_position(row, found.part.end))
    }

    /// Returns the first token after `position` for which `is_match` returns true; in a backward search, the
    /// last one before it. Keys and values are tokens; brackets are not.
    pub(crate) fn find_token(&self, search: TokenSearch, is_match: impl Fn(&str) -> bool) -> Option<Range<usize>> {
        let tokens = |line: &JsonLine| [line.key.clone(), Some(line.value.clone())];
        let matches = |range: &Range<usize>| self.text.get(range.clone()).is_some_and(&is_match);
        let mut all = self.lines.iter().flat_map(tokens).flatten();
        match search {
            TokenSearch::From(position) => all.filter(|token| token.start >= position).find(matches),
            TokenSearch::Before(position) => {
                let before: Vec<_> = all.by_ref().take_while(|token| token.start < position).collect();
                before.into_iter().rev().find(matches)
            }
        }
    }
}

/// The tokens of a document that a search reads, in the order in which it reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenSearch {
    /// The tokens that start at this position or later.
    From(usize),
    /// The tokens that start before this position, the last one first.
    Before(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"event_type":"E","payload":{"a b":[1,{"c.d":"x"},[]],"n\u0061me":{}}}"#;

    fn values(root: JsonRoot, text: &str) -> Vec<String> {
        let doc = JsonDoc::new(text, root);
        let value = |row| doc.value_at(row).map(|value| format!("{} = {}", value.path(), value.token));
        (0..doc.row_count()).filter_map(value).collect()
    }

    #[test]
    fn every_row_has_the_path_and_the_text_of_its_value() {
        let payload = r#"{"a b":[1,{"c.d":"x"},[]],"n\u0061me":{}}"#;
        let object = r#"{"c.d":"x"}"#;
        let list = r#"[1,{"c.d":"x"},[]]"#;
        let expected = [
            format!(" = {TEXT}"),
            "event_type = \"E\"".into(),
            format!("payload = {payload}"),
            format!("payload.\"a b\" = {list}"),
            "payload.\"a b\".0 = 1".into(),
            format!("payload.\"a b\".1 = {object}"),
            "payload.\"a b\".1.\"c.d\" = \"x\"".into(),
            format!("payload.\"a b\".1 = {object}"),
            "payload.\"a b\".2 = []".into(),
            format!("payload.\"a b\" = {list}"),
            "payload.name = {}".into(),
            format!("payload = {payload}"),
            format!(" = {TEXT}"),
        ];
        assert_eq!(values(JsonRoot::Event, TEXT), expected);
        assert_eq!(values(JsonRoot::Payload, "[7]"), ["payload = [7]", "payload.0 = 7", "payload = [7]"]);
    }

    #[test]
    fn text_that_is_not_json_has_values_too() {
        for text in ["{{{", "]]", "{\"a\":{\"b\"", "}", "[1}", "{]"] {
            assert!(values(JsonRoot::Event, text).len() <= text.len());
        }
    }

    #[test]
    fn tokens_are_found_forward_and_backward() {
        let doc = JsonDoc::new(TEXT, JsonRoot::Event);
        let find = |search| doc.find_token(search, |token| token.contains('e'));
        let first = TEXT.find("\"event_type").unwrap();
        assert_eq!(find(TokenSearch::From(first)), Some(first..first + 12));
        let last = TEXT.rfind("\"n").unwrap();
        assert_eq!(find(TokenSearch::From(first + 1)).unwrap().start, last);
        assert_eq!(find(TokenSearch::From(last + 1)), None);
        assert_eq!(find(TokenSearch::Before(usize::MAX)).unwrap().start, last);
        assert_eq!(find(TokenSearch::Before(last)), Some(first..first + 12));
        assert_eq!(find(TokenSearch::Before(first)), None);
    }
}
