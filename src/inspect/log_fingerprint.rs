//! A fingerprint of the log's contents: two short samples of bytes that appending never changes. A mismatch shows that
//! the file was overwritten in place.

use crate::file::LogFile;

/// Size of one sample in bytes.
const SAMPLE_BYTES: usize = 64;

/// Samples of a log: its first bytes, and bytes from its middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFingerprint {
    start: u64,
    start_bytes: Vec<u8>,
    middle_offset: u64,
    middle_bytes: Vec<u8>,
}

impl LogFingerprint {
    /// Reads the samples of a log of `log_bytes` bytes; `None` when they cannot be read.
    pub(crate) fn read(log: &LogFile, log_bytes: u64) -> Option<Self> {
        // A retention can have removed the segments before the header.
        let start = log.header_range().start;
        let log_len = log_bytes.saturating_sub(start);
        let middle_offset = start + log_len / 2;
        let start_bytes = read_sample(log, start, log_len)?;
        let middle_bytes = read_sample(log, middle_offset, log_bytes.saturating_sub(middle_offset))?;
        Some(Self { start, start_bytes, middle_offset, middle_bytes })
    }

    /// Returns false when the log now holds other bytes at a sample's offset. A sample that cannot be read counts as
    /// matching.
    pub(crate) fn matches_log(&self, log: &LogFile) -> bool {
        let matches = |offset, sample: &[u8]| {
            read_sample(log, offset, sample.len() as u64).is_none_or(|current| current == sample)
        };
        matches(self.start, &self.start_bytes) && matches(self.middle_offset, &self.middle_bytes)
    }
}

/// Reads up to [`SAMPLE_BYTES`], and no more than `available`, at an offset.
fn read_sample(log: &LogFile, offset: u64, available: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; SAMPLE_BYTES.min(usize::try_from(available).unwrap_or(SAMPLE_BYTES))];
    let read = log.read_at(&mut bytes, offset).ok()?;
    (read == bytes.len()).then_some(bytes)
}
