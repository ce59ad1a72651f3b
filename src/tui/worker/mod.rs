//! The workers: they read, search, scan, watch and write, so that no key ever waits. Each lane answers one question at a
//! time, the newest; whatever takes long asks between times whether it is still wanted.

mod aggregates;
mod answer;
mod budget;
mod contents;
mod hits;
mod journals;
mod orders;
mod print;
mod repair;
mod scan;
mod shared;
mod story;
mod watch;
mod writing;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::effect::{Ask, Lane};
use super::message::{Failure, Message, Told};
use crate::StorageError;
use crate::report::{describe, hint};

pub(crate) use answer::{Memory, answer};
pub(crate) use shared::Shared;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(100);
/// How long the end waits for what is being written.
const PATIENCE: Duration = Duration::from_secs(2);

/// The workers of a screen.
#[derive(Debug)]
pub(crate) struct Workers {
    lanes: Vec<LaneHandle>,
    scan: orders::Handle,
    /// Dropped, it ends the watch.
    _watch: Sender<()>,
}

#[derive(Debug)]
struct LaneHandle {
    questions: Sender<(u64, Ask)>,
    newest: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// Tells a job's progress, and hears whether it is still wanted.
pub(crate) type OnProgress<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

impl Workers {
    /// Starts them all; what they have to say goes to `out`.
    pub(crate) fn start(shared: &Arc<Shared>, out: &Sender<Message>) -> Self {
        let lanes = Lane::ALL.into_iter().map(|lane| start_lane(lane, shared, out)).collect();
        let scan = scan::start(shared, out);
        let watch = watch::start(shared, &scan, out);
        Self { lanes, scan, _watch: watch }
    }

    /// Asks a lane.
    pub(crate) fn ask(&self, lane: Lane, generation: u64, ask: Ask) {
        if let Some(handle) = self.lanes.get(lane as usize) {
            handle.newest.store(generation, Ordering::Release);
            // A lane that is gone has told why before it went.
            let _ = handle.questions.send((generation, ask));
        }
    }

    /// What was asked in a lane is not wanted any more.
    pub(crate) fn cancel(&self, lane: Lane) {
        if let Some(handle) = self.lanes.get(lane as usize) {
            handle.newest.store(u64::MAX, Ordering::Release);
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
    pub(crate) fn look_at(&self, range: std::ops::Range<u64>) {
        self.scan.look_at(range);
    }

    /// The scan goes on.
    pub(crate) fn start_scan(&self) {
        self.scan.go();
    }

    /// Ends them, and waits a moment for what is being written to stop where it may.
    pub(crate) fn finish(mut self) {
        for lane in Lane::ALL {
            self.cancel(lane);
        }
        self.scan.stop();
        let writing = self.lanes.get_mut(Lane::Write as usize).and_then(|handle| handle.thread.take());
        self.lanes.clear();
        let until = Instant::now() + PATIENCE;
        while writing.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn start_lane(lane: Lane, shared: &Arc<Shared>, out: &Sender<Message>) -> LaneHandle {
    let (questions, asked) = unbounded();
    let newest = Arc::new(AtomicU64::new(0));
    let (shared, out, wanted) = (shared.clone(), out.clone(), newest.clone());
    let run = move || {
        let _alive = Alive(out.clone());
        answer_all(lane, &shared, &asked, &wanted, &out);
    };
    let thread = thread::Builder::new().name(format!("{lane:?}").to_lowercase()).spawn(run).ok();
    LaneHandle { questions, newest, thread }
}

fn answer_all(
    lane: Lane,
    shared: &Arc<Shared>,
    asked: &Receiver<(u64, Ask)>,
    newest: &AtomicU64,
    out: &Sender<Message>,
) {
    let mut memory = Memory::default();
    for (generation, ask) in asked {
        let wanted = || newest.load(Ordering::Acquire) == generation;
        if !wanted() {
            continue;
        }
        let mut told_at = Instant::now();
        let mut on = |done, total| {
            if told_at.elapsed() >= TELL {
                told_at = Instant::now();
                let _ = out.send(Message::Answer(lane, generation, Told::Progress(done, total)));
            }
            if wanted() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let told = answer(shared, ask, &mut memory, &mut on).unwrap_or_else(|error| Told::Failed(failure(&error)));
        if out.send(Message::Answer(lane, generation, told)).is_err() {
            return;
        }
        for news in shared.take_news() {
            let _ = out.send(Message::News(news));
        }
    }
}

/// An error in words for the screen.
pub(crate) fn failure(error: &StorageError) -> Failure {
    match error {
        StorageError::Stopped => Failure::Stopped,
        error => Failure::Error(format!("{}; {}", describe(error), hint(error))),
    }
}

/// Ends the screen when its thread panics: the panic itself was printed by then.
struct Alive(Sender<Message>);

impl Drop for Alive {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Message::Quit);
        }
    }
}
