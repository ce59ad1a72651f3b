//! Matches JSON with a text or a regular expression. A pattern all in lower case matches any case ("smart case").

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::slashed_pattern::SlashedPattern;
use crate::format::json::resolve_escapes;

/// A compiled text or regular expression.
#[derive(Debug, Clone)]
pub(super) enum TextMatcher {
    /// Matches these bytes exactly.
    Exact(Box<Finder<'static>>),
    /// Matches where the regular expression matches.
    Regex(Regex),
}

/// The treatment of upper and lower case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseSensitivity {
    Sensitive,
    Insensitive,
}

impl TextMatcher {
    /// Compiles a plain text. The error is the reason, for messages.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let cased = |c: char| c.is_lowercase() || c.is_uppercase();
        if has_upper_case(text) || !text.contains(cased) {
            return Ok(Self::Exact(Box::new(Finder::new(text).into_owned())));
        }
        Self::compile_regex(&regex::escape(text), CaseSensitivity::Insensitive)
    }

    /// Compiles a text in parts, between which any characters of the same JSON string may be. The error is the reason.
    pub(super) fn from_parts(parts: &[String]) -> Result<Self, String> {
        let parts: Vec<&String> = parts.iter().filter(|part| !part.is_empty()).collect();
        if let [text] = parts.as_slice() {
            return Self::from_text(text);
        }
        let has_capital = parts.iter().any(|part| has_upper_case(part));
        let escaped: Vec<String> = parts.iter().map(|part| regex::escape(part)).collect();
        let case = if has_capital { CaseSensitivity::Sensitive } else { CaseSensitivity::Insensitive };
        Self::compile_regex(&escaped.join("[^\"]*"), case)
    }

    /// Compiles a regular expression that was typed between slashes. The error is the reason, for messages.
    pub(super) fn from_slashed(slashed: &SlashedPattern) -> Result<Self, String> {
        if slashed.ignores_case {
            return Self::compile_regex(&slashed.pattern, CaseSensitivity::Insensitive);
        }
        Self::from_pattern(&slashed.pattern)
    }

    /// Compiles a regular expression. The error is the reason, for messages.
    fn from_pattern(pattern: &str) -> Result<Self, String> {
        let is_sensitive = Self::is_case_sensitive(pattern);
        let case = if is_sensitive { CaseSensitivity::Sensitive } else { CaseSensitivity::Insensitive };
        Self::compile_regex(pattern, case)
    }

    /// True for a regular expression with a capital letter that is not part of a class.
    pub(super) fn is_case_sensitive(pattern: &str) -> bool {
        has_upper_case(&strip_escapes(pattern))
    }

    fn compile_regex(pattern: &str, case: CaseSensitivity) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).case_insensitive(case == CaseSensitivity::Insensitive).build();
        built.map(Self::Regex).map_err(|error| regex_error_message(&error))
    }

    /// True when the pattern occurs in a JSON text, as stored or with the escapes of its strings resolved.
    ///
    /// A producer may write `á` as `\u00e1`, and `/` as `\/`. A text without a backslash is matched once.
    pub(super) fn is_match(&self, json: &[u8]) -> bool {
        if self.occurs_in(json) {
            return true;
        }
        let has_escapes = memchr::memchr(b'\\', json).is_some();
        let text = if has_escapes { std::str::from_utf8(json).ok() } else { None };
        text.is_some_and(|text| self.occurs_in(resolve_escapes(text).as_bytes()))
    }

    /// Returns the ranges of a text that the pattern matches, without resolving escapes.
    #[cfg(feature = "app")]
    pub(super) fn match_ranges(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        match self {
            Self::Exact(finder) => {
                let len = finder.needle().len();
                finder.find_iter(text.as_bytes()).map(|start| start..start + len).collect()
            }
            Self::Regex(pattern) => pattern.find_iter(text.as_bytes()).map(|found| found.range()).collect(),
        }
    }

    fn occurs_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Exact(finder) => finder.find(bytes).is_some(),
            Self::Regex(pattern) => pattern.is_match(bytes),
        }
    }
}

