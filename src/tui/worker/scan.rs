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

use super::scan_control::{ScanCommand, ScanHandle};
use super::{QuitOnPanic, RequestFailure, SharedState, to_failure};
use crate::StorageError;
use crate::index::{AggregateIndex, SpillOptions};
use crate::inspect::{
    LogView, Progress, Survey, SurveyOptions, SurveyUpdate, enclosing_start, survey, unverified_ranges,
};
use crate::log::now_ms;
use crate::repair::{FixFinder, ProposedFix};
use crate::tui::message::{BackgroundUpdate, Message};
use crate::tui::options::TuiOptions;

/// Bytes of a slice.
const SLICE_BYTES: u64 = 16 << 20;
/// Bytes of an index in memory.
const INDEX_MEMORY_BYTES: u64 = 24 << 20;
/// An end that was being written is looked at again after this.
const IN_FLIGHT_RECHECK_DELAY: Duration = Duration::from_secs(1);
/// Longest sleep before a stop is heard.
const CHANGED_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Starts it.
pub(super) fn start(shared: &Arc<SharedState>, out: &Sender<Message>) -> ScanHandle {
    let TuiOptions { scan, .. } = *shared.settings();
    let (orders, command_receiver) = unbounded();
    let stop = Arc::new(AtomicBool::new(!scan));
    let handle = ScanHandle::new(orders, stop.clone());
    let threads = thread::available_parallelism().map_or(1, |all| all.get() / 2);
    let mut scan =
        ScanWorker { threads, shared: shared.clone(), out: out.clone(), stop, state: ScanWorkerState::default() };
    let run = move || {
        let _alive = QuitOnPanic(scan.out.clone());
        scan.run(&command_receiver);
    };
    // Without a thread there is no scan, and the screen works as with --no-scan.
    let _ = thread::Builder::new().name("scan".into()).spawn(run);
    handle
}

struct ScanWorker {
    /// Half of the processors: whoever looks at the screen has other things to do as well.
    threads: usize,
    shared: Arc<SharedState>,
    out: Sender<Message>,
    stop: Arc<AtomicBool>,
    state: ScanWorkerState,
}

/// How far the scan is.
#[derive(Debug, Default)]
struct ScanWorkerState {
    index: Option<AggregateIndex>,
    /// The index was built by this scan, from the first byte on: what it covers is verified.
    builds_index: bool,
    /// The log's size when the index had last seen all of it, and whether its end was being written then.
    last_catch_up: Option<(u64, InFlightSince)>,
    /// What is left to be verified without building, once that is known.
    unverified_ranges: Option<VecDeque<Range<u64>>>,
    /// What was only verified earlier, and is not read unless somebody wishes for it.
    skipped_ranges: VecDeque<Range<u64>>,
    /// The time of the last readable event before what is left.
    last_event_time: Option<u64>,
}

type InFlightSince = Option<Instant>;

impl ScanWorker {
    fn run(&mut self, orders: &Receiver<ScanCommand>) {
        self.load_index();
        let mut done_reported = false;
        loop {
            let mut waiting: Vec<ScanCommand> = orders.try_iter().collect();
            // What is found in between belongs to a log that is gone.
            let restarts = waiting.iter().rposition(|order| *order == ScanCommand::Restart);
            for order in waiting.drain(restarts.unwrap_or_default()..) {
                done_reported &= !self.handle_command(order);
            }
            let stopped = self.stop.load(Ordering::Acquire);
            let step = if stopped { Ok(None) } else { self.run_next_slice() };
            match step {
                Ok(Some(())) => done_reported = false,
                Ok(None) => {
                    if !stopped && !done_reported {
                        done_reported = true;
                        self.send_update(BackgroundUpdate::ScanDone);
                    }
                    let unfinished = matches!(self.state.last_catch_up, Some((_, Some(_)))) && !stopped;
                    let order =
                        if unfinished { orders.recv_timeout(IN_FLIGHT_RECHECK_DELAY).ok() } else { orders.recv().ok() };
                    match order {
                        Some(order) => done_reported &= !self.handle_command(order),
                        None if !unfinished => return,
                        None => {}
                    }
                }
                Err(StorageError::Cancelled) => self.send_update(BackgroundUpdate::ScanStopped),
                Err(StorageError::Changed { .. }) => {
                    // The watch sees it too, and says what follows.
                    thread::sleep(CHANGED_RETRY_DELAY);
                }
                Err(error) => {
                    if let RequestFailure::Error(why) = to_failure(&error) {
                        self.send_update(BackgroundUpdate::ScanFailed(why));
                    }
                    self.stop.store(true, Ordering::Release);
                }
            }
        }
    }

