//! Blocks: the log cut at its anchors, and of each block what a filter can be answered by without reading it.

use std::iter;

use super::sparse::Absorb;
use crate::format::field::{u32_at, u64_at};
use crate::format::index::{ANCHOR_ROW, put_varint, take_varint};

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
    pub times: (u64, u64),
    /// It holds valid frames that are no events.
    pub mixed: bool,
    /// It holds an event whose time is less than that of the one before.
    pub late: bool,
    names: Places,
}

/// Places in the names of an index. Most logs have less than 64 names, which take one word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Places {
    /// Bit n says that place n is one.
    first: u64,
    /// Bit n % 64 of word n / 64 says that place 64 + n is one.
    #[expect(clippy::box_collection, reason = "rarely there, and there are thousands of these")]
    more: Option<Box<Vec<u64>>>,
}

impl Places {
    #[inline]
    fn add(&mut self, place: usize) {
        let bit = 1 << (place % 64);
        let Some(word) = (place / 64).checked_sub(1) else {
            self.first |= bit;
            return;
        };
        let more = self.more.get_or_insert_default();
        if more.len() <= word {
            more.resize(word + 1, 0);
        }
        if let Some(word) = more.get_mut(word) {
            *word |= bit;
        }
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        iter::once(self.first).chain(self.more.iter().flat_map(|more| more.iter().copied()))
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
            times: (anchor.timestamp_ms, anchor.timestamp_ms),
            mixed: false,
            late: false,
            names: Places::default(),
        }
    }

    /// Takes an event in, whose names have these places.
    #[inline]
    pub(super) fn event(&mut self, time_ms: u64, slots: [usize; 3]) {
        self.times = (self.times.0.min(time_ms), self.times.1.max(time_ms));
        for slot in slots {
            self.names.add(slot);
        }
    }

    /// True when an event of it has the name at this place.
    pub fn has(&self, slot: usize) -> bool {
        self.names.words().nth(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The same block behind `before` events, its names at the places that `slots` gives them.
    pub(super) fn moved(mut self, before: u64, slots: &[usize]) -> Self {
        self.anchor.ordinal += before;
        let names = std::mem::take(&mut self.names);
        for slot in names.iter().filter_map(|place| slots.get(place)) {
            self.names.add(*slot);
        }
        self
    }

    fn flags(&self) -> u64 {
        u64::from(self.mixed) | u64::from(self.late) << 1
    }

    /// Appends what the blocks section has of it: varints of the earliest time, of the span to the latest, of its flags,
    /// of how many bytes follow, and the bits of its names, lowest first.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut names: Vec<u8> = self.names.words().flat_map(u64::to_le_bytes).collect();
        while names.last() == Some(&0) {
            names.pop();
        }
        for number in [self.times.0, self.times.1 - self.times.0, self.flags(), names.len() as u64] {
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
        let mut places = Places::default();
        for (byte, bits) in names.iter().enumerate() {
            for bit in (0..8).filter(|bit| bits >> bit & 1 == 1) {
                places.add(byte * 8 + bit);
            }
        }
        let (times, mixed, late) = ((first, first.checked_add(span)?), flags & 1 == 1, flags & 2 == 2);
        Some(Self { anchor, times, mixed, late, names: places })
    }
}

impl Absorb for Block {
    fn absorb(&mut self, next: Self) {
        self.times = (self.times.0.min(next.times.0), self.times.1.max(next.times.1));
        self.mixed |= next.mixed;
        self.late |= next.late;
        next.names.iter().for_each(|place| self.names.add(place));
    }
}

/// The bytes of an anchor.
pub(super) fn encode_anchor(anchor: &Anchor) -> Vec<u8> {
    let mut row = Vec::with_capacity(ANCHOR_ROW);
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
        block.event(400, [0, 1, 65]);
        block.event(900, [0, 1, 2]);
        block.late = true;
        let mut bytes = Vec::new();
        block.encode(&mut bytes);
        assert_eq!(Block::decode(anchor, &mut bytes.as_slice()).as_ref(), Some(&block));
        for cut in 0..bytes.len() {
            assert_eq!(Block::decode(anchor, &mut &bytes[..cut]), None);
        }
        let slots: Vec<usize> = (0..66).map(|slot| slot * 2).collect();
        let moved = block.moved(10, &slots);
        let has: Vec<usize> = (0..140).filter(|slot| moved.has(*slot)).collect();
        assert_eq!((has, moved.anchor.ordinal, moved.times), (vec![0, 2, 4, 130], 13, (400, 900)));
    }
}
