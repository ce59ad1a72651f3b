//! Parses one word of a filter into terms: negation, key, operator and values, or a text.

use super::filter_operators::{FilterOperator, find_operator, read_operator};
use super::filter_path::PathTerm;
use super::filter_term::FilterTerm;
use super::filter_terms::{FILTER_TERMS, FilterTermKind, FilterTermSpec, term_keys, term_with_key};
use super::filter_values::parse_values;
use super::filter_word::{FilterWord, Polarity};
use super::name_pattern::split_wildcards;
use super::nearest_keyword::nearest_keyword;
use super::payload_path::PayloadPath;
use super::quotes::{quote, unquote};
use super::slashed_pattern::SlashedPattern;
use super::syntax_error::QuerySyntaxError;
use super::term_value::TermValue;
use super::text_matcher::TextMatcher;
use super::time_input::TimeContext;
use super::word_fault::WordFault;

/// A parsed word: terms of which one has to match, or, for an excluding word, none may match.
#[derive(Debug, Clone)]
pub(super) struct ParsedWord {
    /// Words with the same key are alternatives; `None` for a word that must match by itself, such as a text or `type!=A`.
    pub(super) key: Option<AlternativesKey>,
    pub(super) polarity: Polarity,
    pub(super) terms: Vec<FilterTerm>,
}

/// What two words have in common when an event has to match only one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlternativesKey {
    kind: FilterTermKind,
    operator: FilterOperator,
    path: Option<PayloadPath>,
}

/// Words of other query languages between terms, with what replaces them.
const CONNECTIVES: &[(&str, &str)] = &[
    ("AND", "terms separated by a blank must all match"),
    ("&", "terms separated by a blank must all match"),
    ("&&", "terms separated by a blank must all match"),
    ("OR", "alternatives are a list, as in type:Created,Updated"),
    ("|", "alternatives are a list, as in type:Created,Updated"),
    ("||", "alternatives are a list, as in type:Created,Updated"),
    ("NOT", "a minus directly before a term excludes, as in -type:Created"),
    ("-", "a minus directly before a term excludes, as in -type:Created"),
    ("!", "an exclamation mark directly before a term excludes, as in !type:Created"),
];

/// Parses a word. Relative times refer to `times`.
///
/// # Errors
/// The position of the first fault in the filter's text, and the reason.
pub(super) fn parse_word(word: &FilterWord, times: TimeContext) -> Result<ParsedWord, QuerySyntaxError> {
    let (body, polarity) = word.body();
    let connective = CONNECTIVES.iter().find(|(text, _)| *text == word.text);
    let parsed = match connective {
        Some((text, instead)) => {
            Err(WordFault::new(0, format!("`{text}` is not a term: {instead}; a text is searched in quotes")))
        }
        None => parse_body(body, polarity, times).map_err(|fault| fault.after(word.text.len() - body.len())),
    };
    parsed.map_err(|WordFault { at, reason }| QuerySyntaxError {
        word: word.text.clone(),
        position: word.position + at,
        reason,
    })
}

fn parse_body(body: &str, polarity: Polarity, times: TimeContext) -> Result<ParsedWord, WordFault> {
    let parsed_text = |matcher: TextMatcher| ParsedWord { key: None, polarity, terms: vec![FilterTerm::Text(matcher)] };
    if let Some(pattern) = SlashedPattern::read(body) {
        let pattern = pattern.map_err(|(at, reason)| WordFault::new(at, reason))?;
        return TextMatcher::from_slashed(&pattern).map(parsed_text).map_err(|reason| WordFault::new(1, reason));
    }
    let Some(operator_at) = find_operator(body) else { return parse_text(body).map(parsed_text) };
    let (key, rest) = body.split_at(operator_at);
    let spec = find_term(key, body)?;
    let operator = read_operator(rest).map_err(|reason| WordFault::new(operator_at, reason))?;
    if !spec.operators.contains(&operator.sign) {
        let mut reason = format!("`{}` takes {}, found `{}`", spec.key, spec.operators.join(" "), operator.sign);
        if matches!(spec.key, "after" | "before") {
            reason.push_str("; `time` takes all comparisons, as in time>=2026-11-20");
        }
        return Err(WordFault::new(operator_at, reason));
    }
    let value_at = operator_at + operator.sign.len();
    let typed = body.get(value_at..).unwrap_or_default();
    if typed.is_empty() {
        let reason = format!("`{key}{}` needs a value: {}", operator.sign, spec.value);
        return Err(WordFault::new(operator_at, reason));
    }
    let value = TermValue { spec, operator, typed, times };
    if spec.kind == FilterTermKind::Payload {
        return parse_payload_term(key, &value, polarity).map_err(|fault| match fault {
            PayloadFault::Path(reason) => WordFault::new(0, reason),
            PayloadFault::Value(fault) => fault.after(value_at),
        });
    }
    let terms = parse_values(&value).map_err(|fault| fault.after(value_at))?;
    let operator = operator.operator;
    if operator.is_negation() {
        return Ok(ParsedWord { key: None, polarity: polarity.negated(), terms });
    }
    Ok(ParsedWord { key: Some(AlternativesKey { kind: spec.kind, operator, path: None }), polarity, terms })
}

