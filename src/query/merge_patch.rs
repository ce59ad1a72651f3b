//! Merges JSON texts as merge patches (RFC 7396), with every value as it was stored.
//!
//! No value is parsed or formatted again: `1.0` stays `1.0`. Only objects are taken apart.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::format::json::{compact, unescape};

/// A JSON value that patches are merged into.
#[derive(Debug, Default)]
pub(super) struct MergedDocument {
    /// The value; `None` before the first patch.
    root: Option<MergedValue>,
    /// Number of bytes of the keys and values, without punctuation.
    bytes: usize,
    /// The position of the next new key of an object.
    next_position: u64,
}

#[derive(Debug)]
enum MergedValue {
    Object(BTreeMap<String, Member>),
    /// A value that is no object: its compact text.
    Stored(String),
}

/// A member of an object. Members are written in the order in which their keys first appeared.
#[derive(Debug)]
struct Member {
    /// The key as stored, with its quotes.
    key: String,
    position: u64,
    value: MergedValue,
}

/// The members of a patch object, in order: each key as stored, and its value.
struct PatchMembers<'p>(Vec<(&'p str, &'p str)>);

impl MergedDocument {
    /// Merges a patch, which must be valid JSON. Returns false and changes nothing when it is not.
    pub(super) fn merge(&mut self, patch: &str) -> bool {
        let patch = patch.trim();
        if serde_json::from_str::<&RawValue>(patch).is_err() {
            return false;
        }
        let target = self.root.take();
        self.root = Some(self.merge_value(target, patch));
        true
    }

    /// Returns the number of bytes of the keys and values, without punctuation.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the value as compact JSON; `null` before the first patch.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.bytes + self.bytes / 4);
        match &self.root {
            Some(value) => value.write(&mut out),
            None => out.push_str("null"),
        }
        out
    }

    /// Merges a patch into a value, and returns the result. The recursion is as deep as the patch is nested.
    fn merge_value(&mut self, target: Option<MergedValue>, patch: &str) -> MergedValue {
        let Some(PatchMembers(members)) = PatchMembers::parse(patch) else {
            self.bytes -= target.map_or(0, |value| value.bytes());
            let mut text = Vec::with_capacity(patch.len());
            compact(patch.as_bytes(), &mut text);
            let text = String::from_utf8(text).unwrap_or_default();
            self.bytes += text.len();
            return MergedValue::Stored(text);
        };
        let mut object = if let Some(MergedValue::Object(object)) = target {
            object
        } else {
            self.bytes -= target.map_or(0, |value| value.bytes());
            BTreeMap::new()
        };
        for (key, value) in members {
            let name = unescape(key).into_owned();
            let member = object.remove(&name);
            if value == "null" {
                self.bytes -= member.map_or(0, |member| member.bytes());
                continue;
            }
            let (key, position, earlier) = if let Some(member) = member {
                (member.key, member.position, Some(member.value))
            } else {
                self.next_position += 1;
                self.bytes += key.len();
                (key.to_owned(), self.next_position, None)
            };
            let value = self.merge_value(earlier, value);
            object.insert(name, Member { key, position, value });
        }
        MergedValue::Object(object)
    }
}

impl MergedValue {
    fn bytes(&self) -> usize {
        match self {
            Self::Object(members) => members.values().map(Member::bytes).sum(),
            Self::Stored(text) => text.len(),
        }
    }

    fn write(&self, out: &mut String) {
        let members = match self {
            Self::Object(members) => members,
            Self::Stored(text) => return out.push_str(text),
        };
        let mut in_order: Vec<&Member> = members.values().collect();
        in_order.sort_unstable_by_key(|member| member.position);
        out.push('{');
        for (number, member) in in_order.into_iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            out.push_str(&member.key);
            out.push(':');
            member.value.write(out);
        }
        out.push('}');
    }
}

impl Member {
    fn bytes(&self) -> usize {
        self.key.len() + self.value.bytes()
    }
}

impl<'p> PatchMembers<'p> {
    /// Splits an object into its members; `None` for another value. Of duplicate keys, the last one is kept, as in most
    /// JSON parsers.
    fn parse(patch: &'p str) -> Option<Self> {
        if !patch.starts_with('{') {
            return None;
        }
        let Self(all) = serde_json::Deserializer::from_str(patch).deserialize_map(PatchVisitor).ok()?;
        let last: HashMap<_, _> = all.iter().enumerate().map(|(number, (key, _))| (unescape(key), number)).collect();
        let is_last = |(number, (key, _)): &(usize, &(&str, &str))| last.get(&unescape(key)) == Some(number);
        Some(Self(all.iter().enumerate().filter(is_last).map(|(_, member)| *member).collect()))
    }
}

struct PatchVisitor;

impl<'de> Visitor<'de> for PatchVisitor {
    type Value = PatchMembers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        // Keys are read as stored: serde_json refuses a lone surrogate in a key.
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push((key.get(), value.get().trim()));
        }
        Ok(PatchMembers(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge_all(patches: &[&str]) -> String {
        let mut document = MergedDocument::default();
        for patch in patches {
            assert!(document.merge(patch), "{patch}");
            let expected: usize = document.root.as_ref().map_or(0, MergedValue::bytes);
            assert_eq!(document.bytes(), expected, "the size is kept up to date: {patch}");
        }
        document.to_json()
    }

    #[test]
    fn the_examples_of_rfc_7396_hold() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":1}"#, r#"{"a":1}"#, r#"{"e":1,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merge_all(&[target, patch]), result, "{target} and {patch}");
        }
    }

    #[test]
    fn values_keep_their_stored_text_and_keys_their_order() {
        let merged = merge_all(&[
            "{ \"z\" : 1.00, \"n\\u0061me\": \"P\\u00e9rez\", \"\\ud800\": [1e400, {\"x\": null}] }",
            r#"{"name":"Ana","amount":123456789012345678901234567890}"#,
        ]);
        let expected =
            r#"{"z":1.00,"n\u0061me":"Ana","\ud800":[1e400,{"x":null}],"amount":123456789012345678901234567890}"#;
        assert_eq!(merged, expected);
    }

    #[test]
    fn of_duplicate_keys_the_last_one_counts() {
        assert_eq!(merge_all(&[r#"{"a":{"x":1},"a":{"y":2},"\u0061":{"z":3}}"#]), r#"{"\u0061":{"z":3}}"#);
    }

    #[test]
    fn a_patch_that_is_not_json_changes_nothing() {
        let mut document = MergedDocument::default();
        assert!(document.merge("{\"a\":1}") && !document.merge("{\"a\":") && !document.merge(""));
        assert_eq!(document.to_json(), "{\"a\":1}");
    }

    #[test]
    fn the_deepest_event_can_be_merged() {
        let nested = |value: &str| format!("{}{value}{}", "{\"a\":".repeat(125), "}".repeat(125));
        let merged = merge_all(&[&nested("{\"b\":1}"), &nested("{\"c\":2}")]);
        assert_eq!(merged, nested("{\"b\":1,\"c\":2}"));
    }
}
