//! The pattern of a search: a plain text or a regular expression.

use super::syntax_error::QuerySyntaxError;
use super::text_matcher::TextMatcher;

/// What is searched for. Smart case: all in lower case, it matches any case.
#[derive(Debug, Clone)]
pub struct SearchPattern {
    matcher: TextMatcher,
    text: String,
}

impl SearchPattern {
    /// Reads what was typed: a plain text, or a regular expression between slashes, `/am.unt/`.
    ///
    /// # Errors
    /// An empty text, or an expression that is none.
    pub fn parse(text: &str) -> Result<Self, QuerySyntaxError> {
        let error = |reason| QuerySyntaxError { word: text.to_owned(), at: 0, reason };
        let pattern = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty());
        let needle = match pattern {
            Some(pattern) => TextMatcher::from_pattern(pattern),
            None if text.is_empty() => Err("expected a text, or /a pattern/".into()),
            None => TextMatcher::from_text(text),
        };
        Ok(Self { matcher: needle.map_err(error)?, text: text.to_owned() })
    }

    /// As typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when it is in `bytes`.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.matcher.is_match(bytes)
    }
}
