//! The ranges that must be read to list all rows of a log under a filter.
//!
//! These are the events that the index lists or the blocks that it does not exclude, and every range with damage, gaps
//! or invalid events.

use std::iter;
use std::ops::Range;
use std::sync::Arc;

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use super::index_merge::{IndexIterator, aggregate_offsets, merge_ascending};
use crate::StorageError;
use crate::file::{FrameReader, LogFile, OffsetLocation, locate_offset};
use crate::format::{Frame, Version};
use crate::index::{AggregateIndex, MAX_DAMAGED_RANGES};

/// The ranges of a log to read under a filter, ascending; each starts at a frame or a damaged range.
///
/// The index is used only where the log has the frames that it lists. The log after the covered part is read completely.
/// When the index is found to be corrupt, the rest of the log is read completely too.
#[derive(Debug)]
pub struct ReadPlan<'a> {
    log: &'a Arc<LogFile>,
    index: Option<&'a AggregateIndex>,
    aggregate_ids: Option<&'a [u64]>,
    pruner: BlockPruner<'a>,
}

impl<'a> ReadPlan<'a> {
    /// Creates a plan for `filter` that uses `index` when there is one.
    pub fn new(log: &'a Arc<LogFile>, index: Option<&'a AggregateIndex>, filter: &'a Filter) -> Self {
        let usable = index.filter(|index| {
            index.covers_log_start() && index.build_damage().len() < MAX_DAMAGED_RANGES && index.coverage().frames > 0
        });
        let ids = filter.aggregate_ids().filter(|_| usable.is_some() && filter.can_use_index());
        // The offsets of an aggregate's events exclude more than blocks do.
        let pruner = BlockPruner::new(log, index.filter(|_| ids.is_none()), filter);
        Self { log, index: usable, aggregate_ids: ids, pruner }
    }

    /// Iterates over the ranges to read at and after `from`. The last range ends at `u64::MAX`.
    ///
    /// `from` must be the start of a frame or of a damaged range.
    ///
    /// # Errors
    /// The iterator yields `Io`, `Changed` or `OutOfMemory` when the log cannot be read.
    pub fn ranges_from(&self, from: u64) -> Box<dyn Iterator<Item = Result<Range<u64>, StorageError>> + '_> {
        Box::new(self.planned_ranges_from(from).map(|planned| planned.map(|planned| planned.range)))
    }

    /// Iterates over the ranges of [`ReadPlan::ranges_from`], with the frames that were read to plan them.
    pub(crate) fn planned_ranges_from(
        &self,
        from: u64,
    ) -> Box<dyn Iterator<Item = Result<PlannedRange, StorageError>> + '_> {
        match (self.index, self.aggregate_ids) {
            (Some(index), Some(ids)) => Box::new(AggregateRanges::new(self.log, index, ids, from)),
            _ => Box::new(self.pruner.ranges_to_read(from).map(|range| Ok(PlannedRange { range, frame: Vec::new() }))),
        }
    }
}

/// A range to read.
#[derive(Debug)]
pub(crate) struct PlannedRange {
    pub(crate) range: Range<u64>,
    /// The bytes of the valid frame at the start of the range, which is all that is to be read; empty for any other range.
    frame: Vec<u8>,
}

impl PlannedRange {
    /// Returns the frame that is the whole range; `None` for a range that is to be read.
    pub(crate) fn frame(&self, version: Version) -> Option<Frame<'_>> {
        (!self.frame.is_empty()).then(|| Frame::from_validated(&self.frame, version))
    }
}

/// A candidate for reading, according to the index.
enum IndexedRange {
    /// An event of one of the aggregates starts at this offset.
    Event(u64),
    /// The range contains more than events, or the index does not cover it.
    Range(Range<u64>),
}

impl IndexedRange {
    const fn start(&self) -> u64 {
        match self {
            Self::Event(offset) => *offset,
            Self::Range(range) => range.start,
        }
    }
}

/// Iterator over the ranges to read for some aggregates: their events, and everything that the index does not list.
struct AggregateRanges<'s> {
    log: &'s Arc<LogFile>,
    candidates: IndexIterator<'s, IndexedRange>,
    from: u64,
    /// The log is read up to this offset.
    position: u64,
    frames: FrameReader,
}

