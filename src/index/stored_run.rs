//! [`StoredRun`]: a run in a file. It holds the aggregates of a part of the log, sorted by id, and is read by position.
//!
//! A run has postings (the delta-coded offsets of all aggregates), a directory with one row per aggregate that points
//! at its postings, and a guide with the id of every 32nd row. The guide is small enough to be kept in memory.

use std::sync::{Arc, OnceLock};

use super::coverage::AggregateSummary;
use super::fault::IndexFault;
use super::pages::PageReader;
use crate::format::byte_layout::u64_at;
use crate::format::index::{DIRECTORY_ROW_LEN, GUIDE_ROW_LEN, ROWS_PER_GUIDE_ENTRY, RunExtents};

/// The number of directory rows in one read when all rows are visited.
const ROWS_PER_READ: u64 = 4096;

/// A run in an index file or an anonymous file.
#[derive(Debug)]
pub(super) struct StoredRun {
    pages: Arc<PageReader>,
    extents: RunExtents,
    /// Every offset in the run is less than this.
    offset_limit: u64,
    /// The id of every 32nd row. The first lookup reads it.
    guide: OnceLock<Vec<u64>>,
}

/// A directory row: an aggregate, and the byte range of its offsets in the postings.
#[derive(Debug, Clone, Copy)]
pub(super) struct DirectoryRow {
    pub(super) summary: AggregateSummary,
    pub(super) postings_at: u64,
    pub(super) postings_end: u64,
}

impl StoredRun {
    /// Creates a reader of the run at `extents` of a file. All its offsets must be less than `offset_limit`.
    pub(super) fn new(pages: Arc<PageReader>, extents: RunExtents, offset_limit: u64) -> Self {
        Self { pages, extents, offset_limit, guide: OnceLock::new() }
    }

    /// The number of events in the run.
    pub(super) const fn events(&self) -> u64 {
        self.extents.postings.rows
    }

    /// Every offset in the run is less than this.
    pub(super) const fn offset_limit(&self) -> u64 {
        self.offset_limit
    }

    /// The extents of the run's sections in the file.
    pub(super) const fn extents(&self) -> &RunExtents {
        &self.extents
    }

    /// Reads `len` bytes of the postings, starting at byte `at` of the postings.
    pub(super) fn read_postings(&self, at: u64, len: usize) -> Result<Vec<u8>, IndexFault> {
        self.pages.read(self.extents.postings, at, len)
    }

    /// Finds the row of an aggregate; `None` when the run has no event of it. Reads at most 33 adjacent rows.
    pub(super) fn find(&self, id: u64) -> Result<Option<DirectoryRow>, IndexFault> {
        let Some(guide_index) = self.guide()?.partition_point(|known| *known <= id).checked_sub(1) else {
            return Ok(None);
        };
        let first = guide_index as u64 * ROWS_PER_GUIDE_ENTRY;
        let rows = self.extents.directory.rows.saturating_sub(first).min(ROWS_PER_GUIDE_ENTRY + 1);
        let bytes = self.pages.read(
            self.extents.directory,
            first * DIRECTORY_ROW_LEN as u64,
            rows as usize * DIRECTORY_ROW_LEN,
        )?;
        for (i, row) in bytes.chunks_exact(DIRECTORY_ROW_LEN).enumerate().take(ROWS_PER_GUIDE_ENTRY as usize) {
            if u64_at(row, 0) == Some(id) {
                return self.decode_row(bytes.get(i * DIRECTORY_ROW_LEN..).unwrap_or_default()).map(Some);
            }
        }
        Ok(None)
    }

    /// Reads the guide and checks its order.
    pub(super) fn check_guide(&self) -> Result<(), IndexFault> {
        self.guide().map(|_| ())
    }

    /// Returns the guide. Reads it from the file in the first call.
    fn guide(&self) -> Result<&[u64], IndexFault> {
        if let Some(guide) = self.guide.get() {
            return Ok(guide);
        }
        let extent = self.extents.guide;
        let bytes = self.pages.read(extent, 0, extent.bytes as usize)?;
        let guide: Vec<u64> = bytes.chunks_exact(GUIDE_ROW_LEN).filter_map(|row| u64_at(row, 0)).collect();
        if !guide.is_sorted() {
            return Err(IndexFault::Corrupt("the guide to its directory is out of order".into()));
        }
        Ok(self.guide.get_or_init(|| guide))
    }

    /// Decodes the first row in `bytes`. Its postings end where the postings of the next row start, or at the end of
    /// the section when `bytes` holds no next row.
    fn decode_row(&self, bytes: &[u8]) -> Result<DirectoryRow, IndexFault> {
        let number = |at| u64_at(bytes, at).unwrap_or_default();
        let postings_end = u64_at(bytes, DIRECTORY_ROW_LEN + 32).unwrap_or(self.extents.postings.bytes);
        let summary = AggregateSummary { id: number(0), events: number(8), first: number(16), last: number(24) };
        let row = DirectoryRow { summary, postings_at: number(32), postings_end };
        // Each offset takes at least one byte, so the size of the file bounds the number of events.
        let bytes = row.postings_end.checked_sub(row.postings_at);
        let is_ordered = summary.first <= summary.last && summary.last < self.offset_limit;
        if bytes.is_none_or(|bytes| bytes < summary.events) || summary.events == 0 || !is_ordered {
            return Err(IndexFault::Corrupt(format!("the entry of aggregate {} is inconsistent", summary.id)));
        }
        Ok(row)
    }

    /// Iterates over all rows, by ascending id. The iterator ends after a fault.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<DirectoryRow, IndexFault>> + '_ {
        let total = self.extents.directory.rows;
        let (mut at, mut used) = (0, 0);
        let mut block: Vec<u8> = Vec::new();
        let mut previous: Option<u64> = None;
        std::iter::from_fn(move || {
            if at >= total {
                return None;
            }
            if block.len() < used + 2 * DIRECTORY_ROW_LEN && (used == 0 || at + 1 < total) {
                let rows = (total - at).min(ROWS_PER_READ) as usize;
                match self.pages.read(self.extents.directory, at * DIRECTORY_ROW_LEN as u64, rows * DIRECTORY_ROW_LEN) {
                    Ok(bytes) => (block, used) = (bytes, 0),
                    Err(fault) => {
                        at = total;
                        return Some(Err(fault));
                    }
                }
            }
            let row = self.decode_row(block.get(used..).unwrap_or_default());
            used += DIRECTORY_ROW_LEN;
            at += 1;
            let row = row.and_then(|row| {
                if previous.is_some_and(|id| id >= row.summary.id) {
                    return Err(IndexFault::Corrupt("its aggregate ids are out of order".into()));
                }
                previous = Some(row.summary.id);
                Ok(row)
            });
            if row.is_err() {
                at = total;
            }
            Some(row)
        })
    }
}