/// Returns the reason why a regular expression cannot be compiled, in one line.
pub(super) fn regex_error_message(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn has_upper_case(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// Returns the pattern without classes such as `\S` and `\p{Lu}`, whose upper case letters are not literal.
fn strip_escapes(pattern: &str) -> String {
    let mut rest = pattern.chars().peekable();
    let mut literal = String::new();
    while let Some(c) = rest.next() {
        if c != '\\' {
            literal.push(c);
        } else if rest.next().is_some() && rest.peek() == Some(&'{') {
            rest.by_ref().find(|c| *c == '}');
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_lower_case_matches_any_case_and_a_capital_matches_itself() {
        let lower = TextMatcher::from_text("juan").unwrap();
        assert!(lower.is_match(b"{\"name\":\"JUAN\"}") && lower.is_match(b"Juan"));
        let capital = TextMatcher::from_text("Juan").unwrap();
        assert!(capital.is_match(b"a Juan") && !capital.is_match(b"a juan"));
        assert!(TextMatcher::from_text("é").unwrap().is_match("É".as_bytes()));
        let dotted = TextMatcher::from_text("a.b(").unwrap();
        assert!(dotted.is_match(b"A.B(") && !dotted.is_match(b"axb("));
        assert!(
            TextMatcher::from_text("1.0").unwrap().is_match(b"[1.0]")
                && !TextMatcher::from_text("1.0").unwrap().is_match(b"[100]")
        );
    }

    #[test]
    fn escapes_are_matched_as_stored_and_resolved() {
        let json = br#"{"place":"Bogot\u00e1","url":"a\/b","n\u0061me":"\ud83d\ude00 \"x\""}"#;
        for text in ["Bogotá", "bogotá", "a/b", "name", "😀", "\"x\"", r"Bogot\u00e1", r"a\/b", "place"] {
            assert!(TextMatcher::from_text(text).unwrap().is_match(json), "{text}");
        }
        assert!(TextMatcher::from_pattern("bogot.\"").unwrap().is_match(json));
        for text in ["Bogota", "a//b", "BOGOTÁ"] {
            assert!(!TextMatcher::from_text(text).unwrap().is_match(json), "{text}");
        }
        assert!(!TextMatcher::from_text("é").unwrap().is_match(b"\xff\\u00e9"), "not UTF-8, so no JSON");
    }

    #[test]
    fn a_capital_of_a_class_does_not_make_the_pattern_case_sensitive() {
        assert!(TextMatcher::from_pattern(r"ju\Sn").unwrap().is_match(b"JUAN"));
        assert!(TextMatcher::from_pattern(r"\p{Lu}uan").unwrap().is_match(b"JUAN"));
        assert!(!TextMatcher::from_pattern(r"J\San").unwrap().is_match(b"juan"));
    }

    #[test]
    fn a_text_in_parts_matches_within_one_string() {
        let matcher = |parts: &[&str]| {
            TextMatcher::from_parts(&parts.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
        };
        assert!(matcher(&["", "sil", "va"]).is_match(br#"{"name":"Silent Lava"}"#));
        assert!(!matcher(&["name", "Sil"]).is_match(br#"{"name":"Silva"}"#), "the parts are in two strings");
        assert!(!matcher(&["Sil", "VA"]).is_match(b"Silva"));
    }

    #[test]
    fn a_pattern_between_slashes_matches_any_case_when_it_says_so() {
        let matcher = |text: &str| TextMatcher::from_slashed(&SlashedPattern::read(text).unwrap().unwrap()).unwrap();
        assert!(matcher("/SIL.A/i").is_match(b"silva") && !matcher("/SIL.A/").is_match(b"silva"));
    }

    #[test]
    fn an_invalid_pattern_is_reported_in_one_line() {
        assert_eq!(TextMatcher::from_pattern("(a").unwrap_err(), "unclosed group");
    }
}
