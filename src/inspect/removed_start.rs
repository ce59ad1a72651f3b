//! [`RemovedStart`]: the offset at which a log starts after a retention, and the number of events that were before it.

use super::LogView;
use crate::file::RemovedFolder;
use crate::format::SegmentRemoval;

/// The start of a log whose older segments were removed by retention. The history of an aggregate can be incomplete then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemovedStart {
    /// The first offset of the log.
    pub offset: u64,
    /// The number of events that were removed; `None` when the records of the removals do not cover the whole range before
    /// `offset`.
    pub events: Option<u64>,
}

impl LogView {
    /// Returns where the log starts when retention has removed segments before that; `None` for a log that has its first
    /// segment, for one segment, and for a log in one file. Reads the records of the removals.
    pub fn removed_start(&self) -> Option<RemovedStart> {
        let segments = self.segments()?;
        let offset = segments.log_start();
        if offset == 0 {
            return None;
        }
        let folder = RemovedFolder::of_log(self.disk().as_ref(), self.log().storage(), segments).ok();
        let records = folder.and_then(|folder| folder.read_records().ok()).map(|found| found.records);
        Some(RemovedStart { offset, events: records.and_then(|records| count_removed_events(&records, offset)) })
    }
}

/// Returns the number of events in `records`, by ascending new start, which together must cover the range from 0 to `start`.
fn count_removed_events(records: &[SegmentRemoval], start: u64) -> Option<u64> {
    let in_effect = records.iter().filter(|record| record.new_start <= start);
    let (covered, events) = in_effect.fold((Some(0), 0_u64), |(covered, events), record| {
        let next = covered.filter(|end| *end == record.old_start).map(|_| record.new_start);
        (next, events.saturating_add(record.events()))
    });
    (covered == Some(start)).then_some(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{LogId, RemovedSegment};

    fn record(old_start: u64, new_start: u64, events: u64) -> SegmentRemoval {
        SegmentRemoval {
            log_id: LogId::from_bytes(*b"0123456789abcdef"),
            removed_at_ms: 5,
            reason: String::new(),
            old_start,
            new_start,
            segments: vec![RemovedSegment { base: old_start, bytes: 100, events }],
            purged_at_ms: None,
        }
    }

    #[test]
    fn the_number_is_known_only_when_the_records_cover_the_whole_range() {
        let (first, second, later) = (record(0, 100, 3), record(100, 250, 4), record(250, 300, 5));
        let count = |records: &[SegmentRemoval], start| count_removed_events(records, start);
        assert_eq!(count(&[first.clone(), second.clone()], 250), Some(7));
        assert_eq!(count(&[first.clone(), second.clone(), later.clone()], 250), Some(7), "a removal without effect");
        assert_eq!(count(std::slice::from_ref(&second), 250), None);
        assert_eq!(count(&[first.clone(), later], 300), None);
        assert_eq!(count(&[first], 250), None);
        assert_eq!(count(&[], 250), None);
    }
}
