//! The error for a filter word, a jump target or a search pattern that cannot be parsed.

use std::fmt;

/// A filter word, jump target or search pattern that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuerySyntaxError {
    /// The word that cannot be parsed, as typed.
    pub word: String,
    /// Position of the fault in the parsed text, in bytes: the first character that is not as expected.
    pub position: usize,
    /// The fault in the word, and the expected form.
    pub reason: String,
}

impl fmt::Display for QuerySyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.word, self.reason)
    }
}

impl std::error::Error for QuerySyntaxError {}
