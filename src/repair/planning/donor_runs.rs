//! What is asked of a donor, and what it has: wanted ranges, references, and runs of frames.

use std::ops::Range;

use super::neighbours::Neighbours;
use crate::format::FrameIdentity;
use crate::repair::types::Certainty;

/// The reason why a donor's frames are refused or not proven: a clause about the donor ("it ends before ...").
pub(crate) type RefusalReason = &'static str;

/// The frames by which a donor is compared with the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct References<'a> {
    /// The valid frames of the log next to the damaged range.
    pub(super) neighbours: Neighbours,
    /// The frames that the index has recorded, by ascending offset.
    pub(super) recorded: &'a [FrameIdentity],
}

/// The range for which frames of a donor are wanted.
#[derive(Debug, Clone)]
pub(super) struct WantedRange<'a> {
    pub(super) range: Range<u64>,
    /// Offsets at which a run of frames is split, ascending.
    pub(super) cuts: &'a [u64],
    /// Parts of the range that another donor fills, ascending and disjoint.
    pub(super) taken: Vec<Range<u64>>,
    /// The end of the log, when frames after it are wanted only after a frame that crosses it.
    pub(super) open_after: Option<u64>,
}

/// Consecutive frames of one donor that are valid events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DonorRun {
    pub(crate) range: Range<u64>,
    /// Number of events in the range.
    pub(crate) events: u64,
    /// The reason why the frames are not proven; `None` when they are.
    pub(crate) doubt: Option<RefusalReason>,
    /// Number of the donor, counted from 0.
    pub(crate) donor: usize,
    pub(super) first_frame_end: u64,
    pub(super) last_frame_start: u64,
}

/// The frames of a donor in a wanted range, and the parts of the range where it has none.
#[derive(Debug, Default)]
pub(super) struct DonorSearch {
    pub(super) runs: Vec<DonorRun>,
    pub(super) misses: Vec<Miss>,
}

/// A part of a wanted range where a donor has no frame that can be taken.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) range: Range<u64>,
    pub(super) reason: RefusalReason,
}

impl DonorRun {
    /// Returns the certainty of the frames.
    pub(crate) const fn certainty(&self) -> Certainty {
        if self.doubt.is_none() { Certainty::Proven } else { Certainty::Choice }
    }

    /// Returns this run without its first frame; `None` when it has only one.
    pub(super) fn without_first_frame(self) -> Option<Self> {
        let range = self.first_frame_end..self.range.end;
        // The length of the second frame is not known, so a further call drops the rest of the run.
        (range.start < range.end).then(|| Self { first_frame_end: range.end, range, events: self.events - 1, ..self })
    }

    /// Returns this run without its last frame; `None` when it has only one.
    pub(super) fn without_last_frame(self) -> Option<Self> {
        let range = self.range.start..self.last_frame_start;
        (range.start < range.end).then(|| Self {
            last_frame_start: range.start,
            range,
            events: self.events - 1,
            ..self
        })
    }
}
