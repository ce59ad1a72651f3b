//! The words of a filter: splits a text into words, and parses each word into a term.

use super::filter_path::PathTerm;
use super::filter_term::{FilterTerm, NonEventKind};
use super::filter_terms::{FILTER_TERMS, FilterTermKind, FilterTermSpec, PAYLOAD_OPERATORS, colon_keys};
use super::nearest_keyword::nearest_keyword;
use super::offset_input::{parse_offset_range, parse_whole_number};
use super::quotes::unquote;
use super::syntax_error::QuerySyntaxError;
use super::text_matcher::TextMatcher;
use super::time_input;

/// One word of a filter, as typed.
#[derive(Debug, Clone)]
pub(super) struct FilterWord {
    /// The word's characters, including quotes and a leading minus.
    pub(super) text: String,
    /// Position of the word in the filter's text, in bytes.
    pub(super) position: usize,
}

/// A parsed word: a term, and its polarity.
#[derive(Debug, Clone)]
pub(super) struct ParsedWord {
    pub(super) term: FilterTerm,
    pub(super) polarity: Polarity,
}

/// The polarity of a term: it must match, or it must not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    Include,
    /// The word starts with a minus.
    Exclude,
}

impl FilterWord {
    /// Splits a text at the blanks outside quotes.
    pub(super) fn split(text: &str) -> Result<Vec<Self>, QuerySyntaxError> {
        let mut words: Vec<Self> = Vec::new();
        let (mut inside_word, mut open_quote, mut escaped) = (false, None, false);
        for (at, c) in text.char_indices() {
            if open_quote.is_none() && c.is_whitespace() {
                inside_word = false;
                continue;
            }
            if !inside_word {
                words.push(Self { text: String::new(), position: at });
                inside_word = true;
            }
            if c == '"' && !escaped {
                open_quote = if open_quote.is_some() { None } else { Some(at) };
            }
            escaped = open_quote.is_some() && c == '\\' && !escaped;
            if let Some(word) = words.last_mut() {
                word.text.push(c);
            }
        }
        match (open_quote, words.last()) {
            (Some(at), Some(word)) => {
                let reason = "the quote is not closed: expected another \" after it".into();
                Err(QuerySyntaxError { word: word.text.clone(), position: at, reason })
            }
            _ => Ok(words),
        }
    }

    /// Parses the word. `now_ms` is the time that relative times count back from.
    pub(super) fn parse(&self, now_ms: Option<u64>) -> Result<ParsedWord, QuerySyntaxError> {
        let (body, polarity) = self.body();
        let term = parse_body(body, now_ms);
        term.map(|term| ParsedWord { term, polarity }).map_err(|reason| QuerySyntaxError {
            word: self.text.clone(),
            position: self.position,
            reason,
        })
    }

    /// Returns the word without its leading minus, and its polarity. A minus alone is plain text.
    pub(super) fn body(&self) -> (&str, Polarity) {
        match self.text.strip_prefix('-') {
            Some(body) if !body.is_empty() => (body, Polarity::Exclude),
            _ => (&self.text, Polarity::Include),
        }
    }
}

/// Parses a word without its leading minus. The error is the reason, without the word.
fn parse_body(body: &str, now_ms: Option<u64>) -> Result<FilterTerm, String> {
    let is_payload_term =
        |rest: &str| rest.starts_with(['.', ':', '!']) || PAYLOAD_OPERATORS.iter().any(|op| rest.starts_with(op));
    if body.strip_prefix("payload").is_some_and(is_payload_term) {
        return PathTerm::parse(body).map(|term| FilterTerm::Payload(Box::new(term)));
    }
    match body.split_once(':') {
        Some((key, value)) if is_key(key) => {
            let spec = FILTER_TERMS.iter().find(|spec| spec.has_colon() && spec.key == key);
            parse_value(spec.ok_or_else(|| unknown_key_reason(key))?, value, now_ms)
        }
        _ => {
            let text = unquote(body);
            if text.is_empty() {
                return Err("the quotes are empty: expected a text between them".into());
            }
            TextMatcher::from_text(&text).map(FilterTerm::Text)
        }
    }
}

