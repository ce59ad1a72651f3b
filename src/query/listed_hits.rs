//! The hits of a filter by aggregate, whose events an index lists, so that the log need not be searched for them.

use super::indexed_reader::IndexedReader;
use super::log_reader::LogReader;
use super::offset_list::OffsetList;
use super::progress_meter::ProgressMeter;
use crate::StorageError;
use crate::index::{AggregateIndex, IndexFault};
use crate::inspect::OnProgress;

/// Number of rows that are read at once.
const BATCH_ROWS: usize = 1024;

/// The rows that a filter by aggregate shows.
pub(super) struct ListedHits {
    /// The offsets of the rows.
    pub(super) offsets: OffsetList,
    /// The offset of the first row after the largest number of hits; `None` when the list has all rows.
    pub(super) full_at: Option<u64>,
}

/// Reads the offsets of all rows of a filter by aggregate, at most `max_hits`. Each row that the index lists is compared with
/// the log, and the log after the covered part is read.
///
/// Returns `None` when the index cannot list the rows, or is found to be corrupt.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub(super) fn read_listed_hits(
    reader: LogReader,
    index: &AggregateIndex,
    max_hits: u64,
    on_progress: &mut OnProgress,
) -> Result<Option<ListedHits>, StorageError> {
    let Some(indexed) = IndexedReader::from_index(reader, index)? else { return Ok(None) };
    let mut meter = ProgressMeter::new(on_progress, reader.log_end);
    let mut offsets = OffsetList::default();
    let mut from = reader.view.log().first_frame_offset();
    loop {
        let batch = match indexed.read_forward(from, BATCH_ROWS, &mut meter) {
            Ok(batch) => batch,
            Err(IndexFault::Io(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        for row in &batch.rows {
            if offsets.len() >= max_hits {
                return Ok(Some(ListedHits { offsets, full_at: Some(row.start) }));
            }
            offsets.push(row.start);
        }
        match batch.rows.back() {
            Some(last) if !batch.complete => from = last.end.max(last.start + 1),
            _ => return Ok(Some(ListedHits { offsets, full_at: None })),
        }
    }
}
