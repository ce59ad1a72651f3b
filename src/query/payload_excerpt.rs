//! The part of an event's payload that a list of rows shows: a summary of bounded size, and the values at chosen paths.

use std::borrow::Cow;

use super::payload_path::{PayloadPath, token_text};
use crate::format::json::resolve_escapes;

/// Largest number of characters of a value at a path; more than any column shows.
const MAX_VALUE_CHARS: usize = 200;
/// Largest number of paths in one request.
const MAX_PATHS: usize = 16;

/// What is extracted from the payload of each event of a page. The default extracts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExcerptRequest {
    /// Largest size of the summary in bytes; 0 for no summary.
    pub summary_bytes: usize,
    /// The paths whose values are extracted.
    pub paths: Vec<PayloadPath>,
}

/// The part of an event's payload that was requested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadExcerpt {
    /// The payload as JSON without blanks outside strings. Escapes of printable characters such as `\u00e1` are resolved.
    pub summary: String,
    /// True when the payload is longer than the summary.
    pub is_cut: bool,
    /// The value at each requested path, in the order of the paths: the characters of a string, another value as stored.
    /// `None` where the payload has no value. A value of more than 200 characters ends in an ellipsis.
    pub values: Vec<Option<String>>,
}

impl ExcerptRequest {
    /// Requests a summary of at most `bytes` bytes.
    #[must_use]
    pub const fn with_summary(mut self, bytes: usize) -> Self {
        self.summary_bytes = bytes;
        self
    }

    /// Requests the values at paths. Paths after the sixteenth are ignored.
    #[must_use]
    pub fn with_paths(mut self, paths: Vec<PayloadPath>) -> Self {
        self.paths = paths;
        self.paths.truncate(MAX_PATHS);
        self
    }

    /// Extracts the requested parts of a payload, which must be valid JSON. `None` when nothing is requested.
    ///
    /// The cost of a summary does not depend on the size of the payload, unless it starts with blanks. Each path costs a
    /// pass over the payload.
    pub fn extract(&self, payload: &str) -> Option<PayloadExcerpt> {
        if self.summary_bytes == 0 && self.paths.is_empty() {
            return None;
        }
        let (summary, is_cut) = summarize(payload, self.summary_bytes);
        let value = |path: &PayloadPath| path.find(payload).map(|token| cut_value(&token_text(token)));
        Some(PayloadExcerpt { summary, is_cut, values: self.paths.iter().map(value).collect() })
    }
}

