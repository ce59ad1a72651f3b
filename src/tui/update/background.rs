//! Applies background updates, which no request has caused: the log has grown or changed, or the scan has progressed.

use super::requests::cancel_request;
use super::{first_steps, reload, rows};
use crate::format::Finding;
use crate::index::IndexState;
use crate::query::RowContent;
use crate::repair::RepairState;
use crate::report::Tone;
use crate::report::units::{format_number, format_size};
use crate::tui::actions::ActionId;
use crate::tui::effect::Effect;
use crate::tui::message::{BackgroundUpdate, LogChange};
use crate::tui::model::{
    AggregateLoadState, Bell, EarlierVerification, Follow, LogInfo, LogUnavailable, Model, RowRequestState, ScanState,
    SegmentLoadState,
};
use crate::tui::request::{EarlierRows, WorkerKind};

/// Applies a background update to the model.
pub(super) fn handle_update(model: &mut Model, update: BackgroundUpdate) {
    match update {
        BackgroundUpdate::LogInfo(log_info) => set_log_info(model, *log_info),
        BackgroundUpdate::LogChanged(log_info, change) => handle_log_change(model, *log_info, change),
        BackgroundUpdate::RepairRecovered(log_info, message) => {
            model.log_info = *log_info;
            reload::reload_log(model);
            model.append_notice(message, Tone::Bad);
        }
        BackgroundUpdate::LogUnavailable(reason) => mark_unavailable(model, reason),
        // Reports of the scan are dropped, because they may be about bytes that no longer exist.
        _ if model.unavailable.as_ref().is_some_and(LogUnavailable::has_no_data) => {}
        BackgroundUpdate::ScanProgress { from, to, end } => model.scan.record_progress(from..to, end, model.now),
        BackgroundUpdate::EventCount(events) => {
            model.scan.event_count = Some(events);
            record_growth(model);
        }
        BackgroundUpdate::EventsBefore { offset, events } => {
            model.scan.events_before.insert(offset, events);
        }
        BackgroundUpdate::Finding(proposed) => {
            if model.scan.is_new_damage(&proposed.finding) {
                report_new_damage(model, &proposed.finding);
            }
            model.scan.add_finding(*proposed);
        }
        BackgroundUpdate::RescanFrom(from) => model.scan.forget_from(from),
        BackgroundUpdate::ScanDone => {
            model.scan.finish(ScanState::Done);
            model.scan.finished_at_ms = Some(model.now_ms);
            first_steps::suggest(model);
        }
        BackgroundUpdate::ScanStopped => {
            model.scan.finish(ScanState::Stopped);
            model.notify("Scan stopped; :scan go resumes it");
        }
        BackgroundUpdate::ScanFailed(error) => {
            model.scan.finish(ScanState::Failed);
            model.warn(format!("Scan failed: {error}"));
        }
        BackgroundUpdate::IndexReady(names) => {
            model.names = names;
            // The table of aggregates was read from an earlier index, or no index existed.
            if model.aggregates.load_state != AggregateLoadState::Requested {
                model.aggregates.load_state = AggregateLoadState::NotRequested;
            }
            // Rows that are being read now can be read without the index.
            if model.segments.lacks_events() || model.segments.load_state == SegmentLoadState::Requested {
                model.segments.invalidate(EarlierRows::Kept);
            }
            model.detail.index_generation += 1;
        }
    }
}

/// Reports damage that has appeared after the first scan of the log.
fn report_new_damage(model: &mut Model, finding: &Finding) {
    let (start, tab) = (model.format_offset(finding.start), model.keys.hint(ActionId::TabFindings));
    let text = format!("New damage at {start}: {}; {tab} lists all findings", finding.kind.name());
    // A report replaces an earlier report. The message about a key stays in the footer before it.
    if model.notice.as_ref().is_some_and(|notice| notice.text.starts_with("New damage")) {
        model.notice = None;
    }
    model.append_notice(text, Tone::Bad);
    ring_bell(model);
}

/// Rings the terminal's bell, where the user wants it.
fn ring_bell(model: &mut Model) {
    if model.bell == Bell::OnNewDamage {
        model.effects.push_back(Effect::RingBell);
    }
}

