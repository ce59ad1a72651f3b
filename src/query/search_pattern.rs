//! The pattern of a search: a plain text or a regular expression.

use super::slashed_pattern::SlashedPattern;
use super::syntax_error::QuerySyntaxError;
use super::text_matcher::TextMatcher;

/// A text or regular expression to search for. A pattern all in lower case matches any case.
#[derive(Debug, Clone)]
pub struct SearchPattern {
    matcher: TextMatcher,
    text: String,
}

impl SearchPattern {
    /// Parses a plain text, or a regular expression between slashes such as `/am.unt/`; `/x/i` matches any case.
    ///
    /// A text that starts with a slash and is not closed by another one, such as `/api`, is a plain text.
    ///
    /// # Errors
    /// The text is empty, or the regular expression is invalid.
    pub fn parse(text: &str) -> Result<Self, QuerySyntaxError> {
        let error = |reason| QuerySyntaxError { word: text.to_owned(), position: 0, reason };
        let matcher = match SlashedPattern::read(text) {
            Some(Ok(pattern)) => TextMatcher::from_slashed(&pattern),
            None if text.is_empty() => Err("expected a text, or a regular expression between slashes: /am.unt/".into()),
            None | Some(Err(_)) => TextMatcher::from_text(text),
        };
        Ok(Self { matcher: matcher.map_err(error)?, text: text.to_owned() })
    }

    /// Returns how the text was understood: as a text or a regular expression, and which case matches.
    #[cfg(feature = "app")]
    pub(crate) fn meaning(&self) -> &'static str {
        match SlashedPattern::read(&self.text) {
            Some(Ok(SlashedPattern { ignores_case: true, .. })) => "regular expression, any case",
            Some(Ok(pattern)) if TextMatcher::is_case_sensitive(&pattern.pattern) => {
                "regular expression, this case, because it has a capital; /x/i matches any case"
            }
            Some(Ok(_)) => "regular expression, any case, because it has no capital",
            _ if self.text.contains(char::is_uppercase) => {
                "text, this case, because it has a capital; /x/i matches any case"
            }
            _ => "text, any case, because it has no capital",
        }
    }

    /// Returns the pattern as the user typed it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the ranges of a text that the pattern matches, without resolving escapes.
    #[cfg(feature = "app")]
    pub(crate) fn match_ranges(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.matcher.match_ranges(text)
    }

    /// True when the pattern occurs in a JSON text, as stored or with the escapes of its strings resolved.
    pub fn is_match(&self, json: &[u8]) -> bool {
        self.matcher.is_match(json)
    }
}
