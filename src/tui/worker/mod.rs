//! Background threads of the screen: one worker per kind of request, the scan, and the watcher of the log file.
//!
//! A worker handles one request at a time and skips those that a newer request has replaced. A long operation checks at
//! each progress report whether its request is still wanted, so that no key ever waits for it.

mod aggregates;
mod compact;
mod compare;
mod contents;
mod export;
mod folder;
mod folder_watch;
mod handler;
mod hits;
mod journal_watch;
mod jump;
mod rate_limiter;
mod repair;
mod report;
mod retention;
mod rows;
mod scan;
mod scan_control;
mod scan_state;
mod segments;
mod session_store;
mod shared;
mod statistics;
mod timeline;
mod watch;
mod writing;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::message::{Message, RequestFailure, Response};
use super::request::{Request, WorkerKind};
use crate::StorageError;
use crate::inspect::Progress;
use crate::report::screen_message;

pub(crate) use handler::{WorkerCache, handle_request};
#[cfg(any(test, fuzzing))]
pub(crate) use shared::OpenedLog;
pub(crate) use shared::SharedState;

/// Shortest time between two progress messages of one request.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// Longest time that quitting waits for a write to finish.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// A generation that no request has. Storing it as the newest one cancels the current request.
const CANCELLED_GENERATION: u64 = u64::MAX;

/// The handles of all background threads of one screen.
#[derive(Debug)]
pub(crate) struct Workers {
    /// One worker per [`WorkerKind`], in the order of its variants.
    workers: Vec<WorkerHandle>,
    scan: scan_control::ScanHandle,
    /// Dropping the sender ends the watch thread.
    _watch_stop: Sender<()>,
}

/// The request queue and the thread of one worker.
#[derive(Debug)]
struct WorkerHandle {
    requests: Sender<(u64, Request)>,
    /// The generation of the newest request. A worker drops requests of any other.
    newest_generation: Arc<AtomicU64>,
    /// The generation of the newest request that was asked to stop; 0 for none.
    stopped_generation: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts all threads. Their responses and updates are sent to `out`.
    pub(crate) fn start(shared: &Arc<SharedState>, out: &Sender<Message>) -> Self {
        let workers = WorkerKind::ALL.into_iter().map(|kind| spawn_worker(kind, shared, out)).collect();
        let scan = scan::start(shared, out);
        let watch_stop = watch::start(shared, &scan, out);
        Self { workers, scan, _watch_stop: watch_stop }
    }

    /// Sends a request to a worker. It replaces the worker's previous request.
    pub(crate) fn send_request(&self, kind: WorkerKind, generation: u64, request: Request) {
        if let Some(worker) = self.workers.get(kind as usize) {
            worker.newest_generation.store(generation, Ordering::Release);
            // Sending fails when the worker has panicked; `QuitOnPanic` ends the screen then.
            let _ = worker.requests.send((generation, request));
        }
    }

    /// Cancels the worker's current request.
    pub(crate) fn cancel(&self, kind: WorkerKind) {
        if let Some(worker) = self.workers.get(kind as usize) {
            worker.newest_generation.store(CANCELLED_GENERATION, Ordering::Release);
        }
    }

    /// Asks the worker's current request to stop where it safely can. Its response is still delivered.
    pub(crate) fn ask_to_stop(&self, kind: WorkerKind) {
        if let Some(worker) = self.workers.get(kind as usize) {
            worker.stopped_generation.store(worker.newest_generation.load(Ordering::Acquire), Ordering::Release);
        }
    }

    /// Stops the scan where it is.
    pub(crate) fn stop_scan(&self) {
        self.scan.stop();
    }

    /// Restarts the scan from the start of the log.
    pub(crate) fn restart_scan(&self) {
        self.scan.restart();
    }

    /// Restarts the scan, and makes it read what was verified earlier too.
    pub(crate) fn verify_all(&self) {
        self.scan.verify_all();
    }

