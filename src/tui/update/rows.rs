//! Requests windows of rows for the events pane.

use super::hit_counter;
use super::requests::{remove_job, send_request, start_job};
use crate::query::{Filter, FindingRows};
use crate::tui::actions::ActionId;
use crate::tui::model::{Follow, Model, ROW_BATCH};
use crate::tui::request::{Request, WorkerKind};

/// Requests the rows around an offset.
pub(super) fn request_window(model: &mut Model, offset: u64) {
    model.list.begin_window_request(model.log_info.bytes, Some(offset));
    let filter = model.list.filter.clone();
    let columns = model.list.columns.page_columns();
    let (rows_before, rows_after) = (ROW_BATCH / 2, ROW_BATCH);
    let request = Request::RowsAround { offset, rows_before, rows_after, filter, hits: None, columns };
    request_replacement(model, request);
}

/// Requests the last rows of the log.
pub(super) fn request_end(model: &mut Model) {
    model.list.begin_window_request(model.log_info.bytes, None);
    let filter = model.list.filter.clone();
    let columns = model.list.columns.page_columns();
    request_replacement(model, Request::LastRows { rows: ROW_BATCH, filter, hits: None, columns });
}

/// Requests the last rows in follow mode, else the rows around an offset.
pub(super) fn request_end_or_window(model: &mut Model, offset: u64) {
    match model.follow {
        Follow::Yes => request_end(model),
        Follow::No | Follow::Paused(_) => request_window(model, offset),
    }
}

fn request_replacement(model: &mut Model, request: Request) {
    hit_counter::sync_counters(model);
    send_row_request(model, request);
}

/// Sends a request for rows. A request with a filter may take long, so it becomes a job.
pub(super) fn send_row_request(model: &mut Model, request: Request) {
    if model.list.filter.is_empty() {
        remove_job(model, WorkerKind::List);
        send_request(model, WorkerKind::List, request);
    } else {
        start_job(model, WorkerKind::List, "filtering", request);
    }
}

/// Sets a filter and requests its rows around the selected one, so that the cursor is on the nearest hit.
pub(super) fn set_filter(model: &mut Model, filter: Filter) {
    let offset = model.list.selected_offset();
    if !model.list.filter.is_same(&filter.clone().with_finding_rows(model.list.finding_rows)) {
        model.record_place();
    }
    set_filter_at(model, filter, offset);
}

/// Sets a filter and requests its rows around an offset.
pub(super) fn set_filter_at(model: &mut Model, filter: Filter, offset: u64) {
    model.list.filter = filter.with_finding_rows(model.list.finding_rows);
    request_end_or_window(model, offset);
}

/// Shows the rows of damage and gaps under the filter, or folds them into one line.
pub(super) fn toggle_finding_rows(model: &mut Model) {
    let (rows, message) = match model.list.finding_rows {
        FindingRows::Shown => (FindingRows::Hidden, "Damage and gaps folded into one line".into()),
        FindingRows::Hidden => {
            let key = model.keys.hint(ActionId::ToggleFindings);
            (FindingRows::Shown, format!("Damage and gaps shown in their places; {key} folds them"))
        }
    };
    model.list.finding_rows = rows;
    model.notify(message);
    let filter = model.list.filter.clone();
    set_filter(model, filter);
}
