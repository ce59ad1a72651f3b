//! A run in memory: the aggregates of a part of the log, sorted by id, with their offsets, in a few bytes per event.
//!
//! A run is immutable, so lookups on other threads can share it while the index grows.

use super::coverage::AggregateSummary;
use crate::format::index::{put_varint, take_varint};

/// The number of entries per guide entry.
const ENTRIES_PER_GUIDE_ENTRY: usize = 64;

/// Encoded entries, one per aggregate, by ascending id.
///
/// An entry consists of varints: the difference of its id to the previous id (0 when the guide has the entry), its
/// number of events, and the distance of its first offset from `base_offset`. An entry with more than one event
/// continues with the number of bytes that follow and the distance from each offset to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryRun {
    bytes: Vec<u8>,
    /// The id and the position in `bytes` of every 64th entry.
    guide: Vec<(u64, usize)>,
    /// The offset from which first offsets are counted.
    base_offset: u64,
    pub(super) events: u64,
    aggregates: usize,
    /// The id of the last entry, while entries are added.
    previous_id: u64,
}

/// The decoded entry of one aggregate.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunEntry<'r> {
    pub(super) summary: AggregateSummary,
    /// The encoded distances from each offset to the next.
    pub(super) deltas: &'r [u8],
}

impl MemoryRun {
    /// Builds a run from pairs of an aggregate id and an event offset, by ascending offset.
    pub(super) fn from_postings(mut postings: Vec<(u64, u64)>) -> Self {
        let base_offset = postings.first().map_or(0, |(_, at)| *at);
        // The sort is stable, so the offsets of an aggregate stay ascending.
        postings.sort_by_key(|(id, _)| *id);
        let mut run = Self { base_offset, bytes: Vec::with_capacity(postings.len() * 4), ..Self::default() };
        let mut deltas = Vec::new();
        for group in postings.chunk_by(|a, b| a.0 == b.0) {
            let (Some((id, first)), Some((_, last))) = (group.first(), group.last()) else { continue };
            deltas.clear();
            let mut previous = *first;
            for (_, at) in group.iter().skip(1) {
                put_varint(at - previous, &mut deltas);
                previous = *at;
            }
            run.push(&AggregateSummary { id: *id, events: group.len() as u64, first: *first, last: *last }, &deltas);
        }
        run.bytes.shrink_to_fit();
        run
    }

    /// Creates an empty run whose offsets are counted from `base_offset`.
    pub(super) fn with_base_offset(base_offset: u64) -> Self {
        Self { base_offset, ..Self::default() }
    }

    /// Adds an aggregate, whose id must be greater than all ids in the run.
    pub(super) fn push(&mut self, summary: &AggregateSummary, deltas: &[u8]) {
        if self.aggregates.is_multiple_of(ENTRIES_PER_GUIDE_ENTRY) {
            self.guide.push((summary.id, self.bytes.len()));
            self.previous_id = summary.id;
        }
        self.aggregates += 1;
        self.events += summary.events;
        let numbers = [summary.id - self.previous_id, summary.events, summary.first - self.base_offset];
        for number in numbers {
            put_varint(number, &mut self.bytes);
        }
        if summary.events > 1 {
            put_varint(deltas.len() as u64, &mut self.bytes);
            self.bytes.extend_from_slice(deltas);
        }
        self.previous_id = summary.id;
    }

    /// The memory that the run uses, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        (self.bytes.capacity() + self.guide.capacity() * size_of::<(u64, usize)>()) as u64
    }

    /// The offset from which first offsets are counted.
    pub(super) const fn base_offset(&self) -> u64 {
        self.base_offset
    }

    /// Finds the entry of an aggregate; `None` when the run has no event of it.
    pub(super) fn find(&self, id: u64) -> Option<RunEntry<'_>> {
        let guide_index = self.guide.partition_point(|(known, _)| *known <= id).checked_sub(1)?;
        self.entries_from(guide_index)
            .take(ENTRIES_PER_GUIDE_ENTRY)
            .take_while(|entry| entry.summary.id <= id)
            .find(|entry| entry.summary.id == id)
    }

    /// Iterates over all entries, by ascending id.
    pub(super) fn entries(&self) -> impl Iterator<Item = RunEntry<'_>> {
        self.entries_from(0)
    }

    /// Iterates over the entries from a guide entry on.
    fn entries_from(&self, guide_index: usize) -> impl Iterator<Item = RunEntry<'_>> {
        let mut rest = self.guide.get(guide_index).and_then(|(_, at)| self.bytes.get(*at..)).unwrap_or_default();
        let mut id = 0;
        let mut number = guide_index * ENTRIES_PER_GUIDE_ENTRY;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if number.is_multiple_of(ENTRIES_PER_GUIDE_ENTRY) {
                id = self.guide.get(number / ENTRIES_PER_GUIDE_ENTRY)?.0;
            }
            number += 1;
            id += take_varint(&mut rest)?;
            let (events, first) = (take_varint(&mut rest)?, self.base_offset + take_varint(&mut rest)?);
            let mut entry = RunEntry { summary: AggregateSummary { id, events, first, last: first }, deltas: &[] };
            if events > 1 {
                let len = take_varint(&mut rest)? as usize;
                (entry.deltas, rest) = rest.split_at_checked(len)?;
                let mut deltas = entry.deltas;
                while let Some(delta) = take_varint(&mut deltas) {
                    entry.summary.last += delta;
                }
            }
            Some(entry)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_finds_its_aggregates_and_no_others() {
        let postings: Vec<(u64, u64)> = (0..5000u64).map(|n| (n * n % 701 * 3, 1000 + n * 300)).collect();
        let run = MemoryRun::from_postings(postings.clone());
        assert_eq!(run.events, 5000);
        let mut events = 0;
        for id in 0..2200 {
            let expected: Vec<u64> = postings.iter().filter(|(known, _)| *known == id).map(|(_, at)| *at).collect();
            let found = run.find(id);
            assert_eq!(found.map(|entry| entry.summary.events), Some(expected.len() as u64).filter(|n| *n > 0));
            let Some(RunEntry { summary, mut deltas }) = found else { continue };
            let mut at = summary.first;
            let mut offsets = vec![at];
            while let Some(delta) = take_varint(&mut deltas) {
                at += delta;
                offsets.push(at);
            }
            assert_eq!((offsets, summary.last), (expected.clone(), at), "aggregate {id}");
            events += expected.len();
        }
        assert_eq!(events, 5000);
        let ids: Vec<u64> = run.entries().map(|entry| entry.summary.id).collect();
        assert!(ids.is_sorted() && ids.len() == run.aggregates);
        assert!(run.memory_bytes() < 5000 * 6 + 701 * 64, "{} bytes", run.memory_bytes());
    }
}