    /// Requests a scan of a range in which a page of rows shows damage.
    pub(crate) fn scan_range(&self, range: Range<u64>) {
        self.scan.scan_range(range);
    }

    /// Continues a stopped scan.
    pub(crate) fn resume_scan(&self) {
        self.scan.resume();
    }

    /// Cancels everything, and waits up to [`SHUTDOWN_TIMEOUT`] for a running write to finish, for an export to remove its
    /// temporary file, and for the state of this run to be saved.
    pub(crate) fn shut_down(mut self) {
        // The state of this run is the last request of its worker.
        for kind in WorkerKind::ALL.into_iter().filter(|kind| *kind != WorkerKind::Session) {
            self.cancel(kind);
        }
        self.scan.stop();
        let mut take_thread = |kind| self.workers.get_mut(kind as usize).and_then(|worker| worker.thread.take());
        let threads = [WorkerKind::Write, WorkerKind::Export, WorkerKind::Session].map(&mut take_thread);
        self.workers.clear();
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        while threads.iter().flatten().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn spawn_worker(kind: WorkerKind, shared: &Arc<SharedState>, out: &Sender<Message>) -> WorkerHandle {
    let (requests, request_queue) = unbounded();
    let newest_generation = Arc::new(AtomicU64::new(0));
    let stopped_generation = Arc::new(AtomicU64::new(0));
    let (shared, out) = (shared.clone(), out.clone());
    let (newest, stopped) = (newest_generation.clone(), stopped_generation.clone());
    let run = move || {
        let _quit_on_panic = QuitOnPanic(out.clone());
        let generations = Generations { newest: &newest, stopped: &stopped };
        serve_requests(kind, &shared, &request_queue, generations, &out);
    };
    // Linux stores at most 15 bytes of a thread's name.
    let name = format!("tui-{kind:?}").to_lowercase();
    let thread = thread::Builder::new().name(name).spawn(run).ok();
    WorkerHandle { requests, newest_generation, stopped_generation, thread }
}

/// The generations that decide whether a request of a worker continues.
#[derive(Clone, Copy)]
struct Generations<'a> {
    /// The generation of the newest request. Requests of earlier generations are cancelled.
    newest: &'a AtomicU64,
    /// The generation of the newest request that was asked to stop.
    stopped: &'a AtomicU64,
}

fn serve_requests(
    kind: WorkerKind,
    shared: &Arc<SharedState>,
    request_queue: &Receiver<(u64, Request)>,
    generations: Generations,
    out: &Sender<Message>,
) {
    let mut cache = WorkerCache::default();
    for (generation, request) in request_queue {
        let is_wanted = || generations.newest.load(Ordering::Acquire) == generation;
        let is_stopped = || generations.stopped.load(Ordering::Acquire) == generation;
        if !is_wanted() {
            continue;
        }
        let mut last_report = Instant::now();
        let mut on_progress = |Progress { position, total }| {
            if last_report.elapsed() >= PROGRESS_INTERVAL {
                last_report = Instant::now();
                let response = Response::Progress { done: position, total };
                let _ = out.send(Message::Response { worker: kind, generation, response });
            }
            if is_wanted() && !is_stopped() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let response = handle_request(shared, request, &mut cache, &mut on_progress)
            .unwrap_or_else(|error| Response::Failed(to_failure(&error)));
        if out.send(Message::Response { worker: kind, generation, response }).is_err() {
            return;
        }
        for update in shared.take_updates() {
            let _ = out.send(Message::Background(update));
        }
    }
}

/// Converts an error to the message that the screen shows: the cause, the next step, and the path.
pub(crate) fn to_failure(error: &StorageError) -> RequestFailure {
    match error {
        StorageError::Cancelled => RequestFailure::Cancelled,
        error => RequestFailure::Error(screen_message(error)),
    }
}

/// A guard that quits the screen when the thread that owns it panics. The panic hook has printed the panic by then.
struct QuitOnPanic(Sender<Message>);

impl Drop for QuitOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Message::Quit);
        }
    }
}
