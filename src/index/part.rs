//! What one pass over a part of the log adds to an index, event by event.
//!
//! A part knows nothing of what lies before it, so that several can be read at the same time. Its aggregates' offsets are
//! noted as they come and sorted once: a table of aggregates would be touched at a random place with every event.

use super::NameCounts;
use super::block::{Anchor, Block};
use super::checkpoint::{Checkpoint, Totals};
use super::memory_run::MemoryRun;
use super::sparse_grid::SparseGrid;
use crate::format::{EventView, Frame};

/// Blocks kept at most; past that, two become one.
pub(super) const MAX_BLOCKS: usize = 32_768;
/// Bytes of the first blocks.
pub(super) const INITIAL_BLOCK_BYTES: u64 = 16 << 10;
/// Checkpoints kept at most, likewise.
pub(super) const MAX_CHECKPOINTS: usize = 32;
/// Spacing of the first checkpoints, in bytes.
pub(super) const INITIAL_CHECKPOINT_SPACING: u64 = 1 << 20;

/// The index of a part of the log.
#[derive(Debug)]
pub struct IndexPart {
    /// Aggregate and offset of each event, in their order in the log.
    postings: Vec<(u64, u64)>,
    pub(super) run: Option<MemoryRun>,
    pub(super) totals: Totals,
    pub(super) blocks: SparseGrid<Block>,
    pub(super) checkpoints: SparseGrid<Checkpoint>,
    pub(super) counts: NameCounts,
    /// Frames that are no events stand before its first event.
    pub(super) starts_with_non_events: bool,
}

impl Default for IndexPart {
    fn default() -> Self {
        Self {
            postings: Vec::new(),
            run: None,
            totals: Totals::default(),
            blocks: SparseGrid::new(INITIAL_BLOCK_BYTES, MAX_BLOCKS),
            checkpoints: SparseGrid::new(INITIAL_CHECKPOINT_SPACING, MAX_CHECKPOINTS),
            counts: NameCounts::unlimited(),
            starts_with_non_events: false,
        }
    }
}

impl IndexPart {
    /// Adds an event.
    #[inline]
    pub fn add_event(&mut self, at: u64, frame: &Frame, event: &EventView) {
        let time = event.write_timestamp_ms();
        if self.checkpoints.is_cell_free(at) {
            self.checkpoints.push(at, Checkpoint { totals: self.totals, counts: self.counts.snapshot() });
        }
        let places = self.counts.add(event);
        if self.blocks.is_cell_free(at) {
            let (ordinal, checksum) = (self.totals.events, frame.checksum());
            let anchor = Anchor { offset: at, ordinal, timestamp_ms: time, checksum };
            self.blocks.push(at, Block::new(anchor));
        }
        let goes_back = self.totals.last_time.is_some_and(|last| time < last);
        if let Some(block) = self.blocks.last_mut() {
            block.add_event(time, places);
            block.has_out_of_order_times |= goes_back;
        }
        if let Some(id) = event.aggregate_id() {
            self.postings.push((id, at));
        }
        self.totals.events += 1;
        self.totals.last_time = Some(time);
        self.count_frame(at, frame);
    }

    /// Adds a gap.
    pub fn add_gap(&mut self, at: u64, frame: &Frame) {
        self.totals.gaps += 1;
        self.add_non_event(at, frame);
    }

    /// Adds a valid frame that is no event.
    pub fn add_non_event(&mut self, at: u64, frame: &Frame) {
        match self.blocks.last_mut() {
            Some(block) => block.has_non_events = true,
            None => self.starts_with_non_events = true,
        }
        self.count_frame(at, frame);
    }

    /// Sorts what was noted; nothing is added afterwards.
    pub fn sort_postings(&mut self) {
        if !self.postings.is_empty() {
            self.run = Some(MemoryRun::from_postings(std::mem::take(&mut self.postings)));
        }
    }

    #[inline]
    fn count_frame(&mut self, at: u64, frame: &Frame) {
        let mark = (at, frame.checksum());
        self.totals.first_frame.get_or_insert(mark);
        self.totals.last_frame = Some(mark);
        self.totals.frames += 1;
        self.totals.covered_to = at + frame.len();
    }
}
