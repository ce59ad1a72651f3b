//! Applies the responses of the workers.

use super::aggregates::{self, LoadedAggregates};
use super::{
    append, compact, compare, export, hit_counter, index, navigation, plan_dialog, reload, repair, report,
    segment_change, segments, session, statistics, timeline,
};
use crate::query::{RowContent, RowPage};
use crate::report::Tone;
use crate::tui::effect::Effect;
use crate::tui::message::{RequestFailure, Response};
use crate::tui::model::{
    AggregateLoadState, CompareState, EscBehavior, Follow, Model, RowContents, RowRequestState, StatisticsProgress,
    TimelineProgress,
};
use crate::tui::request::WorkerKind;

/// Applies the response to the newest request of a worker.
pub(super) fn handle_response(model: &mut Model, worker: WorkerKind, response: Response) {
    if let Response::Progress { done, total } = response {
        if let Some(job) = model.jobs.iter_mut().find(|job| job.worker == worker) {
            (job.done, job.total) = (done, total);
        }
        return;
    }
    let on_esc = model.job(worker).map(|job| job.on_esc);
    super::requests::remove_job(model, worker);
    let log_bytes = model.log_info.bytes;
    match response {
        Response::Progress { .. } | Response::SessionSaved(Ok(())) => {}
        Response::RowWindow { page, cursor_offset } => {
            rescan_unknown_damage(model, &page);
            model.list.set_window(page, cursor_offset, log_bytes);
            read_changed_contents_again(model);
            select_last_row_if_following(model);
        }
        Response::MoreRows(page) => {
            rescan_unknown_damage(model, &page);
            model.list.extend_window(page, log_bytes);
            select_last_row_if_following(model);
        }
        Response::Hits(hits) => hit_counter::apply_slice(model, *hits),
        Response::Detail(contents) => set_detail(model, *contents),
        Response::JumpTarget(offset) if model.detail.reveal_match.is_some() => {
            navigation::go_to_match_at(model, offset);
        }
        Response::JumpTarget(offset) => navigation::go_to_offset(model, offset),
        Response::WrappedMatch(offset) => navigation::go_to_wrapped_match(model, offset),
        Response::JumpOutside { nearest_row, message } => {
            navigation::go_to_offset(model, nearest_row);
            model.notify(message);
        }
        Response::NoMatch => {
            model.awaited.clear();
            model.detail.reveal_match = None;
            model.notify(no_match_message(model));
        }
        Response::EventTimes(times) => model.event_times = times,
        Response::FolderListing(listing) => model.folder_listing = Some(listing),
        Response::NoDamage => {
            model.awaited.clear();
            model.notify("No further damage in this direction");
        }
        Response::Aggregates { from: first_row, rows, total, unfiltered_total, exact, over_limit } => {
            let loaded = LoadedAggregates { first_row, rows, total, unfiltered_total, exact, over_limit };
            aggregates::set_rows(model, loaded);
        }
        Response::NoIndex => aggregates::forget_rows(model),
        Response::Segments(page) => segments::set_page(model, *page),
        Response::Statistics(result) => statistics::show(model, *result),
        Response::Timeline(found) => timeline::show(model, found),
        Response::Compared(result) => compare::show(model, *result),
        Response::BothSides(sides) => compare::show_sides(model, *sides),
        Response::Exported(result) => export::finish(model, &result, on_esc),
        Response::ExportRefused { path, reason } => export::show_refusal(model, &path, reason),
        Response::Compacted(result) => compact::finish(model, &result, on_esc),
        Response::Reported(result) => report::finish(model, &result, on_esc),
        Response::ReportRefused { path, reason } => report::show_refusal(model, &path, reason),
        Response::SessionLoaded(loaded) => session::restore(model, *loaded),
        Response::SessionPrepared(preparation) => session::finish_preparation(model, preparation),
        Response::SessionSaved(Err(reason)) => model.record_message(format!("{}: {reason}", session::NOT_KEPT)),
        Response::Appended(result) => append::finish_append(model, &result),
        Response::IndexSaved(result) => index::finish_index_save(model, &result),
        Response::RepairHistory { records, removals, notices } => {
            model.repairs.removals = removals;
            repair::set_repair_history(model, records, notices);
        }
        Response::SegmentChangePlanned(change) => segment_change::show_plan(model, *change),
        Response::SegmentsChanged(result) => segment_change::finish(model, *result),
        Response::Planned(preview) => {
            if let Some(preview) = plan_dialog::take_plan(model, *preview) {
                repair::show_plan(model, preview);
            }
        }
        Response::PlanBytes(parts) => plan_dialog::set_bytes(model, parts),
        Response::Repaired(result) => repair::finish_repair(model, *result, on_esc),
        Response::Failed(failure) => handle_failure(model, worker, failure, on_esc),
    }
}

