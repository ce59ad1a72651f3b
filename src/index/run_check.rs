//! The check of a whole run in an index file: every row and every offset is read, in the order of the file.

use std::ops::Range;

use super::fault::IndexFault;
use super::offsets::{AggregateOffsets, PostingsLocation};
use super::stored_run::{DirectoryRow, StoredRun};
use crate::format::index::take_varint;

/// The number of bytes of postings in one read. The postings of adjacent rows are adjacent.
const POSTINGS_READ: u64 = 1 << 20;

/// Reads every row and every offset of a run in a file, so that a changed bit anywhere is found. Reads each page once.
///
/// # Errors
/// [`IndexFault::Corrupt`] for the first fault; [`IndexFault::Io`] when the file cannot be read.
pub(super) fn check_stored_run(run: &StoredRun) -> Result<(), IndexFault> {
    run.check_guide()?;
    let mut postings = LoadedPostings::default();
    for row in run.rows() {
        let row = row?;
        if postings.load(run, &row).is_some_and(|bytes| has_valid_offsets(bytes, &row, run.offset_limit())) {
            continue;
        }
        // The offsets have a fault, cannot be read, or are too many for one read. The iterator returns the fault.
        for offset in AggregateOffsets::new(&row.summary, PostingsLocation::Stored(run, row)) {
            offset?;
        }
    }
    Ok(())
}

/// A part of the postings of a run.
#[derive(Default)]
struct LoadedPostings {
    bytes: Vec<u8>,
    /// The position of the first byte in the postings.
    start: u64,
    /// True after a read has failed. Each further row is then read alone, up to the page with the fault.
    has_failed: bool,
}

impl LoadedPostings {
    /// Returns the postings of a row, and reads them with those of the rows after it where they are not loaded; `None` when
    /// they cannot be read at once.
    fn load(&mut self, run: &StoredRun, row: &DirectoryRow) -> Option<&[u8]> {
        let len = row.postings_end.checked_sub(row.postings_at).filter(|len| *len <= POSTINGS_READ)?;
        if self.loaded_range(row).is_none() && !self.has_failed {
            let available = run.extents().postings.bytes.saturating_sub(row.postings_at);
            let read = run.read_postings(row.postings_at, available.clamp(len, POSTINGS_READ) as usize);
            self.has_failed = read.is_err();
            (self.bytes, self.start) = (read.unwrap_or_default(), row.postings_at);
        }
        let range = self.loaded_range(row)?;
        self.bytes.get(range)
    }

    /// Returns the place of a row's postings in the loaded bytes; `None` when they are not all loaded.
    fn loaded_range(&self, row: &DirectoryRow) -> Option<Range<usize>> {
        let start = usize::try_from(row.postings_at.checked_sub(self.start)?).ok()?;
        let end = usize::try_from(row.postings_end.checked_sub(self.start)?).ok()?;
        (start <= end && end <= self.bytes.len()).then_some(start..end)
    }
}

/// True when the postings of a row hold its number of offsets, each greater than the one before it and less than `limit`.
fn has_valid_offsets(mut postings: &[u8], row: &DirectoryRow, limit: u64) -> bool {
    let Some(mut offset) = take_varint(&mut postings) else { return false };
    for _ in 1..row.summary.events {
        match take_varint(&mut postings).filter(|delta| *delta > 0).and_then(|delta| offset.checked_add(delta)) {
            Some(next) => offset = next,
            None => return false,
        }
    }
    offset < limit
}
