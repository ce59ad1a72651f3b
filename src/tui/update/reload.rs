//! Discards all results about the log's bytes after the bytes have changed, and reads the log again.

use std::ops::Range;

use super::requests::send_request;
use super::{hit_counter, rows};
use crate::report::Tone;
use crate::tui::actions::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::{AggregateLoadState, EarlierVerification, Model, ScanProgress, ScanState};
use crate::tui::request::{EarlierRows, Request, WorkerKind};

/// Discards the results of the scan, of the hit counters, and of all requests about the log's bytes.
pub(super) fn discard_log_state(model: &mut Model, scan: ScanState) {
    model.scan = ScanProgress::new(scan);
    hit_counter::clear_counters(model);
    model.detail.last_request = None;
    model.detail.contents = None;
    model.aggregates.load_state = AggregateLoadState::NotRequested;
    model.statistics.requested = None;
    model.timeline.discard();
    model.compare.invalidate();
    model.segments.invalidate(EarlierRows::Kept);
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

/// Reads and verifies the whole log again, whatever was verified before.
pub(super) fn verify_all(model: &mut Model) {
    let offset = model.list.selected_offset();
    discard_log_state(model, ScanState::Running);
    model.scan.earlier = EarlierVerification::Discarded;
    model.effects.push_back(Effect::VerifyAll);
    rows::request_window(model, offset);
    model.notify("Verifying the whole log again; :scan stop stops it");
}

/// Reads the rows around the selected one from the log again, and its contents.
pub(super) fn read_rows_again(model: &mut Model) {
    let offset = model.list.selected_offset();
    model.detail.last_request = None;
    rows::request_window(model, offset);
    let range = model.list.visible_range().unwrap_or_default();
    model.notify(format!("Reading rows {}..{} again", range.start, range.end));
}

/// Reads the rows again after the contents of the selected one turned out to differ from the row. Its contents are read
/// after the rows, because the contents of the earlier row would be reported as changed again.
pub(super) fn reload_changed_row(model: &mut Model, range: Range<u64>) {
    let Range { start, end } = range;
    let key = model.keys.hint(ActionId::Verify);
    let message =
        format!("Bytes at {start}..{end} changed after they were read; reading the rows again, {key} verifies the log");
    model.append_notice(message, Tone::Bad);
    rows::request_window(model, start);
}

/// Requests the repair history of the log.
pub(super) fn request_repair_history(model: &mut Model) {
    send_request(model, WorkerKind::Repairs, Request::RepairHistory);
}
