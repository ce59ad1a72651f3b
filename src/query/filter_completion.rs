//! Completion of a filter while it is typed: completes keys and, after a key, the values that are known.

use super::filter_operators::{find_operator, read_operator};
use super::filter_term::NonEventKind;
use super::filter_terms::{FILTER_TERMS, FilterTermKind, FilterTermSpec, term_with_key};
use super::filter_word::FilterWord;
use super::known_names::KnownNames;
use super::name_pattern::split_outside_quotes;
use super::quotes::{quote, unquote};

/// Values that are offered after the key of a time.
const TIME_VALUES: [(&str, &str); 5] = [
    ("-15m", "15 minutes before now"),
    ("-1h", "an hour before now"),
    ("-1d", "a day before now"),
    ("end-15m", "15 minutes before the last event"),
    ("end-1h", "an hour before the last event"),
];

/// One way to complete the last word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterCompletion {
    /// The whole filter with the last word completed.
    pub(crate) text: String,
    /// The completed word with its placeholder, such as `agg:ID`, or the value.
    pub(crate) label: String,
    /// The description of the term or value; empty for a name.
    pub(crate) help: &'static str,
    /// The number of events that have the name; `None` for other completions.
    pub(crate) events: Option<u64>,
}

/// Returns the completions of the last word of `text`: every term that starts with it, or every term after a blank, and
/// after a key the values that start with what follows it.
///
/// The list is empty inside an open quote and for plain text. Names are completed in any case.
pub(crate) fn complete_filter(text: &str, names: &KnownNames) -> Vec<FilterCompletion> {
    let Ok(words) = FilterWord::split(text) else { return Vec::new() };
    let last = words.last().filter(|_| !text.ends_with(char::is_whitespace));
    let typed = last.map_or("", |word| word.body().0);
    let before = text.strip_suffix(typed).unwrap_or(text);
    match find_operator(typed) {
        Some(at) => complete_value(before, typed, at, names),
        None => complete_key(before, typed),
    }
}

fn complete_key(before: &str, typed: &str) -> Vec<FilterCompletion> {
    let complete = |spec: &'static FilterTermSpec| {
        let insert = match spec.kind {
            FilterTermKind::Payload => format!("{}.", spec.key),
            _ => format!("{}:", spec.key),
        };
        (spec.has_key() && insert.starts_with(typed) && insert != typed).then(|| FilterCompletion {
            text: format!("{before}{insert}"),
            label: spec.syntax.to_owned(),
            help: spec.help,
            events: None,
        })
    };
    FILTER_TERMS.iter().filter_map(complete).collect()
}

/// Completes the last value of a word whose operator is at `operator_at`.
fn complete_value(before: &str, typed: &str, operator_at: usize, names: &KnownNames) -> Vec<FilterCompletion> {
    let (key, rest) = typed.split_at(operator_at);
    let (Some(spec), Ok(operator)) = (term_with_key(key), read_operator(rest)) else { return Vec::new() };
    if !spec.operators.contains(&operator.sign) || operator.sign.contains('~') {
        return Vec::new();
    }
    let values = rest.strip_prefix(operator.sign).unwrap_or_default();
    let (value_at, value) = split_outside_quotes(values, ',').pop().unwrap_or_default();
    let prefix = format!("{before}{key}{}{}", operator.sign, values.get(..value_at).unwrap_or_default());
    let completion = |label: &str, insert: String, help, events| {
        let text = format!("{prefix}{insert}");
        (insert != value).then(|| FilterCompletion { text, label: label.to_owned(), help, events })
    };
    match (spec.kind.name_kind(), spec.kind) {
        (Some(kind), _) => {
            let lower = unquote(value).to_lowercase();
            let matching = names.of_kind(kind).filter(|name| name.text.to_lowercase().starts_with(&lower));
            let complete = |name: &super::known_names::KnownName| {
                completion(&name.text, quote_if_needed(&name.text), "", Some(name.events))
            };
            matching.filter_map(complete).collect()
        }
        (None, FilterTermKind::NonEvent) => {
            let kinds = NonEventKind::names().filter(|name| name.starts_with(value));
            kinds.filter_map(|name| completion(name, name.to_owned(), spec.help, None)).collect()
        }
        (None, FilterTermKind::Time | FilterTermKind::After | FilterTermKind::Before) => {
            let times = TIME_VALUES.into_iter().filter(|(time, _)| time.starts_with(value));
            times.filter_map(|(time, help)| completion(time, time.to_owned(), help, None)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns a name as it is typed in a filter: in quotes when a character of it has a meaning there.
pub(crate) fn quote_if_needed(name: &str) -> String {
    let has_meaning = |c: char| c.is_whitespace() || matches!(c, '"' | ',' | '*');
    let is_plain =
        !name.is_empty() && !name.contains(has_meaning) && !name.starts_with(['/', ':', '=', '<', '>', '~', '!']);
    if is_plain { name.to_owned() } else { quote(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::NameKind;

    fn completed(text: &str) -> Vec<String> {
        let names = KnownNames::of([
            (NameKind::Type, "Updated", 12),
            (NameKind::Type, "Price changed", 3),
            (NameKind::Namespace, "accounts", 15),
        ]);
        complete_filter(text, &names).into_iter().map(|completion| completion.text).collect()
    }

    #[test]
    fn the_last_word_is_completed_and_the_others_stay() {
        assert_eq!(completed("agg:42 ty"), ["agg:42 type:"]);
        assert_eq!(completed("-sch"), ["-schema:"]);
        assert_eq!(completed("!sch"), ["!schema:"]);
        assert_eq!(completed("x a"), ["x agg:", "x after:"]);
        assert_eq!(completed("is:"), ["is:damaged", "is:gap", "is:invalid"]);
        assert_eq!(completed("-is:d"), ["-is:damaged"]);
        assert_eq!(completed("pay"), ["payload."]);
        assert_eq!(completed("agg:1 ").len(), FILTER_TERMS.len() - 2, "texts have no key");
    }

    #[test]
    fn the_value_of_a_key_is_completed_from_the_known_names_in_any_case() {
        assert_eq!(completed("type:"), ["type:Updated", "type:\"Price changed\""]);
        assert_eq!(completed("x -type=Created,up"), ["x -type=Created,Updated"]);
        assert_eq!(completed("ns!=a"), ["ns!=accounts"]);
        assert_eq!(completed("event_type:U"), ["event_type:Updated"]);
        assert_eq!(completed("after:e"), ["after:end-15m", "after:end-1h"]);
        assert_eq!(completed("type:Updated"), [""; 0]);
    }

    #[test]
    fn an_open_quote_a_regular_expression_and_plain_text_have_no_completions() {
        for text in ["agg:", "agg:4", "\"ty", "zzz", "is:damaged", "payload.a", "type~U", "tpye:U", "/ty"] {
            assert_eq!(completed(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_completed_name_is_read_as_the_name() {
        for name in ["Updated", "Price changed", "a,b", "a*", "/x/", "say \"hi\"", ""] {
            assert_eq!(unquote(&quote_if_needed(name)), name);
            assert_eq!(split_outside_quotes(&quote_if_needed(name), ',').len(), 1, "{name}");
        }
    }
}
