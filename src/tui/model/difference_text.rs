//! The line of a difference in an aggregate's history: its label and its values, shortened around the match of a search.

use unicode_width::UnicodeWidthChar;

use crate::query::{PayloadDifference, SearchPattern};
use crate::report::sanitize;

/// Largest number of characters of a value on a line.
const MAX_VALUE_CHARS: usize = 120;
/// Largest number of characters of a path on a line.
const MAX_PATH_CHARS: usize = 60;
/// Number of characters before a match that are shown when the value does not fit from its start.
const CHARS_BEFORE_MATCH: usize = 24;
/// What separates the value before from the value after.
pub(crate) const VALUE_SEPARATOR: &str = " → ";

/// The texts of a difference. All are safe for the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DifferenceText {
    /// The indentation, the sign of the change, and the path.
    pub(crate) label: String,
    /// The value in the event before.
    pub(crate) before: Option<ShownValue>,
    /// The value in this event.
    pub(crate) after: Option<ShownValue>,
}

/// A value as it is shown: the text before a match, the match, and the text after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownValue {
    /// The text before the match; the whole text when nothing matches.
    pub(crate) head: String,
    /// The match; empty when nothing matches.
    pub(crate) matched: String,
    /// The text after the match.
    pub(crate) tail: String,
}

impl DifferenceText {
    /// Formats a difference. Each value is cut so that the first match of `search` in it stays.
    pub(crate) fn new(change: &PayloadDifference, search: Option<&SearchPattern>) -> Self {
        let sign = match (&change.before, &change.after) {
            (Some(_), Some(_)) => '~',
            (None, _) => '+',
            (Some(_), None) => '-',
        };
        let path = if change.path.is_empty() { "payload".into() } else { first_chars(&change.path, MAX_PATH_CHARS) };
        let value = |token: &Option<String>| token.as_ref().map(|token| ShownValue::new(token, search));
        Self { label: format!("    {sign} {path}: "), before: value(&change.before), after: value(&change.after) }
    }

    /// Returns the number of columns of the line.
    pub(crate) fn columns(&self) -> usize {
        let values = [&self.before, &self.after].into_iter().flatten();
        let value = |value: &ShownValue| {
            [&value.head, &value.matched, &value.tail].into_iter().map(|text| text_columns(text)).sum::<usize>()
        };
        let separator = if self.before.is_some() && self.after.is_some() { text_columns(VALUE_SEPARATOR) } else { 0 };
        text_columns(&self.label) + values.map(value).sum::<usize>() + separator
    }

    /// Returns the column of the first match in the line; `None` when no value shows a match.
    pub(crate) fn match_column(&self) -> Option<usize> {
        let mut column = text_columns(&self.label);
        for value in [&self.before, &self.after].into_iter().flatten() {
            if !value.matched.is_empty() {
                return Some(column + text_columns(&value.head));
            }
            column += text_columns(&value.head) + text_columns(VALUE_SEPARATOR);
        }
        None
    }
}

impl ShownValue {
    fn new(token: &str, search: Option<&SearchPattern>) -> Self {
        let ranges = search.map(|search| search.match_ranges(token)).unwrap_or_default();
        let found = ranges.into_iter().find(|range| token.get(range.clone()).is_some_and(|text| !text.is_empty()));
        let Some((head, matched, tail)) = found
            .and_then(|range| Some((token.get(..range.start)?, token.get(range.clone())?, token.get(range.end..)?)))
        else {
            let is_match = search.is_some_and(|search| search.is_match(token.as_bytes()));
            let text = first_chars(token, MAX_VALUE_CHARS);
            // The match of a text whose escapes are resolved has no range in the stored text.
            return if is_match {
                Self { head: String::new(), matched: text, tail: String::new() }
            } else {
                Self { head: text, matched: String::new(), tail: String::new() }
            };
        };
        let before = head.chars().count();
        let shown_head = if before + matched.chars().count() <= MAX_VALUE_CHARS {
            sanitize(head).into_owned()
        } else {
            format!("…{}", sanitize(last_chars(head, CHARS_BEFORE_MATCH)))
        };
        let matched = first_chars(matched, MAX_VALUE_CHARS);
        let used = shown_head.chars().count() + matched.chars().count();
        let tail = first_chars(tail, MAX_VALUE_CHARS.saturating_sub(used));
        Self { head: shown_head, matched, tail }
    }
}

/// Returns the number of columns that a text takes.
fn text_columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Returns the first characters of a text, safe for the terminal, with an ellipsis where it is cut.
fn first_chars(text: &str, count: usize) -> String {
    match text.char_indices().nth(count) {
        None => sanitize(text).into_owned(),
        Some((end, _)) => format!("{}…", sanitize(text.get(..end).unwrap_or_default())),
    }
}

/// Returns the last characters of a text.
fn last_chars(text: &str, count: usize) -> &str {
    let start = text.char_indices().rev().take(count).last().map_or(text.len(), |(start, _)| start);
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>, after: Option<&str>) -> PayloadDifference {
        let value = |text: Option<&str>| text.map_or("null".into(), |text| format!("{{\"note\":\"{text}\"}}"));
        let differences = crate::query::diff_payloads(&value(before), &value(after));
        differences.into_iter().find(|change| change.path == "note").unwrap()
    }

    fn text(change: &PayloadDifference, search: &str) -> DifferenceText {
        DifferenceText::new(change, Some(&SearchPattern::parse(search).unwrap()))
    }

    #[test]
    fn a_match_far_inside_a_value_is_shown_with_some_text_before_it() {
        let long = format!("{} needle {}", "a".repeat(150), "b".repeat(30));
        let shown = text(&change(Some("old"), Some(&long)), "needle");
        let after = shown.after.clone().unwrap();
        assert_eq!((after.head.chars().count(), after.matched.as_str()), (25, "needle"), "{after:?}");
        assert!(after.head.starts_with("…a") && after.head.ends_with("a "), "{after:?}");
        let line = format!("{}\"old\"{VALUE_SEPARATOR}{}", shown.label, after.head);
        assert_eq!(shown.match_column(), Some(line.chars().count()));
        assert_eq!(text(&change(Some("old"), Some(&long)), "nothing").match_column(), None);
    }

    #[test]
    fn a_match_near_the_start_leaves_the_value_as_it_is() {
        let shown = text(&change(None, Some("a needle")), "needle");
        assert_eq!(shown.label, "    + note: ");
        assert_eq!(shown.after, Some(ShownValue { head: "\"a ".into(), matched: "needle".into(), tail: "\"".into() }));
        assert_eq!(shown.match_column(), Some(15));
        let escaped = text(&change(Some("Bogot\\u00e1"), Some("x")), "Bogotá");
        assert_eq!(escaped.match_column(), Some(12), "{escaped:?}");
    }
}
