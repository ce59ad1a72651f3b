//! [`TokenSpan`]: where a token of an event is in its JSON text.

use super::json_scanner::{JsonScanner, PayloadError, SurrogatePolicy};

/// The start and end of a token in the JSON text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TokenSpan {
    start: u32,
    end: u32,
}

impl TokenSpan {
    /// Creates the span `start..end`. The caller has checked that the length of the text fits a `u32`.
    #[inline]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Returns the span in a text in which the token comes `distance` bytes later.
    #[inline]
    pub(super) const fn moved_up(self, distance: usize) -> Self {
        Self::new(self.start as usize + distance, self.end as usize + distance)
    }

    /// Returns the span in a text in which the token comes `distance` bytes earlier.
    pub(super) const fn moved_down(self, distance: usize) -> Self {
        Self::new((self.start as usize).saturating_sub(distance), (self.end as usize).saturating_sub(distance))
    }

    /// Reads a string, which must be valid Unicode, and returns its span including the quotes.
    #[inline]
    pub(super) fn read_string(scanner: &mut JsonScanner<'_>) -> Result<Self, PayloadError> {
        let start = scanner.position();
        scanner.read_string(SurrogatePolicy::RequirePairs)?;
        Ok(Self::new(start, scanner.position()))
    }

    /// Returns the token from `json`, the text that was parsed.
    #[inline]
    pub(super) fn text(self, json: &str) -> &str {
        json.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The tokens of the names of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NameSpans {
    pub(super) event_type: TokenSpan,
    pub(super) namespace: TokenSpan,
    pub(super) schema_id: TokenSpan,
}

impl NameSpans {
    /// Moves each of the spans by `change`.
    #[inline]
    pub(super) fn moved(self, change: impl Fn(TokenSpan) -> TokenSpan) -> Self {
        Self {
            event_type: change(self.event_type),
            namespace: change(self.namespace),
            schema_id: change(self.schema_id),
        }
    }
}
