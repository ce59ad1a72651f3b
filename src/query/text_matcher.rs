//! Text and patterns as people type them, looked for in bytes. Smart case: a text all in lower case matches any case.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// Something to look for.
#[derive(Debug, Clone)]
pub(super) enum TextMatcher {
    /// These bytes exactly.
    Exact(Box<Finder<'static>>),
    /// Whatever the pattern matches.
    Regex(Regex),
}

impl TextMatcher {
    /// A plain text. The error says in words why it cannot be looked for.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let cased = |c: char| c.is_lowercase() || c.is_uppercase();
        if has_upper_case(text) || !text.contains(cased) {
            return Ok(Self::Exact(Box::new(Finder::new(text).into_owned())));
        }
        Self::compile_regex(&regex::escape(text), true)
    }

    /// A regular expression. The error says in words what is wrong with it.
    pub(super) fn from_pattern(pattern: &str) -> Result<Self, String> {
        Self::compile_regex(pattern, !has_upper_case(&strip_escapes(pattern)))
    }

    fn compile_regex(pattern: &str, any_case: bool) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).case_insensitive(any_case).build();
        built.map(Self::Regex).map_err(|error| regex_error_message(&error))
    }

    /// True when `bytes` hold it.
    pub(super) fn is_match(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Exact(finder) => finder.find(bytes).is_some(),
            Self::Regex(pattern) => pattern.is_match(bytes),
        }
    }
}

/// What is wrong with a regular expression, in one line.
pub(super) fn regex_error_message(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn has_upper_case(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// The pattern without its classes (`\S`, `\p{Lu}`), whose upper case letters mean no letter.
fn strip_escapes(pattern: &str) -> String {
    let mut rest = pattern.chars().peekable();
    let mut kept = String::new();
    while let Some(c) = rest.next() {
        if c != '\\' {
            kept.push(c);
        } else if rest.next().is_some() && rest.peek() == Some(&'{') {
            rest.by_ref().find(|c| *c == '}');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_matches_any_case_and_a_capital_only_itself() {
        let lower = TextMatcher::from_text("juan").unwrap();
        assert!(lower.is_match(b"{\"name\":\"JUAN\"}") && lower.is_match(b"Juan"));
        let capital = TextMatcher::from_text("Juan").unwrap();
        assert!(capital.is_match(b"a Juan") && !capital.is_match(b"a juan"));
        assert!(TextMatcher::from_text("é").unwrap().is_match("É".as_bytes()));
        assert!(
            TextMatcher::from_text("1.0").unwrap().is_match(b"[1.0]")
                && !TextMatcher::from_text("1.0").unwrap().is_match(b"[100]")
        );
    }

    #[test]
    fn a_class_in_capitals_is_no_capital() {
        assert!(TextMatcher::from_pattern(r"ju\Sn").unwrap().is_match(b"JUAN"));
        assert!(TextMatcher::from_pattern(r"\p{Lu}uan").unwrap().is_match(b"JUAN"));
        assert!(!TextMatcher::from_pattern(r"J\San").unwrap().is_match(b"juan"));
    }

    #[test]
    fn a_broken_pattern_is_told_in_one_line() {
        assert_eq!(TextMatcher::from_pattern("(a").unwrap_err(), "unclosed group");
    }
}