fn cut_value(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Returns at most `max_bytes` bytes of a JSON text without the blanks outside strings, and whether more follows.
fn summarize(json: &str, max_bytes: usize) -> (String, bool) {
    let mut out = String::new();
    let mut rest = json;
    let mut inside_string = false;
    while let Some(c) = rest.chars().next() {
        let (piece, len) = match c {
            ' ' | '\t' | '\n' | '\r' if !inside_string => (Cow::Borrowed(""), 1),
            '\\' if inside_string => summarize_escape(rest),
            _ => (Cow::Borrowed(rest.get(..c.len_utf8()).unwrap_or_default()), c.len_utf8()),
        };
        if out.len() + piece.len() > max_bytes {
            return (out, true);
        }
        inside_string ^= c == '"';
        out.push_str(&piece);
        rest = rest.get(len..).unwrap_or_default();
    }
    (out, false)
}

/// Returns how the escape at the start of `rest` is shown, and its length in `rest` in bytes.
///
/// An escape of a printable character is resolved, so that the text can be read. Every other escape stays as stored, so
/// that the text stays valid JSON.
fn summarize_escape(rest: &str) -> (Cow<'_, str>, usize) {
    let stored = |len: usize| rest.get(..len).unwrap_or(rest);
    let is_readable = |c: char| !c.is_control() && !matches!(c, '"' | '\\' | char::REPLACEMENT_CHARACTER);
    // A pair of surrogates takes twelve bytes, another character six.
    let lengths: &[usize] = match rest.as_bytes().get(1) {
        Some(b'u') => &[12, 6],
        Some(b'/') => &[2],
        _ => &[],
    };
    for len in lengths {
        let resolved = resolve_escapes(stored(*len));
        let mut chars = resolved.chars();
        if rest.len() >= *len
            && let (Some(c), None) = (chars.next(), chars.next())
            && is_readable(c)
        {
            return (Cow::Owned(c.to_string()), *len);
        }
    }
    let len = if lengths.len() == 2 { 6 } else { 2 };
    let len = (len..=len + 3).find(|len| rest.is_char_boundary(*len)).unwrap_or(rest.len()).min(rest.len());
    (Cow::Borrowed(stored(len)), len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summary(payload: &str, bytes: usize) -> PayloadExcerpt {
        ExcerptRequest::default().with_summary(bytes).extract(payload).unwrap()
    }

    #[test]
    fn a_summary_has_no_blanks_outside_strings_and_readable_escapes() {
        let payload =
            "{ \"place\" : \"Bogot\\u00e1  x\",\n\"url\":\"a\\/b\", \"n\": [1 , 2.50],\"e\":\"\\ud83d\\ude00\" }";
        let found = summary(payload, 1000);
        assert_eq!(found.summary, "{\"place\":\"Bogotá  x\",\"url\":\"a/b\",\"n\":[1,2.50],\"e\":\"😀\"}");
        assert!(!found.is_cut);
        // These stay escapes, because the text would not be JSON or would not be readable without them.
        let stored = r#"{"q":"\"\\\n\u0000\u001b\ud800\u0022"}"#;
        assert_eq!(summary(stored, 1000).summary, stored);
    }

    #[test]
    fn a_summary_is_cut_at_a_character() {
        let found = summary("{\"a\":\"日本語\"}", 10);
        assert_eq!((found.summary.as_str(), found.is_cut), ("{\"a\":\"日", true));
        assert_eq!(summary("{}", 2), PayloadExcerpt { summary: "{}".into(), ..PayloadExcerpt::default() });
        assert_eq!(ExcerptRequest::default().extract("{}"), None);
    }

    #[test]
    fn values_at_paths_are_text_and_cut_with_a_mark() {
        let long = "x".repeat(300);
        let payload = format!(r#"{{"name":"P\u00e9rez","n":1.50,"tags":["a","b"],"a.b":null,"long":"{long}"}}"#);
        let paths = ["payload.name", "payload.n", "payload.tags.1", "payload.\"a.b\"", "payload.no", "payload.long"];
        let paths = paths.into_iter().map(|path| PayloadPath::parse(path).unwrap().unwrap()).collect();
        let found = ExcerptRequest::default().with_paths(paths).extract(&payload).unwrap();
        let values: Vec<Option<&str>> = found.values.iter().map(Option::as_deref).collect();
        assert_eq!(values[..5], [Some("Pérez"), Some("1.50"), Some("b"), Some("null"), None]);
        assert_eq!(values[5].map(|value| (value.chars().count(), value.ends_with('…'))), Some((201, true)));
    }

    proptest! {
        #[test]
        fn a_whole_summary_keeps_the_value_and_every_summary_its_limit(text in any::<String>(), limit in 0usize..60) {
            let json = serde_json::to_string(&serde_json::json!({ "k": text, "n": 1 })).unwrap();
            let escaped: String = json.chars().map(|c| {
                let mut units = [0; 2];
                let units = c.encode_utf16(&mut units);
                if c.is_ascii() { c.to_string() } else { units.iter().map(|unit| format!("\\u{unit:04x}")).collect() }
            }).collect();
            for json in [&json, &escaped] {
                let whole = summary(json, usize::MAX);
                let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
                prop_assert_eq!(value(&whole.summary), value(json));
                let cut = summary(json, limit.max(1));
                prop_assert!(cut.summary.len() <= limit.max(1) && whole.summary.starts_with(&cut.summary));
                prop_assert_eq!(cut.is_cut, cut.summary.len() < whole.summary.len());
            }
        }
    }
}
