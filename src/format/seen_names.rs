//! [`SeenNames`]: the type, namespace and schema of events that were parsed before, to recognise them as a whole.
//!
//! A log has few combinations of names, and Chronicle writes the members with the names one after the other. Comparing these
//! members with those of an earlier event costs a fraction of parsing them.

use super::token_span::NameSpans;

/// The text before the value of the first of these members.
const FIRST_MEMBER: &[u8] = b",\"event_type\":\"";
/// The number of combinations that are kept, a power of two.
const MAX_COMBINATIONS: usize = 128;
/// The longest members that are kept, in bytes.
const MAX_TEXT_LEN: usize = 512;
/// A combination is replaced by another one with the same place once in this number of attempts.
const ATTEMPTS_PER_REPLACEMENT: u32 = 16;

/// Identifies a combination of a type, a namespace and a schema, among those of one [`SeenNames`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NamesId(u32);

impl NamesId {
    /// No combination: the id of names that are not known.
    pub(crate) const UNKNOWN: Self = Self(0);

    /// The place for what belongs to this combination in a table of `len` places.
    #[inline]
    pub(crate) const fn place(self, len: usize) -> usize {
        self.0 as usize % len
    }
}

/// The members of events from the type to the version of the schema, without its value. Memory is bounded.
#[derive(Debug)]
pub(crate) struct SeenNames {
    combinations: Vec<Combination>,
    last_id: u32,
    /// The number of combinations that were not kept, because their place was taken.
    attempts: u32,
    /// The combination of the event that was parsed last.
    current: NamesId,
}

/// One combination of names. The default one, which is in the places that are free, has no text and equals no event.
#[derive(Debug, Clone, Default)]
struct Combination {
    id: NamesId,
    /// The text from the comma before the type to the colon after the name of the version.
    text: Box<[u8]>,
    spans: NameSpans,
}

impl Default for SeenNames {
    fn default() -> Self {
        Self {
            combinations: vec![Combination::default(); MAX_COMBINATIONS],
            last_id: 0,
            attempts: 0,
            current: NamesId::UNKNOWN,
        }
    }
}

impl SeenNames {
    /// The id of the names of the event that was parsed last; [`NamesId::UNKNOWN`] when they were seen for the first time, or
    /// are not kept.
    #[inline]
    pub(crate) const fn current(&self) -> NamesId {
        self.current
    }

    /// Forgets which event was parsed last.
    #[inline]
    pub(super) const fn start_event(&mut self) {
        self.current = NamesId::UNKNOWN;
    }

    /// Finds the names with which `rest` starts, at `position` in the text of an event. Returns their spans in that text, and the
    /// length of their members; `None` when they are not known.
    #[inline]
    pub(super) fn find(&mut self, rest: &[u8], position: usize) -> Option<(NameSpans, usize)> {
        let known = self.combinations.get(place_of(rest)?)?;
        if known.text.is_empty() || !rest.starts_with(&known.text) {
            return None;
        }
        self.current = known.id;
        Some((known.spans.moved(|span| span.moved_up(position)), known.text.len()))
    }

    /// Keeps the names with the members `text` and the tokens `spans`. The members were parsed without an error, and start at
    /// `position` in the text of an event.
    #[cold]
    pub(super) fn insert(&mut self, text: &[u8], position: usize, spans: NameSpans) {
        let place = place_of(text).filter(|_| text.len() <= MAX_TEXT_LEN && text.starts_with(FIRST_MEMBER));
        let Some(kept) = place.and_then(|place| self.combinations.get_mut(place)) else { return };
        if !kept.text.is_empty() {
            self.attempts = self.attempts.wrapping_add(1);
            if !self.attempts.is_multiple_of(ATTEMPTS_PER_REPLACEMENT) {
                return;
            }
        }
        // An id is never used for two combinations, because what is known by it would be wrong.
        let Some(id) = self.last_id.checked_add(1) else { return };
        self.last_id = id;
        let spans = spans.moved(|span| span.moved_down(position));
        *kept = Combination { id: NamesId(id), text: text.into(), spans };
    }
}

