//! The blocks of a log that need not be read under a filter, because the index shows that they contain no match.
//!
//! Adjacent blocks that need not be read are skipped as one range, up to a share of the log. Before a range is skipped, its
//! first frame and the first frame after it are compared with the index. Damage that appeared between these frames after the
//! index was built is not noticed.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::filter::Filter;
use crate::file::LogFile;
use crate::index::{AggregateIndex, MAX_DAMAGED_RANGES};

/// Number of bytes that are counted as progress for a skipped block, whose first frame is read.
pub(super) const PROBE_BYTES: u64 = 4096;

/// A range that is skipped has at most this share of the covered part, so that frames of every part of the log are compared with
/// the index, and at most so many reads are needed where everything is skipped.
const LARGEST_SKIPPED_SHARE: u64 = 32;

/// A log divided into blocks that can be skipped and ranges that must be read.
#[derive(Debug)]
pub struct BlockPruner<'a> {
    log: &'a Arc<LogFile>,
    /// The ranges, ascending. The log before the first one must be read. The last one extends to the end of the log.
    ranges: Vec<BlockRange>,
}

/// Adjacent blocks, all of which can be skipped or all of which must be read. The range ends at the start of the next one.
#[derive(Debug)]
struct BlockRange {
    /// File offset of the anchor: the first frame of the range.
    start: u64,
    /// Checksum of the anchor's frame, according to the index.
    checksum: u32,
    /// True when the index shows that no row of the range matches the filter.
    is_pruned: bool,
    /// True when the log has the anchor's frame; empty before the first check.
    anchor_check: OnceCell<bool>,
}

impl<'a> BlockPruner<'a> {
    /// Divides the log by the blocks of `index`. The last block is always read, because no anchor follows it to compare.
    pub fn new(log: &'a Arc<LogFile>, index: Option<&AggregateIndex>, filter: &Filter) -> Self {
        let mut ranges: Vec<BlockRange> = Vec::new();
        let Some(index) = index.filter(|index| {
            filter.can_use_index() && index.covers_log_start() && index.build_damage().len() < MAX_DAMAGED_RANGES
        }) else {
            return Self { log, ranges };
        };
        let conditions = filter.block_conditions(index.counts());
        let longest = index.coverage().covered_to / LARGEST_SKIPPED_SHARE;
        let mut damage = index.known_damage().peekable();
        let mut blocks = index.blocks().peekable();
        while let Some(block) = blocks.next() {
            let anchor = block.anchor;
            let next = blocks.peek().map(|next| next.anchor.offset);
            let range = anchor.offset..next.unwrap_or(u64::MAX);
            while damage.next_if(|damage| damage.end <= range.start).is_some() {}
            let has_only_events = !block.has_non_events && damage.peek().is_none_or(|damage| damage.start >= range.end);
            let is_pruned = next.is_some() && has_only_events && !conditions.may_match(&range, block);
            let extends = |previous: &BlockRange| {
                previous.is_pruned == is_pruned && (!is_pruned || range.end - previous.start <= longest)
            };
            if !ranges.last().is_some_and(extends) {
                let (start, checksum) = (anchor.offset, anchor.checksum);
                ranges.push(BlockRange { start, checksum, is_pruned, anchor_check: OnceCell::new() });
            }
        }
        Self { log, ranges }
    }

    /// Iterates over the offsets of the frames that may be compared with the index, ascending.
    pub fn anchors(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().map(|range| range.start)
    }

    /// Iterates over the ranges to read at and after `from`, ascending. The last range ends at `u64::MAX`.
    ///
    /// `from` must be the start of a frame or of a damaged range.
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

    /// Returns the block that contains `offset`, when it can be skipped.
    pub(super) fn skippable_block_at(&self, offset: u64) -> Option<Range<u64>> {
        self.skippable_range(self.range_index_at(offset)?)
    }

    /// Returns the start of the first skippable block after `from`; `u64::MAX` when there is none. The block that contains
    /// `from` is not considered.
    pub(super) fn next_skippable_start(&self, from: u64) -> u64 {
        let next = self.range_index_at(from).map_or(0, |index| index + 1);
        (next..self.ranges.len()).find_map(|index| self.skippable_range(index)).map_or(u64::MAX, |block| block.start)
    }

    /// Returns the end of the last skippable block before `end`; `least` when no skippable block ends after `least`.
    pub(super) fn previous_skippable_end(&self, end: u64, least: u64) -> u64 {
        let count = end.checked_sub(1).and_then(|last| self.range_index_at(last)).map_or(0, |index| index + 1);
        let ends_after_least = |index: &usize| self.ranges.get(index + 1).is_none_or(|next| next.start > least);
        let skippable = (0..count).rev().take_while(ends_after_least).find_map(|index| self.skippable_range(index));
        skippable.map_or(least, |block| block.end)
    }

    fn range_index_at(&self, offset: u64) -> Option<usize> {
        self.ranges.partition_point(|range| range.start <= offset).checked_sub(1)
    }

    /// Returns the range with this index, when it is pruned and the anchors at both of its ends are valid.
    fn skippable_range(&self, index: usize) -> Option<Range<u64>> {
        let (range, next) = (self.ranges.get(index).filter(|range| range.is_pruned)?, self.ranges.get(index + 1)?);
        (self.is_anchor_valid(range) && self.is_anchor_valid(next)).then_some(range.start..next.start)
    }

    fn is_anchor_valid(&self, range: &BlockRange) -> bool {
        *range.anchor_check.get_or_init(|| {
            // An unreadable sector is not an error here: the block is then scanned, and the scan reports the sector.
            let frame =
                self.log.read_frame_at(range.start, &mut Vec::new()).map(|frame| frame.map(|frame| frame.checksum()));
            matches!(frame, Ok(Some(checksum)) if checksum == range.checksum)
        })
    }
}
