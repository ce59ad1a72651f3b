//! The scan behind the screen: judges the whole log once, keeps the index in memory caught up, and never holds a key up.
//!
//! With an index file that may be believed, what it has not seen is read first; then the log is verified without building
//! anything, from where the index says that it was verified to, and before that where it knows of anything but events;
//! what that leaves out is read when somebody wishes for it. Without one, one pass does both. Done in slices, so that it
//! can be counted and stopped.

use std::collections::VecDeque;
use std::iter;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::orders::{Handle, Order};
use super::{Alive, Failure, Shared, failure};
use crate::StorageError;
use crate::index::{AggregateIndex, Bounds};
use crate::inspect::{LogView, Step, Survey, Wish, frame_before, survey, unverified};
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

/// Starts it.
pub(super) fn start(shared: &Arc<Shared>, out: &Sender<Message>) -> Handle {
    let Options { scan, .. } = *shared.settings();
    let (orders, told) = unbounded();
    let stop = Arc::new(AtomicBool::new(!scan));
    let handle = Handle::new(orders, stop.clone());
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
    /// What was only verified earlier, and is not read unless somebody wishes for it.
    skipped: VecDeque<Range<u64>>,
    /// The time of the last readable event before what is left.
    last_time: Option<u64>,
}

type Unfinished = Option<Instant>;

