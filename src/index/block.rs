//! Blocks: the log cut at its anchors, and of each block what a filter can be answered by without reading it.

use std::iter;

use super::sparse_grid::Coalesce;
use crate::format::byte_layout::{u32_at, u64_at};
use crate::format::index::{ANCHOR_LEN, put_varint, take_varint};

/// An event from which a reader can walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Its offset.
    pub offset: u64,
    /// How many events lie before it.
    pub ordinal: u64,
    /// Its time, milliseconds since the epoch.
    pub timestamp_ms: u64,
    /// Its frame's checksum.
    pub checksum: u32,
}

/// An anchor, and the log from there to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its first event.
    pub anchor: Anchor,
    /// The earliest and the latest time of its events, milliseconds since the epoch.
    pub time_range: (u64, u64),
    /// It holds valid frames that are no events.
    pub has_non_events: bool,
    /// It holds an event whose time is less than that of the one before.
    pub has_out_of_order_times: bool,
    name_slots: NameSlots,
}

/// Places in the names of an index. Most logs have less than 64 names, which take one word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct NameSlots {
    /// Bit n says that place n is one.
    first_word: u64,
    /// Bit n % 64 of word n / 64 says that place 64 + n is one.
    #[expect(clippy::box_collection, reason = "rarely there, and there are thousands of these")]
    more_words: Option<Box<Vec<u64>>>,
}

impl NameSlots {
    #[inline]
    fn insert(&mut self, slot: usize) {
        let bit = 1 << (slot % 64);
        let Some(word) = (slot / 64).checked_sub(1) else {
            self.first_word |= bit;
            return;
        };
        let more = self.more_words.get_or_insert_default();
        if more.len() <= word {
            more.resize(word + 1, 0);
        }
        if let Some(word) = more.get_mut(word) {
            *word |= bit;
        }
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        iter::once(self.first_word).chain(self.more_words.iter().flat_map(|more| more.iter().copied()))
    }

    /// Every place, ascending.
    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words()
            .enumerate()
            .flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
    }
}

impl Block {
    /// A block that starts with an event.
    pub(super) fn new(anchor: Anchor) -> Self {
        Self {
            anchor,
            time_range: (anchor.timestamp_ms, anchor.timestamp_ms),
            has_non_events: false,
            has_out_of_order_times: false,
            name_slots: NameSlots::default(),
        }
    }

    /// Takes an event in, whose names have these places.
    #[inline]
    pub(super) fn add_event(&mut self, time_ms: u64, slots: [usize; 3]) {
        self.time_range = (self.time_range.0.min(time_ms), self.time_range.1.max(time_ms));
        for slot in slots {
            self.name_slots.insert(slot);
        }
    }

    /// True when an event of it has the name at this place.
    pub fn has_name(&self, slot: usize) -> bool {
        self.name_slots.words().nth(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The same block behind `before` events, its names at the places that `slots` gives them.
    pub(super) fn rebased(mut self, before: u64, slots: &[usize]) -> Self {
        self.anchor.ordinal += before;
        let names = std::mem::take(&mut self.name_slots);
        for slot in names.iter().filter_map(|place| slots.get(place)) {
            self.name_slots.insert(*slot);
        }
        self
    }

    fn flags(&self) -> u64 {
        u64::from(self.has_non_events) | u64::from(self.has_out_of_order_times) << 1
    }

    /// Appends what the blocks section has of it: varints of the earliest time, of the span to the latest, of its flags,
    /// of how many bytes follow, and the bits of its names, lowest first.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut names: Vec<u8> = self.name_slots.words().flat_map(u64::to_le_bytes).collect();
        while names.last() == Some(&0) {
            names.pop();
        }
        for number in [self.time_range.0, self.time_range.1 - self.time_range.0, self.flags(), names.len() as u64] {
            put_varint(number, out);
        }
        out.extend_from_slice(&names);
    }

    /// Takes a block behind its anchor from the front of `rest`; `None` when it is none.
    pub(super) fn decode(anchor: Anchor, rest: &mut &[u8]) -> Option<Self> {
        let (first, span, flags) = (take_varint(rest)?, take_varint(rest)?, take_varint(rest)?);
        let len = usize::try_from(take_varint(rest)?).ok()?;
        let (names, behind) = rest.split_at_checked(len)?;
        *rest = behind;
        let mut places = NameSlots::default();
        for (byte, bits) in names.iter().enumerate() {
            for bit in (0..8).filter(|bit| bits >> bit & 1 == 1) {
                places.insert(byte * 8 + bit);
            }
        }
        let (times, mixed, late) = ((first, first.checked_add(span)?), flags & 1 == 1, flags & 2 == 2);
        Some(Self {
            anchor,
            time_range: times,
            has_non_events: mixed,
            has_out_of_order_times: late,
            name_slots: places,
        })
    }
}

impl Coalesce for Block {
    fn coalesce(&mut self, next: Self) {
        self.time_range = (self.time_range.0.min(next.time_range.0), self.time_range.1.max(next.time_range.1));
        self.has_non_events |= next.has_non_events;
        self.has_out_of_order_times |= next.has_out_of_order_times;
        next.name_slots.iter().for_each(|place| self.name_slots.insert(place));
    }
}

/// The bytes of an anchor.
pub(super) fn encode_anchor(anchor: &Anchor) -> Vec<u8> {
    let mut row = Vec::with_capacity(ANCHOR_LEN);
    for number in [anchor.offset, anchor.ordinal, anchor.timestamp_ms] {
        row.extend_from_slice(&number.to_be_bytes());
    }
    row.extend_from_slice(&anchor.checksum.to_be_bytes());
    row
}

/// An anchor from its bytes.
pub(super) fn decode_anchor(row: &[u8]) -> Anchor {
    let number = |at| u64_at(row, at).unwrap_or_default();
    let checksum = u32_at(row, 24).unwrap_or_default();
    Anchor { offset: number(0), ordinal: number(8), timestamp_ms: number(16), checksum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back_as_written_and_moves_with_its_names() {
        let anchor = Anchor { offset: 16, ordinal: 3, timestamp_ms: 500, checksum: 7 };
        let mut block = Block::new(anchor);
        block.add_event(400, [0, 1, 65]);
        block.add_event(900, [0, 1, 2]);
        block.has_out_of_order_times = true;
        let mut bytes = Vec::new();
        block.encode(&mut bytes);
        assert_eq!(Block::decode(anchor, &mut bytes.as_slice()).as_ref(), Some(&block));
        for cut in 0..bytes.len() {
            assert_eq!(Block::decode(anchor, &mut &bytes[..cut]), None);
        }
        let slots: Vec<usize> = (0..66).map(|slot| slot * 2).collect();
        let moved = block.rebased(10, &slots);
        let has: Vec<usize> = (0..140).filter(|slot| moved.has_name(*slot)).collect();
        assert_eq!((has, moved.anchor.ordinal, moved.time_range), (vec![0, 2, 4, 130], 13, (400, 900)));
    }
}
