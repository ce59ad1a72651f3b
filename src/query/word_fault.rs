//! A fault in one word of a filter, at its position in the word.

/// A fault in a word, at a position in it.
#[derive(Debug)]
pub(super) struct WordFault {
    /// Position of the fault in the word, in bytes.
    pub(super) at: usize,
    /// The fault, and the expected form.
    pub(super) reason: String,
}

impl WordFault {
    /// Creates a fault at a position.
    pub(super) fn new(at: usize, reason: impl Into<String>) -> Self {
        Self { at, reason: reason.into() }
    }

    /// Returns the fault of a word of which this fault is in the part that starts at `start`.
    pub(super) fn after(self, start: usize) -> Self {
        Self { at: self.at + start, ..self }
    }
}
