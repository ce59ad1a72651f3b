//! Gathering hits: started with a filter or a search, a slice at a time, and stopped with them. A question that hits are
//! about to answer waits for them, so that nothing is read twice.

use super::{issue, stop};
use crate::query::{Direction, Hits};
use crate::tui::effect::{Ask, Effect, Lane, Pace};
use crate::tui::model::{Esc, Follow, Gather, Gathering, Job, Model, SLICE};

/// Gathers what is shown and searched now, and nothing else.
pub(super) fn keep(model: &mut Model) {
    let filter = model.list.filter.clone();
    let pattern = model.search.as_ref().map(|(_, pattern)| pattern.clone());
    // An index leads to the events of aggregates.
    let shown = (!filter.is_empty() && filter.aggregates().is_none()).then_some(None);
    let wanted: Vec<_> = shown.into_iter().chain(pattern.map(Some)).collect();
    let is_wanted = |gather: &Gather| wanted.iter().any(|pattern| gather.hits.are_of(&filter, pattern.as_ref()));
    if model.gathers.all.iter().any(|gather| gather.state == Gathering::Asked && !is_wanted(gather)) {
        cancel(model);
    }
    model.gathers.all.retain(is_wanted);
    if !model.reads_behind() {
        return;
    }
    let from = if model.follow == Follow::Yes { u64::MAX } else { model.list.offset().min(model.facts.bytes) };
    for pattern in wanted {
        if model.gathers.of(&filter, pattern.as_ref()).is_none() {
            let hits = Hits::new(filter.clone(), pattern.clone(), from);
            let (filter, started) = (filter.clone(), model.now);
            model.gathers.all.push(Gather { filter, pattern, hits, state: Gathering::Due, started });
        }
    }
}

/// What was gathered belongs to a log that is gone.
pub(super) fn forget(model: &mut Model) {
    cancel(model);
    model.gathers.all.clear();
}

/// What is being looked at is not wanted any more.
fn cancel(model: &mut Model) {
    model.generations.next(Lane::Hits);
    model.effects.push_back(Effect::Cancel(Lane::Hits));
    model.jobs.retain(|job| job.lane != Lane::Hits);
}

/// What was stopped goes on: the user asks again.
pub(super) fn resume(model: &mut Model) {
    for gather in model.gathers.all.iter_mut().filter(|gather| gather.state == Gathering::Stopped) {
        gather.state = Gathering::Due;
    }
}

/// Has the newest gathering go on, and asks what can be answered by now.
pub(super) fn settle(model: &mut Model) {
    keep(model);
    go_on(model);
    let held = std::mem::take(&mut model.gathers.held);
    for (lane, ask) in held {
        issue(model, lane, ask);
    }
}

fn go_on(model: &mut Model) {
    let bytes = model.facts.bytes;
    let asked = model.gathers.all.iter().position(|gather| gather.state == Gathering::Asked);
    if !model.reads_behind() {
        if let Some(gather) = asked.and_then(|at| model.gathers.all.get_mut(at)) {
            gather.state = Gathering::Due;
            cancel(model);
        }
        return;
    }
    let due = model.gathers.all.iter().rposition(|gather| gather.has_more(bytes));
    // The newest goes first.
    if asked.is_some() && asked >= due {
        return;
    }
    if let Some(gather) = asked.and_then(|at| model.gathers.all.get_mut(at)) {
        gather.state = Gathering::Due;
    }
    model.jobs.retain(|job| job.lane != Lane::Hits);
    let pace = if model.gathers.held.is_empty() { Pace::Behind } else { Pace::Awaited };
    let Some(gather) = due.and_then(|at| model.gathers.all.get_mut(at)) else { return };
    gather.state = Gathering::Asked;
    let looked = gather.hits.looked();
    let ask = Ask::Hits { hits: gather.hits.clone(), pace };
    // What is done in a moment is no job to be told of.
    if bytes.saturating_sub(looked) > SLICE {
        let (name, started) = (gather.name(), gather.started);
        let job = Job { lane: Lane::Hits, name, done: (looked, bytes), started, esc: Esc::Stops };
        // Esc stops before it what waits for it.
        model.jobs.insert(0, job);
    }
    super::ask(model, Lane::Hits, ask);
}

/// Takes a slice in.
pub(super) fn looked(model: &mut Model, hits: Hits) {
    let bytes = model.facts.bytes;
    if let Some(gather) = model.gathers.all.iter_mut().find(|gather| gather.state == Gathering::Asked) {
        // A log that has become shorter than is known here: what follows is told in a moment.
        let is_idle = hits.is_through(0) && !hits.is_through(bytes) && hits.looked() == gather.hits.looked();
        gather.state = if is_idle { Gathering::Idle(bytes) } else { Gathering::Due };
        gather.hits = hits;
    }
}

/// The user, or an error, stops the gathering that goes on.
pub(super) fn stopped(model: &mut Model) {
    if let Some(gather) = model.gathers.all.iter_mut().find(|gather| gather.state == Gathering::Asked) {
        gather.state = Gathering::Stopped;
    }
}

/// Stops what a lane waits for, too.
pub(super) fn stop_awaited(model: &mut Model, lane: Lane) {
    if model.gathers.held.iter().any(|(held, _)| *held == lane) {
        model.gathers.held.retain(|(held, _)| *held != lane);
        stop(model, Lane::Hits);
    }
}

/// Gives a question the hits that help to answer it; false where they are about to, and are not there yet.
pub(super) fn is_ready(model: &Model, ask: &mut Ask) -> bool {
    let (gather, from, direction) = match ask {
        Ask::Around { offset, .. } => (model.filter_hits(), *offset, Direction::Forward),
        Ask::End { .. } => (model.filter_hits(), u64::MAX, Direction::Backward),
        Ask::More { from, direction, .. } => (model.filter_hits(), *from, *direction),
        Ask::Find { from, direction, .. } => (model.search_hits(), *from, *direction),
        _ => return true,
    };
    let bytes = model.facts.bytes;
    let ready =
        |direction| !model.reads_behind() || gather.is_none_or(|gather| gather.is_ready(from, direction, bytes));
    let lies_ahead = gather.is_some_and(|gather| gather.hits.has(from, Direction::Forward));
    // Where nothing lies ahead, what is around a place is what lies behind it.
    let is_ready = match ask {
        Ask::Around { .. } => ready(Direction::Forward) && (lies_ahead || ready(Direction::Backward)),
        _ => ready(direction),
    };
    let known = gather.map(|gather| gather.hits.clone());
    match ask {
        Ask::Around { hits, .. } | Ask::End { hits, .. } | Ask::More { hits, .. } | Ask::Find { hits, .. } => {
            *hits = known;
        }
        _ => {}
    }
    is_ready
}
