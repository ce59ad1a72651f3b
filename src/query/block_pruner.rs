//! The blocks of a log that a filter need not read, because the index excludes that they contain a match.
//!
//! An index is never trusted without the frames it points at: before a block is skipped, its first frame and that of the
//! next block are compared with the index. Damage that appeared between these two after the index was built is not noticed.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::filter::Filter;
use crate::file::LogFile;
use crate::index::{AggregateIndex, MAX_DAMAGED_RANGES};

/// Bytes that the check of a block's first frame reads, for progress.
pub(super) const PROBE_BYTES: u64 = 4096;

/// A log divided into blocks that can be skipped and ranges that must be read.
#[derive(Debug)]
pub struct BlockPruner<'a> {
    log: &'a Arc<LogFile>,
    /// Ascending. The part before the first range must be read, and the last range reaches to the end of the log.
    ranges: Vec<BlockRange>,
}

/// One skippable block, or several adjacent blocks that must be read. It ends at the anchor of the next range.
#[derive(Debug)]
struct BlockRange {
    start: u64,
    checksum: u32,
    /// True when the index excludes that the filter shows anything of the range.
    is_pruned: bool,
    /// Whether the anchor's frame is in the log; empty before the first check.
    anchor_check: OnceCell<bool>,
}

impl<'a> BlockPruner<'a> {
    /// Divides the log by the blocks of `index`. The last block is always read: no anchor after it could be checked.
    pub fn new(log: &'a Arc<LogFile>, index: Option<&AggregateIndex>, filter: &Filter) -> Self {
        let mut ranges: Vec<BlockRange> = Vec::new();
        let Some(index) = index.filter(|index| {
            filter.can_use_index() && index.covers_log_start() && index.build_damage().len() < MAX_DAMAGED_RANGES
        }) else {
            return Self { log, ranges };
        };
        let mut damage = index.known_damage().peekable();
        let mut blocks = index.blocks().peekable();
        while let Some(block) = blocks.next() {
            let anchor = block.anchor;
            let next = blocks.peek().map(|next| next.anchor.offset);
            let range = anchor.offset..next.unwrap_or(u64::MAX);
            while damage.next_if(|damage| damage.end <= range.start).is_some() {}
            let has_only_events = !block.has_non_events && damage.peek().is_none_or(|damage| damage.start >= range.end);
            let is_pruned = next.is_some() && has_only_events && !filter.may_match_block(&range, block, index.counts());
            if is_pruned || ranges.last().is_none_or(|previous| previous.is_pruned) {
                let (start, checksum) = (anchor.offset, anchor.checksum);
                ranges.push(BlockRange { start, checksum, is_pruned, anchor_check: OnceCell::new() });
            }
        }
        Self { log, ranges }
    }

    /// The ranges to read from `from` on, which must be the start of a frame or of a damaged range; ascending. The last
    /// range ends at `u64::MAX`.
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

    /// The block that contains `offset`, when it can be skipped.
    pub(super) fn skippable_block_at(&self, offset: u64) -> Option<Range<u64>> {
        self.skippable_range(self.range_index_at(offset)?)
    }

    /// The start of the next block that can be skipped, after `from`, which must be read; `u64::MAX` when there is none.
    pub(super) fn next_skippable_start(&self, from: u64) -> u64 {
        let next = self.range_index_at(from).map_or(0, |index| index + 1);
        (next..self.ranges.len()).find_map(|index| self.skippable_range(index)).map_or(u64::MAX, |block| block.start)
    }

    /// The end of the last block before `end` that can be skipped; `least` when no such block ends after `least`.
    pub(super) fn previous_skippable_end(&self, end: u64, least: u64) -> u64 {
        let count = end.checked_sub(1).and_then(|last| self.range_index_at(last)).map_or(0, |index| index + 1);
        let ends_after_least = |index: &usize| self.ranges.get(index + 1).is_none_or(|next| next.start > least);
        let skippable = (0..count).rev().take_while(ends_after_least).find_map(|index| self.skippable_range(index));
        skippable.map_or(least, |block| block.end)
    }

    fn range_index_at(&self, offset: u64) -> Option<usize> {
        self.ranges.partition_point(|range| range.start <= offset).checked_sub(1)
    }

    /// The range with this index, when it is pruned and the anchors around it are valid.
    fn skippable_range(&self, index: usize) -> Option<Range<u64>> {
        let (range, next) = (self.ranges.get(index).filter(|range| range.is_pruned)?, self.ranges.get(index + 1)?);
        (self.is_anchor_valid(range) && self.is_anchor_valid(next)).then_some(range.start..next.start)
    }

    fn is_anchor_valid(&self, range: &BlockRange) -> bool {
        *range.anchor_check.get_or_init(|| {
            // An unreadable sector is not an error here: the scan reads the range again, page by page.
            let frame =
                self.log.read_frame_at(range.start, &mut Vec::new()).map(|frame| frame.map(|frame| frame.checksum()));
            matches!(frame, Ok(Some(checksum)) if checksum == range.checksum)
        })
    }
}