    /// Does what it is told; whether there is more to be scanned by that.
    fn handle_command(&mut self, order: ScanCommand) -> bool {
        match order {
            ScanCommand::Restart => self.restart(),
            ScanCommand::Resume => self.queue_skipped_ranges(),
            ScanCommand::LogGrown => return false,
            ScanCommand::ScanRange(range) => {
                // What cannot be read now is met again by whoever reads on.
                let _ = self.scan_range(&range);
                return false;
            }
        }
        true
    }

    /// Reads what was only verified earlier, when all else is through.
    fn queue_skipped_ranges(&mut self) {
        if self.state.unverified_ranges.as_ref().is_some_and(VecDeque::is_empty) {
            self.state.unverified_ranges = Some(std::mem::take(&mut self.state.skipped_ranges));
        }
    }

    /// Judges damage that somebody has met, be it that the scan is through or was never wished for.
    fn scan_range(&mut self, range: &Range<u64>) -> Result<(), StorageError> {
        let view = self.shared.view();
        let len = view.log().len()?;
        let from = (range.start > 0).then(|| enclosing_start(&view, range.start, len)).transpose()?;
        let until = range.end.max(range.start + 1);
        let options = SurveyOptions { from, until: (until < len).then_some(until), ..slice_survey_options() };
        let mut found = Vec::new();
        let mut proposer = FixFinder::new(&view)?;
        let seen = survey(&view, &options, None, &mut |step| {
            if let SurveyUpdate::Finding(finding) = step {
                found.push(proposer.push(finding));
            }
            ControlFlow::Continue(())
        })?;
        for decided in found {
            self.send_findings(decided?);
        }
        self.send_findings(proposer.finish());
        self.record_damage_in_index(seen);
        Ok(())
    }

    /// Has the index know what was met below what it covers, so that whoever saves it does not hide that.
    fn record_damage_in_index(&mut self, seen: Survey) {
        let Some(index) = &mut self.state.index else { return };
        index.update_damage(&seen.scanned_ranges, seen.damaged_ranges);
        if seen.damage_total > 0 && self.state.last_catch_up.is_some() {
            self.shared.publish_index(Some(index.clone()));
        }
    }

    /// Forgets all, and starts anew.
    fn restart(&mut self) {
        self.send_update(BackgroundUpdate::RescanFrom(0));
        self.state = ScanWorkerState::default();
        self.load_index();
    }

    /// Takes the index file up, when it may be believed: aggregates can be looked up at once.
    fn load_index(&mut self) {
        let mut view = self.shared.view();
        if view.trusted_index().is_some() {
            let index = view.load_index().with_spill_options(index_bounds());
            // It may have turned out to be corrupt just now.
            if index.coverage().frames > 0 {
                if view.log().len().is_ok_and(|len| index.coverage().covered_to <= len) {
                    self.send_update(BackgroundUpdate::EventCount(index.coverage().events));
                }
                self.publish_index(&index);
                self.state.index = Some(index);
                return;
            }
        }
        self.state.index = Some(view.empty_index().with_spill_options(index_bounds()));
        self.state.builds_index = true;
    }

    fn publish_index(&self, index: &AggregateIndex) {
        self.shared.publish_index(Some(index.clone()));
        self.send_update(BackgroundUpdate::IndexReady);
    }

    fn send_update(&self, news: BackgroundUpdate) {
        let _ = self.out.send(Message::Background(news));
    }

    /// Does a slice of what is left; `None` when nothing is.
    fn run_next_slice(&mut self) -> Result<Option<()>, StorageError> {
        let view = self.shared.view().with_threads(self.threads);
        let len = view.log().len()?;
        let due = match self.state.last_catch_up {
            None => true,
            Some((seen, unfinished)) => {
                seen != len || unfinished.is_some_and(|since| since.elapsed() >= IN_FLIGHT_RECHECK_DELAY)
            }
        };
        if due {
            self.catch_up_index(&view, len)?;
            return Ok(Some(()));
        }
        if self.state.builds_index {
            return Ok(None);
        }
        self.verify_next_slice(&view, len)
    }

