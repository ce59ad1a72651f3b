//! News that nobody asked for: the log has grown or changed, the scan has come further.

use super::{gather, moves, repair};
use crate::query::What;
use crate::report::units::size;
use crate::tui::message::{Change, News};
use crate::tui::model::{Facts, Follow, Model, Scan, ScanState, Source, Waiting};

/// Takes news in.
pub(super) fn news(model: &mut Model, news: News) {
    match news {
        News::Facts(facts) => self::facts(model, *facts),
        News::Changed(facts, change) => changed(model, *facts, change),
        News::NoLog(change, why) => {
            let what = match change {
                Change::Shrunk(_) => "the log was cut, and cannot be opened any more",
                _ => "the log was replaced by what is none; what is shown is the open file",
            };
            model.warn(format!("{what}: {why}"));
        }
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
        Change::Shrunk(before) => {
            format!("the log was cut: {before} bytes before, {} now", facts.bytes)
        }
        Change::Replaced => {
            format!("the log was replaced by another file, which is shown now ({})", size(facts.bytes))
        }
        Change::Gone => "the log was removed or renamed; what is shown is the open file".into(),
    };
    model.facts = facts;
    model.warn(text);
    if change == Change::Gone {
        return;
    }
    let state = if model.scan.state == ScanState::Off { ScanState::Off } else { ScanState::Running };
    model.scan = Scan::new(state);
    gather::forget(model);
    model.detail.asked = None;
    model.detail.contents = None;
    model.aggregates.source = Source::Unasked;
    if model.follow == Follow::Yes {
        moves::end(model);
    } else {
        moves::window(model, place);
    }
    repair::look(model);
}
