//! How many events there are of each type, namespace and schema: bounded, whatever the log calls them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::format::EventView;
use crate::format::field::u16_at;
use crate::format::json::unescape;

/// Names told apart, of each kind; events of further ones are counted together.
const MAX_NAMES: usize = 1024;
/// Names of each kind that are found by comparing.
const FIRST: usize = 32;
/// Bytes of a name that is told apart.
const MAX_NAME: usize = 256;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// `event_type`
    Type,
    /// `namespace`
    Namespace,
    /// `schema_id`
    Schema,
}

/// Something that events are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What it names.
    pub kind: NameKind,
    /// The name; `None` for all those that are not told apart, because there are too many or they are too long.
    pub text: Option<Box<str>>,
}

/// Counts by name.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Names told apart, of each kind, at most.
    most: usize,
    names: Vec<Name>,
    numbers: Vec<u64>,
    slots: [HashMap<Box<str>, usize, RandomState>; 3],
    others: [Option<usize>; 3],
    /// The first few names of each kind, as they stand in events, quotes included.
    first: [Vec<(Box<str>, usize)>; 3],
}

const KINDS: [NameKind; 3] = [NameKind::Type, NameKind::Namespace, NameKind::Schema];

impl Default for Counts {
    fn default() -> Self {
        Self::of_at_most(MAX_NAMES)
    }
}

impl Counts {
    /// Counts of a part of the log, which tell as many names apart as it has: what the names of the parts before leave
    /// room for is known only when it is added to them.
    pub(super) fn of_a_part() -> Self {
        Self::of_at_most(usize::MAX)
    }

    fn of_at_most(most: usize) -> Self {
        let (names, numbers) = (Vec::new(), Vec::new());
        Self { most, names, numbers, slots: Default::default(), others: [None; 3], first: Default::default() }
    }

    /// Every name with its count, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, u64)> {
        self.names.iter().zip(self.numbers.iter().copied())
    }

    /// The place of a name: its own, or that of all that are not told apart; `None` where no event has it.
    pub fn place(&self, kind: NameKind, text: &str) -> Option<usize> {
        let own = self.slots.get(kind as usize).and_then(|slots| slots.get(text)).copied();
        own.or(self.others.get(kind as usize).copied().flatten())
    }

    /// Counts an event; the places of its names.
    #[inline]
    pub(super) fn add(&mut self, event: &EventView) -> [usize; 3] {
        let tokens = [event.event_type_token(), event.namespace_token(), event.schema_id_token()];
        let mut places = [0; 3];
        for ((kind, token), place) in KINDS.into_iter().zip(tokens).zip(&mut places) {
            // Most logs have a handful of names: comparing with those costs less than hashing.
            let first = self.first.get(kind as usize).and_then(|first| first.iter().find(|(name, _)| **name == *token));
            *place = match first {
                Some((_, slot)) => *slot,
                None => self.slot_of_token(kind, token),
            };
            if let Some(count) = self.numbers.get_mut(*place) {
                *count += 1;
            }
        }
        places
    }

    #[cold]
    fn slot_of_token(&mut self, kind: NameKind, token: &str) -> usize {
        let slot = self.slot(kind, &unescape(token));
        if let Some(first) = self.first.get_mut(kind as usize).filter(|first| first.len() < FIRST)
            && token.len() <= MAX_NAME
        {
            first.push((token.into(), slot));
        }
        slot
    }

    /// Adds the counts of the part of the log behind; where its names have their places here.
    pub(super) fn join(&mut self, part: &Self) -> Vec<usize> {
        let join = |(name, count): (&Name, u64)| {
            let slot = match &name.text {
                Some(text) => self.slot(name.kind, text),
                None => self.other_slot(name.kind),
            };
            if let Some(own) = self.numbers.get_mut(slot) {
                *own += count;
            }
            slot
        };
        part.iter().map(join).collect()
    }

    /// The counts as they are now, for a checkpoint.
    pub(super) fn snapshot(&self) -> Vec<u64> {
        self.numbers.clone()
    }

    /// Back to the counts of a checkpoint; names first seen after it go down to zero and stay.
    pub(super) fn restore(&mut self, snapshot: &[u64]) {
        for (i, count) in self.numbers.iter_mut().enumerate() {
            *count = snapshot.get(i).copied().unwrap_or_default();
        }
    }

    fn slot(&mut self, kind: NameKind, text: &str) -> usize {
        let known = self.slots.get(kind as usize).and_then(|slots| slots.get(text)).copied();
        known.unwrap_or_else(|| self.new_slot(kind, text))
    }

    #[cold]
    fn new_slot(&mut self, kind: NameKind, text: &str) -> usize {
        let slot = self.names.len();
        match self.slots.get_mut(kind as usize) {
            Some(slots) if text.len() <= MAX_NAME && slots.len() < self.most => slots.insert(text.into(), slot),
            _ => return self.other_slot(kind),
        };
        self.names.push(Name { kind, text: Some(text.into()) });
        self.numbers.push(0);
        slot
    }

    /// The place of what is not told apart.
    fn other_slot(&mut self, kind: NameKind) -> usize {
        let slot = self.names.len();
        let Some(others) = self.others.get_mut(kind as usize) else { return usize::MAX };
        if let Some(known) = *others {
            return known;
        }
        *others = Some(slot);
        self.names.push(Name { kind, text: None });
        self.numbers.push(0);
        slot
    }

    /// The names' bytes in the index file: kind, whether it is told apart, length, text.
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

    /// Reads names back, all counts zero; `None` when the bytes are no names.
    pub(super) fn decode_names(mut bytes: &[u8]) -> Option<Self> {
        let mut counts = Self::default();
        while !bytes.is_empty() {
            let kind = *KINDS.get(usize::from(*bytes.first()?))?;
            let told_apart = *bytes.get(1)? == 1;
            let len = usize::from(u16_at(bytes, 2)?);
            let (name, rest) = bytes.get(4..)?.split_at_checked(len)?;
            let name = std::str::from_utf8(name).ok()?;
            bytes = rest;
            let slot = counts.names.len();
            if told_apart {
                counts.slots.get_mut(kind as usize)?.insert(name.into(), slot);
            } else {
                *counts.others.get_mut(kind as usize)? = Some(slot);
            }
            counts.names.push(Name { kind, text: told_apart.then(|| name.into()) });
            counts.numbers.push(0);
        }
        Some(counts)
    }
}