    /// A slice of what the index in memory has not seen.
    fn catch_up_index(&mut self, view: &LogView, len: u64) -> Result<(), StorageError> {
        let Some(mut index) = self.state.index.take() else { return Ok(()) };
        let coverage = index.coverage();
        if coverage.covered_to > len {
            // Of a log that has lost its end the index has seen all there is, and counts what is gone.
            self.state.last_catch_up = Some((len, None));
            self.publish_index(&index);
            self.requeue_end(&index, len);
            self.state.index = Some(index);
            return Ok(());
        }
        let from = (coverage.frames > 0).then_some(coverage.covered_to);
        let start = from.unwrap_or_default();
        let until = coverage.scanned_to.max(start) + self.slice_bytes();
        let options = SurveyOptions { from, until: (until < len).then_some(until), ..slice_survey_options() };
        let whole = options.until.is_none();
        self.send_update(BackgroundUpdate::RescanFrom(start));
        let started = Instant::now();
        let seen = self.run_survey(view, &options, Some(&mut index), start);
        // What was done before a stop stays done; before its first part nothing is counted.
        let coverage = index.coverage();
        if seen.is_ok() || coverage.frames > 0 {
            self.send_update(BackgroundUpdate::EventCount(coverage.events));
        }
        let done = seen.map(|seen| {
            index.record_verification(start..seen.scanned_to, now_ms());
            if whole {
                self.state.last_catch_up = Some((len, seen.in_flight.map(|_| Instant::now())));
                self.publish_index(&index);
            }
        });
        self.state.index = Some(index);
        if whole && done.is_ok() && self.state.unverified_ranges.as_ref().is_some_and(VecDeque::is_empty) {
            // While the log grows, most of the time is left to others.
            thread::sleep((started.elapsed() * 4).min(Duration::from_secs(1)));
        }
        done
    }

    /// The end of a log that has lost it is not what it was when it was looked at last.
    fn requeue_end(&mut self, index: &AggregateIndex, len: u64) {
        if let (Some(left), Some(end)) = (&mut self.state.unverified_ranges, unverified_ranges(index, len).pop()) {
            left.retain(|range| range.start < end.start);
            self.send_update(BackgroundUpdate::RescanFrom(end.start));
            self.state.unverified_ranges.get_or_insert_default().push_back(end);
        }
    }

    /// A slice of the log, verified without building anything.
    fn verify_next_slice(&mut self, view: &LogView, len: u64) -> Result<Option<()>, StorageError> {
        if self.state.unverified_ranges.is_none() {
            let index = self.state.index.as_ref();
            let left: VecDeque<_> =
                index.map_or_else(|| iter::once(0..len).collect(), |index| unverified_ranges(index, len).into());
            let between = left.iter().zip(left.iter().skip(1)).map(|(before, behind)| before.end..behind.start);
            self.state.skipped_ranges = between.filter(|range| !range.is_empty()).collect();
            self.state.unverified_ranges = Some(left);
        }
        let Some(left) = &self.state.unverified_ranges else { return Ok(None) };
        let Some(range) = left.front().cloned() else { return Ok(None) };
        let until = (range.start + self.slice_bytes()).min(range.end);
        // The header is judged with what starts at the first byte.
        let from = (range.start > 0).then(|| enclosing_start(view, range.start, len)).transpose()?;
        let previous_time = self.state.last_event_time;
        let options =
            SurveyOptions { from, until: (until < len).then_some(until), previous_time, ..slice_survey_options() };
        let seen = self.run_survey(view, &options, None, range.start)?;
        self.state.last_event_time = seen.last_time;
        if let Some(left) = &mut self.state.unverified_ranges {
            left.pop_front();
            let rest = seen.scanned_to.max(until)..range.end;
            if rest.is_empty() {
                // What is left starts somewhere else, behind another event.
                self.state.last_event_time = None;
            } else {
                left.push_front(rest);
            }
        }
        self.record_damage_in_index(seen);
        Ok(Some(()))
    }

    /// Bytes of a slice: some for every thread.
    fn slice_bytes(&self) -> u64 {
        if self.threads > 1 { SLICE_BYTES * 4 * self.threads as u64 } else { SLICE_BYTES }
    }

    /// One pass, telling what it finds, no faster than it may be.
    fn run_survey(
        &self,
        view: &LogView,
        options: &SurveyOptions,
        index: Option<&mut AggregateIndex>,
        start: u64,
    ) -> Result<Survey, StorageError> {
        let mut reported_to = start;
        let mut proposer = FixFinder::new(view)?;
        let mut wrong = None;
        let seen = survey(view, options, index, &mut |step| {
            match step {
                SurveyUpdate::Progress(Progress { position: at, total: end }) => {
                    self.send_update(BackgroundUpdate::ScanProgress { from: reported_to.min(at), at, end });
                    let bytes = at.saturating_sub(reported_to);
                    reported_to = at;
                    return self.shared.rate_limiter().throttle(bytes, &mut || self.check_stop());
                }
                SurveyUpdate::Finding(finding) => match proposer.push(finding) {
                    Ok(decided) => self.send_findings(decided),
                    Err(error) => {
                        wrong = Some(error);
                        return ControlFlow::Break(());
                    }
                },
            }
            self.check_stop()
        });
        self.send_findings(proposer.finish());
        wrong.map_or(seen, Err)
    }

