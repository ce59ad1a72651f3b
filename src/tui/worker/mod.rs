//! The workers: they read, search, scan, watch and write, so that no key ever waits. Each lane answers one question at a
//! time, the newest; whatever takes long asks between times whether it is still wanted.

mod aggregate_history;
mod aggregates;
mod contents;
mod fingerprint;
mod handler;
mod hits;
mod journal_watch;
mod rate_limiter;
mod repair;
mod scan;
mod scan_control;
mod shared;
mod watch;
mod writing;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::effect::{Request, WorkerKind};
use super::message::{Message, RequestFailure, Response};
use crate::StorageError;
use crate::report::{describe_error, hint};

pub(crate) use handler::{WorkerCache, handle_request};
pub(crate) use shared::SharedState;

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// How long the end waits for what is being written.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The workers of a screen.
#[derive(Debug)]
pub(crate) struct Workers {
    workers: Vec<WorkerHandle>,
    scan: scan_control::ScanHandle,
    /// Dropped, it ends the watch.
    _watch_stop: Sender<()>,
}

#[derive(Debug)]
struct WorkerHandle {
    requests: Sender<(u64, Request)>,
    current_generation: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// Tells a job's progress, and hears whether it is still wanted.
pub(crate) type ProgressCallback<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

impl Workers {
    /// Starts them all; what they have to say goes to `out`.
    pub(crate) fn start(shared: &Arc<SharedState>, out: &Sender<Message>) -> Self {
        let lanes = WorkerKind::ALL.into_iter().map(|lane| spawn_worker(lane, shared, out)).collect();
        let scan = scan::start(shared, out);
        let watch = watch::start(shared, &scan, out);
        Self { workers: lanes, scan, _watch_stop: watch }
    }

    /// Asks a lane.
    pub(crate) fn send_request(&self, lane: WorkerKind, generation: u64, ask: Request) {
        if let Some(handle) = self.workers.get(lane as usize) {
            handle.current_generation.store(generation, Ordering::Release);
            // A lane that is gone has told why before it went.
            let _ = handle.requests.send((generation, ask));
        }
    }

    /// What was asked in a lane is not wanted any more.
    pub(crate) fn cancel(&self, lane: WorkerKind) {
        if let Some(handle) = self.workers.get(lane as usize) {
            handle.current_generation.store(u64::MAX, Ordering::Release);
        }
    }

    /// The scan stops.
    pub(crate) fn stop_scan(&self) {
        self.scan.stop();
    }

    /// The scan starts anew.
    pub(crate) fn restart_scan(&self) {
        self.scan.restart();
    }

    /// The scan looks at damage that was met.
    pub(crate) fn scan_range(&self, range: std::ops::Range<u64>) {
        self.scan.scan_range(range);
    }

    /// The scan goes on.
    pub(crate) fn resume_scan(&self) {
        self.scan.resume();
    }

    /// Ends them, and waits a moment for what is being written to stop where it may.
    pub(crate) fn shut_down(mut self) {
        for lane in WorkerKind::ALL {
            self.cancel(lane);
        }
        self.scan.stop();
        let writing = self.workers.get_mut(WorkerKind::Write as usize).and_then(|handle| handle.thread.take());
        self.workers.clear();
        let until = Instant::now() + SHUTDOWN_TIMEOUT;
        while writing.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn spawn_worker(lane: WorkerKind, shared: &Arc<SharedState>, out: &Sender<Message>) -> WorkerHandle {
    let (questions, request_receiver) = unbounded();
    let newest = Arc::new(AtomicU64::new(0));
    let (shared, out, current_generation) = (shared.clone(), out.clone(), newest.clone());
    let run = move || {
        let _alive = QuitOnPanic(out.clone());
        serve_requests(lane, &shared, &request_receiver, &current_generation, &out);
    };
    let thread = thread::Builder::new().name(format!("{lane:?}").to_lowercase()).spawn(run).ok();
    WorkerHandle { requests: questions, current_generation: newest, thread }
}

fn serve_requests(
    lane: WorkerKind,
    shared: &Arc<SharedState>,
    requests: &Receiver<(u64, Request)>,
    newest: &AtomicU64,
    out: &Sender<Message>,
) {
    let mut memory = WorkerCache::default();
    for (generation, ask) in requests {
        let is_current = || newest.load(Ordering::Acquire) == generation;
        if !is_current() {
            continue;
        }
        let mut last_report = Instant::now();
        let mut on_progress = |done, total| {
            if last_report.elapsed() >= PROGRESS_INTERVAL {
                last_report = Instant::now();
                let _ = out.send(Message::Response(lane, generation, Response::Progress(done, total)));
            }
            if is_current() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let response = handle_request(shared, ask, &mut memory, &mut on_progress)
            .unwrap_or_else(|error| Response::Failed(to_failure(&error)));
        if out.send(Message::Response(lane, generation, response)).is_err() {
            return;
        }
        for news in shared.take_updates() {
            let _ = out.send(Message::Background(news));
        }
    }
}

/// An error in words for the screen.
pub(crate) fn to_failure(error: &StorageError) -> RequestFailure {
    match error {
        StorageError::Cancelled => RequestFailure::Cancelled,
        error => RequestFailure::Error(format!("{}; {}", describe_error(error), hint(error))),
    }
}

/// Ends the screen when its thread panics: the panic itself was printed by then.
struct QuitOnPanic(Sender<Message>);

impl Drop for QuitOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Message::Quit);
        }
    }
}
