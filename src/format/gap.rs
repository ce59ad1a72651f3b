//! The payload that fences a range off: how it is recognised, and how it is made to an exact size.
//!
//! Here never lives the decision to fence, nor what a gap's content means.

use super::json;
use super::json_scanner::{JsonScanner, SurrogatePolicy};

/// The shortest payload of a gap.
const EMPTY_GAP: &str = "[]";
/// Before the content, as written.
const GAP_PREFIX: &str = "{\"$gap\":";
/// Behind the content, as written.
const GAP_SUFFIX: &str = "}";

/// True when `payload` is a gap: an object with the single key `$gap` and an object as its value, or `[]`, then spaces.
#[inline]
pub fn is_gap(payload: &[u8]) -> bool {
    // Every payload that is replayed comes by here, and an event is turned away by its third byte.
    match payload {
        [b'{', b'"', b'$' | b'\\', ..] | [b'{', b' ' | b'\t' | b'\n' | b'\r', ..] => gap_content(payload).is_some(),
        [b'[', b']', spaces @ ..] => is_all_spaces(spaces),
        _ => false,
    }
}

/// What a gap says: its `$gap` object, as stored. `None` when the gap is `[]`, or when `payload` is no gap.
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

/// The payload of a gap of exactly `payload_len` bytes, 2 or more, that says `content`, a JSON object.
///
/// Where that does not fit, or is no JSON object, the content is `{}`; where that does not fit either, the gap is `[]`.
pub fn build_gap_payload(payload_len: usize, content: &str) -> Vec<u8> {
    debug_assert!(payload_len >= EMPTY_GAP.len(), "no gap has {payload_len} bytes");
    let of_size = |parts: [&str; 3]| {
        let mut payload = parts.concat().into_bytes();
        payload.resize(payload_len, b' ');
        // Judged before it is believed: what is cut short, or says something that is no object, fences nothing off.
        is_gap(&payload).then_some(payload)
    };
    let says = of_size([GAP_PREFIX, content, GAP_SUFFIX]).or_else(|| of_size([GAP_PREFIX, "{}", GAP_SUFFIX]));
    says.unwrap_or_else(|| {
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
    fn a_gap_has_the_exact_size_and_says_what_fits() {
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
        // With length and checksum: the smallest gap frames of FORMAT.md.
        assert_eq!((build_gap_payload(2, "{}").len() + 8, build_gap_payload(11, "{}").len() + 8), (10, 19));
    }

    #[test]
    fn content_that_is_no_object_is_left_out() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(126), "]".repeat(126));
        for content_given in ["", "1", "[]", "{", "{}}", "{},\"a\":{}", "{\"a\":}", &deep] {
            let payload = build_gap_payload(400, content_given);
            assert_eq!(gap_content(&payload), Some("{}"), "{content_given}");
            assert_eq!(payload.len(), 400);
        }
    }

    #[test]
    fn every_payload_of_the_shape_is_a_gap_whoever_wrote_it() {
        for (payload, says) in [
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
            assert_eq!(gap_content(payload.as_bytes()), says, "{payload}");
        }
    }

    #[test]
    fn what_only_looks_like_a_gap_is_none() {
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
