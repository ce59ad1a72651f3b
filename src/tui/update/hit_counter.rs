//! Gathering hits: started with a filter or a search, a slice at a time, and stopped with them. A question that hits are
//! about to answer waits for them, so that nothing is read twice.

use super::{send_or_defer, stop_worker};
use crate::query::{Direction, Hits};
use crate::tui::effect::{Effect, ReadPriority, Request, WorkerKind};
use crate::tui::model::{EscBehavior, Follow, HitCounter, HitCounterState, Model, UserJob};

/// Gathers what is shown and searched now, and nothing else.
pub(super) fn sync_counters(model: &mut Model) {
    let filter = model.list.filter.clone();
    let pattern = model.search.as_ref().map(|(_, pattern)| pattern.clone());
    // An index leads to the events of aggregates.
    let shown = (!filter.is_empty() && filter.aggregate_ids().is_none()).then_some(None);
    let wanted: Vec<_> = shown.into_iter().chain(pattern.map(Some)).collect();
    let is_wanted =
        |gather: &HitCounter| wanted.iter().any(|pattern| gather.hits.matches_query(&filter, pattern.as_ref()));
    if model
        .hit_counters
        .counters
        .iter()
        .any(|gather| gather.state == HitCounterState::InProgress && !is_wanted(gather))
    {
        cancel_slice(model);
    }
    model.hit_counters.counters.retain(is_wanted);
    if !model.can_read_in_background() {
        return;
    }
    let from =
        if model.follow == Follow::Yes { u64::MAX } else { model.list.selected_offset().min(model.log_info.bytes) };
    for pattern in wanted {
        if model.hit_counters.find(&filter, pattern.as_ref()).is_none() {
            let hits = Hits::new(filter.clone(), pattern.clone(), from);
            let (filter, started) = (filter.clone(), model.now);
            model.hit_counters.counters.push(HitCounter {
                filter,
                pattern,
                hits,
                state: HitCounterState::Ready,
                started,
            });
        }
    }
}

/// What was gathered belongs to a log that is gone.
pub(super) fn clear_counters(model: &mut Model) {
    cancel_slice(model);
    model.hit_counters.counters.clear();
}

/// What is being looked at is not wanted any more.
fn cancel_slice(model: &mut Model) {
    model.generations.advance(WorkerKind::Hits);
    model.effects.push_back(Effect::Cancel(WorkerKind::Hits));
    model.jobs.retain(|job| job.worker != WorkerKind::Hits);
}

/// What was stopped goes on: the user asks again.
pub(super) fn resume_stopped(model: &mut Model) {
    for gather in model.hit_counters.counters.iter_mut().filter(|gather| gather.state == HitCounterState::Stopped) {
        gather.state = HitCounterState::Ready;
    }
}

/// Has the newest gathering go on, and asks what can be answered by now.
pub(super) fn advance(model: &mut Model) {
    sync_counters(model);
    request_next_slice(model);
    let held = std::mem::take(&mut model.hit_counters.deferred);
    for (lane, ask) in held {
        send_or_defer(model, lane, ask);
    }
}

