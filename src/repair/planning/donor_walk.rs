//! A walk over the frames of a donor: collects runs of valid events, and rates each chain of frames by where it starts
//! and ends.

use std::ops::Range;

use super::donor_runs::{DonorRun, DonorSearch, Miss, RefusalReason, WantedRange};

/// What is known about the place where a chain of consecutive frames starts or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// A reference, which the donor has too.
    Agrees,
    /// A reference that the donor does not have.
    Differs,
    /// Damage of the donor, or its end.
    Broken,
}

/// A walk over the frames of a donor, from the reference before a wanted range to the one after it.
pub(super) struct Walk<'w> {
    pub(super) wanted: &'w WantedRange<'w>,
    pub(super) found: DonorSearch,
    /// The first run in `found` of the chain that is being read.
    chain_start: usize,
    /// The place where that chain starts.
    pub(super) left: Link,
    /// End of the last frame that agrees with a reference.
    pub(super) agreed_to: u64,
}

impl<'w> Walk<'w> {
    pub(super) fn new(wanted: &'w WantedRange, first_frame_offset: u64) -> Self {
        let found = DonorSearch::default();
        Self {
            wanted,
            found,
            chain_start: 0,
            left: Link::Agrees,
            agreed_to: first_frame_offset.min(wanted.range.start),
        }
    }

    /// True when a frame lies in the wanted range, and no other donor fills a part of it.
    pub(super) fn is_wanted(&self, frame: &Range<u64>) -> bool {
        let WantedRange { range, taken, .. } = self.wanted;
        let before = taken.partition_point(|taken| taken.start < frame.end);
        let is_free =
            before.checked_sub(1).and_then(|last| taken.get(last)).is_none_or(|taken| taken.end <= frame.start);
        range.start <= frame.start && frame.end <= range.end && is_free
    }

    /// Adds a frame to the chain.
    pub(super) fn push(&mut self, frame: Range<u64>, events: u64) {
        let is_cut = self.wanted.cuts.binary_search(&frame.start).is_ok();
        let in_chain = self.found.runs.get_mut(self.chain_start..).unwrap_or_default();
        match in_chain.last_mut() {
            Some(run) if run.range.end == frame.start && !is_cut => {
                (run.range.end, run.last_frame_start) = (frame.end, frame.start);
                run.events += events;
            }
            _ => self.found.runs.push(DonorRun {
                first_frame_end: frame.end,
                last_frame_start: frame.start,
                range: frame,
                events,
                doubt: None,
                donor: 0,
            }),
        }
    }

    /// Ends the chain at a place of which `right` is known. The next chain starts there.
    pub(super) fn close(&mut self, right: Link) {
        let doubt = match (self.left, right) {
            (Link::Differs, _) | (_, Link::Differs) => Some("its frames next to them differ from those of this log"),
            (Link::Broken, Link::Broken) => Some("it is damaged on both sides of them"),
            _ => None,
        };
        for run in self.found.runs.get_mut(self.chain_start..).unwrap_or_default() {
            run.doubt = doubt;
        }
        (self.chain_start, self.left) = (self.found.runs.len(), right);
    }

    /// Adds a range where the donor has no frame that can be taken. Only its part in the wanted range is kept.
    pub(super) fn add_miss(&mut self, range: Range<u64>, reason: RefusalReason) {
        let range = range.start.max(self.wanted.range.start)..range.end.min(self.wanted.range.end);
        if range.start < range.end {
            self.found.misses.push(Miss { range, reason });
        }
    }
}
