//! Completion of a filter while it is typed: completes keys, and the values of `is:`.

use super::filter_term::NonEventKind;
use super::filter_terms::{FILTER_TERMS, FilterTermKind, FilterTermSpec};
use super::filter_word::FilterWord;

/// One way to complete the last word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterCompletion {
    /// The whole filter with the last word completed.
    pub(crate) text: String,
    /// The completed word with its placeholder, such as `agg:ID`.
    pub(crate) label: String,
    /// The description of the term, from the table of filter terms.
    pub(crate) help: &'static str,
}

/// Returns the completions of the last word of `text`: every term that starts with it, or every term after a blank.
///
/// The list is empty inside an open quote, after a complete key other than `is:`, and for plain text.
pub(crate) fn complete_filter(text: &str) -> Vec<FilterCompletion> {
    let Ok(words) = FilterWord::split(text) else { return Vec::new() };
    let last = words.last().filter(|_| !text.ends_with(char::is_whitespace));
    let typed = last.map_or("", |word| word.body().0);
    let before = text.strip_suffix(typed).unwrap_or(text);
    let complete = |spec: &'static FilterTermSpec, insert: String, label: String| {
        (insert.starts_with(typed) && insert != typed).then(|| FilterCompletion {
            text: format!("{before}{insert}"),
            label,
            help: spec.help,
        })
    };
    let keys = FILTER_TERMS.iter().filter_map(|spec| {
        let insert = match spec.kind {
            FilterTermKind::Text => return None,
            FilterTermKind::Payload => format!("{}.", spec.key),
            _ => format!("{}:", spec.key),
        };
        complete(spec, insert, spec.syntax.to_owned())
    });
    let spec = FilterTermKind::NonEvent.spec();
    let kinds = NonEventKind::names().filter(|_| typed.starts_with("is:")).filter_map(|name| {
        let word = format!("{}:{name}", spec.key);
        complete(spec, word.clone(), word)
    });
    keys.chain(kinds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str) -> Vec<String> {
        complete_filter(text).into_iter().map(|completion| completion.text).collect()
    }

    #[test]
    fn the_last_word_is_completed_and_the_others_stay() {
        assert_eq!(completed("agg:42 ty"), ["agg:42 type:"]);
        assert_eq!(completed("-sch"), ["-schema:"]);
        assert_eq!(completed("x a"), ["x agg:", "x after:"]);
        assert_eq!(completed("is:"), ["is:damaged", "is:gap", "is:invalid"]);
        assert_eq!(completed("-is:d"), ["-is:damaged"]);
        assert_eq!(completed("pay"), ["payload."]);
        assert_eq!(completed("agg:1 ").len(), FILTER_TERMS.len() - 1, "plain text has no key");
    }

    #[test]
    fn a_complete_key_an_open_quote_and_plain_text_have_no_completions() {
        for text in ["agg:", "agg:4", "\"ty", "zzz", "is:damaged", "payload.a"] {
            assert_eq!(completed(text), [""; 0], "{text}");
        }
    }
}
