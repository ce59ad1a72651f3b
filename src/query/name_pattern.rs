//! The text that a filter term compares with: one text, a text with `*`, or a regular expression.

use regex::Regex;

use super::quotes::unquote;
use super::slashed_pattern::SlashedPattern;
use super::text_matcher::regex_error_message;

/// The condition of a term on a text.
#[derive(Debug, Clone)]
pub(super) enum NamePattern {
    /// The text is equal to this one.
    Exact(String),
    /// The regular expression matches.
    Regex {
        /// The value as typed: a text with `*`, or the regular expression.
        typed: String,
        /// The compiled expression.
        regex: Regex,
    },
}

impl NamePattern {
    /// Creates the pattern of one typed value. A `*` outside quotes matches any characters, also none.
    ///
    /// # Errors
    /// The reason, when the pattern is too large.
    pub(super) fn from_value(typed: &str) -> Result<Self, String> {
        let parts = split_wildcards(typed);
        if parts.len() < 2 {
            return Ok(Self::Exact(unquote(typed)));
        }
        let escaped: Vec<String> = parts.iter().map(|part| regex::escape(part)).collect();
        Self::compile(typed, &format!("(?s)^{}$", escaped.join(".*")))
    }

    /// Creates the pattern of a typed regular expression: as it is, in quotes, or between slashes, `/x/i` for any case.
    ///
    /// # Errors
    /// The reason why it is not a regular expression.
    pub(super) fn from_regex(typed: &str) -> Result<Self, String> {
        let pattern = match SlashedPattern::read(typed) {
            Some(Ok(SlashedPattern { pattern, ignores_case: true })) => format!("(?i){pattern}"),
            Some(Ok(SlashedPattern { pattern, .. })) => pattern,
            Some(Err(_)) | None => unquote(typed),
        };
        Self::compile(typed, &pattern)
    }

    fn compile(typed: &str, pattern: &str) -> Result<Self, String> {
        let regex = Regex::new(pattern)
            .map_err(|error| format!("`{pattern}` is not a regular expression: {}", regex_error_message(&error)))?;
        Ok(Self::Regex { typed: typed.to_owned(), regex })
    }

    /// Returns the text without quotes, the text with `*`, or the regular expression.
    pub(super) fn typed(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::Regex { typed, .. } => typed,
        }
    }

    /// True when the text satisfies the condition.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(expected) => text == expected,
            Self::Regex { regex, .. } => regex.is_match(text),
        }
    }
}

/// Splits a typed value at each `*` outside quotes, and removes the quotes. The result has one part when there is none.
pub(super) fn split_wildcards(typed: &str) -> Vec<String> {
    split_outside_quotes(typed, '*').into_iter().map(|(_, part)| unquote(part)).collect()
}

/// Splits a text at a character outside quotes. Each part comes with its position in bytes.
pub(super) fn split_outside_quotes(text: &str, separator: char) -> Vec<(usize, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, c) in text.char_indices() {
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        if c == separator && !quoted {
            parts.push((start, text.get(start..at).unwrap_or_default()));
            start = at + c.len_utf8();
        }
    }
    parts.push((start, text.get(start..).unwrap_or_default()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_outside_quotes_matches_any_characters() {
        let matches = |typed: &str, text: &str| NamePattern::from_value(typed).unwrap().matches(text);
        assert!(matches("acc*", "accounts") && matches("*unt*", "accounts") && matches("a*s", "as"));
        assert!(!matches("acc*", "my accounts") && !matches("a.c*", "abc"));
        assert!(matches("\"a*\"", "a*") && !matches("\"a*\"", "ab"));
        assert!(matches("\"a b\"*", "a b\nc"));
        assert_eq!(split_wildcards(r#""say \"*\""*"#), [r#"say "*""#, ""]);
    }

    #[test]
    fn a_regular_expression_is_typed_as_it_is_or_between_slashes() {
        let matches = |typed: &str, text: &str| NamePattern::from_regex(typed).unwrap().matches(text);
        assert!(matches("^Up", "Updated") && !matches("^up", "Updated"));
        assert!(matches("/^up/i", "Updated") && matches("/a\\/b/", "a/b") && matches("\"/a/b\"", "x/a/b"));
        assert!(NamePattern::from_regex("(").unwrap_err().contains("unclosed group"));
    }
}
