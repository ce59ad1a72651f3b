//! The progress of the background scan: its index, and the ranges that remain to be verified.

use std::collections::VecDeque;
use std::iter;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::index::AggregateIndex;
use crate::inspect::unverified_ranges;
use crate::repair::JournalMark;

/// Time after which an unfinished last frame is read again.
pub(super) const IN_FLIGHT_RECHECK_DELAY: Duration = Duration::from_secs(1);

/// The progress of the scan.
#[derive(Debug, Default)]
pub(super) struct ScanWorkerState {
    /// The index that the scan keeps up to date; `None` only while a survey is using it.
    pub(super) index: Option<AggregateIndex>,
    /// The repairs of the log before the first byte of the index was read.
    pub(super) journals: JournalMark,
    /// Whether this scan builds the index from the first byte, so that everything that the index covers is verified.
    pub(super) builds_index: bool,
    /// Whether ranges that were verified earlier are read too, because the log's bytes may have changed since.
    pub(super) reads_everything: bool,
    /// The state of the log when the index had last read all of it; `None` before the first time.
    pub(super) last_catch_up: Option<CatchUp>,
    /// Time of the last readable event before the next slice, in milliseconds since the Unix epoch.
    pub(super) last_event_time: Option<u64>,
    /// Ranges that remain to be verified, ascending; `None` until the first catch-up is complete.
    unverified_ranges: Option<VecDeque<Range<u64>>>,
    /// Ranges that were verified earlier. They are read only when the user resumes a finished scan.
    skipped_ranges: VecDeque<Range<u64>>,
}

/// Returns the end of the slice of about `bytes` bytes from an offset on, and whether a segment starts there. A slice ends at
/// the last segment that starts in it, so that the events of whole segments are counted.
pub(super) fn end_of_slice(segments: &[u64], from: u64, bytes: u64) -> (u64, bool) {
    let until = from.saturating_add(bytes);
    let started = segments.partition_point(|base| *base <= until);
    match started.checked_sub(1).and_then(|at| segments.get(at)) {
        Some(base) if *base > from => (*base, true),
        _ => (until, false),
    }
}

/// The state of the log when the index had last read all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CatchUp {
    /// Size of the log in bytes.
    pub(super) log_bytes: u64,
    /// The time at which the last frame was found unfinished; `None` when it was complete.
    pub(super) in_flight_since: Option<Instant>,
}

impl ScanWorkerState {
    /// Returns true when a log of `log_bytes` bytes holds bytes that the index has not read, or has read while they
    /// were being written.
    pub(super) fn needs_catch_up(&self, log_bytes: u64) -> bool {
        self.last_catch_up.is_none_or(|last| {
            last.log_bytes != log_bytes
                || last.in_flight_since.is_some_and(|since| since.elapsed() >= IN_FLIGHT_RECHECK_DELAY)
        })
    }

    /// Returns true when the last frame was unfinished when the index read it.
    pub(super) fn has_frame_in_flight(&self) -> bool {
        self.last_catch_up.is_some_and(|last| last.in_flight_since.is_some())
    }

    /// Returns true when no queued range remains.
    pub(super) fn has_verified_all(&self) -> bool {
        self.unverified_ranges.as_ref().is_some_and(VecDeque::is_empty)
    }

    /// Queues the ranges that the index does not record as verified, and marks the ranges between them as skipped. Only
    /// the first call has an effect.
    pub(super) fn queue_unverified_ranges(&mut self, log_bytes: u64) {
        if self.unverified_ranges.is_some() {
            return;
        }
        let index = self.index.as_ref().filter(|_| !self.reads_everything);
        let queue: VecDeque<_> = index
            .map_or_else(|| iter::once(0..log_bytes).collect(), |index| unverified_ranges(index, log_bytes).into());
        let between = queue.iter().zip(queue.iter().skip(1)).map(|(before, after)| before.end..after.start);
        self.skipped_ranges = between.filter(|range| !range.is_empty()).collect();
        self.unverified_ranges = Some(queue);
    }

    /// Queues the skipped ranges when no other queued range remains.
    pub(super) fn queue_skipped_ranges(&mut self) {
        if self.has_verified_all() {
            self.unverified_ranges = Some(std::mem::take(&mut self.skipped_ranges));
        }
    }

    /// Replaces the queued range at the end of a truncated log, because it refers to bytes that no longer exist.
    /// Returns the start of the new range, or `None` when no ranges have been queued yet.
    pub(super) fn requeue_end(&mut self, index: &AggregateIndex, log_bytes: u64) -> Option<u64> {
        let queue = self.unverified_ranges.as_mut()?;
        let end = unverified_ranges(index, log_bytes).pop()?;
        let start = end.start;
        queue.retain(|range| range.start < start);
        queue.push_back(end);
        Some(start)
    }

    /// Returns the first queued range.
    pub(super) fn next_range(&self) -> Option<Range<u64>> {
        self.unverified_ranges.as_ref()?.front().cloned()
    }

    /// Removes the part of the first queued range that was read, which is everything before `scanned_to`.
    pub(super) fn finish_slice(&mut self, scanned_to: u64, last_event_time: Option<u64>) {
        self.last_event_time = last_event_time;
        let Some(queue) = &mut self.unverified_ranges else { return };
        let Some(range) = queue.pop_front() else { return };
        let rest = scanned_to..range.end;
        if rest.is_empty() {
            // The event before the next range is not the event that was read last.
            self.last_event_time = None;
        } else {
            queue.push_front(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_ends_at_the_last_segment_that_starts_in_it() {
        let segments = [0, 100, 200, 1000];
        assert_eq!(end_of_slice(&segments, 0, 250), (200, true));
        assert_eq!(end_of_slice(&segments, 200, 250), (450, false));
        assert_eq!(end_of_slice(&segments, 450, 550), (1000, true));
        assert_eq!(end_of_slice(&segments, 0, 50), (50, false));
        assert_eq!(end_of_slice(&[], 10, 50), (60, false));
    }
}
