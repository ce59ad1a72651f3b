//! Words about the payload: a path into its JSON, and what has to stand there.
//!
//! The JSON is walked as stored: nothing but the tokens on the way is looked at, and no tree is built.

use std::cmp::Ordering;
use std::fmt;

use regex::Regex;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::text_matcher::regex_error_message;
use crate::format::json::unescape;

/// The signs between a path and a value, the longer ones first.
const OPERATORS: [(&str, CompareOperator); 6] = [
    ("!=", CompareOperator::NotEqual),
    (">=", CompareOperator::GreaterOrEqual),
    ("<=", CompareOperator::LessOrEqual),
    ("=", CompareOperator::Equal),
    (">", CompareOperator::GreaterThan),
    ("<", CompareOperator::LessThan),
];

/// `payload.email~example\.org`, `payload.amount>=100`.
#[derive(Debug, Clone)]
pub(super) struct PathTerm {
    path: Vec<String>,
    condition: PathCondition,
    operator: &'static str,
}

#[derive(Debug, Clone)]
enum PathCondition {
    Matches(Regex),
    Compare(CompareOperator, CompareValue),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CompareOperator {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterOrEqual,
    LessThan,
    LessOrEqual,
}

/// What a word compares with: its text, and the number that it is.
#[derive(Debug, Clone)]
struct CompareValue {
    text: String,
    number: Option<JsonNumber>,
}

/// A number of a payload, exact where it is an integer of moderate size.
#[derive(Debug, Clone, Copy)]
enum JsonNumber {
    Integer(i128),
    Float(f64),
}

impl PathTerm {
    /// Reads a word that starts with `payload`. `unquote` takes its quotes off.
    pub(super) fn parse(word: &str, unquote: impl Fn(&str) -> String) -> Result<Self, String> {
        let expected = "expected payload.PATH and one of ~ = != > >= < <= before a value, as in payload.amount>=100";
        let mut quoted = false;
        let sign_at = word.find(|c| {
            quoted ^= c == '"';
            !quoted && matches!(c, '~' | '=' | '!' | '<' | '>')
        });
        let (path, condition) = word.split_at(sign_at.ok_or(expected)?);
        let steps = path.strip_prefix("payload").ok_or(expected)?;
        let path = match steps.strip_prefix('.') {
            Some(steps) => split_path(steps).into_iter().map(&unquote).collect(),
            None if steps.is_empty() => Vec::new(),
            None => return Err(expected.into()),
        };
        if path.iter().any(String::is_empty) {
            return Err("a key is missing in the path: expected payload.KEY, or payload.KEY.KEY".into());
        }
        if let Some(pattern) = condition.strip_prefix('~') {
            let pattern = unquote(pattern);
            let regex = Regex::new(&pattern)
                .map_err(|error| format!("`{pattern}` is no pattern: {}", regex_error_message(&error)))?;
            return Ok(Self { path, condition: PathCondition::Matches(regex), operator: "~" });
        }
        let found =
            OPERATORS.iter().find_map(|(sign, relation)| Some((*sign, *relation, condition.strip_prefix(sign)?)));
        let (sign, relation, value) = found.ok_or(expected)?;
        if value.is_empty() {
            return Err(format!("a value is missing behind {sign}"));
        }
        let text = unquote(value);
        let number = JsonNumber::parse(&text);
        Ok(Self { path, condition: PathCondition::Compare(relation, CompareValue { text, number }), operator: sign })
    }

    /// True when two words ask the same of the same place, and so are alternatives.
    pub(super) fn has_same_key(&self, other: &Self) -> bool {
        self.path == other.path && self.operator == other.operator
    }

    /// True when the payload, JSON as stored, has at the path what the word asks for. A path that leads nowhere has not.
    pub(super) fn matches(&self, payload: &str) -> bool {
        let Some(token) = find_token(payload, &self.path) else {
            return false;
        };
        match &self.condition {
            PathCondition::Matches(pattern) => pattern.is_match(&token_text(token)),
            PathCondition::Compare(relation, value) => relation.is_satisfied_by(value.compare_to_token(token)),
        }
    }
}

impl CompareOperator {
    /// Whether it holds where the stored value has this order to the word's; `None` where the two have none.
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
    /// The order of a stored token to this value: numbers as numbers, strings as text, anything else is equal or not.
    fn compare_to_token(&self, token: &str) -> Option<Ordering> {
        if token.starts_with('"') {
            return Some(unescape(token).as_ref().cmp(&self.text));
        }
        match (JsonNumber::parse(token), self.number) {
            (Some(stored), Some(asked)) => stored.compare(asked),
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

/// What a token stands for as text: a string's characters, anything else as it stands.
fn token_text(token: &str) -> std::borrow::Cow<'_, str> {
    if token.starts_with('"') { unescape(token) } else { token.into() }
}

/// The steps of a path, cut at the dots outside quotes.
fn split_path(path: &str) -> Vec<&str> {
    let mut quoted = false;
    path.split(|c| {
        quoted ^= c == '"';
        !quoted && c == '.'
    })
    .collect()
}

/// The token at the end of a path. Where an object has a key twice, the last one counts, as with most readers of JSON.
fn find_token<'j>(json: &'j str, path: &[String]) -> Option<&'j str> {
    let mut token = json.trim();
    for step in path {
        let mut reader = serde_json::Deserializer::from_str(token);
        let found = match token.as_bytes().first()? {
            b'{' => reader.deserialize_map(MemberVisitor(step)),
            b'[' => reader.deserialize_seq(ElementVisitor(step.parse().ok()?)),
            _ => return None,
        };
        token = found.ok()??.get();
    }
    Some(token)
}

/// Looks for a key in an object.
struct MemberVisitor<'k>(&'k str);

impl<'de> Visitor<'de> for MemberVisitor<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        // Keys are compared unescaped, and by the engine's own means: serde_json refuses a lone surrogate in a key.
        while let Some(key) = map.next_key::<&RawValue>()? {
            if unescape(key.get()) == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Looks for a place in an array, counted from 0.
struct ElementVisitor(usize);

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.0 {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: &str = r#"{"email":"ana@example.org","amount":100.0,"id":9007199254740993,"n\u0061me":"P\u00e9rez",
        "half":"\ud800","\ud800":1,"tags":["a",{"deep":true},[1,2]],"none":null,"twice":1,"twice":2,"big":1e400,"a.b":"x y"}"#;

    fn holds(word: &str) -> bool {
        PathTerm::parse(word, |text| text.replace('"', "")).unwrap().matches(PAYLOAD)
    }

    #[test]
    fn a_path_leads_through_objects_and_arrays_as_stored() {
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
    fn what_is_no_word_says_what_is_missing() {
        for (word, reason) in [
            ("payload.email", "expected payload.PATH"),
            ("payload.=1", "a key is missing"),
            ("payload.a=", "a value is missing behind ="),
            ("payload.a~(", "unclosed group"),
            ("payload.a!1", "expected payload.PATH"),
        ] {
            let error = PathTerm::parse(word, str::to_owned).unwrap_err();
            assert!(error.contains(reason), "{word}: {error}");
        }
    }
}