impl Scan {
    fn run(&mut self, orders: &Receiver<Order>) {
        self.look_at_index();
        let mut told_done = false;
        loop {
            let mut waiting: Vec<Order> = orders.try_iter().collect();
            // What is found in between belongs to a log that is gone.
            let restarts = waiting.iter().rposition(|order| *order == Order::Restart);
            for order in waiting.drain(restarts.unwrap_or_default()..) {
                told_done &= !self.take(order);
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
                        Some(order) => told_done &= !self.take(order),
                        None if !unfinished => return,
                        None => {}
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

    /// Does what it is told; whether there is more to be scanned by that.
    fn take(&mut self, order: Order) -> bool {
        match order {
            Order::Restart => self.restart(),
            Order::Go => self.read_the_rest(),
            Order::Grown => return false,
            Order::LookAt(range) => {
                // What cannot be read now is met again by whoever reads on.
                let _ = self.look_at(&range);
                return false;
            }
        }
        true
    }

    /// Reads what was only verified earlier, when all else is through.
    fn read_the_rest(&mut self) {
        if self.pass.left.as_ref().is_some_and(VecDeque::is_empty) {
            self.pass.left = Some(std::mem::take(&mut self.pass.skipped));
        }
    }

    /// Judges damage that somebody has met, be it that the scan is through or was never wished for.
    fn look_at(&mut self, range: &Range<u64>) -> Result<(), StorageError> {
        let view = self.shared.view();
        let len = view.log().len()?;
        let from = (range.start > 0).then(|| frame_before(&view, range.start, len)).transpose()?;
        let until = range.end.max(range.start + 1);
        let wish = Wish { from, until: (until < len).then_some(until), ..wish() };
        let mut found = Vec::new();
        let mut proposer = Proposer::new(&view)?;
        let seen = survey(&view, &wish, None, &mut |step| {
            if let Step::Finding(finding) = step {
                found.push(proposer.push(finding));
            }
            ControlFlow::Continue(())
        })?;
        for decided in found {
            self.tell_found(decided?);
        }
        self.tell_found(proposer.finish());
        self.met(seen);
        Ok(())
    }

    /// Has the index know what was met below what it covers, so that whoever saves it does not hide that.
    fn met(&mut self, seen: Survey) {
        let Some(index) = &mut self.pass.index else { return };
        index.looked_at(&seen.looked, seen.met);
        if seen.damage_total > 0 && self.pass.caught_up.is_some() {
            self.shared.publish(Some(index.clone()));
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
                if view.log().len().is_ok_and(|len| index.coverage().covered_to <= len) {
                    self.tell(News::Counted(index.coverage().events));
                }
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
        if coverage.covered_to > len {
            // Of a log that has lost its end the index has seen all there is, and counts what is gone.
            self.pass.caught_up = Some((len, None));
            self.publish(&index);
            self.read_end_again(&index, len);
            self.pass.index = Some(index);
            return Ok(());
        }
        let from = (coverage.frames > 0).then_some(coverage.covered_to);
        let start = from.unwrap_or_default();
        let until = coverage.scanned_to.max(start) + self.slice();
        let wish = Wish { from, until: (until < len).then_some(until), ..wish() };
        let whole = wish.until.is_none();
        self.tell(News::Rescan(start));
        let started = Instant::now();
        let seen = self.survey(view, &wish, Some(&mut index), start);
        // What was done before a stop stays done; before its first part nothing is counted.
        let coverage = index.coverage();
        if seen.is_ok() || coverage.frames > 0 {
            self.tell(News::Counted(coverage.events));
        }
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

    /// The end of a log that has lost it is not what it was when it was looked at last.
    fn read_end_again(&mut self, index: &AggregateIndex, len: u64) {
        if let (Some(left), Some(end)) = (&mut self.pass.left, unverified(index, len).pop()) {
            left.retain(|range| range.start < end.start);
            self.tell(News::Rescan(end.start));
            self.pass.left.get_or_insert_default().push_back(end);
        }
    }

    /// A slice of the log, verified without building anything.
    fn verify(&mut self, view: &LogView, len: u64) -> Result<Option<()>, StorageError> {
        if self.pass.left.is_none() {
            let index = self.pass.index.as_ref();
            let left: VecDeque<_> =
                index.map_or_else(|| iter::once(0..len).collect(), |index| unverified(index, len).into());
            let between = left.iter().zip(left.iter().skip(1)).map(|(before, behind)| before.end..behind.start);
            self.pass.skipped = between.filter(|range| !range.is_empty()).collect();
            self.pass.left = Some(left);
        }
        let Some(left) = &self.pass.left else { return Ok(None) };
        let Some(range) = left.front().cloned() else { return Ok(None) };
        let until = (range.start + self.slice()).min(range.end);
        // The header is judged with what starts at the first byte.
        let from = (range.start > 0).then(|| frame_before(view, range.start, len)).transpose()?;
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
        self.met(seen);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Finding, Kind};
    use crate::log::EventLog;
    use crate::sample::{Amount, Recipe, generate};

    /// A log of so many events with an index that has seen all of it.
    struct Verified {
        _folder: tempfile::TempDir,
        path: std::path::PathBuf,
    }

    impl Verified {
        fn of(events: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.log");
            let recipe = Recipe { amount: Amount::Events(events), aggregates: 50, ..Recipe::default() };
            generate(&crate::file::OsDisk, &path, &recipe, &mut |_, _| ControlFlow::Continue(())).unwrap();
            EventLog::open_read_only(&path).unwrap().save_index().unwrap();
            Self { _folder: folder, path }
        }

        fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
            let mut bytes = std::fs::read(&self.path).unwrap();
            change(&mut bytes);
            std::fs::write(&self.path, bytes).unwrap();
        }

        fn scan(&self) -> (Arc<Shared>, Handle, Receiver<Message>) {
            let shared = Arc::new(Shared::open(Options::new(&self.path)).unwrap());
            let (out, told) = unbounded();
            let handle = start(&shared, &out);
            (shared, handle, told)
        }
    }

    /// What is told until the scan is through, and the findings among it.
    fn until_done(told: &Receiver<Message>) -> (Vec<News>, Vec<Finding>) {
        let (mut news, mut found) = (Vec::new(), Vec::new());
        loop {
            match told.recv_timeout(Duration::from_secs(60)).unwrap() {
                Message::News(News::ScanDone) => return (news, found),
                Message::News(News::Found(proposed)) => found.push(proposed.finding),
                Message::News(other) => news.push(other),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_was_verified_earlier_is_read_when_somebody_wishes_for_it() {
        let log = Verified::of(2000);
        log.change(|bytes| {
            bytes[200_000] ^= 1;
            bytes[400_000] ^= 1;
        });
        let (shared, scan, told) = log.scan();
        assert!(until_done(&told).1.is_empty(), "nothing of it is read");
        // Damage that a page has met is judged like any other.
        let walked = Wish { until: Some(300_000), ..Wish::default() };
        let damage = survey(&shared.view(), &walked, None, &mut |_| ControlFlow::Continue(())).unwrap().findings;
        scan.look_at(damage[0].range());
        let Message::News(News::Found(found)) = told.recv_timeout(Duration::from_secs(60)).unwrap() else { panic!() };
        assert!(found.finding == damage[0] && found.fix.is_some());
        scan.go();
        let (_, found) = until_done(&told);
        assert_eq!(found.iter().filter(|finding| finding.kind == Kind::Checksum).count(), 2, "{found:?}");
        assert_eq!(shared.index().unwrap().known_damage().count(), 2, "an index that is saved hides none of it");
        scan.go();
        assert!(until_done(&told).1.is_empty(), "nothing is left to be read");
    }

    #[test]
    fn a_lost_end_is_judged_from_a_frame_on_and_no_event_of_it_is_counted() {
        let log = Verified::of(300);
        log.change(|bytes| bytes.truncate(bytes.len() - 700));
        let len = std::fs::metadata(&log.path).unwrap().len();
        let (shared, _scan, told) = log.scan();
        let (news, found) = until_done(&told);
        let all = survey(&shared.view(), &Wish::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(all.findings[0].start < len, "{all:?}");
        assert_eq!(found, all.findings);
        assert!(!news.iter().any(|news| matches!(news, News::Counted(_))), "{news:?}");
    }
}