impl<'s> AggregateRanges<'s> {
    fn new(log: &'s Arc<LogFile>, index: &'s AggregateIndex, ids: &'s [u64], from: u64) -> Self {
        let unindexed = unindexed_ranges(index).map(|range| Ok(IndexedRange::Range(range)));
        let mut sources: Vec<IndexIterator<'s, IndexedRange>> = vec![Box::new(unindexed)];
        for id in ids {
            let events = aggregate_offsets(index, *id).map(|offset| offset.map(IndexedRange::Event));
            sources.push(Box::new(events));
        }
        let frames = FrameReader::default();
        Self { log, candidates: merge_ascending(sources, IndexedRange::start), from, position: from, frames }
    }

    /// Returns the range of the next candidate; `None` when it was read already, or is after the end of the log.
    fn next_range(&mut self) -> Result<Option<PlannedRange>, StorageError> {
        let range = match self.candidates.next() {
            Some(Ok(IndexedRange::Event(offset))) if offset < self.position => return Ok(None),
            Some(Ok(IndexedRange::Event(offset))) => return self.event_range(offset),
            Some(Ok(IndexedRange::Range(range))) if range.end <= self.position => return Ok(None),
            Some(Ok(IndexedRange::Range(range))) => range.start.max(self.position)..range.end,
            // The index is corrupt from here on, so the rest of the log is read.
            Some(Err(_)) | None => self.position..u64::MAX,
        };
        let range = if range.start > self.from { self.align_to_damage(range)? } else { range };
        Ok(Some(PlannedRange { range, frame: Vec::new() }))
    }

    /// Returns the range to read for an event that the index lists at `offset`: its frame, or the damage that replaced it.
    fn event_range(&mut self, offset: u64) -> Result<Option<PlannedRange>, StorageError> {
        if let Ok(Some(frame)) = self.frames.read(self.log, offset, &[]) {
            // A range of one byte is enough, because a reader reads the whole frame that starts in its range.
            return Ok(Some(PlannedRange { range: offset..offset + 1, frame: frame.bytes().to_vec() }));
        }
        let range = match locate_offset(self.log, offset, self.log.len()?)? {
            OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) | OffsetLocation::Damaged(range) => {
                Some(range)
            }
            OffsetLocation::PastEnd => None,
        };
        Ok(range.map(|range| PlannedRange { range, frame: Vec::new() }))
    }

    /// Moves the start of a range to the boundary of damage that has appeared there since the index was built.
    ///
    /// The range then starts with the damage. Damage that starts before the position was read already, and is excluded.
    fn align_to_damage(&self, range: Range<u64>) -> Result<Range<u64>, StorageError> {
        if matches!(self.log.read_frame_at(range.start, &mut Vec::new()), Ok(Some(_))) {
            return Ok(range);
        }
        Ok(match locate_offset(self.log, range.start, self.log.len()?)? {
            OffsetLocation::InsideFrame(found) | OffsetLocation::Damaged(found) => {
                let start = if found.start < self.position { found.end } else { found.start };
                start..range.end.max(found.end)
            }
            OffsetLocation::FrameStart(_) | OffsetLocation::PastEnd => range,
        })
    }
}

impl Iterator for AggregateRanges<'_> {
    type Item = Result<PlannedRange, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.position < u64::MAX {
            match self.next_range() {
                Ok(Some(planned)) if planned.range.start >= self.position && !planned.range.is_empty() => {
                    self.position = planned.range.end;
                    return Some(Ok(planned));
                }
                // The candidate is inside damage that was already read.
                Ok(Some(planned)) => self.position = self.position.max(planned.range.end),
                Ok(None) => {}
                Err(error) => {
                    self.position = u64::MAX;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Iterates over the ranges that contain more than events according to the index, ascending, and over the range after the
/// covered part.
fn unindexed_ranges(index: &AggregateIndex) -> impl Iterator<Item = Range<u64>> + '_ {
    let before_blocks = index.blocks().next().map(|block| 0..block.anchor.offset);
    let covered_to = index.coverage().covered_to;
    let mut blocks = index.blocks().peekable();
    let mixed_blocks = iter::from_fn(move || {
        loop {
            let block = blocks.next()?;
            if block.has_non_events {
                return Some(block.anchor.offset..blocks.peek().map_or(covered_to, |next| next.anchor.offset));
            }
        }
    });
    let mut mixed = before_blocks.into_iter().chain(mixed_blocks).peekable();
    let mut damage = index.known_damage().peekable();
    let both = iter::from_fn(move || match (mixed.peek(), damage.peek()) {
        (Some(block), Some(damaged)) if damaged.start < block.start => damage.next(),
        (Some(_), _) => mixed.next(),
        (None, _) => damage.next(),
    });
    both.chain(iter::once(covered_to..u64::MAX))
}
