//! Discards all results about the log's bytes after the bytes have changed, and reads the log again.

use super::requests::send_request;
use super::{hit_counter, rows};
use crate::tui::effect::Effect;
use crate::tui::model::{AggregateLoadState, Model, ScanProgress, ScanState};
use crate::tui::request::{Request, WorkerKind};

/// Discards the results of the scan, of the hit counters, and of all requests about the log's bytes.
pub(super) fn discard_log_state(model: &mut Model, scan: ScanState) {
    model.scan = ScanProgress::new(scan);
    hit_counter::clear_counters(model);
    model.detail.last_request = None;
    model.detail.contents = None;
    model.aggregates.load_state = AggregateLoadState::NotRequested;
}

/// Reads the log again around the selected row, after this process has changed it.
pub(super) fn reload_log(model: &mut Model) {
    let offset = model.list.selected_offset().min(model.log_info.bytes);
    let scan = if model.scan.is_done() { ScanState::Running } else { model.scan.state };
    discard_log_state(model, scan);
    model.effects.push_back(Effect::RestartScan);
    rows::request_window(model, offset);
    request_repair_history(model);
}

/// Requests the repair history of the log.
pub(super) fn request_repair_history(model: &mut Model) {
    send_request(model, WorkerKind::Repairs, Request::RepairHistory);
}