/// Requests a scan of the damage on a page that the scan has not found, because the damage may be newer than the scan.
fn rescan_unknown_damage(model: &mut Model, page: &RowPage) {
    let damage = page.rows.iter().filter_map(|row| match &row.content {
        RowContent::Finding(finding) if finding.kind.is_damage() => Some(row.start..row.end),
        _ => None,
    });
    let unknown = model.scan.take_unknown_damage(damage);
    model.effects.extend(unknown.into_iter().map(Effect::RescanRange));
}

fn select_last_row_if_following(model: &mut Model) {
    if model.follow == Follow::Yes {
        model.list.move_by(i64::from(i32::MAX));
    }
}

/// Makes the contents be read again when they differed from the row that was in the window before.
fn read_changed_contents_again(model: &mut Model) {
    if model.detail.contents.as_ref().is_some_and(|contents| contents.details.is_changed) {
        model.detail.last_request = None;
    }
}

fn set_detail(model: &mut Model, mut contents: RowContents) {
    let earlier = model.detail.contents.take().filter(|earlier| earlier.details.row == contents.details.row);
    let has_new_history = earlier.as_ref().is_none_or(|earlier| earlier.history.is_none());
    // When the contents differ only in the hex window or the aggregate, the folds of the JSON are preserved.
    if let Some(earlier) = earlier {
        if earlier.details.payload_text == contents.details.payload_text {
            contents.doc = earlier.doc;
        }
        if let (Some(earlier), Some(state)) = (earlier.state, &mut contents.state)
            && earlier.summary == state.summary
        {
            *state = earlier;
        }
    }
    contents.read_at_ms = model.now_ms;
    // While a window is being read, the rows are read again anyway. Another request would replace that one, and contents
    // that arrive before each window would prevent it from ever arriving.
    if contents.details.is_changed && model.list.request_state() != RowRequestState::Window {
        let row = &contents.details.row;
        reload::reload_changed_row(model, row.start..row.end);
    }
    if let Some(history) = &mut contents.history {
        history.sync_findings(&model.scan.findings);
    }
    model.detail.contents = Some(contents);
    if has_new_history {
        model.detail.show_chosen_event();
    }
    model.detail.move_by(0);
    navigation::reveal_match(model);
}

fn no_match_message(model: &Model) -> String {
    let place = if model.list.filter.is_empty() { "in the log" } else { "among the rows of the filter" };
    let text = model.search.as_ref().map(|search| format!(": {}", search.text)).unwrap_or_default();
    format!("No match {place}{text}")
}

fn handle_failure(model: &mut Model, worker: WorkerKind, mut failure: RequestFailure, on_esc: Option<EscBehavior>) {
    if matches!(worker, WorkerKind::List | WorkerKind::Detail | WorkerKind::Jump) {
        model.awaited.clear();
    }
    match worker {
        WorkerKind::Detail => {
            model.detail.failed_at = model.detail.last_request.map(|request| request.start);
            model.detail.contents = None;
        }
        WorkerKind::List => model.list.cancel_request(),
        WorkerKind::Hits => model.hit_counters.mark_stopped(),
        WorkerKind::Aggregates => model.aggregates.load_state = AggregateLoadState::Loaded,
        WorkerKind::Write => match plan_dialog::take_failure(model, failure) {
            Some(untaken) => failure = untaken,
            None => return,
        },
        WorkerKind::Jump | WorkerKind::Repairs | WorkerKind::Prompt | WorkerKind::Export | WorkerKind::Sides => {}
        WorkerKind::Compare => {
            if let RequestFailure::Error(reason) = &failure {
                model.compare.state = CompareState::Failed(reason.clone());
            }
            // The tab shows the reason.
            return;
        }
        WorkerKind::Segments => segments::mark_failed(model),
        WorkerKind::Session => session::give_up(model),
        WorkerKind::Statistics => model.statistics.progress = StatisticsProgress::Idle,
        WorkerKind::Timeline => model.timeline.progress = TimelineProgress::Stopped,
    }
    match (failure, worker) {
        (RequestFailure::Cancelled, WorkerKind::Export) => model.notify("Stopped; no file was written"),
        (RequestFailure::Cancelled, _) if on_esc == Some(EscBehavior::Asked) => {
            model.notify("Stopped before the first byte of the log was changed");
        }
        (RequestFailure::Cancelled, _) => {}
        (RequestFailure::Error(message), WorkerKind::Write) if model.form.is_sending => {
            model.form.is_sending = false;
            model.form.outcome = vec![message];
        }
        // The earlier notice stays, because a repair succeeds even when catching up its index fails.
        (RequestFailure::Error(message), _) => model.append_notice(message, Tone::Bad),
    }
}