/// The place of a fault in a payload term.
enum PayloadFault {
    Path(String),
    Value(WordFault),
}

fn parse_payload_term(path: &str, value: &TermValue, polarity: Polarity) -> Result<ParsedWord, PayloadFault> {
    let no_path = || "expected payload.PATH before the operator, as in payload.amount>=100".to_owned();
    let path = PayloadPath::parse(path).map_err(PayloadFault::Path)?.ok_or_else(|| PayloadFault::Path(no_path()))?;
    let operator = value.operator.operator;
    let term = PathTerm::parse(path.clone(), value).map_err(PayloadFault::Value)?;
    // Two terms that exclude different values are both required.
    let key = AlternativesKey { kind: FilterTermKind::Payload, operator, path: Some(path) };
    Ok(ParsedWord {
        key: (!operator.is_negation()).then_some(key),
        polarity,
        terms: vec![FilterTerm::Payload(Box::new(term))],
    })
}

/// Returns the term that a key names. `body` is the whole word.
fn find_term(key: &str, body: &str) -> Result<&'static FilterTermSpec, WordFault> {
    let payload = FilterTermKind::Payload.spec();
    if key.strip_prefix(payload.key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
        return Ok(payload);
    }
    let quoted = quote(&unquote(body));
    if key.is_empty() {
        return Err(WordFault::new(0, format!("a key is missing before the operator; a text is quoted: {quoted}")));
    }
    term_with_key(key).ok_or_else(|| WordFault::new(0, unknown_key_reason(key, &quoted)))
}

fn unknown_key_reason(key: &str, quoted: &str) -> String {
    let nearest = nearest_keyword(&key.to_lowercase(), term_keys()).and_then(term_with_key);
    let nearest = nearest.map(|spec| format!(", the nearest is `{}`", spec.key));
    let keys: Vec<&str> =
        FILTER_TERMS.iter().map(|spec| spec.key).filter(|key| !key.is_empty() && *key != "payload").collect();
    let time =
        if key.starts_with(|c: char| c.is_ascii_digit()) { "; a time follows a key, as in after:TIME" } else { "" };
    format!(
        "unknown key `{key}`{}; expected one of {} payload.PATH{time}; a text is quoted: {quoted}",
        nearest.unwrap_or_default(),
        keys.join(" ")
    )
}

/// Parses a word without an operator as a text.
fn parse_text(body: &str) -> Result<TextMatcher, WordFault> {
    if let Some(at) = body.find('!')
        && let Some(spec) = body.get(..at).and_then(term_with_key)
    {
        let reason = format!("`!` is not an operator, the nearest is `!=`: {}!={}", spec.key, &body[at + 1..]);
        return Err(WordFault::new(at, reason));
    }
    if body.starts_with("payload.") {
        let expected = FilterTermKind::Payload.spec();
        let reason = format!("expected an operator after the path: {}, as in {}", expected.value, expected.example);
        return Err(WordFault::new(0, reason));
    }
    if let Some(spec) = term_with_key(body).filter(|spec| spec.key.len() > 1) {
        let reason =
            format!("`{body}` is a key without a value, as in {}; a text is quoted: {}", spec.example, quote(body));
        return Err(WordFault::new(0, reason));
    }
    let parts = split_wildcards(body);
    if parts.iter().all(String::is_empty) {
        let reason = if parts.len() > 1 { "`*` alone matches every event" } else { "the quotes are empty" };
        return Err(WordFault::new(0, format!("{reason}: expected a text")));
    }
    TextMatcher::from_parts(&parts).map_err(|reason| WordFault::new(0, reason))
}

