//! The contents of the detail pane: a row's details, a window of its bytes and, on request, its aggregate's history.

use super::SharedState;
use crate::StorageError;
use crate::file::LogFile;
use crate::inspect::{OnProgress, Progress};
use crate::query::{LogRow, RowContent, read_aggregate_history, read_row_details};
use crate::tui::model::{HEX_WINDOW_BYTES, JsonDoc, RowContents};
use crate::tui::request::IncludeHistory;

/// Reads the contents of a row, with a window of its bytes from the file offset `hex_start` on.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read; `Cancelled` when `on_progress` breaks.
pub(super) fn read_contents(
    shared: &SharedState,
    row: LogRow,
    hex_start: u64,
    history: IncludeHistory,
    on_progress: &mut OnProgress,
) -> Result<Box<RowContents>, StorageError> {
    let log_view = shared.view();
    let index = shared.index();
    let details = read_row_details(&log_view, index.as_deref(), row)?;
    let aggregate = match (history, &details.row.content) {
        (IncludeHistory::Yes, RowContent::Event(event)) => event.aggregate_id,
        _ => None,
    };
    let (offset, total) = (details.row.start, log_view.log().len()?);
    // The history is read forward from the row to the end of the log, then backward from the row to the start.
    let mut report = |progress: Progress| match progress.position.checked_sub(offset) {
        Some(position) => on_progress(Progress { position, total: total.saturating_sub(offset) }),
        None => on_progress(Progress { position: offset - progress.position, total: offset }),
    };
    let history = aggregate
        .map(|aggregate| read_aggregate_history(&log_view, index.as_deref(), aggregate, offset, &mut report))
        .transpose()?;
    Ok(Box::new(RowContents {
        doc: details.payload_text.as_deref().map(JsonDoc::new).unwrap_or_default(),
        bytes: read_window(log_view.log(), hex_start, details.row.end)?,
        bytes_start: hex_start,
        history,
        fix: None,
        read_at_ms: 0,
        backup_journal: None,
        details,
    }))
}

/// Reads at most one hex window of the bytes from `start` to `end`.
fn read_window(log: &LogFile, start: u64, end: u64) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; end.saturating_sub(start).min(HEX_WINDOW_BYTES) as usize];
    let read = log.read_at(&mut bytes, start)?;
    bytes.truncate(read);
    Ok(bytes)
}
