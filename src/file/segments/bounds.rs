//! [`SegmentBounds`]: where a segment starts and ends in its log, and which part of it the file holds; and
//! [`SegmentSet`], the segments of an open log.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file::storage::Storage;
use crate::format::{LogId, LostRange, SegmentHeader, Version};

/// Whether the file of a segment can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SegmentCondition {
    /// The file is there.
    Present,
    /// There is no file of this log with the name of the segment.
    Missing,
    /// The system refuses to open or read the file, for this reason.
    Unreadable(String),
    /// The range is before the first offset of the log: retention has removed its segments.
    Removed,
}

/// One segment of a log, or a range of the log of which no segment is left. All positions are offsets in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentBounds {
    /// Offset of the first byte of the segment.
    pub base: u64,
    /// The end of the bytes that the file holds. In a segment that was cut, it is before `end`.
    pub data_end: u64,
    /// Offset at which the next segment starts; `u64::MAX` in the last segment.
    pub end: u64,
    /// Whether the file can be read.
    pub condition: SegmentCondition,
}

impl SegmentBounds {
    /// Offset of the first frame; the base of a segment without a file, which has no header.
    pub fn first_frame(&self) -> u64 {
        match self.condition {
            SegmentCondition::Present => self.base.saturating_add(Version::V2.first_frame_offset()).min(self.end),
            SegmentCondition::Missing | SegmentCondition::Unreadable(_) => self.base,
            SegmentCondition::Removed => self.end,
        }
    }

    /// The range before the next segment of which the file has no byte; empty in a complete segment, and in the last one.
    pub fn missing(&self) -> Range<u64> {
        if self.end == u64::MAX { self.end..self.end } else { self.data_end.min(self.end)..self.end }
    }
}

/// The segments of an open log. All positions are offsets in the log.
pub trait SegmentSet: Debug {
    /// The identity of the log, the same in all segments.
    fn log_id(&self) -> LogId;

    /// The folder with the files of the segments.
    fn folder(&self) -> &Path;

    /// True for one segment that is read without its neighbours.
    fn is_single_segment(&self) -> bool;

    /// The first offset of the log. Segments before it were removed.
    fn log_start(&self) -> u64;

    /// The bases of all segments, ascending.
    fn bases(&self) -> Vec<u64>;

    /// The base of the last segment that starts before `offset`.
    fn base_before(&self, offset: u64) -> Option<u64>;

    /// The base of the first segment that starts at `offset` or later.
    fn base_from(&self, offset: u64) -> Option<u64>;

    /// The bases of the segments that had an index file when the folder was listed last, ascending, also of those that are no
    /// longer there. Opening the log and taking its lock list the folder.
    fn index_bases(&self) -> Vec<u64>;

    /// Lists the folder again, and removes the temporary files for segments, indexes and settings that killed processes have left.
    /// Taking the writer's lock does so.
    ///
    /// # Errors
    /// The error of the operating system, when the folder cannot be listed.
    fn clean_folder(&self) -> io::Result<()>;

    /// Lists the folder again for [`SegmentSet::index_bases`].
    ///
    /// # Errors
    /// The error of the operating system.
    fn list_indexes(&self) -> io::Result<()>;

    /// The bases of the files that have the name of a segment before the first offset of the log, ascending: a retention that
    /// was killed has left them.
    fn leftover_bases(&self) -> Vec<u64>;

    /// The path of the file of the segment that starts at `base`.
    fn segment_path(&self, base: u64) -> PathBuf;

    /// Returns the segment that contains `offset`, or the range around `offset` that has no segment. Opens its file.
    fn segment_at(&self, offset: u64) -> SegmentBounds;

    /// Returns the ranges of the log of which there are no bytes, ascending: no segment has them, or the file of their segment
    /// is too short. Opens each segment.
    fn missing_ranges(&self) -> Vec<Range<u64>>;

    /// Returns the parts of `range`, of which there are no bytes, that a repair has given up, ascending. Reads the settings.
    fn lost_parts(&self, range: &Range<u64>) -> Vec<LostRange>;

    /// Returns the open file of the segment at `base`, in the mode of the log. Positions in it start at 0.
    ///
    /// # Errors
    /// `NotFound` when there is no such segment; otherwise the error of the operating system.
    fn segment_storage(&self, base: u64) -> io::Result<Arc<dyn Storage>>;

    /// Lists the folder again, after a repair has added, removed or changed the file of a segment.
    ///
    /// # Errors
    /// `NotFound` when no segment is left; otherwise the error of the operating system.
    fn relist(&self) -> io::Result<()>;

    /// Returns how many bytes the file of the sealed segment at `base` has after the start of the next segment.
    fn excess_bytes(&self, base: u64) -> u64;

    /// Returns the segment at `base` for reading, without its neighbours. Its positions are offsets in the log too. A file that is
    /// already open for reading is not opened again.
    ///
    /// # Errors
    /// `NotFound` when there is no such segment; otherwise the error of the operating system.
    fn open_segment(&self, base: u64) -> io::Result<Arc<dyn Storage>>;

    /// Cuts the file of the sealed segment at `base` at the offset `end`, when it has only zeros after it. Otherwise, and for
    /// another segment, does nothing.
    ///
    /// # Errors
    /// The error of the operating system.
    fn cut_zeros(&self, base: u64, end: u64) -> io::Result<()>;

    /// Adds a segment with this header after the last one, to which events are appended from now on. When the function
    /// returns, the file and its name are on stable storage.
    ///
    /// # Errors
    /// The error of the operating system. The old segment is then still the last one.
    fn add_segment(&self, header: SegmentHeader, created_at_ms: u64) -> io::Result<()>;

    /// Replaces the file of the last segment, which has no frame, by one with this header, and removes its index, which has a
    /// copy of the old header. When the function returns, the file is on stable storage.
    ///
    /// # Errors
    /// The error of the operating system. The last segment then has the old or the new header.
    fn replace_empty_segment(&self, header: SegmentHeader, created_at_ms: u64) -> io::Result<()>;
}
