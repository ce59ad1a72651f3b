//! [`StartPosition`]: where a log starts, which a retention moves.

use super::segments::{SegmentCondition, SegmentSet};
use crate::format::Version;

/// The start of a log, in offsets of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartPosition {
    /// The first offset; 0 unless retention has removed segments.
    pub(super) offset: u64,
    /// The header of the first segment that is there.
    pub(super) header: u64,
    /// The first frame.
    pub(super) first_frame: u64,
}

impl StartPosition {
    /// Returns the start of a log in one file.
    pub(super) const fn of_file(version: Version) -> Self {
        Self { offset: 0, header: 0, first_frame: version.first_frame_offset() }
    }

    /// Returns the present start of a log in segments.
    pub(super) fn of_segments(segments: &dyn SegmentSet) -> Self {
        let (offset, header) = (segments.log_start(), first_base(segments));
        // Where the first segment is missing, the log starts with that damage.
        let first_frame = if offset < header { offset } else { header + Version::V2.first_frame_offset() };
        Self { offset, header, first_frame }
    }
}

/// Returns the base of the first segment that is there. A file that only has the name of a segment is none.
pub(super) fn first_base(segments: &dyn SegmentSet) -> u64 {
    let first = segments.base_from(0);
    let is_there = |base: &u64| segments.segment_at(*base).condition != SegmentCondition::Missing;
    let mut bases = std::iter::successors(first, |base| segments.base_from(base.checked_add(1)?));
    bases.find(is_there).or(first).unwrap_or_default()
}
