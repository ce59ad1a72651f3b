//! Answers from the workers.

use super::{hit_counter, navigation, repair, writing};
use crate::file::Durability;
use crate::query::{RowContent, RowPage};
use crate::tui::effect::{Effect, WorkerKind};
use crate::tui::message::{RequestFailure, Response};
use crate::tui::model::{AggregateLoadState, DetailView, Follow, Model, RowContents, Tone};

/// Takes the answer to a lane's newest question in.
pub(super) fn handle_response(model: &mut Model, lane: WorkerKind, response: Response) {
    if let Response::Progress(done, total) = response {
        if let Some(job) = model.jobs.iter_mut().find(|job| job.worker == lane) {
            job.progress = (done, total);
        }
        return;
    }
    model.jobs.retain(|job| job.worker != lane);
    let bytes = model.log_info.bytes;
    match response {
        Response::Progress(..) => {}
        Response::RowWindow(page, offset) => {
            scan_unknown_damage(model, &page);
            model.list.set_window(page, offset, bytes);
            if model.follow == Follow::Yes {
                model.list.move_by(i64::from(i32::MAX));
            }
        }
        Response::MoreRows(page) => {
            scan_unknown_damage(model, &page);
            model.list.extend_window(page, bytes);
            if model.follow == Follow::Yes {
                model.list.move_by(i64::from(i32::MAX));
            }
        }
        Response::Hits(hits) => hit_counter::apply_slice(model, *hits),
        Response::Detail(contents) => set_detail(model, *contents),
        Response::JumpTarget(Some(offset)) => navigation::go_to_offset(model, offset),
        Response::JumpPastEnd(offset, why) => {
            navigation::go_to_offset(model, offset);
            model.notify(why);
        }
        Response::JumpTarget(None) => model.notify(no_match_message(model)),
        Response::Aggregates { from, rows, total, over_limit: cut } => {
            let table = &mut model.aggregates;
            (table.first_row, table.rows, table.total, table.over_limit) = (from, rows, total, cut);
            table.load_state = AggregateLoadState::Loaded;
            table.cursor.move_by(0, total);
        }
        Response::NoIndex => model.aggregates.load_state = AggregateLoadState::NoIndex,
        Response::Appended(done) => {
            let durability = if done.synced { Durability::Synced } else { Durability::Buffered };
            writing::finish_append(model, &done, durability);
        }
        Response::IndexSaved(done) => writing::finish_index_save(model, &done),
        Response::RepairHistory(records, notices) => repair::set_repair_history(model, records, notices),
        Response::Planned(offer) => repair::show_plan(model, *offer),
        Response::Repaired(done) => repair::finish_repair(model, *done),
        Response::Failed(failure) => handle_failure(model, lane, failure),
    }
}

/// Has the scan look at damage on a page that it does not know: it may have come since it was there.
fn scan_unknown_damage(model: &mut Model, page: &RowPage) {
    let damage = page.rows.iter().filter_map(|row| match &row.content {
        RowContent::Finding(finding) if finding.kind.is_damage() => Some(row.start..row.end),
        _ => None,
    });
    let unknown = model.scan.take_unknown_damage(damage);
    model.effects.extend(unknown.into_iter().map(Effect::RescanRange));
}

fn set_detail(model: &mut Model, mut contents: RowContents) {
    // Another window of the same bytes: what is folded stays folded.
    if let Some(known) = model.detail.contents.take()
        && known.details.row == contents.details.row
        && known.details.payload_text == contents.details.payload_text
    {
        contents.doc = known.doc;
    }
    let line = contents.history.as_ref().map(|story| story.line_of_offset(contents.details.row.start));
    model.detail.contents = Some(contents);
    if let (DetailView::Aggregate, Some(line)) = (model.detail.view, line) {
        model.detail.scroll_to_start();
        model.detail.move_by(line as i64);
    } else {
        model.detail.move_by(0);
    }
}

/// What is told when nothing was found.
fn no_match_message(model: &Model) -> String {
    match &model.search {
        Some((text, _)) if model.search_counter().is_some_and(|gather| gather.has_no_hits(model.log_info.bytes)) => {
            format!("{text}: nowhere in the log")
        }
        Some((text, _)) => format!("{text}: nothing more that way"),
        None => "nothing more that way".into(),
    }
}

fn handle_failure(model: &mut Model, lane: WorkerKind, failure: RequestFailure) {
    if lane == WorkerKind::List {
        model.list.cancel_request();
    }
    if lane == WorkerKind::Hits {
        hit_counter::mark_stopped(model);
    }
    if lane == WorkerKind::Aggregates {
        model.aggregates.load_state = AggregateLoadState::Loaded;
    }
    if lane == WorkerKind::Write {
        repair::close_planning_dialog(model);
    }
    match (failure, lane) {
        (RequestFailure::Cancelled, _) => {}
        (RequestFailure::Error(why), WorkerKind::Write) if model.form.is_sending => {
            model.form.is_sending = false;
            model.form.outcome = vec![why];
        }
        // Behind what was told: a repair stands, even where its index was not caught up.
        (RequestFailure::Error(why), _) => model.append_notice(why, Tone::Bad),
    }
}
