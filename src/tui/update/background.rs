//! News that nobody asked for: the log has grown or changed, the scan has come further.

use super::{hit_counter, navigation, repair};
use crate::index::IndexState;
use crate::query::RowContent;
use crate::repair::RepairState;
use crate::report::units::format_size;
use crate::tui::effect::{Effect, WorkerKind};
use crate::tui::message::{BackgroundUpdate, LogChange};
use crate::tui::model::{
    AggregateLoadState, Follow, LogInfo, LogUnavailable, Model, RowRequestState, ScanProgress, ScanState, Tone,
};

/// Takes news in.
pub(super) fn handle_update(model: &mut Model, news: BackgroundUpdate) {
    match news {
        BackgroundUpdate::LogInfo(facts) => self::set_log_info(model, *facts),
        BackgroundUpdate::LogChanged(facts, change) => handle_log_change(model, *facts, change),
        BackgroundUpdate::RepairRecovered(facts, line) => {
            model.log_info = *facts;
            repair::reload_log(model);
            model.append_notice(line, Tone::Bad);
        }
        BackgroundUpdate::LogUnavailable(lost) => self::mark_unavailable(model, lost),
        // What the scan still tells is about bytes that are gone.
        _ if model.unavailable.as_ref().is_some_and(LogUnavailable::has_no_data) => {}
        BackgroundUpdate::ScanProgress { from, at, end } => model.scan.record_progress(from, at, end, model.now),
        BackgroundUpdate::EventCount(events) => model.scan.event_count = Some(events),
        BackgroundUpdate::Finding(finding) => model.scan.add_finding(*finding),
        BackgroundUpdate::RescanFrom(from) => model.scan.forget_from(from),
        BackgroundUpdate::ScanDone => model.scan.finish(ScanState::Done),
        BackgroundUpdate::ScanStopped => {
            model.scan.finish(ScanState::Stopped);
            model.notify("scan stopped; :scan go lets it go on");
        }
        BackgroundUpdate::ScanFailed(why) => {
            model.scan.finish(ScanState::Failed);
            model.warn(format!("the scan could not go on: {why}"));
        }
        BackgroundUpdate::IndexReady => {
            // A table that had nothing to show, or that the log has outgrown, is asked for again.
            if model.aggregates.load_state != AggregateLoadState::Requested {
                model.aggregates.load_state = AggregateLoadState::NotRequested;
            }
            model.detail.index_generation += 1;
        }
    }
}

/// The log's name belongs to none any more.
fn mark_unavailable(model: &mut Model, lost: LogUnavailable) {
    model.warn(lost.description());
    if lost.has_no_data() {
        reset_log_state(model);
        model.log_info.bytes = 0;
        model.log_info.index.state = IndexState::Missing;
        model.log_info.index.saved_coverage = None;
        model.log_info.index.verified = None;
        for lane in [WorkerKind::List, WorkerKind::Detail, WorkerKind::Jump] {
            // Answers about bytes that are gone are late.
            model.generations.advance(lane);
            model.jobs.retain(|job| job.worker != lane);
            model.effects.push_back(Effect::Cancel(lane));
        }
        model.list.clear();
    }
    model.unavailable = Some(lost);
}

/// What was known of the log's bytes no longer holds.
pub(super) fn reset_log_state(model: &mut Model) {
    let state = if model.scan.state == ScanState::Off { ScanState::Off } else { ScanState::Running };
    model.scan = ScanProgress::new(state);
    hit_counter::clear_counters(model);
    model.detail.requested = None;
    model.detail.contents = None;
    model.aggregates.load_state = AggregateLoadState::NotRequested;
}

fn set_log_info(model: &mut Model, facts: LogInfo) {
    let grown = facts.bytes > model.log_info.bytes;
    let unfinished = model.list.rows.last().is_some_and(|row| row.content == RowContent::InFlight);
    let settled = unfinished && facts.writer != model.log_info.writer;
    model.log_info = facts;
    if grown || settled {
        follow_growth(model);
    }
}

/// The log has grown: the end that is followed, or that is on the screen, goes on.
fn follow_growth(model: &mut Model) {
    if model.list.request_state() != RowRequestState::Idle {
        return;
    }
    // A list far from the end that follows would have to read all between: it asks for the end instead.
    let is_empty = model.list.rows.is_empty();
    if model.follow == Follow::Yes && (is_empty || !model.list.at_end) {
        navigation::request_end(model);
    } else if is_empty {
        // Without a row there is none behind which to go on.
        navigation::request_window(model, 0);
    } else {
        model.list.reopen_end();
    }
}

/// The file is another one, or has lost its end: what was known of it no longer holds.
fn handle_log_change(model: &mut Model, facts: LogInfo, change: LogChange) {
    let place = model.list.selected_offset().min(facts.bytes);
    let text = match change {
        LogChange::Shrunk(before) if facts.bytes < before => {
            format!("the log was cut: {before} bytes before, {} now", facts.bytes)
        }
        LogChange::Replaced => {
            format!("the log was replaced by another file, which is shown now ({})", format_size(facts.bytes))
        }
        LogChange::Overwritten | LogChange::Shrunk(_) => {
            format!("the log was overwritten with another one, which is shown now ({})", format_size(facts.bytes))
        }
        LogChange::Repaired { number, undoes, state } => match (state, undoes) {
            (RepairState::RolledBack, _) => format!("repair {number} was taken back by another process"),
            (RepairState::Applied, Some(undone)) => {
                format!("repair {undone} was undone by another process, which is repair {number}")
            }
            (RepairState::Applied, None) => format!("repaired by another process: repair {number}"),
            _ => format!("another process repairs the log: repair {number}"),
        },
        LogChange::Reappeared => format!("the log is back, and is shown anew ({})", format_size(facts.bytes)),
    };
    model.log_info = facts;
    model.unavailable = None;
    model.warn(text);
    reset_log_state(model);
    if model.follow == Follow::Yes {
        navigation::request_end(model);
    } else {
        navigation::request_window(model, place);
    }
    repair::request_repair_history(model);
}
