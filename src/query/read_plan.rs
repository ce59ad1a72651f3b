//! Where a log has to be read for somebody who reads on and on under a filter: at the events that the index knows of, or
//! at the blocks that it does not rule out, and everywhere it knows of anything but events.

use std::iter::{self, Peekable};
use std::ops::Range;
use std::sync::Arc;

use super::block_pruner::BlockPruner;
use super::filter::Filter;
use crate::StorageError;
use crate::file::{LogFile, OffsetLocation, locate_offset};
use crate::index::{AggregateIndex, IndexFault, MAX_DAMAGED_RANGES};

/// The ranges of a log that `filter` has read, ascending, each from where a frame or a damaged range starts.
///
/// The index is believed only where the frames it points at stand; what lies behind what it covers is read whole, and
/// everything from where it turns out to be broken.
#[derive(Debug)]
pub struct ReadPlan<'a> {
    log: &'a Arc<LogFile>,
    index: Option<&'a AggregateIndex>,
    aggregate_ids: Option<&'a [u64]>,
    pruner: BlockPruner<'a>,
}

impl<'a> ReadPlan<'a> {
    /// By what the index knows, where there is one.
    pub fn new(log: &'a Arc<LogFile>, index: Option<&'a AggregateIndex>, filter: &'a Filter) -> Self {
        let known =
            index.filter(|index| index.build_damage().len() < MAX_DAMAGED_RANGES && index.coverage().frames > 0);
        let ids = filter.aggregate_ids().filter(|_| known.is_some() && filter.can_use_index());
        Self { log, index: known, aggregate_ids: ids, pruner: BlockPruner::new(log, index, filter) }
    }

    /// From `from` on, where a frame or a damaged range starts. The last one has no end.
    ///
    /// # Errors
    /// As items: `Io`, `Changed`, `Memory` when the log cannot be read.
    pub fn ranges_from(&self, from: u64) -> Box<dyn Iterator<Item = Result<Range<u64>, StorageError>> + '_> {
        match (self.index, self.aggregate_ids) {
            (Some(index), Some(ids)) => Box::new(self.aggregate_ranges(index, ids, from)),
            _ => Box::new(self.pruner.ranges_to_read(from).map(Ok)),
        }
    }

    fn aggregate_ranges<'s>(
        &'s self,
        index: &'s AggregateIndex,
        ids: &'s [u64],
        from: u64,
    ) -> impl Iterator<Item = Result<Range<u64>, StorageError>> + 's {
        let mut sources: Vec<Peekable<RangeIterator<'s>>> = vec![unindexed_ranges(index).peekable()];
        for id in ids {
            let source: RangeIterator = match index.offsets(*id) {
                Ok(offsets) => Box::new(offsets.map(|offset| offset.map(|at| at..at + 1))),
                Err(fault) => Box::new(iter::once(Err(fault))),
            };
            sources.push(source.peekable());
        }
        let mut done = from;
        iter::from_fn(move || {
            loop {
                if done == u64::MAX {
                    return None;
                }
                let start = |source: &mut Peekable<RangeIterator>| match source.peek()? {
                    Ok(range) => Some(range.start),
                    Err(_) => Some(0),
                };
                let first = sources.iter_mut().filter_map(|source| Some((start(source)?, source)));
                let range = match first.min_by_key(|(start, _)| *start).and_then(|(_, source)| source.next()) {
                    Some(Ok(range)) if range.end <= done => continue,
                    Some(Ok(range)) => range,
                    // Nothing more is known, or what was known is broken: from here on the log is read.
                    Some(Err(_)) | None => done..u64::MAX,
                };
                let range = range.start.max(done)..range.end;
                let resolved = match range.end - range.start {
                    1 => self.resolve_event_range(range.start),
                    _ if range.start > from => self.extend_over_damage(range, done).map(Some),
                    _ => Ok(Some(range)),
                };
                match resolved {
                    // Damage that has grown reaches here, and was met where it starts.
                    Ok(Some(range)) if range.start < done || range.is_empty() => done = range.end.max(done),
                    Ok(Some(range)) => {
                        done = range.end;
                        return Some(Ok(range));
                    }
                    Ok(None) => {}
                    Err(error) => {
                        done = u64::MAX;
                        return Some(Err(error));
                    }
                }
            }
        })
    }

    /// A range, where damage that has grown reaches into it without that: what was read up to `done` has met the damage
    /// if it starts before.
    fn extend_over_damage(&self, range: Range<u64>, done: u64) -> Result<Range<u64>, StorageError> {
        if matches!(self.log.read_frame_at(range.start, &mut Vec::new()), Ok(Some(_))) {
            return Ok(range);
        }
        Ok(match locate_offset(self.log, range.start, self.log.len()?)? {
            OffsetLocation::InsideFrame(found) | OffsetLocation::Damaged(found) => {
                let start = if found.start < done { found.end } else { found.start };
                start..range.end.max(found.end)
            }
            OffsetLocation::FrameStart(_) | OffsetLocation::PastEnd => range,
        })
    }

    /// What is read for an event that is said to start at `at`: its frame, or what stands there instead.
    fn resolve_event_range(&self, at: u64) -> Result<Option<Range<u64>>, StorageError> {
        if matches!(self.log.read_frame_at(at, &mut Vec::new()), Ok(Some(_))) {
            return Ok(Some(at..at + 1));
        }
        Ok(match locate_offset(self.log, at, self.log.len()?)? {
            OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) | OffsetLocation::Damaged(range) => {
                Some(range)
            }
            OffsetLocation::PastEnd => None,
        })
    }
}

/// Ranges, ascending.
type RangeIterator<'s> = Box<dyn Iterator<Item = Result<Range<u64>, IndexFault>> + 's>;

/// What the index knows to be anything but events, and what it does not know of.
fn unindexed_ranges(index: &AggregateIndex) -> RangeIterator<'_> {
    let first = index.blocks().next().map(|block| 0..block.anchor.offset);
    let mut blocks = index.blocks().peekable();
    let covered_to = index.coverage().covered_to;
    let mixed = iter::from_fn(move || {
        loop {
            let block = blocks.next()?;
            if block.has_non_events {
                return Some(block.anchor.offset..blocks.peek().map_or(covered_to, |next| next.anchor.offset));
            }
        }
    });
    let mut damage = index.known_damage().peekable();
    let mut mixed = first.into_iter().chain(mixed).peekable();
    let both = iter::from_fn(move || match (mixed.peek(), damage.peek()) {
        (Some(a), Some(b)) if b.start < a.start => damage.next(),
        (Some(_), _) => mixed.next(),
        (None, _) => damage.next(),
    });
    Box::new(both.chain(iter::once(covered_to..u64::MAX)).map(Ok))
}
