//! The scan behind the screen: judges the whole log once, keeps the index in memory caught up, and never holds a key up.
//!
//! With an index file that may be believed, what it has not seen is read first; then the log is verified without building
//! anything, from where the index says that it was verified to, and before that where it knows of anything but events.
//! Without one, one pass does both. Done in slices, so that it can be counted and stopped.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{Alive, Failure, Shared, failure};
use crate::StorageError;
use crate::index::{AggregateIndex, Bounds};
use crate::inspect::{LogView, Step, Survey, Wish, survey, unverified};
use crate::log::now_ms;
use crate::repair::{Proposed, Proposer};
use crate::tui::message::{Message, News};
use crate::tui::options::Options;

/// Bytes of a slice.
const SLICE: u64 = 16 << 20;
/// Bytes of an index in memory.
const MEMORY: u64 = 24 << 20;
/// An end that was being written is looked at again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest sleep before a stop is heard.
const NAP: Duration = Duration::from_millis(50);

/// What the scan is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Go,
    Grown,
    Restart,
}

/// The scan, from outside.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
}

impl Handle {
    /// It stops where it is.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// It goes on.
    pub(super) fn go(&self) {
        self.stop.store(false, Ordering::Release);
        let _ = self.orders.send(Order::Go);
    }

    /// The log has grown.
    pub(super) fn grown(&self) {
        let _ = self.orders.send(Order::Grown);
    }

    /// The log is another one, or has lost its end.
    pub(super) fn restart(&self) {
        let _ = self.orders.send(Order::Restart);
    }
}

/// Starts it.
pub(super) fn start(shared: &Arc<Shared>, out: &Sender<Message>) -> Handle {
    let Options { scan, .. } = *shared.settings();
    let (orders, told) = unbounded();
    let stop = Arc::new(AtomicBool::new(!scan));
    let handle = Handle { orders, stop: stop.clone() };
    let threads = thread::available_parallelism().map_or(1, |all| all.get() / 2);
    let mut scan = Scan { threads, shared: shared.clone(), out: out.clone(), stop, pass: Pass::default() };
    let run = move || {
        let _alive = Alive(scan.out.clone());
        scan.run(&told);
    };
    // Without a thread there is no scan, and the screen works as with --no-scan.
    let _ = thread::Builder::new().name("scan".into()).spawn(run);
    handle
}

struct Scan {
    /// Half of the processors: whoever looks at the screen has other things to do as well.
    threads: usize,
    shared: Arc<Shared>,
    out: Sender<Message>,
    stop: Arc<AtomicBool>,
    pass: Pass,
}

/// How far the scan is.
#[derive(Debug, Default)]
struct Pass {
    index: Option<AggregateIndex>,
    /// The index was built by this scan, from the first byte on: what it covers is verified.
    builds: bool,
    /// The log's size when the index had last seen all of it, and whether its end was being written then.
    caught_up: Option<(u64, Unfinished)>,
    /// What is left to be verified without building, once that is known.
    left: Option<VecDeque<Range<u64>>>,
    /// The time of the last readable event before what is left.
    last_time: Option<u64>,
}

type Unfinished = Option<Instant>;

impl Scan {
    fn run(&mut self, orders: &Receiver<Order>) {
        self.look_at_index();
        let mut told_done = false;
        loop {
            // What is found in between belongs to a log that is gone.
            if orders.try_iter().any(|order| order == Order::Restart) {
                self.restart();
                told_done = false;
            }
            let stopped = self.stop.load(Ordering::Acquire);
            let step = if stopped { Ok(None) } else { self.step() };
            match step {
                Ok(Some(())) => told_done = false,
                Ok(None) => {
                    if !stopped && !told_done {
                        told_done = true;
                        self.tell(News::ScanDone);
                    }
                    let unfinished = matches!(self.pass.caught_up, Some((_, Some(_)))) && !stopped;
                    let order = if unfinished { orders.recv_timeout(AGAIN).ok() } else { orders.recv().ok() };
                    match order {
                        Some(Order::Restart) => self.restart(),
                        None if !unfinished => return,
                        _ => {}
                    }
                }
                Err(StorageError::Stopped) => self.tell(News::ScanStopped),
                Err(StorageError::Changed { .. }) => {
                    // The watch sees it too, and says what follows.
                    thread::sleep(NAP);
                }
                Err(error) => {
                    if let Failure::Error(why) = failure(&error) {
                        self.tell(News::ScanFailed(why));
                    }
                    self.stop.store(true, Ordering::Release);
                }
            }
        }
    }

    /// Forgets all, and starts anew.
    fn restart(&mut self) {
        self.tell(News::Rescan(0));
        self.pass = Pass::default();
        self.look_at_index();
    }

    /// Takes the index file up, when it may be believed: aggregates can be looked up at once.
    fn look_at_index(&mut self) {
        let mut view = self.shared.view();
        if view.witness().is_some() {
            let index = view.index().within(small());
            // It may have turned out to be corrupt just now.
            if index.coverage().frames > 0 {
                self.tell(News::Counted(index.coverage().events));
                self.publish(&index);
                self.pass.index = Some(index);
                return;
            }
        }
        self.pass.index = Some(view.new_index().within(small()));
        self.pass.builds = true;
    }

