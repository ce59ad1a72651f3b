//! The payload of a gap frame: how it is recognised, read, and built with an exact size.
//!
//! A gap frame replaces a damaged range that cannot be restored, or an event that was erased. The module `repair` decides
//! which ranges are replaced, and what the content of the gap over a damaged range holds.

use serde::{Deserialize, Serialize};

use super::json;
use super::json_scanner::{JsonScanner, SurrogatePolicy};

/// The shortest payload of a gap, without the spaces after it.
const EMPTY_GAP: &str = "[]";
/// The bytes that Chronicle writes before the content.
const GAP_PREFIX: &str = "{\"$gap\":";
/// The bytes that Chronicle writes after the content.
const GAP_SUFFIX: &str = "}";

/// The longest reason of an erasure, in bytes.
pub const MAX_ERASED_REASON: usize = 1000;

/// The record of an erasure in the gap that replaces the event: when and why, and nothing of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRecord {
    /// When the erasure was planned, in milliseconds since the Unix epoch; `None` where it did not fit.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// The reason that the user gave; `None` when there is none, or where it did not fit.
    #[serde(rename = "why", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The `$gap` object of an erased event.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErasedContent {
    erased: ErasedRecord,
}

impl ErasedRecord {
    /// Returns the record as the `$gap` object of a gap.
    pub fn to_content(&self) -> String {
        let content = ErasedContent { erased: self.clone() };
        // The only values are a number and a text, so serialization cannot fail.
        serde_json::to_string(&content).unwrap_or_default()
    }

    /// Returns the record in the `$gap` object `content`; `None` when the gap does not replace an erased event.
    pub fn from_content(content: &str) -> Option<Self> {
        serde_json::from_str(content).ok().map(|ErasedContent { erased }| erased)
    }

    /// Returns the number of bytes of the smallest gap payload that has this whole record.
    pub fn payload_len(&self) -> usize {
        GAP_PREFIX.len() + self.to_content().len() + GAP_SUFFIX.len()
    }
}

/// Returns the contents that a gap can have, the longest first: that of an erasure can be without its reason, and without its
/// time.
fn shorter_contents(content: &str) -> impl Iterator<Item = String> {
    let erased = ErasedRecord::from_content(content);
    let without_reason = erased.as_ref().map(|erased| ErasedRecord { reason: None, ..erased.clone() });
    let forms = without_reason.into_iter().chain(erased.is_some().then(ErasedRecord::default));
    std::iter::once(content.to_owned()).chain(forms.map(|form| form.to_content())).chain(["{}".to_owned()])
}

/// True when `payload` is the payload of a gap: an object whose only key is `$gap` with an object as its value, or
/// `[]`, followed by spaces alone.
#[inline]
pub fn is_gap(payload: &[u8]) -> bool {
    // Called for every replayed payload. The first three bytes of an event already show that it is not a gap.
    match payload {
        [b'{', b'"', b'$' | b'\\', ..] | [b'{', b' ' | b'\t' | b'\n' | b'\r', ..] => gap_content(payload).is_some(),
        [b'[', b']', spaces @ ..] => is_all_spaces(spaces),
        _ => false,
    }
}

/// Returns the `$gap` object of a gap, exactly as stored. `None` when the gap is `[]` or `payload` is not a gap.
pub fn gap_content(payload: &[u8]) -> Option<&str> {
    let mut scanner = JsonScanner::new(payload);
    scanner.expect(b'{', "").ok()?;
    scanner.skip_whitespace();
    let key = scanner.position();
    scanner.read_string(SurrogatePolicy::AllowLone).ok()?;
    let key = key..scanner.position();
    scanner.skip_whitespace();
    scanner.expect(b':', "").ok()?;
    scanner.skip_whitespace();
    if scanner.peek() != Some(b'{') {
        return None;
    }
    let start = scanner.position();
    scanner.skip_value(1, SurrogatePolicy::AllowLone).ok()?;
    let value = start..scanner.position();
    scanner.skip_whitespace();
    scanner.expect(b'}', "").ok()?;
    if !is_all_spaces(payload.get(scanner.position()..)?) {
        return None;
    }
    let text = json::decode_utf8(payload).ok()?;
    (json::unescape(text.get(key)?) == "$gap").then(|| text.get(value))?
}

