//! Sends requests to the workers, defers requests whose hits are still being counted, and cancels requests.

use crate::tui::effect::Effect;
use crate::tui::model::{
    CompareState, DeferredRequest, EscBehavior, HitReadiness, Model, StatisticsProgress, TimelineProgress, UserJob,
};
use crate::tui::request::{Request, WorkerKind};

/// Sends a request to a worker. It replaces the worker's earlier request, whose response is dropped.
pub(super) fn send_request(model: &mut Model, worker: WorkerKind, request: Request) {
    model.generations.advance(worker);
    model.hit_counters.drop_deferred(worker);
    send_or_defer(model, DeferredRequest { worker, request });
    if model.hit_counters.has_deferred(worker) {
        model.effects.push_back(Effect::Cancel(worker));
    }
}

/// Sends a request, or defers it while the hits that it needs are being counted, so that no range is read twice.
pub(super) fn send_or_defer(model: &mut Model, mut pending: DeferredRequest) {
    match model.attach_hits(&mut pending.request) {
        HitReadiness::Ready => {
            let DeferredRequest { worker, request } = pending;
            let generation = model.generations.advance(worker);
            model.effects.push_back(Effect::Request { worker, generation, request: Box::new(request) });
        }
        HitReadiness::NotYet => model.hit_counters.deferred_requests.push(pending),
    }
}

/// Sends a request that may take long. The footer reports its progress, and Esc cancels it.
pub(super) fn start_job(model: &mut Model, worker: WorkerKind, name: impl Into<String>, request: Request) {
    remove_job(model, worker);
    model.jobs.push(UserJob {
        worker,
        name: name.into(),
        done: 0,
        total: 0,
        started: model.now,
        on_esc: EscBehavior::CancelsJob,
    });
    send_request(model, worker, request);
}

/// Removes the job of a worker from the footer.
pub(super) fn remove_job(model: &mut Model, worker: WorkerKind) {
    model.jobs.retain(|job| job.worker != worker);
}

/// Cancels the request of a worker. Its response is dropped.
pub(super) fn cancel_request(model: &mut Model, worker: WorkerKind) {
    remove_job(model, worker);
    model.generations.advance(worker);
    model.effects.push_back(Effect::Cancel(worker));
}

/// Cancels the request of a worker because the user stops it. When the request waits for hits, their counting stops
/// too.
pub(super) fn stop_worker(model: &mut Model, worker: WorkerKind) {
    cancel_request(model, worker);
    match worker {
        WorkerKind::List => model.list.cancel_request(),
        WorkerKind::Hits => model.hit_counters.mark_stopped(),
        WorkerKind::Compare => model.compare.state = CompareState::Stopped,
        WorkerKind::Statistics => model.statistics.progress = StatisticsProgress::Idle,
        WorkerKind::Timeline => model.timeline.progress = TimelineProgress::Stopped,
        _ => {}
    }
    if model.hit_counters.has_deferred(worker) {
        model.hit_counters.drop_deferred(worker);
        stop_worker(model, WorkerKind::Hits);
    }
}