    fn publish(&self, index: &AggregateIndex) {
        self.shared.publish(Some(index.clone()));
        self.tell(News::IndexReady);
    }

    fn tell(&self, news: News) {
        let _ = self.out.send(Message::News(news));
    }

    /// Does a slice of what is left; `None` when nothing is.
    fn step(&mut self) -> Result<Option<()>, StorageError> {
        let view = self.shared.view().reading_with(self.threads);
        let len = view.log().len()?;
        let due = match self.pass.caught_up {
            None => true,
            Some((seen, unfinished)) => seen != len || unfinished.is_some_and(|since| since.elapsed() >= AGAIN),
        };
        if due {
            self.catch_up(&view, len)?;
            return Ok(Some(()));
        }
        if self.pass.builds {
            return Ok(None);
        }
        self.verify(&view, len)
    }

    /// A slice of what the index in memory has not seen.
    fn catch_up(&mut self, view: &LogView, len: u64) -> Result<(), StorageError> {
        let Some(mut index) = self.pass.index.take() else { return Ok(()) };
        let coverage = index.coverage();
        let from = (coverage.frames > 0).then_some(coverage.covered_to);
        let start = from.unwrap_or_default();
        let until = coverage.scanned_to.max(start) + self.slice();
        let wish = Wish { from, until: (until < len).then_some(until), ..wish() };
        let whole = wish.until.is_none();
        self.tell(News::Rescan(start));
        let started = Instant::now();
        let seen = self.survey(view, &wish, Some(&mut index), start);
        // What was done before a stop stays done.
        self.tell(News::Counted(index.coverage().events));
        let done = seen.map(|seen| {
            index.was_verified(start..seen.scanned_to, now_ms());
            if whole {
                self.pass.caught_up = Some((len, seen.in_flight.map(|_| Instant::now())));
                self.publish(&index);
            }
        });
        self.pass.index = Some(index);
        if whole && done.is_ok() && self.pass.left.as_ref().is_some_and(VecDeque::is_empty) {
            // While the log grows, most of the time is left to others.
            thread::sleep((started.elapsed() * 4).min(Duration::from_secs(1)));
        }
        done
    }

    /// A slice of the log, verified without building anything.
    fn verify(&mut self, view: &LogView, len: u64) -> Result<Option<()>, StorageError> {
        let index = self.pass.index.as_ref();
        let all = || std::iter::once(0..len).collect();
        let left = self.pass.left.get_or_insert_with(|| index.map_or_else(all, |index| unverified(index, len).into()));
        let Some(range) = left.front().cloned() else { return Ok(None) };
        let until = (range.start + self.slice()).min(range.end);
        // The header is judged with what starts at the first byte.
        let from = (range.start > 0).then_some(range.start);
        let previous_time = self.pass.last_time;
        let wish = Wish { from, until: (until < len).then_some(until), previous_time, ..wish() };
        let seen = self.survey(view, &wish, None, range.start)?;
        self.pass.last_time = seen.last_time;
        if let Some(left) = &mut self.pass.left {
            left.pop_front();
            let rest = seen.scanned_to.max(until)..range.end;
            if rest.is_empty() {
                // What is left starts somewhere else, behind another event.
                self.pass.last_time = None;
            } else {
                left.push_front(rest);
            }
        }
        Ok(Some(()))
    }

    /// Bytes of a slice: some for every thread.
    fn slice(&self) -> u64 {
        if self.threads > 1 { SLICE * 4 * self.threads as u64 } else { SLICE }
    }

    /// One pass, telling what it finds, no faster than it may be.
    fn survey(
        &self,
        view: &LogView,
        wish: &Wish,
        index: Option<&mut AggregateIndex>,
        start: u64,
    ) -> Result<Survey, StorageError> {
        let mut told = start;
        let mut proposer = Proposer::new(view)?;
        let mut wrong = None;
        let seen = survey(view, wish, index, &mut |step| {
            match step {
                Step::Progress(at, end) => {
                    self.tell(News::Scanned { from: told.min(at), at, end });
                    let bytes = at.saturating_sub(told);
                    told = at;
                    return self.shared.budget().spend(bytes, &mut || self.go_on());
                }
                Step::Finding(finding) => match proposer.push(finding) {
                    Ok(decided) => self.tell_found(decided),
                    Err(error) => {
                        wrong = Some(error);
                        return ControlFlow::Break(());
                    }
                },
            }
            self.go_on()
        });
        self.tell_found(proposer.finish());
        wrong.map_or(seen, Err)
    }

    fn tell_found(&self, decided: Vec<Proposed>) {
        for found in decided {
            self.tell(News::Found(Box::new(found)));
        }
    }

    /// Breaks where it is stopped.
    fn go_on(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What every slice has in common.
fn wish() -> Wish {
    Wish { part: Some(SLICE), ..Wish::default() }
}

/// A screen stays small beside a log without an index, too.
fn small() -> Bounds {
    Bounds { memory: MEMORY, ..Bounds::default() }
}
