//! What of a log has to be read under a filter: all of it but the blocks that the index rules out.
//!
//! An index is never believed without the frame it points at, so the first frame of a block and that of the next one are
//! looked at before a block is passed over. Damage that came into a block after the index had seen it, and that spares
//! these two, is not met.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::filter::Filter;
use crate::file::LogFile;
use crate::index::{AggregateIndex, MAX_DAMAGED_RANGES};

/// What looking at a block's first frame reads, in bytes.
pub(super) const PROBE_BYTES: u64 = 4096;

/// A log, cut into blocks that may be passed over and what lies between them.
#[derive(Debug)]
pub struct BlockPruner<'a> {
    log: &'a Arc<LogFile>,
    /// Ascending; what lies before the first has to be read, and the last reaches to the log's end.
    ranges: Vec<BlockRange>,
}

/// A block, or several that have to be read, from an anchor on to that of the next.
#[derive(Debug)]
struct BlockRange {
    start: u64,
    checksum: u32,
    /// The filter shows nothing of it, as far as the index knows.
    is_pruned: bool,
    /// The anchor's frame is there, once looked at.
    anchor_check: OnceCell<bool>,
}

impl<'a> BlockPruner<'a> {
    /// By what the index says of its blocks. The last one is always read: where it ends, no anchor shows what follows.
    pub fn new(log: &'a Arc<LogFile>, index: Option<&AggregateIndex>, filter: &Filter) -> Self {
        let mut cuts: Vec<BlockRange> = Vec::new();
        let Some(index) =
            index.filter(|index| filter.can_use_index() && index.build_damage().len() < MAX_DAMAGED_RANGES)
        else {
            return Self { log, ranges: cuts };
        };
        let mut damage = index.known_damage().peekable();
        let mut blocks = index.blocks().peekable();
        while let Some(block) = blocks.next() {
            let anchor = block.anchor;
            let next = blocks.peek().map(|next| next.anchor.offset);
            let range = anchor.offset..next.unwrap_or(u64::MAX);
            while damage.next_if(|damage| damage.end <= range.start).is_some() {}
            let whole = !block.has_non_events && damage.peek().is_none_or(|damage| damage.start >= range.end);
            let ruled_out = next.is_some() && whole && !filter.may_match_block(&range, block, index.counts());
            if ruled_out || cuts.last().is_none_or(|before| before.is_pruned) {
                let (start, checksum) = (anchor.offset, anchor.checksum);
                cuts.push(BlockRange { start, checksum, is_pruned: ruled_out, anchor_check: OnceCell::new() });
            }
        }
        Self { log, ranges: cuts }
    }

    /// From `from` on, where a frame or a damaged range starts: the ranges that have to be read, ascending. The last
    /// one has no end.
    pub fn ranges_to_read(&self, from: u64) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            while let Some(block) = self.skippable_block_at(at) {
                at = block.end;
            }
            let range = at..self.next_skippable_start(at);
            at = range.end;
            (!range.is_empty()).then_some(range)
        })
    }

    /// The block that `at` lies in, when it need not be read.
    pub(super) fn skippable_block_at(&self, at: u64) -> Option<Range<u64>> {
        self.skippable_range(self.range_index_at(at)?)
    }

    /// Where the next block starts that need not be read, from a place on that has to be.
    pub(super) fn next_skippable_start(&self, from: u64) -> u64 {
        let next = self.range_index_at(from).map_or(0, |cut| cut + 1);
        (next..self.ranges.len()).find_map(|cut| self.skippable_range(cut)).map_or(u64::MAX, |block| block.start)
    }

    /// Where the last block ends that need not be read, before a place up to which has to be; `least` where it ends
    /// before that.
    pub(super) fn previous_skippable_end(&self, end: u64, least: u64) -> u64 {
        let behind = end.checked_sub(1).and_then(|at| self.range_index_at(at)).map_or(0, |cut| cut + 1);
        let near = |cut: &usize| self.ranges.get(cut + 1).is_none_or(|next| next.start > least);
        let skipped = (0..behind).rev().take_while(near).find_map(|cut| self.skippable_range(cut));
        skipped.map_or(least, |block| block.end)
    }

    fn range_index_at(&self, at: u64) -> Option<usize> {
        self.ranges.partition_point(|cut| cut.start <= at).checked_sub(1)
    }

    fn skippable_range(&self, cut: usize) -> Option<Range<u64>> {
        let (cut, next) = (self.ranges.get(cut).filter(|cut| cut.is_pruned)?, self.ranges.get(cut + 1)?);
        (self.is_anchor_valid(cut) && self.is_anchor_valid(next)).then_some(cut.start..next.start)
    }

    fn is_anchor_valid(&self, cut: &BlockRange) -> bool {
        *cut.anchor_check.get_or_init(|| {
            // A device that refuses to read here is asked again by the scan, page by page.
            let frame =
                self.log.read_frame_at(cut.start, &mut Vec::new()).map(|frame| frame.map(|frame| frame.checksum()));
            matches!(frame, Ok(Some(checksum)) if checksum == cut.checksum)
        })
    }
}
