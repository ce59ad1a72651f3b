//! [`NameCounts`]: the number of events of each type, namespace and schema, in bounded memory.
//!
//! Each distinct name has a *slot*, a small number that blocks and checkpoints refer to. Names beyond the limits share
//! one slot per kind.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::format::byte_layout::u16_at;
use crate::format::json::unescape;
use crate::format::{EventView, NamesId};

/// The largest number of distinct names of each kind. Events with further names are counted together.
const MAX_NAMES: usize = 1024;
/// The number of names of each kind that are found by comparing instead of hashing.
const MAX_FIRST_TOKENS: usize = 32;
/// The number of combinations of names whose slots are kept.
const SLOTS_BY_NAMES: usize = 128;
/// The largest length of a distinct name, in bytes. Longer names are counted together.
const MAX_NAME_BYTES: usize = 256;

/// The field of an event that a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NameKind {
    /// The field `event_type` of the event.
    Type,
    /// The field `namespace` of the event.
    Namespace,
    /// The field `schema_id` of the event.
    Schema,
}

/// A name that events are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountedName {
    /// The field that the name comes from.
    pub kind: NameKind,
    /// The text of the name; `None` for the names that are counted together, because they are too many or too long.
    pub text: Option<Box<str>>,
}

/// The number of events of each name.
#[derive(Debug, Clone)]
pub struct NameCounts {
    /// The largest number of distinct names of each kind.
    max_names: usize,
    names: Vec<CountedName>,
    counts: Vec<u64>,
    slots: [HashMap<Box<str>, usize, RandomState>; 3],
    other_slots: [Option<usize>; 3],
    /// The first few names of each kind as JSON tokens, with their quotes, and their slots.
    first_tokens: [Vec<(Box<str>, usize)>; 3],
    /// The slots of combinations of names, by the place of their id. Empty until an event is added.
    slots_by_names: Vec<(NamesId, [usize; 3])>,
}

const NAME_KINDS: [NameKind; 3] = [NameKind::Type, NameKind::Namespace, NameKind::Schema];

impl Default for NameCounts {
    fn default() -> Self {
        Self::with_max_names(MAX_NAMES)
    }
}

impl NameCounts {
    /// Creates counts without a limit, for a part of the log. The limit is applied when the part is merged with the
    /// parts before it, because only then the number of free slots is known.
    pub(super) fn unlimited() -> Self {
        Self::with_max_names(usize::MAX)
    }

    fn with_max_names(max_names: usize) -> Self {
        Self {
            max_names,
            names: Vec::new(),
            counts: Vec::new(),
            slots: Default::default(),
            other_slots: [None; 3],
            first_tokens: Default::default(),
            slots_by_names: Vec::new(),
        }
    }

