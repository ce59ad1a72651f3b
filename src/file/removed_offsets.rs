//! The methods of [`LogFile`] for offsets at which no frame starts: before the start of a log, whose segments a retention has removed,
//! and in the headers of segments.

use super::LogFile;
use super::segments::SegmentSet;
use crate::StorageError;
use crate::format::Version;

impl LogFile {
    /// Checks that retention has not removed the segment with `offset`. Offset 0 selects the start of the log.
    ///
    /// # Errors
    /// `Removed` when it has.
    pub(crate) fn ensure_not_removed(&self, offset: u64) -> Result<(), StorageError> {
        let log_start = self.storage().segments().filter(|segments| !segments.is_single_segment());
        match log_start.map(SegmentSet::log_start) {
            Some(first) if (1..first).contains(&offset) => {
                Err(StorageError::Removed { path: self.path().to_owned(), offset, first })
            }
            _ => Ok(()),
        }
    }

    /// Returns the error of a read that failed at `offset`.
    pub(super) fn read_error(&self, offset: u64, error: std::io::Error) -> StorageError {
        // An offset that is read is never the start of the log as such.
        let removed = self.ensure_not_removed(offset.max(1));
        removed.err().unwrap_or_else(|| StorageError::io_at(self.path(), "read", offset, error))
    }

    /// Returns `offset`, or the offset of the first frame after it when it is in the header of a later segment, also of one without
    /// a frame, or in a segment that retention has removed.
    pub(crate) fn skip_segment_header(&self, offset: u64) -> u64 {
        self.storage().segments().map_or(offset, |segments| {
            // Segments that retention has removed are followed by the header of the first one.
            let mut offset = offset.max(segments.log_start());
            loop {
                let first = segments.segment_at(offset).first_frame();
                if first <= offset {
                    return offset;
                }
                offset = first;
            }
        })
    }

    /// Returns the start of the last segment, or of a log in one file, when the log ends at `log_end` within its header.
    pub(crate) fn start_of_cut_header(&self, log_end: u64) -> Option<u64> {
        let Some(segments) = self.storage().segments() else {
            return (log_end < self.first_frame_offset()).then_some(0);
        };
        let base = segments.base_before(u64::MAX)?;
        (base..base.saturating_add(Version::V2.first_frame_offset())).contains(&log_end).then_some(base)
    }
}
