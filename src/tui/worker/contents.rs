//! The contents of the detail pane: a row's details, a window of its bytes and, on request, its aggregate's history or
//! state.

use super::SharedState;
use crate::StorageError;
use crate::file::LogFile;
use crate::inspect::{OnProgress, Progress};
use crate::query::{LogRow, RowContent, read_aggregate_history, read_aggregate_state, read_row_details};
use crate::tui::model::{HEX_WINDOW_BYTES, JsonDoc, JsonRoot, RowContents, ShownHistory, ShownState, row_doc};
use crate::tui::request::AggregatePart;

/// Reads the contents of a row, with a window of its bytes from the file offset `hex_start` on.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read; `Cancelled` when `on_progress` breaks.
pub(super) fn read_contents(
    shared: &SharedState,
    row: LogRow,
    hex_start: u64,
    part: AggregatePart,
    on_progress: &mut OnProgress,
) -> Result<Box<RowContents>, StorageError> {
    let log_view = shared.view();
    let index = shared.index();
    let index = index.as_deref();
    let details = read_row_details(&log_view, index, row)?;
    let aggregate = match &details.row.content {
        RowContent::Event(event) => event.aggregate_id,
        _ => None,
    };
    let (offset, total) = (details.row.start, log_view.log().len()?);
    let (mut history, mut state) = (None, None);
    match (part, aggregate) {
        (AggregatePart::History, Some(aggregate)) => {
            // The history is read forward from the row to the end of the log, then backward from the row to the start.
            let mut report = |progress: Progress| match progress.position.checked_sub(offset) {
                Some(position) => on_progress(Progress { position, total: total.saturating_sub(offset) }),
                None => on_progress(Progress { position: offset - progress.position, total: offset }),
            };
            history = Some(read_aggregate_history(&log_view, index, aggregate, offset, &mut report)?);
        }
        (AggregatePart::State, Some(_)) => {
            let summary = read_aggregate_state(&log_view, index, &details.row, on_progress)?;
            state = summary.map(|summary| ShownState { doc: JsonDoc::new(&summary.json, JsonRoot::Payload), summary });
        }
        (AggregatePart::Nothing, _) | (_, None) => {}
    }
    Ok(Box::new(RowContents {
        doc: row_doc(&details, None),
        bytes: read_window(log_view.log(), hex_start, details.row.end)?,
        bytes_start: hex_start,
        history: history.map(|history| ShownHistory::new(history, &[])),
        state,
        fix: None,
        read_at_ms: 0,
        difference: None,
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
