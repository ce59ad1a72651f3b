//! Answers from the workers.

use super::{gather, moves, repair, writing};
use crate::file::Durability;
use crate::query::{Page, What};
use crate::tui::effect::{Effect, Lane};
use crate::tui::message::{Failure, Told};
use crate::tui::model::{Contents, Follow, Model, Source, Tone, View};

/// Takes the answer to a lane's newest question in.
pub(super) fn answer(model: &mut Model, lane: Lane, told: Told) {
    if let Told::Progress(done, total) = told {
        if let Some(job) = model.jobs.iter_mut().find(|job| job.lane == lane) {
            job.done = (done, total);
        }
        return;
    }
    model.jobs.retain(|job| job.lane != lane);
    let bytes = model.facts.bytes;
    match told {
        Told::Progress(..) => {}
        Told::Window(page, offset) => {
            met(model, &page);
            model.list.set(page, offset, bytes);
            if model.follow == Follow::Yes {
                model.list.move_by(i64::from(i32::MAX));
            }
        }
        Told::More(page) => {
            met(model, &page);
            model.list.extend(page, bytes);
            if model.follow == Follow::Yes {
                model.list.move_by(i64::from(i32::MAX));
            }
        }
        Told::Hits(hits) => gather::looked(model, *hits),
        Told::Detail(contents) => detail(model, *contents),
        Told::Place(Some(offset)) => moves::go_to(model, offset),
        Told::Beyond(offset, why) => {
            moves::go_to(model, offset);
            model.tell(why);
        }
        Told::Place(None) => model.tell(nothing(model)),
        Told::Aggregates { from, rows, total, cut } => {
            let table = &mut model.aggregates;
            (table.from, table.rows, table.total, table.cut) = (from, rows, total, cut);
            table.source = Source::There;
            table.cursor.move_by(0, total);
        }
        Told::NoIndex => model.aggregates.source = Source::NoIndex,
        Told::Appended(done) => {
            let durability = if done.synced { Durability::Synced } else { Durability::Buffered };
            writing::appended(model, &done, durability);
        }
        Told::Saved(done) => writing::saved(model, &done),
        Told::Records(records, notices) => repair::records(model, records, notices),
        Told::Planned(offer) => repair::planned(model, *offer),
        Told::Repaired(done) => repair::repaired(model, *done),
        Told::Failed(failure) => failed(model, lane, failure),
    }
}

/// Has the scan look at damage on a page that it does not know: it may have come since it was there.
fn met(model: &mut Model, page: &Page) {
    let damage = page.rows.iter().filter_map(|row| match &row.what {
        What::Finding(finding) if finding.kind.is_damage() => Some(row.start..row.end),
        _ => None,
    });
    let unknown = model.scan.met(damage);
    model.effects.extend(unknown.into_iter().map(Effect::LookAt));
}

fn detail(model: &mut Model, mut contents: Contents) {
    // Another window of the same bytes: what is folded stays folded.
    if let Some(known) = model.detail.contents.take()
        && known.row == contents.row
        && known.json == contents.json
    {
        contents.doc = known.doc;
    }
    let line = contents.story.as_ref().map(|story| story.line_of(contents.row.start));
    model.detail.contents = Some(contents);
    if let (View::Aggregate, Some(line)) = (model.detail.view, line) {
        model.detail.rewind();
        model.detail.move_by(line as i64);
    } else {
        model.detail.move_by(0);
    }
}

/// What is told when nothing was found.
fn nothing(model: &Model) -> String {
    match &model.search {
        Some((text, _)) if model.search_hits().is_some_and(|gather| gather.is_empty(model.facts.bytes)) => {
            format!("{text}: nowhere in the log")
        }
        Some((text, _)) => format!("{text}: nothing more that way"),
        None => "nothing more that way".into(),
    }
}

fn failed(model: &mut Model, lane: Lane, failure: Failure) {
    if lane == Lane::List {
        model.list.stop();
    }
    if lane == Lane::Hits {
        gather::stopped(model);
    }
    if lane == Lane::Aggregates {
        model.aggregates.source = Source::There;
    }
    if lane == Lane::Write {
        repair::planning_ends(model);
    }
    match (failure, lane) {
        (Failure::Stopped, _) => {}
        (Failure::Error(why), Lane::Write) if model.form.sending => {
            model.form.sending = false;
            model.form.outcome = vec![why];
        }
        // Behind what was told: a repair stands, even where its index was not caught up.
        (Failure::Error(why), _) => model.tell_too(why, Tone::Bad),
    }
}