fn request_next_slice(model: &mut Model) {
    let bytes = model.log_info.bytes;
    let asked = model.hit_counters.counters.iter().position(|gather| gather.state == HitCounterState::InProgress);
    if !model.can_read_in_background() {
        if let Some(gather) = asked.and_then(|at| model.hit_counters.counters.get_mut(at)) {
            gather.state = HitCounterState::Ready;
            cancel_slice(model);
        }
        return;
    }
    let due = model.hit_counters.counters.iter().rposition(|gather| gather.has_more(bytes));
    // The newest goes first.
    if asked.is_some() && asked >= due {
        return;
    }
    if let Some(gather) = asked.and_then(|at| model.hit_counters.counters.get_mut(at)) {
        gather.state = HitCounterState::Ready;
    }
    model.jobs.retain(|job| job.worker != WorkerKind::Hits);
    let pace =
        if model.hit_counters.deferred.is_empty() { ReadPriority::Background } else { ReadPriority::Interactive };
    let slice_bytes = model.hit_counters.slice_bytes;
    let Some(gather) = due.and_then(|at| model.hit_counters.counters.get_mut(at)) else { return };
    gather.state = HitCounterState::InProgress;
    let looked = gather.hits.scanned_bytes();
    let ask = Request::ExtendHits { hits: gather.hits.clone(), slice_bytes, priority: pace };
    // What is done in a moment is no job to be told of.
    if bytes.saturating_sub(looked) > slice_bytes {
        let (name, started) = (gather.job_name(), gather.started);
        let job = UserJob {
            worker: WorkerKind::Hits,
            name,
            progress: (looked, bytes),
            started,
            on_esc: EscBehavior::CancelsJob,
        };
        // Esc stops before it what waits for it.
        model.jobs.insert(0, job);
    }
    super::send_request(model, WorkerKind::Hits, ask);
}

/// Takes a slice in.
pub(super) fn apply_slice(model: &mut Model, hits: Hits) {
    let bytes = model.log_info.bytes;
    if let Some(gather) =
        model.hit_counters.counters.iter_mut().find(|gather| gather.state == HitCounterState::InProgress)
    {
        // A log that has become shorter than is known here: what follows is told in a moment.
        let is_idle =
            hits.is_complete(0) && !hits.is_complete(bytes) && hits.scanned_bytes() == gather.hits.scanned_bytes();
        gather.state = if is_idle { HitCounterState::Idle(bytes) } else { HitCounterState::Ready };
        gather.hits = hits;
    }
}

/// The user, or an error, stops the gathering that goes on.
pub(super) fn mark_stopped(model: &mut Model) {
    if let Some(gather) =
        model.hit_counters.counters.iter_mut().find(|gather| gather.state == HitCounterState::InProgress)
    {
        gather.state = HitCounterState::Stopped;
    }
}

/// Stops what a lane waits for, too.
pub(super) fn stop_deferred(model: &mut Model, lane: WorkerKind) {
    if model.hit_counters.deferred.iter().any(|(held, _)| *held == lane) {
        model.hit_counters.deferred.retain(|(held, _)| *held != lane);
        stop_worker(model, WorkerKind::Hits);
    }
}

/// Gives a question the hits that help to answer it; false where they are about to, and are not there yet.
pub(super) fn attach_hits(model: &Model, ask: &mut Request) -> bool {
    let (gather, from, direction) = match ask {
        Request::RowsAround { offset, .. } => (model.filter_counter(), *offset, Direction::Forward),
        Request::LastRows { .. } => (model.filter_counter(), u64::MAX, Direction::Backward),
        Request::MoreRows { from, direction, .. } => (model.filter_counter(), *from, *direction),
        Request::FindMatch { from, direction, .. } => (model.search_counter(), *from, *direction),
        _ => return true,
    };
    let bytes = model.log_info.bytes;
    let ready = |direction| {
        !model.can_read_in_background() || gather.is_none_or(|gather| gather.can_answer(from, direction, bytes))
    };
    let lies_ahead = gather.is_some_and(|gather| gather.hits.has_hit(from, Direction::Forward));
    // Where nothing lies ahead, what is around a place is what lies behind it.
    let is_ready = match ask {
        Request::RowsAround { .. } => ready(Direction::Forward) && (lies_ahead || ready(Direction::Backward)),
        _ => ready(direction),
    };
    let known = gather.map(|gather| gather.hits.clone());
    match ask {
        Request::RowsAround { hits, .. }
        | Request::LastRows { hits, .. }
        | Request::MoreRows { hits, .. }
        | Request::FindMatch { hits, .. } => {
            *hits = known;
        }
        _ => {}
    }
    is_ready
}
