//! Paths into an event's payload, such as `payload.address.city`, and the search for the value at a path.
//!
//! The stored text of the payload is searched: only the values on the path are examined, and no tree is built.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use memchr::memmem::Finder;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::quotes::{quote, unquote};
use crate::format::json::unescape;

/// A path into the payload of an event: the keys of objects and the positions in arrays that lead to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PayloadPath {
    steps: Vec<String>,
    probe: KeyProbe,
}

/// A search for a key of a path in the text of a payload. It depends on the path alone, so two of the same path are equal.
#[derive(Debug, Clone)]
struct KeyProbe(Option<Box<Finder<'static>>>);

impl KeyProbe {
    /// Prepares the search for the longest step that can only be a key: an array has no position with this name.
    fn new(steps: &[String]) -> Self {
        let keys = steps.iter().filter(|step| !step.bytes().all(|byte| byte.is_ascii_digit()));
        let longest = keys.max_by_key(|key| key.len());
        Self(longest.map(|key| Box::new(Finder::new(&format!("\"{key}\"")).into_owned())))
    }

    /// True when a payload can have the key: its text contains it in quotes, or has an escape, with which a key can be written
    /// in another way.
    fn may_be_in(&self, payload: &str) -> bool {
        let Some(finder) = &self.0 else { return true };
        finder.find(payload.as_bytes()).is_some() || memchr::memchr(b'\\', payload.as_bytes()).is_some()
    }
}

impl PartialEq for KeyProbe {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for KeyProbe {}

impl Hash for KeyProbe {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}

impl PayloadPath {
    /// Parses `payload`, or `payload` and keys after dots; a key with a dot is put in quotes: `payload."a.b"`. Returns
    /// `None` when the text does not start with `payload`.
    ///
    /// # Errors
    /// The reason, when a key is empty.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let Some(steps) = text.strip_prefix("payload") else { return Ok(None) };
        let steps: Vec<String> = match steps.strip_prefix('.') {
            Some(steps) => split_path(steps).into_iter().map(unquote).collect(),
            None if steps.is_empty() => Vec::new(),
            None => return Ok(None),
        };
        if steps.iter().any(String::is_empty) {
            return Err("a key is missing in the path: expected payload.KEY, or payload.KEY.KEY".into());
        }
        Ok(Some(Self { probe: KeyProbe::new(&steps), steps }))
    }

    /// Creates the path of the whole payload.
    #[cfg(feature = "app")]
    pub(crate) const fn whole_payload() -> Self {
        Self { steps: Vec::new(), probe: KeyProbe(None) }
    }

    /// True for the path of the whole payload.
    #[cfg(feature = "app")]
    pub(crate) const fn is_whole_payload(&self) -> bool {
        self.steps.is_empty()
    }

    /// Creates the path of these keys and positions.
    #[cfg(feature = "app")]
    pub(super) fn from_steps(steps: Vec<String>) -> Self {
        Self { probe: KeyProbe::new(&steps), steps }
    }

    /// Returns the stored text of the value at the path; `None` when `payload`, a JSON text, has no value there.
    ///
    /// Of duplicate keys in an object, the last one is used, as in most JSON parsers.
    pub fn find<'j>(&self, payload: &'j str) -> Option<&'j str> {
        if !self.probe.may_be_in(payload) {
            return None;
        }
        let mut token = payload.trim();
        for step in &self.steps {
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
}

impl fmt::Display for PayloadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("payload")?;
        self.steps.iter().try_for_each(|step| write!(f, ".{}", quote_if_needed(step)))
    }
}

/// Returns the text of a token: the characters of a string, or the token itself.
pub(super) fn token_text(token: &str) -> Cow<'_, str> {
    if token.starts_with('"') { unescape(token) } else { token.into() }
}

/// Returns a key as it is typed in a path: in quotes when a character of it has a meaning in a filter.
fn quote_if_needed(key: &str) -> Cow<'_, str> {
    let is_plain = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    if is_plain { key.into() } else { quote(key).into() }
}

/// Splits a path at the dots outside quotes.
fn split_path(path: &str) -> Vec<&str> {
    let mut quoted = false;
    path.split(|c| {
        quoted ^= c == '"';
        !quoted && c == '.'
    })
    .collect()
}

/// Finds the value of a key in an object.
struct MemberVisitor<'k>(&'k str);

impl<'de> Visitor<'de> for MemberVisitor<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        // Keys are compared after `format::json::unescape`: serde_json refuses a lone surrogate in a key.
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

/// Finds the element of an array at an index counted from 0.
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

    #[test]
    fn a_key_is_found_however_it_is_written() {
        let payload = r#" {"n\u0061me":"x","a":{"long":[{"b":1},{"b":2}]},"1":{"é":3}} "#;
        for (path, value) in [
            ("payload.name", Some(r#""x""#)),
            ("payload.a.long.1.b", Some("2")),
            ("payload.1.é", Some("3")),
            ("payload.\"1\".\"é\"", Some("3")),
            ("payload.lon", None),
            ("payload.a.absent", None),
        ] {
            assert_eq!(PayloadPath::parse(path).unwrap().unwrap().find(payload), value, "{path}");
        }
        let without_escape = r#"{"a":{"long":[{"b":1},{"b":2}]},"text":"no such key"}"#;
        let find = |path: &str| PayloadPath::parse(path).unwrap().unwrap().find(without_escape);
        assert_eq!((find("payload.a.long.0.b"), find("payload.such"), find("payload.a.5")), (Some("1"), None, None));
    }

    #[test]
    fn a_path_is_displayed_as_it_is_typed() {
        for text in ["payload", "payload.a.b-c", "payload.\"a.b\".1", "payload.\"x y\""] {
            let path = PayloadPath::parse(text).unwrap().unwrap();
            assert_eq!(path.to_string(), text);
        }
        assert_eq!(PayloadPath::parse("payloads.a"), Ok(None));
        assert!(PayloadPath::parse("payload..a").is_err());
    }
}
