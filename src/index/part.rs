//! The index of one part of the log, built event by event.
//!
//! A part does not depend on what precedes it, so several parts can be scanned at the same time. Aggregate ids and
//! offsets are appended to a list and sorted once at the end, because a hash table of aggregates would cost a cache
//! miss per event.

use super::NameCounts;
use super::block::{Anchor, Block};
use super::checkpoint::{Checkpoint, Totals};
use super::memory_run::MemoryRun;
use super::sparse_grid::SparseGrid;
use crate::format::{EventView, Frame, FrameIdentity, NamesId};

/// The largest number of blocks in an index. When there are more, adjacent blocks are joined.
pub(super) const MAX_BLOCKS: usize = 32_768;
/// The size of a block in bytes, before any blocks are joined.
pub(super) const INITIAL_BLOCK_BYTES: u64 = 16 << 10;
/// The largest number of checkpoints in an index. When there are more, every second one is dropped.
pub(super) const MAX_CHECKPOINTS: usize = 32;
/// The distance between checkpoints in bytes, before any checkpoints are dropped.
pub(super) const INITIAL_CHECKPOINT_SPACING: u64 = 1 << 20;

/// The index of one part of the log.
#[derive(Debug)]
pub(crate) struct IndexPart {
    /// Aggregate id and offset of each event, in log order.
    postings: Vec<(u64, u64)>,
    /// The sorted postings, once the part is complete.
    pub(super) run: Option<MemoryRun>,
    pub(super) totals: Totals,
    pub(super) blocks: SparseGrid<Block>,
    pub(super) checkpoints: SparseGrid<Checkpoint>,
    pub(super) counts: NameCounts,
    /// Valid frames that are not events precede the first event of the part.
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
    /// Adds the event in the frame at offset `at`. `names` identifies its type, namespace and schema among those of this part.
    #[inline]
    pub(crate) fn add_event(&mut self, at: u64, frame: &Frame, event: &EventView, names: NamesId) {
        let time = event.write_timestamp_ms();
        if self.checkpoints.is_cell_free(at) {
            self.checkpoints.push(at, Checkpoint { totals: self.totals, counts: self.counts.snapshot() });
        }
        let slots = self.counts.add(event, names);
        if self.blocks.is_cell_free(at) {
            let (ordinal, checksum) = (self.totals.events, frame.checksum());
            let anchor = Anchor { offset: at, ordinal, timestamp_ms: time, checksum };
            self.blocks.push(at, Block::new(anchor));
        }
        let is_out_of_order = self.totals.last_time.is_some_and(|last| time < last);
        if let Some(block) = self.blocks.last_mut() {
            block.add_event(time, slots);
            block.has_out_of_order_times |= is_out_of_order;
        }
        if let Some(id) = event.aggregate_id() {
            self.postings.push((id, at));
        }
        self.totals.events += 1;
        self.totals.last_time = Some(time);
        self.count_frame(at, frame);
    }

    /// Adds the gap at offset `at`.
    pub(crate) fn add_gap(&mut self, at: u64, frame: &Frame) {
        self.totals.gaps += 1;
        self.add_non_event(at, frame);
    }

    /// Adds the valid frame at offset `at` whose payload is not an event.
    pub(crate) fn add_non_event(&mut self, at: u64, frame: &Frame) {
        match self.blocks.last_mut() {
            Some(block) => block.has_non_events = true,
            None => self.starts_with_non_events = true,
        }
        self.count_frame(at, frame);
    }

    /// Sorts the postings into a run. The caller calls it once, after the last frame.
    pub(crate) fn sort_postings(&mut self) {
        if !self.postings.is_empty() {
            self.run = Some(MemoryRun::from_postings(std::mem::take(&mut self.postings)));
        }
    }

    /// Adds a frame to the totals.
    #[inline]
    fn count_frame(&mut self, at: u64, frame: &Frame) {
        let known = FrameIdentity { offset: at, checksum: frame.checksum() };
        self.totals.first_frame.get_or_insert(known);
        self.totals.last_frame = Some(known);
        self.totals.frames += 1;
        self.totals.covered_to = at + frame.len();
    }
}
