//! Finds the latest event of each aggregate by the index, in bounded memory.

use std::collections::BinaryHeap;

use crate::StorageError;
use crate::index::{AggregateIndex, IndexFault};
use crate::inspect::LogView;
use crate::repair::types::changed_error;

/// Largest number of offsets in memory, which take 32 MiB.
const MAX_OFFSETS: usize = 4 << 20;

/// The offsets of the latest events of all aggregates. They are asked for in ascending order.
///
/// A pass over the index reads the next offsets, at most [`MAX_OFFSETS`]. A log with more aggregates needs several passes.
pub(super) struct LatestOffsets<'a> {
    index: &'a AggregateIndex,
    max_offsets: usize,
    /// The offsets of the present window, ascending.
    window: Vec<u64>,
    /// The window has every latest event before this offset.
    window_end: u64,
    /// Number of events that were found before the end of the index.
    events: u64,
    /// Number of events with an aggregate that were found to be the latest.
    found: u64,
}

impl<'a> LatestOffsets<'a> {
    pub(super) const fn new(index: &'a AggregateIndex) -> Self {
        Self::with_max_offsets(index, MAX_OFFSETS)
    }

    const fn with_max_offsets(index: &'a AggregateIndex, max_offsets: usize) -> Self {
        Self { index, max_offsets, window: Vec::new(), window_end: 0, events: 0, found: 0 }
    }

    /// Returns the offset after the last event that the index covers. Later events are not judged.
    pub(super) fn end(&self) -> u64 {
        self.index.coverage().covered_to
    }

    /// Counts the event at `offset`, and returns whether it is the latest one of its aggregate. An event without an aggregate
    /// is the latest one.
    ///
    /// # Errors
    /// `UnusableIndex`, `Io` when the index cannot be read.
    pub(super) fn visit(&mut self, view: &LogView, offset: u64, aggregate: Option<u64>) -> Result<bool, StorageError> {
        self.events += 1;
        if aggregate.is_none() {
            return Ok(true);
        }
        if offset >= self.window_end {
            self.read_window(offset).map_err(|fault| fault.into_error(view.index_path()))?;
        }
        let is_latest = self.window.binary_search(&offset).is_ok();
        self.found += u64::from(is_latest);
        Ok(is_latest)
    }

    /// Reads the window that starts at `from`: the smallest latest offsets from there on.
    fn read_window(&mut self, from: u64) -> Result<(), IndexFault> {
        let mut smallest = BinaryHeap::new();
        let mut is_complete = true;
        for aggregate in self.index.iter() {
            let last = aggregate?.last;
            if last < from {
                continue;
            }
            smallest.push(last);
            if smallest.len() > self.max_offsets {
                smallest.pop();
                is_complete = false;
            }
        }
        self.window = smallest.into_sorted_vec();
        self.window_end = match self.window.last() {
            Some(last) if !is_complete => last + 1,
            _ => u64::MAX,
        };
        Ok(())
    }

    /// Checks that the index describes the events that were found. An index that lists another latest event, or misses one,
    /// would drop events that are to be kept.
    ///
    /// # Errors
    /// `Changed` when it does not.
    pub(super) fn check(&self, view: &LogView) -> Result<(), StorageError> {
        let mut aggregates = 0u64;
        for aggregate in self.index.iter() {
            aggregate.map_err(|fault| fault.into_error(view.index_path()))?;
            aggregates += 1;
        }
        let events = self.index.coverage().events;
        if (self.events, self.found) == (events, aggregates) {
            return Ok(());
        }
        let expected =
            format!("{events} events with the latest ones of {aggregates} aggregates, as the index lists them");
        let found = format!(
            "{} events with {} of them; `chronicle index rebuild LOG` builds the index of what can be read",
            self.events, self.found
        );
        Err(changed_error(view.path(), &expected, &found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, EventLog};

    #[test]
    fn windows_of_any_size_find_the_same_events() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = EventLog::create(&path).unwrap();
        let mut events = Vec::new();
        for n in 0..200u64 {
            let aggregate = (n % 7 != 0).then_some(n * n % 31);
            let event = Event::builder().event_type("E").namespace("n").schema_id("s").schema_version(1);
            let event = aggregate.into_iter().fold(event, crate::EventBuilder::aggregate_id);
            events.push((log.append(&event.payload_json("1").build().unwrap()).unwrap(), aggregate));
        }
        let index = log.index().unwrap();
        let is_latest = |at: usize| {
            let (_, aggregate) = events[at];
            aggregate.is_none() || events[at + 1..].iter().all(|(_, later)| *later != aggregate)
        };
        let expected: Vec<bool> = (0..events.len()).map(is_latest).collect();
        for max_offsets in [1, 2, 3, 30, 31, 1000] {
            let mut latest = LatestOffsets::with_max_offsets(&index, max_offsets);
            let found: Vec<bool> = events
                .iter()
                .map(|(offset, aggregate)| latest.visit(log.view(), *offset, *aggregate).unwrap())
                .collect();
            assert_eq!(found, expected, "{max_offsets} offsets");
            latest.check(log.view()).unwrap();
        }
        let mut latest = LatestOffsets::new(&index);
        for (offset, aggregate) in &events[..199] {
            latest.visit(log.view(), *offset, *aggregate).unwrap();
        }
        assert!(matches!(latest.check(log.view()), Err(StorageError::Changed { .. })), "an event is missing");
    }
}
