//! The payload that fences a range off: how it is recognised, and how it is made to an exact size.
//!
//! Here never lives the decision to fence, nor what a gap's content means.

use super::json;
use super::scanner::{Scanner, Surrogates};

/// The shortest payload of a gap.
const EMPTY: &str = "[]";
/// Before the content, as written.
const OPEN: &str = "{\"$gap\":";
/// Behind the content, as written.
const CLOSE: &str = "}";

/// True when `payload` is a gap: an object with the single key `$gap` and an object as its value, or `[]`, then spaces.
#[inline]
pub fn is_gap(payload: &[u8]) -> bool {
    // Every payload that is replayed comes by here, and an event is turned away by its third byte.
    match payload {
        [b'{', b'"', b'$' | b'\\', ..] | [b'{', b' ' | b'\t' | b'\n' | b'\r', ..] => content(payload).is_some(),
        [b'[', b']', spaces @ ..] => only_spaces(spaces),
        _ => false,
    }
}

/// What a gap says: its `$gap` object, as stored. `None` when the gap is `[]`, or when `payload` is no gap.
pub fn content(payload: &[u8]) -> Option<&str> {
    let mut scanner = Scanner::new(payload);
    scanner.expect(b'{', "").ok()?;
    scanner.blanks();
    let key = scanner.at();
    scanner.string(Surrogates::MayBeLone).ok()?;
    let key = key..scanner.at();
    scanner.blanks();
    scanner.expect(b':', "").ok()?;
    scanner.blanks();
    if scanner.peek() != Some(b'{') {
        return None;
    }
    let start = scanner.at();
    scanner.value(1, Surrogates::MayBeLone).ok()?;
    let value = start..scanner.at();
    scanner.blanks();
    scanner.expect(b'}', "").ok()?;
    if !only_spaces(payload.get(scanner.at()..)?) {
        return None;
    }
    let text = json::utf8(payload).ok()?;
    (json::unescape(text.get(key)?) == "$gap").then(|| text.get(value))?
}

/// The payload of a gap of exactly `payload_len` bytes, 2 or more, that says `content`, a JSON object.
///
/// Where that does not fit, or is no JSON object, the content is `{}`; where that does not fit either, the gap is `[]`.
pub fn fill(payload_len: usize, content: &str) -> Vec<u8> {
    debug_assert!(payload_len >= EMPTY.len(), "no gap has {payload_len} bytes");
    let of_size = |parts: [&str; 3]| {
        let mut payload = parts.concat().into_bytes();
        payload.resize(payload_len, b' ');
        // Judged before it is believed: what is cut short, or says something that is no object, fences nothing off.
        is_gap(&payload).then_some(payload)
    };
    let says = of_size([OPEN, content, CLOSE]).or_else(|| of_size([OPEN, "{}", CLOSE]));
    says.unwrap_or_else(|| {
        let mut payload = EMPTY.as_bytes().to_vec();
        payload.resize(payload_len, b' ');
        payload
    })
}

fn only_spaces(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{EventView, Version};

    const SAYS: &str = "{\"repair\":\"gap\",\"from\":16,\"to\":99}";

    #[test]
    fn a_gap_has_the_exact_size_and_says_what_fits() {
        let full = OPEN.len() + SAYS.len() + CLOSE.len();
        for len in 2..200 {
            let payload = fill(len, SAYS);
            assert_eq!(payload.len(), len);
            assert!(is_gap(&payload), "{}", payload.escape_ascii());
            let expected = match len {
                2..11 => None,
                _ if len < full => Some("{}"),
                _ => Some(SAYS),
            };
            assert_eq!(content(&payload), expected, "{len} bytes");
        }
        assert_eq!(fill(4, SAYS), b"[]  ");
        assert_eq!(fill(12, SAYS), b"{\"$gap\":{}} ");
        // With length and checksum: the smallest gap frames of FORMAT.md.
        assert_eq!((fill(2, "{}").len() + 8, fill(11, "{}").len() + 8), (10, 19));
    }

    #[test]
    fn content_that_is_no_object_is_left_out() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(126), "]".repeat(126));
        for content_given in ["", "1", "[]", "{", "{}}", "{},\"a\":{}", "{\"a\":}", &deep] {
            let payload = fill(400, content_given);
            assert_eq!(content(&payload), Some("{}"), "{content_given}");
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
            assert_eq!(content(payload.as_bytes()), says, "{payload}");
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
            assert_eq!(content(payload.as_bytes()), None, "{payload}");
        }
        assert!(!is_gap(b"{\"$gap\":{\"a\":\"\xff\"}}"), "not UTF-8");
    }

    #[test]
    fn no_gap_is_an_event() {
        for len in [2, 11, 60, 500] {
            for version in [Version::V0, Version::V1] {
                assert!(EventView::parse(&fill(len, SAYS), version).is_err());
            }
        }
    }
}
