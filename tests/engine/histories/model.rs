//! The model of a log: its events, and what is known about each of them and about the damage.

use std::ops::Range;
use std::sync::Arc;

use chronicle::internal::format::Version;

/// The number of the first event that a history appends. The events of a log with which it begins have lower numbers.
pub(super) const FIRST_NUMBER: usize = 100;

/// What a program knows about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum EventState {
    /// It is on stable storage.
    Synced,
    /// It is in the file, and not on stable storage.
    Buffered,
    /// Its bytes are damaged. A repair may restore them, and an undo may damage them again.
    Damaged,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ModelEvent {
    pub(super) offset: u64,
    pub(super) json: String,
    pub(super) state: EventState,
}

impl ModelEvent {
    /// The end of the event's frame of version 1 or 2: length, payload, checksum.
    pub(super) const fn end(&self) -> u64 {
        self.offset + 8 + self.json.len() as u64
    }
}

/// The bytes of a log around a repair.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RepairImages {
    pub(super) number: u32,
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

/// The expected contents of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Model {
    /// The events, by offset.
    pub(super) events: Vec<ModelEvent>,
    /// The number of the next event that is appended. Numbers are not used twice.
    pub(super) next_number: usize,
    /// The lowest number of the events that the last operation tried to append. `next_number` when it appended none, and
    /// when the model was compared with the disk after the operation.
    pub(super) first_tried_number: usize,
    /// The ranges that are damaged, or were at an earlier time.
    pub(super) damage: Vec<Range<u64>>,
    /// All bytes before this offset are on stable storage.
    pub(super) durable_end: u64,
    /// The end that an index has recorded for a log that was cut later. No offset before it is given again.
    pub(super) lost_end: Option<u64>,
    pub(super) version: Version,
    pub(super) repairs: Vec<Arc<RepairImages>>,
}

impl Model {
    /// Returns the lowest offset that the next event may get.
    pub(super) fn next_offset(&self) -> u64 {
        let kept = self.events.iter().filter(|event| event.state != EventState::Damaged);
        kept.map(ModelEvent::end).chain(self.lost_end).max().unwrap_or_default()
    }

    /// Returns true if a range was damaged at an earlier time, or is part of such damage.
    pub(super) fn is_known_damage(&self, range: &Range<u64>) -> bool {
        self.damage.iter().any(|known| known.start <= range.start && range.end <= known.end)
    }

    /// Records that the whole log, which ends at `end`, is on stable storage.
    pub(super) fn mark_synced(&mut self, end: u64) {
        self.durable_end = end;
        for event in self.events.iter_mut().filter(|event| event.state == EventState::Buffered) {
            event.state = EventState::Synced;
        }
    }
}