#[cfg(test)]
mod tests {
    use super::super::filter_operators::FILTER_OPERATORS;
    use super::super::filter_term::NonEventKind;
    use super::*;

    fn parse(text: &str) -> Result<ParsedWord, QuerySyntaxError> {
        parse_word(&FilterWord { text: text.into(), position: 0 }, TimeContext::at(0).with_last_event(Some(0)))
    }

    #[test]
    fn every_example_of_the_tables_can_be_parsed() {
        for spec in &FILTER_TERMS {
            assert!(parse(spec.example).is_ok(), "{}", spec.example);
            assert_eq!(spec.kind.spec(), spec, "one row for each kind");
            let starts = spec.operators.iter().any(|operator| spec.syntax.contains(operator));
            assert!(!spec.has_key() || (starts && spec.syntax.starts_with(spec.key)), "{}", spec.syntax);
            assert!(spec.operators.iter().all(|sign| FILTER_OPERATORS.iter().any(|known| known.sign == *sign)));
        }
        for spec in &FILTER_OPERATORS {
            assert!(spec.example.contains(spec.sign) && parse(spec.example).is_ok(), "{}", spec.example);
        }
        for name in NonEventKind::names() {
            assert!(FilterTermKind::NonEvent.spec().value.contains(name), "{name}");
        }
    }

    #[test]
    fn the_end_of_a_range_is_included_except_that_of_offsets() {
        for (word, end, includes_end) in [("offset:500..1500", 1500, false), ("size:500..1500", 1500, true)] {
            let [FilterTerm::Number(_, set)] = parse(word).unwrap().terms[..] else { panic!("{word}") };
            assert!(set.contains(500) && !set.contains(499) && set.contains(end - 1), "{word}");
            assert_eq!(set.contains(end), includes_end, "{word}");
        }
    }

    #[test]
    fn every_operator_of_a_term_can_be_parsed_with_the_key_and_with_the_field() {
        for spec in FILTER_TERMS.iter().filter(|spec| spec.has_key()) {
            let value = match spec.kind {
                FilterTermKind::NonEvent => "gap",
                FilterTermKind::Time | FilterTermKind::After | FilterTermKind::Before => "2026-11-20",
                _ => "1",
            };
            for sign in spec.operators {
                for key in [spec.key, spec.field].into_iter().filter(|key| !key.is_empty()) {
                    let word = format!("{key}{sign}{value}");
                    assert!(parse(&word).is_ok(), "{word}: {}", parse(&word).unwrap_err());
                }
            }
        }
    }

    #[test]
    fn what_looks_like_an_operator_or_a_key_and_is_none_is_reported_at_its_character() {
        for (word, at, reason) in [
            ("type==A", 4, "the nearest is `=`"),
            ("v=>2", 1, "the nearest is `>=`"),
            ("size:>500", 4, "the nearest is `>`"),
            ("type!A", 4, "the nearest is `!=`"),
            ("type>A", 4, "`type` takes : = != ~ !~"),
            ("is~gap", 2, "`is` takes : = !="),
            ("after>=-15m", 5, "`after` takes : =, found `>=`; `time` takes"),
            ("tpye:A", 0, "the nearest is `type`"),
            ("-Type:A", 1, "the nearest is `type`"),
            ("=5", 0, "a key is missing"),
            ("http://x", 0, "quoted: \"http://x\""),
            ("\"name\":\"x\"", 0, "unknown key"),
            ("09:14", 0, "after:TIME"),
            ("OR", 0, "type:Created,Updated"),
            ("&&", 0, "separated by a blank"),
            ("!", 0, "directly before a term"),
            ("type", 0, "a key without a value"),
            ("/Silva", 0, "not closed"),
            ("-/Silva/g", 8, "found `g`"),
            ("/(/", 1, "unclosed group"),
            ("*", 0, "matches every event"),
            ("type:A,,B", 7, "a value is missing"),
            ("v:1,x", 4, "found `x`"),
            ("type:/Upd/", 5, "type~/Upd/"),
            ("v>=1,2", 4, "one value"),
            ("v:3..1", 2, "the end is less than the start"),
            ("payload.a:b=1", 11, "quoted"),
            ("payload.a~(", 10, "unclosed group"),
            ("time:2026", 5, "12 to 14 digits"),
        ] {
            let error = parse(word).expect_err(word);
            assert!(error.position == at && error.reason.contains(reason), "{word}: {error} at {}", error.position);
        }
    }
}
