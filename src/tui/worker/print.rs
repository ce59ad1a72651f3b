//! A print of the log's bytes: two small pieces that no writer ever changes, to know another log in the same file by.

use crate::file::LogFile;

/// Bytes of a piece.
const PIECE: usize = 64;

/// What stood at the log's start, and well inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Print {
    start: Vec<u8>,
    middle_at: u64,
    middle: Vec<u8>,
}

impl Print {
    /// Takes it of a log that has `bytes`; `None` where it cannot be read.
    pub(super) fn of(log: &LogFile, bytes: u64) -> Option<Self> {
        let middle_at = bytes / 2;
        let start = piece(log, 0, bytes)?;
        let middle = piece(log, middle_at, bytes - middle_at)?;
        Some(Self { start, middle_at, middle })
    }

    /// False when other bytes stand there now; what cannot be read says nothing.
    pub(super) fn fits(&self, log: &LogFile) -> bool {
        let same = |at, known: &[u8]| piece(log, at, known.len() as u64).is_none_or(|found| found == known);
        same(0, &self.start) && same(self.middle_at, &self.middle)
    }
}

fn piece(log: &LogFile, at: u64, most: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; PIECE.min(usize::try_from(most).unwrap_or(PIECE))];
    let read = log.read(&mut bytes, at).ok()?;
    (read == bytes.len()).then_some(bytes)
}
