//! Payload terms: a path into the event's payload, and the condition on the value there.

use std::cmp::Ordering;

use super::filter_operators::{FilterOperator, find_operator};
use super::name_pattern::{NamePattern, split_wildcards};
use super::payload_path::{PayloadPath, token_text};
use super::quotes::unquote;
use super::term_value::TermValue;
use super::word_fault::WordFault;
use crate::format::json::{resolve_escapes, unescape};

/// A payload term such as `payload.email~example\.org` or `payload.amount>=100`.
#[derive(Debug, Clone)]
pub(super) struct PathTerm {
    path: PayloadPath,
    condition: PathCondition,
}

/// The condition of a payload term on the value at its path.
#[derive(Debug, Clone)]
enum PathCondition {
    /// The value satisfies one of these conditions.
    AnyOf(Vec<ValueCondition>),
    /// There is a value, and it satisfies none of these conditions.
    NoneOf(Vec<ValueCondition>),
}

/// A condition on one value.
#[derive(Debug, Clone)]
enum ValueCondition {
    /// The value is in a relation to the value of the term.
    Compare(FilterOperator, CompareValue),
    /// The value is a number between these two, both included.
    Range(Option<JsonNumber>, Option<JsonNumber>),
    /// The text of the value is like a text with `*`.
    Like(NamePattern),
    /// A regular expression matches the value.
    Matches(NamePattern),
}

/// The value that a term compares with: its text, and a number when the text is a number.
#[derive(Debug, Clone)]
struct CompareValue {
    text: String,
    number: Option<JsonNumber>,
}

/// A number of a payload; exact when it is an integer of at most 127 bits.
#[derive(Debug, Clone, Copy)]
enum JsonNumber {
    Integer(i128),
    Float(f64),
}

impl PathTerm {
    /// Creates the term that compares the value at a path with the value that was typed.
    ///
    /// # Errors
    /// The fault in the typed value.
    pub(super) fn parse(path: PayloadPath, value: &TermValue) -> Result<Self, WordFault> {
        let fault = |reason: String| WordFault::new(0, reason);
        let operator = value.operator.operator;
        if value.operator.sign == ":"
            && let Some(at) = find_operator(value.typed)
        {
            let reason =
                "a second operator: a key with a colon is quoted, as in payload.\"a:b\"=1, and so is such a value";
            return Err(WordFault::new(at, reason));
        }
        let condition = match operator {
            FilterOperator::Matches => PathCondition::AnyOf(vec![matching(value.typed).map_err(fault)?]),
            FilterOperator::MatchesNot => PathCondition::NoneOf(vec![matching(value.typed).map_err(fault)?]),
            FilterOperator::Is => PathCondition::AnyOf(ValueCondition::parse_list(value)?),
            FilterOperator::IsNot => PathCondition::NoneOf(ValueCondition::parse_list(value)?),
            FilterOperator::Greater
            | FilterOperator::GreaterOrEqual
            | FilterOperator::Less
            | FilterOperator::LessOrEqual => {
                PathCondition::AnyOf(vec![ValueCondition::Compare(operator, CompareValue::new(value.typed))])
            }
        };
        Ok(Self { path, condition })
    }

    /// Returns the range in `payload`, a JSON text, of the value at the path, when the value satisfies the condition.
    #[cfg(feature = "app")]
    pub(super) fn match_range(&self, payload: &str) -> Option<std::ops::Range<usize>> {
        let token = self.path.find(payload).filter(|_| self.matches(payload))?;
        // `token` is a slice of `payload`, so the difference of their addresses is its position.
        let start = (token.as_ptr() as usize).checked_sub(payload.as_ptr() as usize)?;
        Some(start..start + token.len())
    }

    /// True when `payload`, a JSON text, has a value at the path that satisfies the condition.
    pub(super) fn matches(&self, payload: &str) -> bool {
        let Some(token) = self.path.find(payload) else {
            return false;
        };
        match &self.condition {
            PathCondition::AnyOf(conditions) => conditions.iter().any(|condition| condition.is_satisfied_by(token)),
            PathCondition::NoneOf(conditions) => !conditions.iter().any(|condition| condition.is_satisfied_by(token)),
        }
    }
}

fn matching(typed: &str) -> Result<ValueCondition, String> {
    NamePattern::from_regex(typed).map(ValueCondition::Matches)
}

impl ValueCondition {
    /// Parses a list of values. An object or an array is one value, because its text has commas.
    fn parse_list(value: &TermValue) -> Result<Vec<Self>, WordFault> {
        if value.typed.starts_with(['[', '{']) {
            return Ok(vec![Self::Compare(FilterOperator::Is, CompareValue::new(value.typed))]);
        }
        let parse = |(at, typed)| Self::parse(typed).map_err(|reason| WordFault::new(at, reason));
        value.list()?.into_iter().map(parse).collect()
    }

    fn parse(typed: &str) -> Result<Self, String> {
        if let Some((start, end)) = typed.split_once("..") {
            let number = |text: &str| if text.is_empty() { Some(None) } else { JsonNumber::parse(text).map(Some) };
            if let (Some(first), Some(last)) = (number(start), number(end))
                && (first.is_some() || last.is_some())
            {
                return Ok(Self::Range(first, last));
            }
        }
        if split_wildcards(typed).len() > 1 {
            return NamePattern::from_value(typed).map(Self::Like);
        }
        Ok(Self::Compare(FilterOperator::Is, CompareValue::new(typed)))
    }

