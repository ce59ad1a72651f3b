//! A run in a file: the aggregates of a part of the log, read by position.

use std::sync::{Arc, OnceLock};

use super::pages::PageReader;
use super::{AggregateSummary, IndexFault};
use crate::format::byte_layout::u64_at;
use crate::format::index::{DIRECTORY_ROW_LEN, GUIDE_ROW_LEN, GUIDE_STEP, RunExtents};

/// Rows of a directory read at once when it is walked through.
const ROWS_PER_READ: u64 = 4096;

/// A run in a file.
#[derive(Debug)]
pub(super) struct StoredRun {
    pages: Arc<PageReader>,
    extents: RunExtents,
    /// No offset reaches it.
    offset_limit: u64,
    /// Every 32nd id, read when the first aggregate is looked up.
    guide: OnceLock<Vec<u64>>,
}

/// A row of the directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct DirectoryRow {
    pub(super) summary: AggregateSummary,
    pub(super) postings_at: u64,
    pub(super) postings_end: u64,
}

impl StoredRun {
    /// The run that lies there in a file, of events before `bound`.
    pub(super) fn new(pages: Arc<PageReader>, extents: RunExtents, bound: u64) -> Self {
        Self { pages, extents, offset_limit: bound, guide: OnceLock::new() }
    }

    /// How many events it has.
    pub(super) const fn events(&self) -> u64 {
        self.extents.postings.rows
    }

    /// No offset reaches this.
    pub(super) const fn bound(&self) -> u64 {
        self.offset_limit
    }

    /// Where it lies.
    pub(super) const fn extents(&self) -> &RunExtents {
        &self.extents
    }

    /// `len` bytes of its postings.
    pub(super) fn read_postings(&self, at: u64, len: usize) -> Result<Vec<u8>, IndexFault> {
        self.pages.read(self.extents.postings, at, len)
    }

    /// The row of an aggregate.
    pub(super) fn find(&self, id: u64) -> Result<Option<DirectoryRow>, IndexFault> {
        let Some(step) = self.guide()?.partition_point(|known| *known <= id).checked_sub(1) else {
            return Ok(None);
        };
        let first = step as u64 * GUIDE_STEP;
        let rows = self.extents.directory.rows.saturating_sub(first).min(GUIDE_STEP + 1);
        let bytes = self.pages.read(
            self.extents.directory,
            first * DIRECTORY_ROW_LEN as u64,
            rows as usize * DIRECTORY_ROW_LEN,
        )?;
        for (i, row) in bytes.chunks_exact(DIRECTORY_ROW_LEN).enumerate().take(GUIDE_STEP as usize) {
            if u64_at(row, 0) == Some(id) {
                return self.decode_row(bytes.get(i * DIRECTORY_ROW_LEN..).unwrap_or_default()).map(Some);
            }
        }
        Ok(None)
    }

    fn guide(&self) -> Result<&[u64], IndexFault> {
        if let Some(guide) = self.guide.get() {
            return Ok(guide);
        }
        let extent = self.extents.guide;
        let bytes = self.pages.read(extent, 0, extent.bytes as usize)?;
        let guide: Vec<u64> = bytes.chunks_exact(GUIDE_ROW_LEN).filter_map(|row| u64_at(row, 0)).collect();
        if !guide.is_sorted() {
            return Err(IndexFault::Corrupt("the guide to its aggregates is out of order".into()));
        }
        Ok(self.guide.get_or_init(|| guide))
    }

    /// A row, and from the row behind it, where there is one, the end of its postings.
    fn decode_row(&self, bytes: &[u8]) -> Result<DirectoryRow, IndexFault> {
        let number = |at| u64_at(bytes, at).unwrap_or_default();
        let postings_end = u64_at(bytes, DIRECTORY_ROW_LEN + 32).unwrap_or(self.extents.postings.bytes);
        let summary = AggregateSummary { id: number(0), events: number(8), first: number(16), last: number(24) };
        let row = DirectoryRow { summary, postings_at: number(32), postings_end };
        // Each offset takes at least a byte, so the count is bounded by the file's size.
        let bytes = row.postings_end.checked_sub(row.postings_at);
        let ordered = summary.first <= summary.last && summary.last < self.offset_limit;
        if bytes.is_none_or(|bytes| bytes < summary.events) || summary.events == 0 || !ordered {
            return Err(IndexFault::Corrupt(format!("the entry of aggregate {} holds no sense", summary.id)));
        }
        Ok(row)
    }

    /// Every row, by ascending id.
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

    /// Reads all of it, so that a flipped bit anywhere shows.
    pub(super) fn check_all_pages(self: &Arc<Self>) -> Result<(), IndexFault> {
        self.guide()?;
        for row in self.rows() {
            let entry = super::layer::LayerEntry::from_row(self, row?);
            for offset in entry.offsets() {
                offset?;
            }
        }
        Ok(())
    }
}
