//! What one pass over a part of the log adds to an index, event by event.
//!
//! A part knows nothing of what lies before it, so that several can be read at the same time. Its aggregates' offsets are
//! noted as they come and sorted once: a table of aggregates would be touched at a random place with every event.

use super::Counts;
use super::block::{Anchor, Block};
use super::checkpoint::{Checkpoint, Totals};
use super::run::Run;
use super::sparse::Sparse;
use crate::format::{EventView, Frame};

/// Blocks kept at most; past that, two become one.
pub(super) const MAX_BLOCKS: usize = 32_768;
/// Bytes of the first blocks.
pub(super) const BLOCK: u64 = 16 << 10;
/// Checkpoints kept at most, likewise.
pub(super) const MAX_CHECKPOINTS: usize = 32;
/// Spacing of the first checkpoints, in bytes.
pub(super) const CHECKPOINT: u64 = 1 << 20;

/// The index of a part of the log.
#[derive(Debug)]
pub struct Part {
    /// Aggregate and offset of each event, in their order in the log.
    noted: Vec<(u64, u64)>,
    pub(super) run: Option<Run>,
    pub(super) totals: Totals,
    pub(super) blocks: Sparse<Block>,
    pub(super) checkpoints: Sparse<Checkpoint>,
    pub(super) counts: Counts,
    /// Frames that are no events stand before its first event.
    pub(super) mixed_start: bool,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            noted: Vec::new(),
            run: None,
            totals: Totals::default(),
            blocks: Sparse::new(BLOCK, MAX_BLOCKS),
            checkpoints: Sparse::new(CHECKPOINT, MAX_CHECKPOINTS),
            counts: Counts::of_a_part(),
            mixed_start: false,
        }
    }
}

impl Part {
    /// Adds an event.
    #[inline]
    pub fn event(&mut self, at: u64, frame: &Frame, event: &EventView) {
        let time = event.write_timestamp_ms();
        if self.checkpoints.wants(at) {
            self.checkpoints.push(at, Checkpoint { totals: self.totals, counts: self.counts.snapshot() });
        }
        let places = self.counts.add(event);
        if self.blocks.wants(at) {
            let (ordinal, checksum) = (self.totals.events, frame.checksum());
            let anchor = Anchor { offset: at, ordinal, timestamp_ms: time, checksum };
            self.blocks.push(at, Block::new(anchor));
        }
        let goes_back = self.totals.last_time.is_some_and(|last| time < last);
        if let Some(block) = self.blocks.last_mut() {
            block.event(time, places);
            block.late |= goes_back;
        }
        if let Some(id) = event.aggregate_id() {
            self.noted.push((id, at));
        }
        self.totals.events += 1;
        self.totals.last_time = Some(time);
        self.frame(at, frame);
    }

    /// Adds a gap.
    pub fn gap(&mut self, at: u64, frame: &Frame) {
        self.totals.gaps += 1;
        self.no_event(at, frame);
    }

    /// Adds a valid frame that is no event.
    pub fn no_event(&mut self, at: u64, frame: &Frame) {
        match self.blocks.last_mut() {
            Some(block) => block.mixed = true,
            None => self.mixed_start = true,
        }
        self.frame(at, frame);
    }

    /// Sorts what was noted; nothing is added afterwards.
    pub fn seal(&mut self) {
        if !self.noted.is_empty() {
            self.run = Some(Run::of(std::mem::take(&mut self.noted)));
        }
    }

    #[inline]
    fn frame(&mut self, at: u64, frame: &Frame) {
        let mark = (at, frame.checksum());
        self.totals.first.get_or_insert(mark);
        self.totals.last = Some(mark);
        self.totals.frames += 1;
        self.totals.covered_to = at + frame.len();
    }
}