    /// True when a stored token satisfies the condition.
    fn is_satisfied_by(&self, token: &str) -> bool {
        match self {
            Self::Compare(operator, value) => is_in_relation(*operator, value.compare_to_token(token)),
            Self::Range(first, last) => JsonNumber::parse(token).is_some_and(|number| {
                let order = |limit: JsonNumber| number.compare(limit);
                first.is_none_or(|first| order(first).is_some_and(Ordering::is_ge))
                    && last.is_none_or(|last| order(last).is_some_and(Ordering::is_le))
            }),
            Self::Like(pattern) => pattern.matches(&token_text(token)),
            // The quotes of a string are not part of it, and an object is matched as stored too.
            Self::Matches(pattern) if token.starts_with('"') => pattern.matches(&unescape(token)),
            Self::Matches(pattern) => pattern.matches(token) || pattern.matches(&resolve_escapes(token)),
        }
    }
}

/// True when an operator is satisfied by the order of a stored value relative to the term's value; `None` means that the
/// two cannot be ordered.
fn is_in_relation(operator: FilterOperator, order: Option<Ordering>) -> bool {
    match operator {
        FilterOperator::Greater => order == Some(Ordering::Greater),
        FilterOperator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        FilterOperator::Less => order == Some(Ordering::Less),
        FilterOperator::LessOrEqual => order.is_some_and(Ordering::is_le),
        _ => order == Some(Ordering::Equal),
    }
}

impl CompareValue {
    fn new(typed: &str) -> Self {
        let text = unquote(typed);
        Self { number: JsonNumber::parse(&text), text }
    }

    /// Compares a stored token with this value: numbers as numbers, strings as text. Other tokens are equal or cannot be
    /// ordered.
    fn compare_to_token(&self, token: &str) -> Option<Ordering> {
        if token.starts_with('"') {
            return Some(unescape(token).as_ref().cmp(&self.text));
        }
        match (JsonNumber::parse(token), self.number) {
            (Some(stored), Some(wanted)) => stored.compare(wanted),
            _ => (token == self.text).then_some(Ordering::Equal),
        }
    }
}

impl JsonNumber {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let integer = text.parse().map(Self::Integer);
        integer.or_else(|_| text.parse().map(Self::Float)).ok()
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            _ => self.to_f64().partial_cmp(&other.to_f64()),
        }
    }

    const fn to_f64(self) -> f64 {
        match self {
            Self::Integer(n) => n as f64,
            Self::Float(x) => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter_parser::parse_word;
    use super::super::filter_term::FilterTerm;
    use super::super::filter_word::FilterWord;
    use super::super::time_input::TimeContext;

    const PAYLOAD: &str = r#"{"email":"ana@example.org","amount":100.0,"id":9007199254740993,"n\u0061me":"P\u00e9rez",
        "half":"\ud800","\ud800":1,"tags":["a",{"deep":true},[1,2]],"none":null,"twice":1,"twice":2,"big":1e400,"a.b":"x y"}"#;

    fn holds(word: &str) -> bool {
        let word = FilterWord { text: word.into(), position: 0 };
        let parsed = parse_word(&word, TimeContext::default()).unwrap();
        let [FilterTerm::Payload(term)] = parsed.terms.as_slice() else { panic!("{parsed:?}") };
        term.matches(PAYLOAD)
    }

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        for word in [
            r"payload.email~example\.org",
            "payload.name=Pérez",
            "payload.tags.0=a",
            "payload.tags.1.deep=true",
            "payload.tags.2.1=2",
            "payload.none=null",
            "payload.twice=2",
            "payload.half=\u{fffd}",
            "payload.\"a.b\"=\"x y\"",
            "payload~\"ana@\"",
            "payload~Pérez",
            "payload~name",
        ] {
            assert!(holds(word), "{word}");
        }
        for word in
            ["payload.mail~a", "payload.tags.3=a", "payload.tags.x=a", "payload.email.x=a", "payload.none!=null"]
        {
            assert!(!holds(word), "{word}");
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_strings_as_text() {
        for word in [
            "payload.amount>=100",
            "payload.amount=1e2",
            "payload.amount<100.5",
            "payload.amount!=99",
            "payload.id=9007199254740993",
            "payload.id!=9007199254740992",
            "payload.email>ana",
            "payload.email<b",
        ] {
            assert!(holds(word), "{word}");
        }
        for word in ["payload.amount>100", "payload.amount<=99", "payload.email>=b", "payload.tags>1", "payload.no!=1"]
        {
            assert!(!holds(word), "{word}");
        }
    }

    #[test]
    fn lists_ranges_and_stars_are_compared_with_the_value() {
        for word in [
            "payload.email=x,ana@example.org",
            "payload.email:*@example.org",
            "payload.name=P*z",
            "payload.amount:50..150",
            "payload.amount:100..",
            "payload.amount:..100",
            "payload.amount:100..100",
            "payload.amount!=1,2",
            "payload.amount!=1..2",
            "payload.tags.2=[1,2]",
            "payload.none=*",
            "payload.email!~^x",
            "payload.email~/^ANA/i",
        ] {
            assert!(holds(word), "{word}");
        }
        for word in [
            "payload.email=\"*@example.org\"",
            "payload.amount:..99",
            "payload.amount!=1,100",
            "payload.email:1..2",
            "payload.mail=*",
            "payload.mail!~x",
            "payload.email~/^ANA/",
            "payload.email~^\"\\\"\"",
            "payload.email!~^ana",
        ] {
            assert!(!holds(word), "{word}");
        }
    }
}
