//! Text and patterns as people type them, looked for in bytes. Smart case: a text all in lower case matches any case.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// Something to look for.
#[derive(Debug, Clone)]
pub(super) enum Needle {
    /// These bytes exactly.
    Exact(Box<Finder<'static>>),
    /// Whatever the pattern matches.
    Pattern(Regex),
}

impl Needle {
    /// A plain text. The error says in words why it cannot be looked for.
    pub(super) fn text(text: &str) -> Result<Self, String> {
        let cased = |c: char| c.is_lowercase() || c.is_uppercase();
        if has_upper_case(text) || !text.contains(cased) {
            return Ok(Self::Exact(Box::new(Finder::new(text).into_owned())));
        }
        Self::build(&regex::escape(text), true)
    }

    /// A regular expression. The error says in words what is wrong with it.
    pub(super) fn pattern(pattern: &str) -> Result<Self, String> {
        Self::build(pattern, !has_upper_case(&without_escapes(pattern)))
    }

    fn build(pattern: &str, any_case: bool) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).case_insensitive(any_case).build();
        built.map(Self::Pattern).map_err(|error| why(&error))
    }

    /// True when `bytes` hold it.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Exact(finder) => finder.find(bytes).is_some(),
            Self::Pattern(pattern) => pattern.is_match(bytes),
        }
    }
}

/// What is wrong with a regular expression, in one line.
pub(super) fn why(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn has_upper_case(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// The pattern without its classes (`\S`, `\p{Lu}`), whose upper case letters mean no letter.
fn without_escapes(pattern: &str) -> String {
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
        let lower = Needle::text("juan").unwrap();
        assert!(lower.is_in(b"{\"name\":\"JUAN\"}") && lower.is_in(b"Juan"));
        let capital = Needle::text("Juan").unwrap();
        assert!(capital.is_in(b"a Juan") && !capital.is_in(b"a juan"));
        assert!(Needle::text("é").unwrap().is_in("É".as_bytes()));
        assert!(Needle::text("1.0").unwrap().is_in(b"[1.0]") && !Needle::text("1.0").unwrap().is_in(b"[100]"));
    }

    #[test]
    fn a_class_in_capitals_is_no_capital() {
        assert!(Needle::pattern(r"ju\Sn").unwrap().is_in(b"JUAN"));
        assert!(Needle::pattern(r"\p{Lu}uan").unwrap().is_in(b"JUAN"));
        assert!(!Needle::pattern(r"J\San").unwrap().is_in(b"juan"));
    }

    #[test]
    fn a_broken_pattern_is_told_in_one_line() {
        assert_eq!(Needle::pattern("(a").unwrap_err(), "unclosed group");
    }
}