/// Returns the place of the members at the start of `text`: a hash of the first bytes of the type and of bytes after it; `None`
/// when the text is too short.
#[inline]
fn place_of(text: &[u8]) -> Option<usize> {
    let word = |at: usize| text.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let (first, second) = (word(FIRST_MEMBER.len())?, word(FIRST_MEMBER.len() + 20)?);
    let hash = (first ^ second.rotate_left(23)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Some((hash >> (u64::BITS - MAX_COMBINATIONS.trailing_zeros())) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::{EventView, Version};
    use super::*;

    fn event(time: u64, names: [&str; 3], version: u32) -> String {
        let [event_type, namespace, schema_id] = names;
        format!(
            r#"{{"write_timestamp_ms":{time},"event_type":"{event_type}","namespace":"{namespace}","schema_id":"{schema_id}","schema_version":{version},"aggregate_id":{time},"payload":{{"a":[{time}]}}}}"#
        )
    }

    /// Parses an event with and without known names, asserts that the results are equal, and returns the id of its names.
    fn assert_parses_equally(text: &[u8], known: &mut SeenNames) -> NamesId {
        for version in [Version::V0, Version::V1] {
            let expected = EventView::parse(text, version);
            assert_eq!(EventView::parse_with_names(text, version, known), expected, "{}", text.escape_ascii());
        }
        known.current()
    }

    #[test]
    fn known_names_are_parsed_like_unknown_ones() {
        let mut known = SeenNames::default();
        let names =
            [["Updated", "accounts", "Person"], ["Created", "accounts", "Person"], ["é\\\"", "", "\\ud83d\\ude00"]];
        let mut ids = Vec::new();
        for time in [1, 99_999_999_999, u64::MAX] {
            for names in names {
                ids.push(assert_parses_equally(event(time, names, time as u32).as_bytes(), &mut known));
            }
        }
        assert!(ids[3..].iter().all(|id| *id != NamesId::UNKNOWN), "the names of the second round are known");
        assert_eq!(ids[3..6], ids[6..]);
        assert!(ids[3] != ids[4] && ids[4] != ids[5] && ids[3] != ids[5], "each combination has its own id");
    }

    #[test]
    fn every_change_after_known_names_is_judged_as_without_them() {
        let mut known = SeenNames::default();
        let text = event(1_766_718_274_106, ["Updated", "accounts", "Person"], 1);
        assert_parses_equally(text.as_bytes(), &mut known);
        assert_ne!(assert_parses_equally(text.as_bytes(), &mut known), NamesId::UNKNOWN);
        for at in 0..text.len() {
            assert_parses_equally(&text.as_bytes()[..at], &mut known);
            for byte in [b'"', b'\\', b',', b'}', b':', b' ', b'0', b'x', 0, 0x80] {
                let mut changed = text.clone().into_bytes();
                changed[at] = byte;
                assert_parses_equally(&changed, &mut known);
                changed = text.clone().into_bytes();
                changed.insert(at, byte);
                assert_parses_equally(&changed, &mut known);
            }
        }
        assert_ne!(assert_parses_equally(text.as_bytes(), &mut known), NamesId::UNKNOWN, "the names are still known");
        // A member with a known name is rejected after known names too.
        let twice = text.replacen(",\"payload\"", ",\"namespace\":\"accounts\",\"payload\"", 1);
        assert_parses_equally(twice.as_bytes(), &mut known);
    }

    #[test]
    fn many_and_long_names_are_parsed_in_bounded_memory() {
        let mut known = SeenNames::default();
        for round in 0..3 {
            for number in 0..1000 {
                let names =
                    [format!("Type{number}"), format!("namespace{}", number % 7), format!("Schema{}", number % 3)];
                let text = event(round, names.each_ref().map(String::as_str), 1);
                assert_parses_equally(text.as_bytes(), &mut known);
            }
        }
        assert_eq!(known.combinations.len(), MAX_COMBINATIONS);
        let mut known = SeenNames::default();
        for (len, is_kept) in [(MAX_TEXT_LEN / 2, true), (MAX_TEXT_LEN, false)] {
            let text = event(1, [&format!("{len}"), &"n".repeat(len), "Person"], 1);
            assert_parses_equally(text.as_bytes(), &mut known);
            assert_eq!(assert_parses_equally(text.as_bytes(), &mut known) != NamesId::UNKNOWN, is_kept);
        }
    }
}
