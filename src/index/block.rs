//! Blocks: parts of the log from one anchor to the next, each with a summary that lets a filter skip the block.

use std::iter;

use super::sparse_grid::Coalesce;
use crate::file::LogFile;
use crate::format::byte_layout::{u32_at, u64_at};
use crate::format::index::{ANCHOR_LEN, put_varint, take_varint};

/// An event at a known position, from which a scan can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The offset of the event.
    pub(crate) offset: u64,
    /// The number of events before it.
    pub(crate) ordinal: u64,
    /// The time of the event, in milliseconds since the Unix epoch.
    pub(crate) timestamp_ms: u64,
    /// The checksum of the frame.
    pub(crate) checksum: u32,
}

impl Anchor {
    /// True when the log still has the event of the anchor. Reads its frame; a frame that cannot be read is not there.
    pub(crate) fn is_in_log(&self, log: &LogFile) -> bool {
        let mut buf = Vec::new();
        matches!(log.read_frame_at(self.offset, &mut buf), Ok(Some(frame)) if frame.checksum() == self.checksum)
    }
}

/// The summary of the part of the log from an anchor to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The first event of the block.
    pub(crate) anchor: Anchor,
    /// The earliest and the latest time of its events, in milliseconds since the Unix epoch.
    pub(crate) time_range: (u64, u64),
    /// The block holds valid frames whose payload is not an event.
    pub(crate) has_non_events: bool,
    /// The block holds an event whose time is less than that of the event before it.
    pub(crate) has_out_of_order_times: bool,
    name_slots: NameSlots,
}

/// A set of name slots. Most logs have fewer than 64 names, whose slots fit in one word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct NameSlots {
    /// Bit n is set when slot n is in the set.
    first_word: u64,
    /// Bit n % 64 of word n / 64 is set when slot 64 + n is in the set.
    #[expect(clippy::box_collection, reason = "an index has thousands of blocks, and few of them need more words")]
    more_words: Option<Box<Vec<u64>>>,
}

impl NameSlots {
    /// Adds a slot to the set.
    #[inline]
    fn insert(&mut self, slot: usize) {
        let bit = 1 << (slot % 64);
        let Some(word) = (slot / 64).checked_sub(1) else {
            self.first_word |= bit;
            return;
        };
        let more_words = self.more_words.get_or_insert_default();
        if more_words.len() <= word {
            more_words.resize(word + 1, 0);
        }
        if let Some(word) = more_words.get_mut(word) {
            *word |= bit;
        }
    }

    /// Creates the set whose bits are in these bytes, lowest first.
    fn from_bytes(bytes: &[u8]) -> Self {
        let mut words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, byte)| *to = *byte);
            u64::from_le_bytes(word)
        });
        let first_word = words.next().unwrap_or_default();
        let mut more_words: Vec<u64> = words.collect();
        // A set without slots in its last words has no such words, so that equal sets are equal values.
        while more_words.last() == Some(&0) {
            more_words.pop();
        }
        Self { first_word, more_words: (!more_words.is_empty()).then(|| Box::new(more_words)) }
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        iter::once(self.first_word).chain(self.more_words.iter().flat_map(|words| words.iter().copied()))
    }

    /// Iterates over the slots in the set, ascending.
    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words()
            .enumerate()
            .flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
    }
}

impl Block {
    /// Creates a block that starts at an anchor and holds no event yet.
    pub(super) fn new(anchor: Anchor) -> Self {
        Self {
            anchor,
            time_range: (anchor.timestamp_ms, anchor.timestamp_ms),
            has_non_events: false,
            has_out_of_order_times: false,
            name_slots: NameSlots::default(),
        }
    }

    /// Adds an event whose names have these slots.
    #[inline]
    pub(super) fn add_event(&mut self, time_ms: u64, slots: [usize; 3]) {
        self.time_range = (self.time_range.0.min(time_ms), self.time_range.1.max(time_ms));
        for slot in slots {
            self.name_slots.insert(slot);
        }
    }

    /// True when an event of the block has the name in this slot.
    pub(crate) fn has_name(&self, slot: usize) -> bool {
        self.name_slots.words().nth(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Converts a block of an index part to a block of the whole index. `events_before` events precede the part, and
    /// `slots` maps each name slot of the part to the slot of that name in the whole index.
    pub(super) fn rebased(mut self, events_before: u64, slots: &[usize]) -> Self {
        self.anchor.ordinal += events_before;
        let names = std::mem::take(&mut self.name_slots);
        for slot in names.iter().filter_map(|slot| slots.get(slot)) {
            self.name_slots.insert(*slot);
        }
        self
    }

    fn flags(&self) -> u64 {
        u64::from(self.has_non_events) | u64::from(self.has_out_of_order_times) << 1
    }

    /// Appends the block's row in the blocks section to `out`: varints of the earliest time, the difference to the
    /// latest time, the flags, and the number of bytes that follow, then the bits of the name slots, lowest first.
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

    /// Decodes the row of the block at `anchor` and removes it from the front of `rest`; `None` when the bytes are not
    /// a row.
    pub(super) fn decode(anchor: Anchor, rest: &mut &[u8]) -> Option<Self> {
        let (first, span, flags) = (take_varint(rest)?, take_varint(rest)?, take_varint(rest)?);
        let len = usize::try_from(take_varint(rest)?).ok()?;
        let (names, after) = rest.split_at_checked(len)?;
        *rest = after;
        let name_slots = NameSlots::from_bytes(names);
        let time_range = (first, first.checked_add(span)?);
        Some(Self {
            anchor,
            time_range,
            has_non_events: flags & 1 == 1,
            has_out_of_order_times: flags & 2 == 2,
            name_slots,
        })
    }
}

impl Coalesce for Block {
    fn coalesce(&mut self, next: &Self) {
        self.time_range = (self.time_range.0.min(next.time_range.0), self.time_range.1.max(next.time_range.1));
        self.has_non_events |= next.has_non_events;
        self.has_out_of_order_times |= next.has_out_of_order_times;
        next.name_slots.iter().for_each(|slot| self.name_slots.insert(slot));
    }
}

/// Encodes an anchor as its row of the anchors section.
pub(super) fn encode_anchor(anchor: &Anchor) -> Vec<u8> {
    let mut row = Vec::with_capacity(ANCHOR_LEN);
    for number in [anchor.offset, anchor.ordinal, anchor.timestamp_ms] {
        row.extend_from_slice(&number.to_be_bytes());
    }
    row.extend_from_slice(&anchor.checksum.to_be_bytes());
    row
}

/// Decodes an anchor from its row of the anchors section.
pub(super) fn decode_anchor(row: &[u8]) -> Anchor {
    let number = |at| u64_at(row, at).unwrap_or_default();
    let checksum = u32_at(row, 24).unwrap_or_default();
    Anchor { offset: number(0), ordinal: number(8), timestamp_ms: number(16), checksum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_survives_encoding_and_rebasing_maps_its_name_slots() {
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
        let rebased = block.rebased(10, &slots);
        let slots_set: Vec<usize> = (0..140).filter(|slot| rebased.has_name(*slot)).collect();
        assert_eq!((slots_set, rebased.anchor.ordinal, rebased.time_range), (vec![0, 2, 4, 130], 13, (400, 900)));
    }
}