fn unknown_key_reason(key: &str) -> String {
    let nearest = nearest_keyword(key, colon_keys()).map(|nearest| format!(", the nearest is `{nearest}`"));
    let all: Vec<String> = colon_keys().map(|key| format!("{key}:")).collect();
    format!(
        "unknown key `{key}`{}; expected one of {} payload.PATH, or quotes around plain text",
        nearest.unwrap_or_default(),
        all.join(" ")
    )
}

/// Parses the value of a term whose key is followed by a colon.
fn parse_value(spec: &FilterTermSpec, value: &str, now_ms: Option<u64>) -> Result<FilterTerm, String> {
    let FilterTermSpec { key, value: expected_value, .. } = spec;
    if value.is_empty() {
        return Err(format!("`{key}:` needs a value: {expected_value}"));
    }
    let value = unquote(value);
    let unexpected = || format!("expected {expected_value} after `{key}:`, found `{value}`");
    let parse_time = || match now_ms {
        None if value.starts_with('-') => {
            Err("a relative time needs the current time, which this filter does not have".to_owned())
        }
        now_ms => time_input::parse_time(&value, now_ms.unwrap_or_default()).ok_or_else(unexpected),
    };
    Ok(match spec.kind {
        FilterTermKind::Aggregate if value == "null" => FilterTerm::Aggregate(None),
        FilterTermKind::Aggregate => FilterTerm::Aggregate(Some(parse_whole_number(&value).ok_or_else(unexpected)?)),
        FilterTermKind::EventType => FilterTerm::EventType(value),
        FilterTermKind::Namespace => FilterTerm::Namespace(value),
        FilterTermKind::Schema => FilterTerm::Schema(value),
        FilterTermKind::SchemaVersion => FilterTerm::SchemaVersion(parse_whole_number(&value).ok_or_else(unexpected)?),
        FilterTermKind::After => FilterTerm::After(parse_time()?),
        FilterTermKind::Before => FilterTerm::Before(parse_time()?),
        FilterTermKind::Offset => FilterTerm::Offset(parse_offset_range(&value).ok_or_else(unexpected)?),
        FilterTermKind::NonEvent => {
            if let Some(kind) = NonEventKind::from_name(&value) {
                FilterTerm::NonEvent(kind)
            } else {
                let nearest = nearest_keyword(&value, NonEventKind::names());
                let nearest = nearest.map(|nearest| format!("; the nearest is `{nearest}`"));
                return Err(unexpected() + &nearest.unwrap_or_default());
            }
        }
        FilterTermKind::Payload | FilterTermKind::Text => return Err(unexpected()),
    })
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks() {
        let words = FilterWord::split("  a \"two words\"  -type:\"x \\\" y\" b\\d").unwrap();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["a", "\"two words\"", "-type:\"x \\\" y\"", "b\\d"]);
        assert_eq!(words[1].position, 4);
    }

    #[test]
    fn every_term_of_the_table_parses_its_example_to_its_own_kind() {
        for spec in &FILTER_TERMS {
            let words = FilterWord::split(spec.example).unwrap();
            let parsed = words[0].parse(Some(0)).unwrap();
            assert_eq!((words.len(), parsed.term.kind()), (1, spec.kind), "{}", spec.example);
            assert_eq!(spec.kind.spec(), spec, "one row for each kind");
            let starts = spec.operators.iter().any(|operator| spec.syntax.contains(operator));
            assert!(spec.operators.is_empty() || (starts && spec.syntax.starts_with(spec.key)), "{}", spec.syntax);
        }
        for operator in PAYLOAD_OPERATORS {
            let word = FilterWord { text: format!("payload.n{operator}1"), position: 0 };
            assert_eq!(word.parse(None).unwrap().term.kind(), FilterTermKind::Payload, "{operator}");
        }
        for name in NonEventKind::names() {
            assert!(FilterTermKind::NonEvent.spec().value.contains(name), "{name}");
        }
    }
}
