//! Functions that validate, compact and unescape JSON (RFC 8259).
//!
//! No function builds a tree of values or interprets a number, because Chronicle shows JSON exactly as it was stored.

use std::borrow::Cow;

pub use super::json_scanner::MAX_LEVELS;
use super::json_scanner::{
    JsonScanner, PayloadError, SurrogatePolicy, decode_surrogate_pair, is_whitespace, parse_hex4,
};

/// Validates that `text` is one JSON value, with or without whitespace around it.
///
/// Lone surrogate escapes (`"\ud800"`) and numbers of any size are allowed.
///
/// # Errors
/// [`PayloadError`] with the offset of the first byte that is not UTF-8, not JSON, or nested deeper than
/// [`MAX_LEVELS`].
pub fn validate(text: &[u8]) -> Result<(), PayloadError> {
    decode_utf8(text)?;
    let mut scanner = JsonScanner::new(text);
    scanner.skip_value(0, SurrogatePolicy::AllowLone)?;
    scanner.expect_end()
}

/// Appends `text`, which must be valid JSON, to `out` without the whitespace outside strings.
///
/// Every token is copied as it is, digit for digit and escape for escape.
pub fn compact(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len());
    let mut rest = text;
    // Runs without whitespace are copied as a whole. Text that is already compact, the usual case, is one copy.
    while let Some(run_len) = find_whitespace(rest) {
        let (run, after) = rest.split_at_checked(run_len).unwrap_or((rest, &[]));
        out.extend_from_slice(run);
        let whitespace_len = after.iter().take_while(|byte| is_whitespace(**byte)).count();
        rest = after.get(whitespace_len..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Resolves the escapes of `token`, a JSON string with its quotes. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    let inner = token.strip_prefix('"').unwrap_or(token);
    resolve_escapes(inner.strip_suffix('"').unwrap_or(inner))
}

/// Resolves the escapes of all strings of a JSON text, and keeps everything else. A lone surrogate becomes U+FFFD.
///
/// The result is for searching: it is no JSON when a string contains an escaped quote.
pub(crate) fn resolve_escapes(json: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (c, after) = unescape_char(escape);
        text.push(c);
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Converts bytes to text.
///
/// # Errors
/// [`PayloadError`] with the offset of the first byte that is not UTF-8.
#[inline]
pub(super) fn decode_utf8(text: &[u8]) -> Result<&str, PayloadError> {
    std::str::from_utf8(text).map_err(|error| PayloadError { offset: error.valid_up_to(), reason: "not UTF-8" })
}

/// Finds the first whitespace outside a string in valid JSON.
fn find_whitespace(text: &[u8]) -> Option<usize> {
    let mut scanner = JsonScanner::new(text);
    loop {
        match scanner.peek()? {
            b'"' => {
                scanner.read_string(SurrogatePolicy::AllowLone).ok()?;
            }
            byte if is_whitespace(byte) => return Some(scanner.position()),
            _ => scanner.advance(),
        }
    }
}

/// Resolves an escape whose backslash was removed. Returns the character and the text after it.
fn unescape_char(escape: &str) -> (char, &str) {
    let mut chars = escape.chars();
    let c = match chars.next() {
        Some('u') => return unescape_code_unit(chars.as_str()),
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(c) => c,
        None => char::REPLACEMENT_CHARACTER,
    };
    (c, chars.as_str())
}

/// Resolves an escape whose `\u` was removed, together with the second half of a surrogate pair if one follows.
fn unescape_code_unit(digits: &str) -> (char, &str) {
    let Some(unit) = parse_hex4(digits.as_bytes()) else { return (char::REPLACEMENT_CHARACTER, digits) };
    let rest = digits.get(4..).unwrap_or_default();
    let low = rest
        .strip_prefix("\\u")
        .and_then(|low| Some((decode_surrogate_pair(unit, parse_hex4(low.as_bytes())?)?, low.get(4..)?)));
    low.unwrap_or_else(|| (char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), rest))
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    use serde_json::value::RawValue;

    use super::*;

    /// Tokens about which JSON parsers are known to disagree, and a few ordinary ones. Not all of them are JSON.
    #[rustfmt::skip]
    pub(in super::super) const TOKENS: &[&str] = &[
        // numbers
        "0", "-0", "1", "-1", "01", "-01", "00", "+1", "1.", ".5", "1.0", "1.50", "-", "--1", "1e5", "1E+5", "1e-05", "1e",
        "1e+", "1.e5", "1e400", "-1e400", "0.0e0", "4294967295", "4294967296", "18446744073709551615",
        "18446744073709551616", "123456789012345678901234567890", "0x10", "1_000", "NaN", "Infinity",
        // words
        "true", "false", "null", "True", "nul", "nulll", "truefalse", "//", "/**/", "",
        // strings
        "\"\"", "\"a\"", "\"a", "a\"", "'a'", "\"\t\"", "\"\n\"", "\"\u{0}\"", "\"\u{1f}\"", "\"\u{7f}\"", "\"\u{80}\"",
        "\"\u{2028}\"", "\"Pérez\"", "\"日本語の長い文字列\"", "\"😀\"", "\u{feff}1", "\"1234567\"", "\"12345678\"",
        "\"123456\\n8\"", "\"1234567\\\"\"", "\"12345678\u{1}\"", "\"quote 'and' {brackets} [in] it, :\"",
        // escapes
        "\"\\\"\"", "\"\\\\\"", "\"\\/\\b\\f\\n\\r\\t\"", "\"\\a\"", "\"\\", "\"\\u\"", "\"\\u12\"", "\"\\u12g4\"",
        "\"\\u+123\"", "\"\\U0041\"", "\"\\u0000\"", "\"\\u0041\"",
        // surrogates
        "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\ude00\\ud83d\"",
        "\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\n\"", "\"\\ud83d\\ude0\"",
        "\"\\ud7ff\\ue000\"", "{\"\\ud800\":1}", "[\"\\ud800\"]",
        // brackets
        "[]", "{}", "[ ]", "{ }", "[1,2]", "[1,]", "[,1]", "[1 2]", "[", "]", "{", "}", "[}", "{]", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,}", "{1:2}", "{\"a\":1 \"b\":2}", "{\"a\"::1}", "{\"a\":1,\"a\":2}",
    ];

    /// Whitespace, and characters that only look like it.
    const WHITESPACE: &[&str] = &["", "", "", "", "", "", " ", "\n", "\t", "\r\n", "  ", "\u{c}", "\u{a0}"];

    /// Text that is JSON or nearly JSON: trees with [`TOKENS`] as some of the leaves.
    pub(in super::super) fn almost_json() -> impl Strategy<Value = String> {
        let whitespace = || prop::sample::select(WHITESPACE);
        let token = prop::sample::select(TOKENS).prop_map(str::to_owned);
        let string = any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a string"));
        let leaf = prop_oneof![3 => Just("17".to_owned()), 3 => string, 1 => token];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let member = (
                prop::sample::select(&["\"a\"", "\"\\u0061\"", "\"b b\"", "\"\\udfff\""][..]),
                whitespace(),
                inner.clone(),
            );
            let member = member.prop_map(|(key, space, value)| format!("{space}{key}{space}:{space}{value}"));
            let element = (whitespace(), inner, whitespace())
                .prop_map(|(before, value, after)| format!("{before}{value}{after}"));
            prop_oneof![
                prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
                prop::collection::vec(element, 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            ]
        })
    }

    /// Changes, inserts or removes one to three bytes, or truncates the text after them.
    pub(in super::super) fn with_random_edits(text: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            prop::sample::select(&b"\"\\{}[]:, \n019-+.eEu\0\x1f\x7f\x80\xc0\xed\xf5\xff"[..]),
            any::<u8>()
        ];
        let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..4, byte), 1..4);
        (text, edits).prop_map(|(mut text, edits)| {
            for (at, edit, byte) in edits {
                let at = at.index(text.len() + 1);
                match edit {
                    0 => text.insert(at, byte),
                    1 => text.truncate(at.max(text.len() / 2)),
                    2 if at < text.len() => text[at] = byte,
                    3 if at < text.len() => drop(text.remove(at)),
                    _ => {}
                }
            }
            text
        })
    }

    /// Counts the deepest nesting in valid JSON.
    pub(in super::super) fn nesting_depth(text: &str) -> u32 {
        let (mut level, mut deepest, mut in_string, mut escaped) = (0, 0, false, false);
        for c in text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = !in_string,
                '{' | '[' if !in_string => {
                    level += 1;
                    deepest = deepest.max(level);
                }
                '}' | ']' if !in_string => level -= 1,
                _ => {}
            }
        }
        deepest
    }

    /// Returns the UTF-16 code units of valid JSON text, with its escapes resolved.
    fn utf16_units(text: &str) -> Vec<u16> {
        let mut units = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
                continue;
            }
            units.push(match chars.next().expect("an escape") {
                'u' => u16::from_str_radix(&chars.by_ref().take(4).collect::<String>(), 16).expect("four digits"),
                'b' => 8,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                c => c as u16,
            });
        }
        units
    }

    /// True when valid JSON text has an escape that is half of a surrogate pair.
    pub(in super::super) fn has_lone_surrogate(text: &str) -> bool {
        String::from_utf16(&utf16_units(text)).is_err()
    }

    /// The reference validator: the standard library for UTF-8, `serde_json` for the grammar, and a separate count of
    /// levels.
    pub(in super::super) fn reference_check(text: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(text) else { return false };
        serde_json::from_str::<&RawValue>(text).is_ok() && nesting_depth(text) <= 127
    }

    /// Runs `test` on `cases` values and asserts that both outcomes were common, so that the test covers both.
    pub(in super::super) fn check_both_outcomes<S: Strategy>(
        cases: u32,
        strategy: &S,
        test: impl Fn(&S::Value) -> bool,
    ) {
        let (yes, no) = (Cell::new(0), Cell::new(0));
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(strategy, |value| {
            let count = if test(&value) { &yes } else { &no };
            count.set(count.get() + 1);
            Ok(())
        });
        if let Err(error) = outcome {
            unreachable!("{error}");
        }
        let (yes, no) = (yes.get(), no.get());
        assert!(yes.min(no) >= cases / 20, "too few of one outcome: {yes} accepted, {no} rejected");
    }

    fn assert_matches_reference(text: &[u8]) -> bool {
        let result = validate(text);
        assert_eq!(result.is_ok(), reference_check(text), "{result:?} for {}", text.escape_ascii());
        if let Err(error) = result {
            assert!(error.offset <= text.len(), "{error:?} for {}", text.escape_ascii());
        }
        result.is_ok()
    }

    #[test]
    fn the_reference_agrees_on_every_token_in_every_position() {
        for token in TOKENS {
            for text in [
                (*token).to_owned(),
                format!(" \t\r\n{token} \t\r\n"),
                format!("[{token}]"),
                format!("[1 , {token} ,2]"),
                format!("{{\"k\" : {token} }}"),
                format!("{{{token}:1}}"),
                format!("{token}{token}"),
                format!("{token},1"),
            ] {
                assert_matches_reference(text.as_bytes());
            }
        }
    }

    #[test]
    fn the_reference_agrees_on_generated_text() {
        check_both_outcomes(3000, &almost_json(), |text| assert_matches_reference(text.as_bytes()));
        let list = prop::collection::vec(almost_json(), 0..3);
        check_both_outcomes(
            6000,
            &with_random_edits(list.prop_map(|list| format!("[{}]", list.join(",")).into_bytes())),
            |text| assert_matches_reference(text),
        );
    }

    #[test]
    fn the_reference_agrees_on_every_byte_at_every_position_of_a_string() {
        // Lengths around 64 as well, because the scanner searches blocks of 64 bytes for the end of a string.
        for len in (0..20).chain(60..66) {
            for at in 0..=len {
                for byte in 0..=255u8 {
                    let mut text = vec![b'a'; len];
                    text.insert(at, byte);
                    assert_matches_reference(&[b"\"", text.as_slice(), b"\""].concat());
                    assert_matches_reference(&[b"\"", text.as_slice(), b"\",\"bcdefghijk\""].concat());
                }
            }
        }
    }

    #[test]
    fn invalid_utf8_is_rejected_at_its_offset() {
        for bad in [
            &b"\xff"[..],
            b"\x80",
            b"\xc0\x80",
            b"\xc1\xbf",
            b"\xe0\x80\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc3",
        ] {
            let text = [b"\"ab", bad, b"\""].concat();
            assert_eq!(validate(&text), Err(PayloadError { offset: 3, reason: "not UTF-8" }), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn more_than_a_hundred_and_twenty_seven_levels_are_rejected() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[ {\"a\":", "}]")] {
            let deep = |levels: usize| {
                let levels_per_repeat = open.matches(['[', '{']).count();
                let inner =
                    format!("{}1{}", open.repeat(levels / levels_per_repeat), close.repeat(levels / levels_per_repeat));
                if levels.is_multiple_of(levels_per_repeat) { inner } else { format!("[{inner}]") }
            };
            for levels in [1, 2, 126, 127] {
                assert!(assert_matches_reference(deep(levels).as_bytes()), "{levels} levels of {open}");
            }
            for levels in [128, 129, 1000, 100_000] {
                assert!(!assert_matches_reference(deep(levels).as_bytes()), "{levels} levels of {open}");
            }
            assert_eq!(validate(deep(128).as_bytes()).expect_err("rejected").reason, "more than 127 levels");
        }
        // Closed levels do not count.
        assert!(assert_matches_reference(format!("[{}1]", "[[]],{\"a\":{}},".repeat(500)).as_bytes()));
        // A wrong closing bracket is rejected at every depth, including the deepest.
        for at in 0..127 {
            let mut text = format!("{}1{}", "[".repeat(127), "]".repeat(127)).into_bytes();
            text[128 + at] = b'}';
            assert!(!assert_matches_reference(&text), "`}}` at level {}", 127 - at);
        }
    }

    #[test]
    fn an_error_has_the_offset_of_the_mistake() {
        for (text, at, reason) in [
            ("", 0, "a value was expected"),
            ("[1,]", 3, "a value was expected"),
            ("[1 2]", 3, "`,` or `]` was expected"),
            ("{\"a\":1]", 6, "`,` or `}` was expected"),
            ("{\"a\" 1}", 5, "`:` was expected"),
            ("{a:1}", 1, "a string was expected"),
            ("01", 1, "more text after the JSON value"),
            ("1.x", 2, "a digit was expected"),
            ("\"a\nb\"", 2, "a control character inside a string"),
            ("\"ab", 3, "an unterminated string"),
            ("\"\\x\"", 1, "an unknown escape"),
            ("\"\\u00g0\"", 1, "four hexadecimal digits were expected"),
        ] {
            assert_eq!(validate(text.as_bytes()), Err(PayloadError { offset: at, reason }), "{text}");
        }
        let text = PayloadError { offset: 3, reason: "a value was expected" }.to_string();
        assert_eq!(text, "at byte 3 of the payload: a value was expected");
    }

    #[test]
    fn only_whitespace_outside_strings_is_dropped() {
        let compacted = |text: &str| {
            let mut out = b"before".to_vec();
            compact(text.as_bytes(), &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        let text = " {\r\n\t\"a b\" : [ 1.0 , 1e400,\"\\\" \\\\\" , \"\\u0020  \" ] , \"\": { } }\n";
        assert_eq!(compacted(text), "before{\"a b\":[1.0,1e400,\"\\\" \\\\\",\"\\u0020  \"],\"\":{}}");
        // Text that is not valid JSON is copied without a panic.
        assert_eq!(compacted("[ \"a b"), "before[\"a b");
        check_both_outcomes(3000, &almost_json(), |text| {
            let valid = validate(text.as_bytes()).is_ok();
            if valid {
                let (mut expected, mut in_string, mut escaped) = (String::from("before"), false, false);
                for c in text.chars() {
                    match c {
                        ' ' | '\t' | '\n' | '\r' if !in_string => continue,
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        '"' => in_string = !in_string,
                        _ => {}
                    }
                    expected.push(c);
                }
                assert_eq!(compacted(text), expected, "{text}");
            }
            valid
        });
    }

    #[test]
    fn escapes_are_resolved_like_utf16() {
        let mut strings = 0;
        for token in TOKENS.iter().filter(|token| token.starts_with('"') && reference_check(token.as_bytes())) {
            assert_eq!(unescape(token), String::from_utf16_lossy(&utf16_units(&token[1..token.len() - 1])), "{token}");
            strings += 1;
        }
        assert!(strings > 20, "{strings} strings");
        assert_eq!(unescape("\"\\ud83d\\ude00\\ud83d!\""), "\u{1f600}\u{fffd}!");
        assert!(matches!(unescape("\"plain\""), Cow::Borrowed("plain")), "no copy without an escape");
        // Text that is not a JSON string must not cause a panic.
        for broken in ["", "\"", "\\", "\"\\", "\\u", "\\u12", "\\u123é", "\\ud800\\u", "\\ud800\\u12", "\\é"] {
            unescape(broken);
        }
    }

    proptest! {
        #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

        #[test]
        fn unescaping_reverses_escaping(text: String) {
            let token = serde_json::to_string(&text).expect("a string");
            prop_assert_eq!(unescape(&token), text);
        }
    }
}
