//! [`RollPolicy`]: when the writer of a log in segments starts the next segment, and how it does so.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{LogFile, ScanSpan, spans_before};
use crate::StorageError;
use crate::format::header::MAX_HEADER_LEN;
use crate::format::{LogHeader, SegmentHeader};

/// The size of a segment at which the next one is started, in bytes, unless the log has its own.
pub(crate) const DEFAULT_SEGMENT_SIZE: u64 = 256 << 20;

/// When a writer starts the next segment. A segment without an event is never followed by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RollPolicy {
    /// The size at which a segment is sealed, in bytes.
    pub(crate) max_bytes: u64,
    /// The age at which a segment is sealed, in milliseconds since it was created; `None` for any age.
    pub(crate) max_age_ms: Option<u64>,
}

impl Default for RollPolicy {
    fn default() -> Self {
        Self { max_bytes: DEFAULT_SEGMENT_SIZE, max_age_ms: None }
    }
}

impl RollPolicy {
    /// Returns the rule for a new log at `path`; `None` when it is one file, because no option is given and the path does not end
    /// with `/`.
    pub(crate) fn of_options(size: Option<u64>, age: Option<Duration>, path: &Path) -> Option<Self> {
        let names_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if size.is_none() && age.is_none() && !names_folder {
            return None;
        }
        let max_age_ms = age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        Some(Self { max_bytes: size.unwrap_or(DEFAULT_SEGMENT_SIZE), max_age_ms })
    }
}

/// The last segment of a log, to which its writer appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ActiveSegment {
    /// Offset of the segment in the log.
    base: u64,
    /// The intact header; `None` when it is damaged. Such a segment is not followed by another one, because its number is not
    /// known.
    header: Option<LogHeader>,
}

impl ActiveSegment {
    /// Creates the value for the last segment of a new log, which starts at `base`.
    pub(super) const fn of_header(base: u64, header: LogHeader) -> Self {
        Self { base, header: Some(header) }
    }

    /// Reads the last segment of a log; `None` in a log of one file.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    pub(super) fn of_log(log: &LogFile) -> Result<Option<Self>, StorageError> {
        let Some(base) = log.storage().segments().and_then(|segments| segments.base_before(u64::MAX)) else {
            return Ok(None);
        };
        let mut bytes = [0; MAX_HEADER_LEN];
        log.read_at(&mut bytes, base)?;
        Ok(Some(Self { base, header: LogHeader::decode(&bytes).ok() }))
    }

    /// True when the next segment is due at `now_ms`, in milliseconds since the Unix epoch, in a log that ends at `end`.
    pub(super) fn is_due(&self, policy: RollPolicy, end: u64, now_ms: u64) -> bool {
        let bytes = end.saturating_sub(self.base);
        let created_at_ms = self.header.map_or(u64::MAX, |header| header.created_at_ms);
        let is_old = policy.max_age_ms.is_some_and(|age| created_at_ms.saturating_add(age) <= now_ms);
        (bytes >= policy.max_bytes || is_old) && bytes > MAX_HEADER_LEN as u64 && self.header.is_some()
    }

    /// Returns the intact header when the segment has no frame in a log that ends at `end`; `None` otherwise.
    pub(super) fn empty_header(&self, end: u64) -> Option<LogHeader> {
        self.header.filter(|_| end.saturating_sub(self.base) == MAX_HEADER_LEN as u64)
    }

    /// Returns the header of the segment that follows this one in a log that ends at `end`, with the same start of the log; `None`
    /// when the number of this one is not known or is the last one.
    ///
    /// # Errors
    /// `Io` when the last frame cannot be read.
    pub(super) fn next_header(&self, log: &Arc<LogFile>, end: u64) -> Result<Option<SegmentHeader>, StorageError> {
        let Some(segment) = self.header.and_then(|header| header.segment) else { return Ok(None) };
        let (number, prev_checksum) = (segment.number.checked_add(1), last_checksum(log, self.base, end)?);
        Ok(number.map(|number| SegmentHeader { base: end, number, prev_checksum, ..segment }))
    }
}

/// Returns the checksum of the last frame of the segment at `base`; 0 when it ends with damage or has no frame.
fn last_checksum(log: &Arc<LogFile>, base: u64, end: u64) -> Result<u32, StorageError> {
    match spans_before(log, end, 1)?.pop() {
        Some(ScanSpan::Frame(range)) if range.start >= base => {
            Ok(log.read_frame_at(range.start, &mut Vec::new())?.map_or(0, |frame| frame.checksum()))
        }
        _ => Ok(0),
    }
}
