//! Makes text from a log, a path or an error safe for a terminal.
//!
//! Control characters, characters that change the direction of text and invisible characters are shown by name between
//! `‹` and `›`. A `‹` in the text is escaped too, so different texts never look the same.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Starts an escape. This character is escaped where it occurs in the text itself.
const ESCAPE_OPEN: char = '‹';
/// Ends an escape.
const ESCAPE_CLOSE: char = '›';
/// Maximum number of combining marks on one character, which is enough for every living language.
const MAX_MARKS: u32 = 4;

/// Replaces every hostile character with an escape: `‹ESC›`, `‹U+202E›`.
///
/// These characters are hostile: control characters (including line feed and tab, because the caller splits lines
/// first), characters that change the direction of text, invisible characters (except the space), noncharacters,
/// combining marks without a base character, and more than four combining marks on one character.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if first_hostile(text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    escape(text, &mut out);
    Cow::Owned(out)
}

/// Replaces hostile characters in compact JSON with JSON escapes, which keeps the value. `json` must not contain
/// whitespace outside strings.
pub(crate) fn sanitize_json(json: &str) -> Cow<'_, str> {
    let Some(first) = first_hostile_in_json(json) else {
        return Cow::Borrowed(json);
    };
    let (plain, rest) = json.split_at(first);
    let mut out = String::with_capacity(json.len() + 16);
    out.push_str(plain);
    // Whether a combining mark is hostile depends on the characters before it.
    let mut marks = CombiningMarks::default();
    plain.chars().for_each(|c| {
        marks.check_hostile(c);
    });
    for c in rest.chars() {
        if marks.check_hostile(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Appends `text` to `out` with every hostile character escaped.
fn escape(text: &str, out: &mut String) {
    let mut marks = CombiningMarks::default();
    for c in text.chars() {
        if c == ESCAPE_OPEN || marks.check_hostile(c) {
            push_escape(c, out);
            marks.reset();
        } else {
            out.push(c);
        }
    }
}

/// Returns the byte offset of the first hostile character.
fn first_hostile(text: &str) -> Option<usize> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let mut marks = CombiningMarks::default();
    text.char_indices().find(|(_, c)| *c == ESCAPE_OPEN || marks.check_hostile(*c)).map(|(at, _)| at)
}

/// Returns the byte offset of the first hostile character in JSON, where `‹` needs no escape.
fn first_hostile_in_json(json: &str) -> Option<usize> {
    if json.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let mut marks = CombiningMarks::default();
    json.char_indices().find(|(_, c)| marks.check_hostile(*c)).map(|(at, _)| at)
}

/// Counts combining marks on the last base character; `None` if there is no base character.
#[derive(Default)]
struct CombiningMarks(Option<u32>);

impl CombiningMarks {
    fn reset(&mut self) {
        self.0 = None;
    }

    /// Counts the next character, and returns true if it must be escaped.
    fn check_hostile(&mut self, c: char) -> bool {
        if matches!(c, ' '..='~') {
            self.0 = Some(0);
            return false;
        }
        if c.is_control() || is_invisible(c) {
            self.0 = None;
            return true;
        }
        if c.width() != Some(0) {
            self.0 = Some(0);
            return false;
        }
        match &mut self.0 {
            Some(marks) if *marks < MAX_MARKS => {
                *marks += 1;
                false
            }
            _ => true,
        }
    }
}

/// True for invisible characters, characters that change the direction of text, and noncharacters.
///
/// These are `Default_Ignorable_Code_Point` of Unicode 16, the spaces and separators other than U+0020, the interlinear
/// annotations, the blank Braille pattern, and the 66 noncharacters.
fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    matches!(code,
        0xA0 | 0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x1680 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x2000..=0x200F | 0x2028..=0x202F | 0x205F..=0x206F | 0x2800 | 0x3000 | 0x3164
        | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x13440 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
    ) || code & 0xFFFE == 0xFFFE
}

/// The ASCII names of the characters 00 to 1F; form feed is NP (new page).
const CONTROL_NAMES: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "NP", "CR", "SO", "SI", "DLE",
    "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
];