    /// Iterates over the names and their numbers of events, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = (&CountedName, u64)> {
        self.names.iter().zip(self.counts.iter().copied())
    }

    /// Returns the slot of a name, or else the shared slot of its kind; `None` when no event has the name.
    pub(crate) fn find_slot(&self, kind: NameKind, text: &str) -> Option<usize> {
        let distinct = self.slots.get(kind as usize).and_then(|slots| slots.get(text)).copied();
        distinct.or(self.other_slots.get(kind as usize).copied().flatten())
    }

    /// Counts an event, and returns the slots of its type, namespace and schema. `names` identifies these among the names of all
    /// events that are added.
    #[inline]
    pub(super) fn add(&mut self, event: &EventView, names: NamesId) -> [usize; 3] {
        if let Some((known, slots)) = self.slots_by_names.get(names.place(SLOTS_BY_NAMES)).copied()
            && known == names
            && names != NamesId::UNKNOWN
        {
            for slot in slots {
                if let Some(count) = self.counts.get_mut(slot) {
                    *count += 1;
                }
            }
            return slots;
        }
        let slots = self.add_by_tokens(event);
        self.slots_by_names.resize(SLOTS_BY_NAMES, (NamesId::UNKNOWN, [0; 3]));
        if let Some(known) = self.slots_by_names.get_mut(names.place(SLOTS_BY_NAMES)) {
            *known = (names, slots);
        }
        slots
    }

    /// Counts an event, and returns the slots of its type, namespace and schema.
    fn add_by_tokens(&mut self, event: &EventView) -> [usize; 3] {
        let tokens = [event.event_type_token(), event.namespace_token(), event.schema_id_token()];
        let mut slots = [0; 3];
        for ((kind, token), slot) in NAME_KINDS.into_iter().zip(tokens).zip(&mut slots) {
            // Most logs have a handful of names, and comparing a few tokens costs less than hashing.
            let known =
                self.first_tokens.get(kind as usize).and_then(|first| first.iter().find(|(name, _)| **name == *token));
            *slot = match known {
                Some((_, known)) => *known,
                None => self.slot_of_token(kind, token),
            };
            if let Some(count) = self.counts.get_mut(*slot) {
                *count += 1;
            }
        }
        slots
    }

    #[cold]
    fn slot_of_token(&mut self, kind: NameKind, token: &str) -> usize {
        let slot = self.slot_or_insert(kind, &unescape(token));
        if let Some(first) = self.first_tokens.get_mut(kind as usize).filter(|first| first.len() < MAX_FIRST_TOKENS)
            && token.len() <= MAX_NAME_BYTES
        {
            first.push((token.into(), slot));
        }
        slot
    }

    /// Adds the counts of the following part of the log. Returns the slot in `self` for each slot of the part.
    pub(super) fn merge(&mut self, part: &Self) -> Vec<usize> {
        let merge_count = |(name, count): (&CountedName, u64)| {
            let slot = match &name.text {
                Some(text) => self.slot_or_insert(name.kind, text),
                None => self.other_slot_or_insert(name.kind),
            };
            if let Some(total) = self.counts.get_mut(slot) {
                *total += count;
            }
            slot
        };
        part.iter().map(merge_count).collect()
    }

    /// Copies the counts, by slot, for a checkpoint.
    pub(super) fn snapshot(&self) -> Vec<u64> {
        self.counts.clone()
    }

    /// Restores the counts of a checkpoint. Names that first appeared after it keep their slots, with a count of 0.
    pub(super) fn restore(&mut self, snapshot: &[u64]) {
        for (i, count) in self.counts.iter_mut().enumerate() {
            *count = snapshot.get(i).copied().unwrap_or_default();
        }
    }

    fn slot_or_insert(&mut self, kind: NameKind, text: &str) -> usize {
        let known = self.slots.get(kind as usize).and_then(|slots| slots.get(text)).copied();
        known.unwrap_or_else(|| self.new_slot(kind, text))
    }

    #[cold]
    fn new_slot(&mut self, kind: NameKind, text: &str) -> usize {
        let slot = self.names.len();
        match self.slots.get_mut(kind as usize) {
            Some(slots) if text.len() <= MAX_NAME_BYTES && slots.len() < self.max_names => {
                slots.insert(text.into(), slot)
            }
            _ => return self.other_slot_or_insert(kind),
        };
        self.names.push(CountedName { kind, text: Some(text.into()) });
        self.counts.push(0);
        slot
    }

    /// Returns the shared slot of a kind, for the names that are counted together.
    fn other_slot_or_insert(&mut self, kind: NameKind) -> usize {
        let slot = self.names.len();
        let Some(other_slot) = self.other_slots.get_mut(kind as usize) else { return usize::MAX };
        if let Some(known) = *other_slot {
            return known;
        }
        *other_slot = Some(slot);
        self.names.push(CountedName { kind, text: None });
        self.counts.push(0);
        slot
    }

    /// Encodes the names section of the index file: for each name its kind, whether it is distinct, its length and its
    /// text.
    pub(super) fn encode_names(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for name in &self.names {
            let text = name.text.as_deref().unwrap_or_default();
            out.extend_from_slice(&[name.kind as u8, u8::from(name.text.is_some())]);
            out.extend_from_slice(&(text.len() as u16).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    /// Decodes the names section, with all counts 0; `None` when the bytes are not names.
    pub(super) fn decode_names(mut bytes: &[u8]) -> Option<Self> {
        let mut counts = Self::default();
        while !bytes.is_empty() {
            let kind = *NAME_KINDS.get(usize::from(*bytes.first()?))?;
            let is_distinct = *bytes.get(1)? == 1;
            let len = usize::from(u16_at(bytes, 2)?);
            let (name, rest) = bytes.get(4..)?.split_at_checked(len)?;
            let name = std::str::from_utf8(name).ok()?;
            bytes = rest;
            let slot = counts.names.len();
            if is_distinct {
                counts.slots.get_mut(kind as usize)?.insert(name.into(), slot);
            } else {
                *counts.other_slots.get_mut(kind as usize)? = Some(slot);
            }
            counts.names.push(CountedName { kind, text: is_distinct.then(|| name.into()) });
            counts.counts.push(0);
        }
        Some(counts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::format::{SeenNames, Version};

    #[test]
    fn events_of_any_number_of_combinations_are_counted_by_their_names() {
        for combinations in [1u64, 3, 127, 200, 1000] {
            let (mut counts, mut names) = (NameCounts::unlimited(), SeenNames::default());
            let mut expected = BTreeMap::new();
            for number in 0..4000u64 {
                let combination = number * number % combinations;
                let (kind, space, schema) = (combination, combination % 13, combination % 5);
                let text = format!(
                    r#"{{"write_timestamp_ms":1,"event_type":"T{kind}","namespace":"n{space}","schema_id":"S{schema}","schema_version":1,"payload":{{}}}}"#
                );
                let event = EventView::parse_with_names(text.as_bytes(), Version::V1, &mut names).expect("an event");
                let slots = counts.add(&event, names.current());
                let texts = [event.event_type(), event.namespace(), event.schema_id()];
                for ((kind, text), slot) in NAME_KINDS.into_iter().zip(texts).zip(slots) {
                    assert_eq!(counts.find_slot(kind, &text), Some(slot));
                    *expected.entry((kind, text.into_owned())).or_insert(0) += 1;
                }
            }
            let found: BTreeMap<_, _> = counts
                .iter()
                .map(|(name, count)| ((name.kind, name.text.as_deref().expect("distinct").to_owned()), count))
                .collect();
            assert_eq!(found, expected, "{combinations} combinations");
        }
    }
}