/// Records that the path no longer leads to a log.
fn mark_unavailable(model: &mut Model, reason: LogUnavailable) {
    model.warn(reason.description());
    ring_bell(model);
    if reason.has_no_data() {
        discard_changed_log(model);
        model.log_info.bytes = 0;
        model.log_info.index.state = IndexState::Missing;
        model.log_info.index.saved_coverage = None;
        model.log_info.index.verification = None;
        for worker in [WorkerKind::List, WorkerKind::Detail, WorkerKind::Jump] {
            cancel_request(model, worker);
        }
        model.list.clear();
    }
    model.unavailable = Some(reason);
}

/// Discards all results about the log's bytes. The watcher restarts the scan after it has reopened
/// the log, unless the scan is off.
fn discard_changed_log(model: &mut Model) {
    let scan = if model.scan.state == ScanState::Off { ScanState::Off } else { ScanState::Running };
    reload::discard_log_state(model, scan);
}

fn set_log_info(model: &mut Model, log_info: LogInfo) {
    let has_grown = log_info.bytes > model.log_info.bytes;
    let is_unfinished = model.list.rows.last().is_some_and(|row| row.content == RowContent::InFlight);
    // An unfinished frame whose writer has ended is damage.
    let has_writer_changed = is_unfinished && log_info.writer != model.log_info.writer;
    let before = &model.log_info;
    let have_segments_changed = log_info.segment_starts != before.segment_starts
        || log_info.folder_changed_at != before.folder_changed_at
        || log_info.index.state != before.index.state && !has_grown;
    if have_segments_changed {
        model.segments.invalidate(EarlierRows::FolderChanged);
    }
    model.log_info = log_info;
    record_growth(model);
    if has_grown || has_writer_changed {
        request_new_rows(model);
    }
}

/// Records the size of the log for the rate at which it grows.
fn record_growth(model: &mut Model) {
    model.growth.record(model.now, model.log_info.bytes, model.scan.event_count);
}

/// Requests the new rows at the end of the log, when the end is followed or in the window.
fn request_new_rows(model: &mut Model) {
    if model.list.request_state() != RowRequestState::Idle {
        return;
    }
    let is_empty = model.list.rows.is_empty();
    // A window far from the end would have to be extended over all rows in between, so the end replaces it.
    if model.follow == Follow::Yes && (is_empty || !model.list.at_end) {
        rows::request_end(model);
    } else if is_empty {
        rows::request_window(model, 0);
    } else {
        model.list.reopen_end();
    }
}

/// Discards all results about the log and reads it again, because the file was replaced, cut, overwritten or repaired.
fn handle_log_change(model: &mut Model, log_info: LogInfo, change: LogChange) {
    let offset = model.list.selected_offset().min(log_info.bytes);
    let message = change_message(change, &log_info);
    model.log_info = log_info;
    model.unavailable = None;
    model.warn(message);
    ring_bell(model);
    discard_changed_log(model);
    if matches!(change, LogChange::Written | LogChange::Overwritten) {
        model.scan.earlier = EarlierVerification::Discarded;
    }
    rows::request_end_or_window(model, offset);
    reload::request_repair_history(model);
}

fn change_message(change: LogChange, log_info: &LogInfo) -> String {
    let size = format_size(log_info.bytes);
    match change {
        LogChange::Shrunk(before) if log_info.bytes < before => {
            format!("Log cut: {} bytes before, {} now", format_number(before), format_number(log_info.bytes))
        }
        LogChange::Replaced => format!("Log replaced by another file ({size}), shown now"),
        LogChange::Written => "Log written, and not longer than before; reading it all again".into(),
        LogChange::Overwritten | LogChange::Shrunk(_) => format!("Log overwritten ({size}), shown now"),
        LogChange::Repaired { number, undoes, state } => match (state, undoes) {
            (RepairState::RolledBack, _) => format!("Repair {number} rolled back by another process"),
            (RepairState::Applied, Some(undone)) => {
                format!("Repair {undone} undone by another process (recorded as {number})")
            }
            (RepairState::Purged, _) => format!("Erasure {number} made final by another process"),
            (RepairState::Applied, None) => format!("Log repaired by another process (repair {number})"),
            _ => format!("Another process is repairing the log (repair {number})"),
        },
        LogChange::SegmentsRemoved(start) => {
            format!("Segments removed by another process: the log starts at {}", format_number(start))
        }
        LogChange::SegmentsRestored(start) => {
            format!("Segments restored by another process: the log starts at {}", format_number(start))
        }
        LogChange::SegmentFilesChanged => {
            "Files of segments were moved into the folder or out of it; reading the log again".into()
        }
        LogChange::Reappeared => format!("Log is back ({size}), read again"),
    }
}
