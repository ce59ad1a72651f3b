//! The parts of a log whose events the index has counted, so that they need not be read for a timeline.
//!
//! Blocks are used whose events all match the filter and lie in one interval of time. As with skipped blocks, the frames at
//! both ends of such a part are compared with the index; damage that appeared between them after the index was built is
//! not noticed.

use std::ops::Range;

use super::filter::Filter;
use crate::file::LogFile;
use crate::index::{AggregateIndex, Anchor, Block, MAX_DAMAGED_RANGES};

/// Adjacent blocks whose events lie in one interval of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CountedRange {
    /// The bytes that the blocks take. The first byte is the start of an event, the end that of a frame.
    pub(super) range: Range<u64>,
    /// The time of one of the events, in milliseconds since the Unix epoch.
    pub(super) time_ms: u64,
    /// The number of events.
    pub(super) events: u64,
}

/// Returns the parts that need not be read, ascending and not adjacent. `interval_of` returns the interval of a time.
pub(super) fn counted_ranges(
    log: &LogFile,
    index: &AggregateIndex,
    filter: &Filter,
    interval_of: impl Fn(u64) -> u64,
) -> Vec<CountedRange> {
    let mut counted: Vec<CountedRange> = Vec::new();
    if !index.covers_log_start() || index.build_damage().len() >= MAX_DAMAGED_RANGES {
        return counted;
    }
    let mut damage = index.known_damage().peekable();
    let blocks: Vec<&Block> = index.blocks().collect();
    let mut run: Option<Run> = None;
    for pair in blocks.windows(2) {
        let [block, next] = pair else { continue };
        let range = block.anchor.offset..next.anchor.offset;
        while damage.next_if(|damage| damage.end <= range.start).is_some() {}
        let has_only_events = !block.has_non_events && damage.peek().is_none_or(|damage| damage.start >= range.end);
        let interval = interval_of(block.time_range.0);
        let is_counted = has_only_events
            && interval == interval_of(block.time_range.1)
            && filter.shows_all_events(&range, block.time_range);
        let is_next_of_run = run.as_ref().is_some_and(|run| run.interval == interval);
        if is_counted && is_next_of_run {
            if let Some(run) = &mut run {
                run.end = next.anchor;
            }
            continue;
        }
        counted.extend(run.take().and_then(|run| run.verified(log)));
        if is_counted {
            run = Some(Run { start: block.anchor, end: next.anchor, interval });
        }
    }
    counted.extend(run.and_then(|run| run.verified(log)));
    counted
}

/// Adjacent blocks in one interval, before the log was compared with them.
struct Run {
    start: Anchor,
    end: Anchor,
    interval: u64,
}

impl Run {
    /// Returns the blocks when the log still has the events at both ends.
    fn verified(self, log: &LogFile) -> Option<CountedRange> {
        // An unreadable sector is not an error here: the blocks are then read, which reports the sector.
        let is_valid = self.start.is_in_log(log) && self.end.is_in_log(log);
        is_valid.then(|| CountedRange {
            range: self.start.offset..self.end.offset,
            time_ms: self.start.timestamp_ms,
            events: self.end.ordinal.saturating_sub(self.start.ordinal),
        })
    }
}