    fn send_findings(&self, decided: Vec<ProposedFix>) {
        for found in decided {
            self.send_update(BackgroundUpdate::Finding(Box::new(found)));
        }
    }

    /// Breaks where it is stopped.
    fn check_stop(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What every slice has in common.
fn slice_survey_options() -> SurveyOptions {
    SurveyOptions { part_bytes: Some(SLICE_BYTES), ..SurveyOptions::default() }
}

/// A screen stays small beside a log without an index, too.
fn index_bounds() -> SpillOptions {
    SpillOptions { max_memory: INDEX_MEMORY_BYTES, ..SpillOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{DamageKind, Finding};
    use crate::log::EventLog;
    use crate::sample::{GeneratorOptions, LogLength, generate};

    /// A log of so many events with an index that has seen all of it.
    struct VerifiedLog {
        _folder: tempfile::TempDir,
        path: std::path::PathBuf,
    }

    impl VerifiedLog {
        fn with_events(events: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.log");
            let recipe =
                GeneratorOptions { length: LogLength::Events(events), aggregates: 50, ..GeneratorOptions::default() };
            generate(&crate::file::OsDisk, &path, &recipe, &mut |_| ControlFlow::Continue(())).unwrap();
            EventLog::open_read_only(&path).unwrap().save_index().unwrap();
            Self { _folder: folder, path }
        }

        fn edit_bytes(&self, change: impl FnOnce(&mut Vec<u8>)) {
            let mut bytes = std::fs::read(&self.path).unwrap();
            change(&mut bytes);
            std::fs::write(&self.path, bytes).unwrap();
        }

        fn start_scan(&self) -> (Arc<SharedState>, ScanHandle, Receiver<Message>) {
            let shared = Arc::new(SharedState::open(TuiOptions::new(&self.path)).unwrap());
            let (out, told) = unbounded();
            let handle = start(&shared, &out);
            (shared, handle, told)
        }
    }

    /// What is told until the scan is through, and the findings among it.
    fn collect_until_done(told: &Receiver<Message>) -> (Vec<BackgroundUpdate>, Vec<Finding>) {
        let (mut news, mut found) = (Vec::new(), Vec::new());
        loop {
            match told.recv_timeout(Duration::from_secs(60)).unwrap() {
                Message::Background(BackgroundUpdate::ScanDone) => return (news, found),
                Message::Background(BackgroundUpdate::Finding(proposed)) => found.push(proposed.finding),
                Message::Background(other) => news.push(other),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_was_verified_earlier_is_read_when_somebody_wishes_for_it() {
        let log = VerifiedLog::with_events(2000);
        log.edit_bytes(|bytes| {
            bytes[200_000] ^= 1;
            bytes[400_000] ^= 1;
        });
        let (shared, scan, told) = log.start_scan();
        assert!(collect_until_done(&told).1.is_empty(), "nothing of it is read");
        // Damage that a page has met is judged like any other.
        let walked = SurveyOptions { until: Some(300_000), ..SurveyOptions::default() };
        let damage = survey(&shared.view(), &walked, None, &mut |_| ControlFlow::Continue(())).unwrap().findings;
        scan.scan_range(damage[0].range());
        let Message::Background(BackgroundUpdate::Finding(found)) = told.recv_timeout(Duration::from_secs(60)).unwrap()
        else {
            panic!()
        };
        assert!(found.finding == damage[0] && found.fix.is_some());
        scan.resume();
        let (_, found) = collect_until_done(&told);
        assert_eq!(found.iter().filter(|finding| finding.kind == DamageKind::Checksum).count(), 2, "{found:?}");
        assert_eq!(shared.index().unwrap().known_damage().count(), 2, "an index that is saved hides none of it");
        scan.resume();
        assert!(collect_until_done(&told).1.is_empty(), "nothing is left to be read");
    }

    #[test]
    fn a_lost_end_is_judged_from_a_frame_on_and_no_event_of_it_is_counted() {
        let log = VerifiedLog::with_events(300);
        log.edit_bytes(|bytes| bytes.truncate(bytes.len() - 700));
        let len = std::fs::metadata(&log.path).unwrap().len();
        let (shared, _scan, told) = log.start_scan();
        let (news, found) = collect_until_done(&told);
        let all = survey(&shared.view(), &SurveyOptions::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(all.findings[0].start < len, "{all:?}");
        assert_eq!(found, all.findings);
        assert!(!news.iter().any(|news| matches!(news, BackgroundUpdate::EventCount(_))), "{news:?}");
    }
}
