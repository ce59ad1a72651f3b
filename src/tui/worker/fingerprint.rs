//! A print of the log's bytes: two small pieces that no writer ever changes, to know another log in the same file by.

use crate::file::LogFile;

/// Bytes of a piece.
const SAMPLE_BYTES: usize = 64;

/// What stood at the log's start, and well inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFingerprint {
    start_bytes: Vec<u8>,
    middle_offset: u64,
    middle_bytes: Vec<u8>,
}

impl LogFingerprint {
    /// Takes it of a log that has `bytes`; `None` where it cannot be read.
    pub(super) fn read(log: &LogFile, bytes: u64) -> Option<Self> {
        let middle_at = bytes / 2;
        let start = read_sample(log, 0, bytes)?;
        let middle = read_sample(log, middle_at, bytes - middle_at)?;
        Some(Self { start_bytes: start, middle_offset: middle_at, middle_bytes: middle })
    }

    /// False when other bytes stand there now; what cannot be read says nothing.
    pub(super) fn matches_log(&self, log: &LogFile) -> bool {
        let same = |at, known: &[u8]| read_sample(log, at, known.len() as u64).is_none_or(|found| found == known);
        same(0, &self.start_bytes) && same(self.middle_offset, &self.middle_bytes)
    }
}

fn read_sample(log: &LogFile, at: u64, most: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; SAMPLE_BYTES.min(usize::try_from(most).unwrap_or(SAMPLE_BYTES))];
    let read = log.read_at(&mut bytes, at).ok()?;
    (read == bytes.len()).then_some(bytes)
}
