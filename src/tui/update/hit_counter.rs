//! Counts the hits of the filter and of the search, one slice of the log at a time.

use super::requests::{cancel_request, remove_job, send_or_defer, send_request};
use crate::query::{Hits, SearchPattern};
use crate::tui::model::{EscBehavior, HitCounter, HitCounterState, Model, UserJob};
use crate::tui::request::{ReadPriority, Request, WorkerKind};

/// Starts counters for the current filter and search where they are missing, and removes all other counters.
pub(super) fn sync_counters(model: &mut Model) {
    let filter = model.list.filter.clone();
    let counts_filter = !filter.is_empty();
    let search = model.search.as_ref().map(|search| search.pattern.clone());
    let needed: Vec<Option<SearchPattern>> =
        counts_filter.then_some(None).into_iter().chain(search.map(Some)).collect();
    let is_needed =
        |counter: &HitCounter| needed.iter().any(|pattern| counter.hits.matches_query(&filter, pattern.as_ref()));
    if model.hit_counters.in_progress().is_some_and(|counter| !is_needed(counter)) {
        cancel_request(model, WorkerKind::Hits);
    }
    model.hit_counters.counters.retain(is_needed);
    if !model.can_read_in_background() {
        return;
    }
    let from = model.counting_start();
    for pattern in needed {
        if model.hit_counters.find(&filter, pattern.as_ref()).is_none() {
            model.hit_counters.counters.push(HitCounter {
                filter: filter.clone(),
                hits: Hits::new(filter.clone(), pattern.clone(), from),
                pattern,
                state: HitCounterState::Ready,
                started: model.now,
            });
        }
    }
}

/// Removes all counters, because the log has changed and their hits are obsolete.
pub(super) fn clear_counters(model: &mut Model) {
    cancel_request(model, WorkerKind::Hits);
    model.hit_counters.counters.clear();
}

/// Resumes stopped counters, because the user has submitted a filter or a search again.
pub(super) fn resume_stopped(model: &mut Model) {
    for counter in &mut model.hit_counters.counters {
        if counter.state == HitCounterState::Stopped {
            counter.state = HitCounterState::Ready;
        }
    }
}

/// Requests the next slice for the newest counter, and sends the deferred requests that can now be answered.
pub(super) fn advance(model: &mut Model) {
    sync_counters(model);
    request_next_slice(model);
    for deferred in std::mem::take(&mut model.hit_counters.deferred_requests) {
        send_or_defer(model, deferred);
    }
}

fn request_next_slice(model: &mut Model) {
    let log_bytes = model.log_info.bytes;
    if !model.can_read_in_background() {
        if let Some(counter) = model.hit_counters.in_progress() {
            counter.state = HitCounterState::Ready;
            cancel_request(model, WorkerKind::Hits);
        }
        return;
    }
    let counters = &model.hit_counters.counters;
    let current = counters.iter().position(|counter| counter.state == HitCounterState::InProgress);
    let newest = counters.iter().rposition(|counter| counter.has_more(log_bytes));
    // The newest counter has priority over counters that were started before it.
    if current.is_some() && current >= newest {
        return;
    }
    if let Some(counter) = model.hit_counters.in_progress() {
        counter.state = HitCounterState::Ready;
    }
    remove_job(model, WorkerKind::Hits);
    let slice_bytes = model.hit_counters.slice_bytes;
    let priority = if model.hit_counters.deferred_requests.is_empty() {
        ReadPriority::Background
    } else {
        ReadPriority::Interactive
    };
    let Some(counter) = newest.and_then(|position| model.hit_counters.counters.get_mut(position)) else { return };
    counter.state = HitCounterState::InProgress;
    let scanned = counter.hits.scanned_bytes();
    let request = Request::ExtendHits { hits: counter.hits.clone(), slice_bytes, priority };
    // One last slice is searched too quickly to be reported as a job.
    if log_bytes.saturating_sub(scanned) > slice_bytes {
        let job = UserJob {
            worker: WorkerKind::Hits,
            name: counter.job_name(),
            done: scanned,
            total: log_bytes,
            started: counter.started,
            on_esc: EscBehavior::CancelsJob,
        };
        // Esc stops the last job of the list first. A job that waits for these hits must be stopped before the
        // counting, so the counting is first in the list.
        model.jobs.insert(0, job);
    }
    send_request(model, WorkerKind::Hits, request);
}

/// Stores the hits that the search of a slice has returned.
pub(super) fn apply_slice(model: &mut Model, hits: Hits) {
    let log_bytes = model.log_info.bytes;
    if let Some(counter) = model.hit_counters.in_progress() {
        // The log may have become shorter than `log_bytes`. The counter is idle until a background update reports the
        // new size.
        let is_idle =
            hits.is_complete(0) && !hits.is_complete(log_bytes) && hits.scanned_bytes() == counter.hits.scanned_bytes();
        counter.state = if is_idle { HitCounterState::Idle(log_bytes) } else { HitCounterState::Ready };
        counter.hits = hits;
    }
}