fn push_escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let _ = match CONTROL_NAMES.get(code as usize) {
        Some(name) => write!(out, "{ESCAPE_OPEN}{name}{ESCAPE_CLOSE}"),
        None if code == 0x7F => write!(out, "{ESCAPE_OPEN}DEL{ESCAPE_CLOSE}"),
        None => write!(out, "{ESCAPE_OPEN}U+{code:04X}{ESCAPE_CLOSE}"),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_and_invisible_characters_are_shown_by_name() {
        let cases = [
            ("plain – ünïcode 日本 é", "plain – ünïcode 日本 é"),
            ("\u{1b}[2J", "‹ESC›[2J"),
            ("a\nb\tc\r\0\u{7f}\u{c}", "a‹LF›b‹TAB›c‹CR›‹NUL›‹DEL›‹NP›"),
            ("\u{9b}31m", "‹U+009B›31m"),
            ("user\u{202e}gpj.exe\u{2066}", "user‹U+202E›gpj.exe‹U+2066›"),
            ("a\u{200b}b\u{feff}\u{ad}\u{a0}", "a‹U+200B›b‹U+FEFF›‹U+00AD›‹U+00A0›"),
            ("tag\u{e0041}\u{e007f}", "tag‹U+E0041›‹U+E007F›"),
            ("‹ESC›", "‹U+2039›ESC›"),
            ("\u{301}x", "‹U+0301›x"),
            ("\u{fffe}\u{10ffff}", "‹U+FFFE›‹U+10FFFF›"),
        ];
        for (text, expected) in cases {
            assert_eq!(sanitize(text), expected, "{text:?}");
        }
    }

    #[test]
    fn combining_marks_are_kept_up_to_a_limit() {
        assert_eq!(sanitize("e\u{301}\u{302}"), "e\u{301}\u{302}");
        let stacked_marks = format!("e{}", "\u{301}".repeat(5000));
        let shown = sanitize(&stacked_marks);
        assert!(shown.starts_with("e\u{301}\u{301}\u{301}\u{301}‹U+0301›‹U+0301›"));
        assert_eq!(shown.matches('\u{301}').count(), 4);
    }

    #[test]
    fn sanitized_json_keeps_its_value() {
        let json = "{\"a\":\"x\u{202e}\u{7f}\u{e0041} ‹é›\",\"b\":1.0}";
        let shown = sanitize_json(json);
        assert_eq!(shown, "{\"a\":\"x\\u202e\\u007f\\udb40\\udc41 ‹é›\",\"b\":1.0}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(json));
        assert!(matches!(sanitize_json("{\"a\":\"é\"}"), Cow::Borrowed(_)));
    }

    /// Decodes escapes. A round trip through this function proves that different inputs look different.
    fn unescape(shown: &str) -> String {
        let mut text = String::new();
        let mut rest = shown;
        while let Some(at) = rest.find(ESCAPE_OPEN) {
            text.push_str(&rest[..at]);
            let (name, after) = rest[at + ESCAPE_OPEN.len_utf8()..].split_once(ESCAPE_CLOSE).unwrap();
            rest = after;
            let code = match name.strip_prefix("U+") {
                Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
                None if name == "DEL" => 0x7F,
                None => CONTROL_NAMES.iter().position(|control| *control == name).unwrap() as u32,
            };
            text.push(char::from_u32(code).unwrap());
        }
        text + rest
    }

    proptest! {
        #[test]
        fn sanitized_text_can_be_decoded_and_contains_no_raw_controls(
            pieces in proptest::collection::vec(
                prop_oneof![
                    any::<char>(),
                    prop_oneof![Just('‹'), Just('›'), Just('\u{301}'), Just('x'), Just('\u{202e}'), Just('U')],
                ],
                0..40,
            )
        ) {
            let text: String = pieces.into_iter().collect();
            let shown = sanitize(&text);
            prop_assert_eq!(unescape(&shown), text.clone());
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
        }

        #[test]
        fn json_strings_keep_their_value(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let shown = sanitize_json(&json).into_owned();
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
        }
    }
}
