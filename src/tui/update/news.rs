//! News that nobody asked for: the log has grown or changed, the scan has come further.

use super::{gather, moves, repair};
use crate::index::IndexState;
use crate::query::What;
use crate::repair::RecordState;
use crate::report::units::size;
use crate::tui::effect::{Effect, Lane};
use crate::tui::message::{Change, News};
use crate::tui::model::{Facts, Follow, Lost, Model, Scan, ScanState, Source, Tone, Waiting};

/// Takes news in.
pub(super) fn news(model: &mut Model, news: News) {
    match news {
        News::Facts(facts) => self::facts(model, *facts),
        News::Changed(facts, change) => changed(model, *facts, change),
        News::Recovered(facts, line) => {
            model.facts = *facts;
            repair::look_anew(model);
            model.tell_too(line, Tone::Bad);
        }
        News::Lost(lost) => self::lost(model, lost),
        // What the scan still tells is about bytes that are gone.
        _ if model.lost.as_ref().is_some_and(Lost::is_empty) => {}
        News::Scanned { from, at, end } => model.scan.scanned(from, at, end, model.now),
        News::Counted(events) => model.scan.events = Some(events),
        News::Found(finding) => model.scan.found(*finding),
        News::Rescan(from) => model.scan.forget(from),
        News::ScanDone => model.scan.ends(ScanState::Done),
        News::ScanStopped => {
            model.scan.ends(ScanState::Stopped);
            model.tell("scan stopped; :scan go lets it go on");
        }
        News::ScanFailed(why) => {
            model.scan.ends(ScanState::Failed);
            model.warn(format!("the scan could not go on: {why}"));
        }
        News::IndexReady => {
            // A table that had nothing to show, or that the log has outgrown, is asked for again.
            if model.aggregates.source != Source::Asked {
                model.aggregates.source = Source::Unasked;
            }
            model.detail.index += 1;
        }
    }
}

/// The log's name belongs to none any more.
fn lost(model: &mut Model, lost: Lost) {
    model.warn(lost.story());
    if lost.is_empty() {
        forget(model);
        model.facts.bytes = 0;
        model.facts.index.state = IndexState::Missing;
        model.facts.index.file = None;
        model.facts.index.verified = None;
        for lane in [Lane::List, Lane::Detail, Lane::Jump] {
            // Answers about bytes that are gone are late.
            model.generations.next(lane);
            model.jobs.retain(|job| job.lane != lane);
            model.effects.push_back(Effect::Cancel(lane));
        }
        model.list.clear();
    }
    model.lost = Some(lost);
}

/// What was known of the log's bytes no longer holds.
pub(super) fn forget(model: &mut Model) {
    let state = if model.scan.state == ScanState::Off { ScanState::Off } else { ScanState::Running };
    model.scan = Scan::new(state);
    gather::forget(model);
    model.detail.asked = None;
    model.detail.contents = None;
    model.aggregates.source = Source::Unasked;
}

fn facts(model: &mut Model, facts: Facts) {
    let grown = facts.bytes > model.facts.bytes;
    let unfinished = model.list.rows.last().is_some_and(|row| row.what == What::InFlight);
    let settled = unfinished && facts.writer != model.facts.writer;
    model.facts = facts;
    if grown || settled {
        more(model);
    }
}

/// The log has grown: the end that is followed, or that is on the screen, goes on.
fn more(model: &mut Model) {
    if model.list.waiting() != Waiting::Nothing {
        return;
    }
    // A list far from the end that follows would have to read all between: it asks for the end instead.
    let is_empty = model.list.rows.is_empty();
    if model.follow == Follow::Yes && (is_empty || !model.list.at_end) {
        moves::end(model);
    } else if is_empty {
        // Without a row there is none behind which to go on.
        moves::window(model, 0);
    } else {
        model.list.grown();
    }
}

/// The file is another one, or has lost its end: what was known of it no longer holds.
fn changed(model: &mut Model, facts: Facts, change: Change) {
    let place = model.list.offset().min(facts.bytes);
    let text = match change {
        Change::Shrunk(before) if facts.bytes < before => {
            format!("the log was cut: {before} bytes before, {} now", facts.bytes)
        }
        Change::Replaced => {
            format!("the log was replaced by another file, which is shown now ({})", size(facts.bytes))
        }
        Change::Overwritten | Change::Shrunk(_) => {
            format!("the log was overwritten with another one, which is shown now ({})", size(facts.bytes))
        }
        Change::Repaired { number, undoes, state } => match (state, undoes) {
            (RecordState::RolledBack, _) => format!("repair {number} was taken back by another process"),
            (RecordState::Applied, Some(undone)) => {
                format!("repair {undone} was undone by another process, which is repair {number}")
            }
            (RecordState::Applied, None) => format!("repaired by another process: repair {number}"),
            _ => format!("another process repairs the log: repair {number}"),
        },
        Change::Back => format!("the log is back, and is shown anew ({})", size(facts.bytes)),
    };
    model.facts = facts;
    model.lost = None;
    model.warn(text);
    forget(model);
    if model.follow == Follow::Yes {
        moves::end(model);
    } else {
        moves::window(model, place);
    }
    repair::look(model);
}
