//! Payload terms: a path into the event's payload, and the condition on the value there.

use std::cmp::Ordering;

use regex::Regex;

use super::filter_terms::PAYLOAD_OPERATORS;
use super::payload_path::{PayloadPath, token_text};
use super::quotes::unquote;
use super::text_matcher::regex_error_message;
use crate::format::json::{resolve_escapes, unescape};

/// A payload term such as `payload.email~example\.org` or `payload.amount>=100`.
#[derive(Debug, Clone)]
pub(super) struct PathTerm {
    path: PayloadPath,
    operator: &'static str,
    condition: PathCondition,
}

/// The condition of a payload term on the value at its path.
#[derive(Debug, Clone)]
enum PathCondition {
    Matches(Regex),
    Compare(CompareOperator, CompareValue),
}

/// An operator that compares a stored value with the value of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CompareOperator {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterOrEqual,
    LessThan,
    LessOrEqual,
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
    /// Parses a word that starts with `payload`. The error is the reason, without the word.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let expected = "expected payload.PATH and one of ~ = != > >= < <= before a value, as in payload.amount>=100";
        let mut quoted = false;
        let operator_at = word.find(|c| {
            quoted ^= c == '"';
            !quoted && matches!(c, '~' | '=' | '!' | '<' | '>')
        });
        let (path, condition) = word.split_at(operator_at.ok_or(expected)?);
        let path = PayloadPath::parse(path)?.ok_or(expected)?;
        let found = PAYLOAD_OPERATORS.iter().find_map(|operator| Some((*operator, condition.strip_prefix(operator)?)));
        let (operator, value) = found.ok_or(expected)?;
        let Some(comparison) = CompareOperator::from_sign(operator) else {
            let pattern = unquote(value);
            let regex = Regex::new(&pattern)
                .map_err(|error| format!("`{pattern}` is not a regular expression: {}", regex_error_message(&error)))?;
            return Ok(Self { path, operator, condition: PathCondition::Matches(regex) });
        };
        if value.is_empty() {
            return Err(format!("`{operator}` needs a value"));
        }
        let text = unquote(value);
        let number = JsonNumber::parse(&text);
        Ok(Self { path, operator, condition: PathCondition::Compare(comparison, CompareValue { text, number }) })
    }

    /// True when two terms have the same path and operator, and are therefore alternatives.
    pub(super) fn has_same_path_and_operator(&self, other: &Self) -> bool {
        self.path == other.path && self.operator == other.operator
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
            PathCondition::Matches(pattern) => {
                pattern.is_match(&token_text(token)) || pattern.is_match(&resolve_escapes(token))
            }
            PathCondition::Compare(operator, value) => operator.is_satisfied_by(value.compare_to_token(token)),
        }
    }
}

impl CompareOperator {
    /// Returns the operator with this sign; `None` for `~`, which matches a regular expression.
    fn from_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            ">" => Self::GreaterThan,
            ">=" => Self::GreaterOrEqual,
            "<" => Self::LessThan,
            "<=" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// True when the operator is satisfied by the order of a stored value relative to the term's value; `None` means that
    /// the two cannot be ordered.
    fn is_satisfied_by(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::GreaterThan => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Self::LessThan => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
        }
    }
}

impl CompareValue {
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
    use super::*;

    const PAYLOAD: &str = r#"{"email":"ana@example.org","amount":100.0,"id":9007199254740993,"n\u0061me":"P\u00e9rez",
        "half":"\ud800","\ud800":1,"tags":["a",{"deep":true},[1,2]],"none":null,"twice":1,"twice":2,"big":1e400,"a.b":"x y"}"#;

    fn holds(word: &str) -> bool {
        PathTerm::parse(word).unwrap().matches(PAYLOAD)
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
    fn a_word_that_cannot_be_parsed_reports_what_is_missing() {
        for (word, reason) in [
            ("payload.email", "expected payload.PATH"),
            ("payload.=1", "a key is missing"),
            ("payload.a=", "`=` needs a value"),
            ("payload.a~(", "unclosed group"),
            ("payload.a!1", "expected payload.PATH"),
        ] {
            let error = PathTerm::parse(word).unwrap_err();
            assert!(error.contains(reason), "{word}: {error}");
        }
    }
}