/// Builds the payload of a gap, exactly `payload_len` bytes long, with `content` as its `$gap` object.
///
/// The content becomes `{}` when `content` does not fit or is not a JSON object, and the payload becomes `[]` when `{}`
/// does not fit either. Before that, the content of an [`ErasedRecord`] loses its reason, and then its time. `payload_len` must be 2 or more; debug builds assert it.
pub fn build_gap_payload(payload_len: usize, content: &str) -> Vec<u8> {
    debug_assert!(payload_len >= EMPTY_GAP.len(), "a gap payload cannot have {payload_len} bytes");
    let padded = |parts: [&str; 3]| {
        let mut payload = parts.concat().into_bytes();
        payload.resize(payload_len, b' ');
        // Readers would not recognise a truncated payload, or content that is not an object, as a gap.
        is_gap(&payload).then_some(payload)
    };
    shorter_contents(content).find_map(|content| padded([GAP_PREFIX, &content, GAP_SUFFIX])).unwrap_or_else(|| {
        let mut payload = EMPTY_GAP.as_bytes().to_vec();
        payload.resize(payload_len, b' ');
        payload
    })
}

fn is_all_spaces(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{EventView, Version};

    const CONTENT: &str = "{\"repair\":\"gap\",\"from\":16,\"to\":99}";

    #[test]
    fn a_gap_has_the_exact_size_and_the_content_that_fits() {
        let full = GAP_PREFIX.len() + CONTENT.len() + GAP_SUFFIX.len();
        for len in 2..200 {
            let payload = build_gap_payload(len, CONTENT);
            assert_eq!(payload.len(), len);
            assert!(is_gap(&payload), "{}", payload.escape_ascii());
            let expected = match len {
                2..11 => None,
                _ if len < full => Some("{}"),
                _ => Some(CONTENT),
            };
            assert_eq!(gap_content(&payload), expected, "{len} bytes");
        }
        assert_eq!(build_gap_payload(4, CONTENT), b"[]  ");
        assert_eq!(build_gap_payload(12, CONTENT), b"{\"$gap\":{}} ");
        // With 8 bytes for length and checksum, these are the smallest gap frames named in docs/format.md.
        assert_eq!((build_gap_payload(2, "{}").len() + 8, build_gap_payload(11, "{}").len() + 8), (10, 19));
    }

    #[test]
    fn the_gap_of_an_erased_event_keeps_as_much_of_its_record_as_fits() {
        let record = ErasedRecord { at_ms: Some(1_766_718_274_106), reason: Some("law \"17\"".into()) };
        let without_reason = ErasedRecord { reason: None, ..record.clone() };
        let content = record.to_content();
        assert_eq!(content, r#"{"erased":{"at":1766718274106,"why":"law \"17\""}}"#);
        for len in 2..120 {
            let payload = build_gap_payload(len, &content);
            assert_eq!(payload.len(), len);
            assert!(is_gap(&payload), "{len} bytes");
            let found = gap_content(&payload).map(|content| (content, ErasedRecord::from_content(content)));
            let expected = match len {
                2..11 => None,
                11..22 => Some(("{}".to_owned(), None)),
                22..40 => Some((r#"{"erased":{}}"#.to_owned(), Some(ErasedRecord::default()))),
                40.. if len < record.payload_len() => Some((without_reason.to_content(), Some(without_reason.clone()))),
                _ => Some((content.clone(), Some(record.clone()))),
            };
            assert_eq!(
                found,
                expected.as_ref().map(|(content, record)| (content.as_str(), record.clone())),
                "{len} bytes"
            );
        }
        assert_eq!((without_reason.payload_len(), record.payload_len()), (40, 59));
    }

    #[test]
    fn the_content_of_another_gap_is_no_record_of_an_erasure() {
        for content in
            ["{}", r#"{"repair":"a"}"#, r#"{"erased":1}"#, r#"{"erased":{"at":-1}}"#, r#"{"erased":{},"a":1}"#]
        {
            assert_eq!(ErasedRecord::from_content(content), None, "{content}");
        }
    }

    #[test]
    fn content_that_is_not_an_object_is_left_out() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(126), "]".repeat(126));
        for content_given in ["", "1", "[]", "{", "{}}", "{},\"a\":{}", "{\"a\":}", &deep] {
            let payload = build_gap_payload(400, content_given);
            assert_eq!(gap_content(&payload), Some("{}"), "{content_given}");
            assert_eq!(payload.len(), 400);
        }
    }

    #[test]
    fn every_payload_of_this_form_is_a_gap() {
        for (payload, content) in [
            ("{\"$gap\":{}}", Some("{}")),
            ("{\"$gap\":{}}   ", Some("{}")),
            ("{ \"$gap\" :\n{ \"a\": [1.0] }\t}  ", Some("{ \"a\": [1.0] }")),
            ("{\"\\u0024gap\":{\"a\":\"\\ud800\"}}", Some("{\"a\":\"\\ud800\"}")),
            ("{\n\"\\u0024\\u0067ap\":{}}", Some("{}")),
            ("{\"$gap\":{\"é\":{\"$gap\":{}}}}", Some("{\"é\":{\"$gap\":{}}}")),
            ("[]", None),
            ("[]    ", None),
        ] {
            assert!(is_gap(payload.as_bytes()), "{payload}");
            assert_eq!(gap_content(payload.as_bytes()), content, "{payload}");
        }
    }

    #[test]
    fn a_payload_that_only_resembles_a_gap_is_not_one() {
        let deepest =
            |levels: usize| format!("{{\"$gap\":{{\"a\":{}{}}}}}", "[".repeat(levels - 2), "]".repeat(levels - 2));
        assert!(is_gap(deepest(127).as_bytes()));
        let too_deep = deepest(128);
        for payload in [
            "",
            " ",
            "{}",
            "[",
            "[ ]",
            "[]\n",
            "[1]",
            "[]x",
            " []",
            " {\"$gap\":{}}",
            "{\"$gap\":{}}\n",
            "{\"$gap\":{}}x",
            "{\"$gap\":[]}",
            "{\"$gap\":1}",
            "{\"$gap\":null}",
            "{\"$gap\":{},\"a\":1}",
            "{\"$gap\":{},\"$gap\":{}}",
            "{\"a\":1,\"$gap\":{}}",
            "{\"$gap\":{}",
            "{\"$gap\":{}}{\"$gap\":{}}",
            "{\"$gap\":{]}",
            "{\"$gap\":{\"a\":01}}",
            "{\"$ga\":{}}",
            "{\"$gap2\":{}}",
            "{\"$GAP\":{}}",
            "{\"\\u0025gap\":{}}",
            "{\"gap\":{}}",
            "{$gap:{}}",
            "{\"$gap\"}",
            "\"$gap\"",
            &too_deep,
        ] {
            assert!(!is_gap(payload.as_bytes()), "{payload}");
            assert_eq!(gap_content(payload.as_bytes()), None, "{payload}");
        }
        assert!(!is_gap(b"{\"$gap\":{\"a\":\"\xff\"}}"), "not UTF-8");
    }

    #[test]
    fn no_gap_is_an_event() {
        for len in [2, 11, 60, 500] {
            for version in [Version::V0, Version::V1] {
                assert!(EventView::parse(&build_gap_payload(len, CONTENT), version).is_err());
            }
        }
    }
}
