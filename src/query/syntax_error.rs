//! The error of a text that a user typed: a filter word, a jump target or a search pattern that cannot be parsed.

use std::fmt;

/// A filter word, jump target or search pattern that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuerySyntaxError {
    /// The word that cannot be parsed, as typed.
    pub word: String,
    /// Where the word starts, in bytes of the parsed text.
    pub at: usize,
    /// What is wrong with the word, and what is expected in its place.
    pub reason: String,
}

impl fmt::Display for QuerySyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.word, self.reason)
    }
}

impl std::error::Error for QuerySyntaxError {}
