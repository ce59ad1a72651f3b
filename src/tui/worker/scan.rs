//! The background scan: verifies the whole log once and keeps the in-memory index up to date.
//!
//! When there is an index file that can be trusted, the scan first reads the part of the log that the index does not
//! cover. Then it verifies without building anything: the log after the offset up to which the index records it as
//! verified, and before that offset only the ranges where the index lists damage or gaps. The ranges that were verified
//! earlier are skipped until the user requests them. Without such an index, a single pass verifies the log and builds
//! the index.
//!
//! The scan runs in slices, so that it can report progress and be stopped.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::scan_control::{ScanCommand, ScanHandle};
use super::scan_state::{CatchUp, IN_FLIGHT_RECHECK_DELAY, ScanWorkerState, end_of_slice};
use super::shared::OpenedLog;
use super::{QuitOnPanic, RequestFailure, SharedState, to_failure};
use crate::StorageError;
use crate::index::{AggregateIndex, SpillOptions};
use crate::inspect::{LogView, Progress, Survey, SurveyOptions, SurveyUpdate, enclosing_start, survey};
use crate::log::now_ms;
use crate::repair::{FixFinder, ProposedFix};
use crate::tui::message::{BackgroundUpdate, Message};
use crate::tui::options::TuiOptions;

/// Size of a slice in bytes when the scan has one thread.
const SLICE_BYTES: u64 = 16 << 20;
/// Largest memory of the index that the scan builds, in bytes. The rest of the index spills to a temporary file.
const INDEX_MEMORY_BYTES: u64 = 24 << 20;
/// Time until a slice is tried again after the log has changed while it was read.
const CHANGED_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Starts the scan thread.
pub(super) fn start(shared: &Arc<SharedState>, out: &Sender<Message>) -> ScanHandle {
    let TuiOptions { scan, .. } = *shared.settings();
    let (command_sender, commands) = unbounded();
    let stop = Arc::new(AtomicBool::new(!scan));
    let handle = ScanHandle::new(command_sender, stop.clone());
    let threads = thread::available_parallelism().map_or(1, |all| all.get() / 2);
    let mut scan =
        ScanWorker { threads, shared: shared.clone(), out: out.clone(), stop, state: ScanWorkerState::default() };
    let run = move || {
        let _quit_on_panic = QuitOnPanic(scan.out.clone());
        scan.run(&commands);
    };
    // When the thread cannot be started there is no scan, and the screen works as with `--no-scan`.
    let _ = thread::Builder::new().name("tui-scan".into()).spawn(run);
    handle
}

/// The state of the scan thread.
struct ScanWorker {
    /// Number of threads that read the log: half of the processors, so that the user's requests and other programs are
    /// not slowed down.
    threads: usize,
    shared: Arc<SharedState>,
    out: Sender<Message>,
    stop: Arc<AtomicBool>,
    state: ScanWorkerState,
}

/// The outcome of an attempt to scan the next slice.
enum SliceOutcome {
    /// A slice was scanned.
    Scanned,
    /// The scan has nothing further to read.
    NothingToScan,
}

/// Whether a command gives the scan more to read.
#[derive(PartialEq, Eq)]
enum CommandEffect {
    /// The scan has more to read.
    MoreToScan,
    /// The command adds nothing to read. Growth of the log is detected by `run_next_slice`.
    NothingNew,
}

impl ScanWorker {
    fn run(&mut self, commands: &Receiver<ScanCommand>) {
        self.load_index();
        let mut done_reported = false;
        loop {
            let mut queued_commands: Vec<ScanCommand> = commands.try_iter().collect();
            // Commands before a restart are dropped, because they refer to a log that was replaced.
            let last_restart = queued_commands
                .iter()
                .rposition(|command| matches!(command, ScanCommand::Restart | ScanCommand::VerifyAll));
            for command in queued_commands.drain(last_restart.unwrap_or_default()..) {
                done_reported &= self.handle_command(command) == CommandEffect::NothingNew;
            }
            let is_stopped = self.stop.load(Ordering::Acquire);
            let outcome = if is_stopped { Ok(SliceOutcome::NothingToScan) } else { self.run_next_slice() };
            match outcome {
                Ok(SliceOutcome::Scanned) => done_reported = false,
                Ok(SliceOutcome::NothingToScan) => {
                    if !is_stopped && !done_reported {
                        done_reported = true;
                        self.send_update(BackgroundUpdate::ScanDone);
                    }
                    let is_in_flight = self.state.has_frame_in_flight() && !is_stopped;
                    let command = if is_in_flight {
                        commands.recv_timeout(IN_FLIGHT_RECHECK_DELAY).ok()
                    } else {
                        commands.recv().ok()
                    };
                    match command {
                        Some(command) => done_reported &= self.handle_command(command) == CommandEffect::NothingNew,
                        // Without a timeout only a closed channel yields no command: the screen was closed.
                        None if !is_in_flight => return,
                        None => {}
                    }
                }
                Err(StorageError::Cancelled) => self.send_update(BackgroundUpdate::ScanStopped),
                Err(StorageError::Changed { .. }) => {
                    // The watcher detects the change too, and sends `Restart`.
                    thread::sleep(CHANGED_RETRY_DELAY);
                }
                Err(error) => {
                    if let RequestFailure::Error(message) = to_failure(&error) {
                        self.send_update(BackgroundUpdate::ScanFailed(message));
                    }
                    self.stop.store(true, Ordering::Release);
                }
            }
        }
    }

    fn handle_command(&mut self, command: ScanCommand) -> CommandEffect {
        match command {
            ScanCommand::Restart => self.restart(),
            ScanCommand::VerifyAll => {
                self.restart();
                self.state.reads_everything = true;
            }
            ScanCommand::Resume => self.state.queue_skipped_ranges(),
            ScanCommand::LogGrown => return CommandEffect::NothingNew,
            ScanCommand::ScanRange(range) => {
                // A range that cannot be read now is requested again by the next page that shows its damage.
                let _ = self.scan_range(&range);
                return CommandEffect::NothingNew;
            }
        }
        CommandEffect::MoreToScan
    }

    /// Surveys a range in which a page of rows shows damage. This works when the scan is finished, stopped or off, too.
    fn scan_range(&mut self, range: &Range<u64>) -> Result<(), StorageError> {
        let view = self.shared.view();
        let log_bytes = view.log().len()?;
        let from = (range.start > 0).then(|| enclosing_start(&view, range.start, log_bytes)).transpose()?;
        let until = range.end.max(range.start + 1);
        let options = SurveyOptions { from, until: (until < log_bytes).then_some(until), ..slice_survey_options() };
        let mut proposals = Vec::new();
        let mut fix_finder = FixFinder::new(&view)?;
        let result = survey(&view, &options, None, &mut |update| {
            if let SurveyUpdate::Finding(finding) = update {
                proposals.push(fix_finder.push(finding));
            }
            ControlFlow::Continue(())
        })?;
        for proposed in proposals {
            self.send_findings(proposed?);
        }
        self.send_findings(fix_finder.finish());
        self.record_damage_in_index(result);
        Ok(())
    }

    /// Adds damage found in the range that the index covers to the index, so that saving the index does not hide that
    /// damage from the next run.
    fn record_damage_in_index(&mut self, result: Survey) {
        let Some(index) = &mut self.state.index else { return };
        index.update_damage(&result.scanned_ranges, result.damaged_ranges);
        if result.damage_total > 0 && self.state.last_catch_up.is_some() {
            self.shared.publish_index(index.clone(), self.state.journals.clone());
        }
    }

    /// Discards all progress and starts the scan again.
    fn restart(&mut self) {
        self.send_update(BackgroundUpdate::RescanFrom(0));
        self.state = ScanWorkerState::default();
        self.load_index();
    }

    /// Loads the index file when it can be trusted, so that aggregates can be looked up at once; otherwise creates an
    /// empty index.
    fn load_index(&mut self) {
        let OpenedLog { view, journals } = self.shared.opened_log();
        self.state.journals = journals;
        if view.index_coverage().is_some() {
            let index = view.load_index().with_spill_options(index_spill_options());
            // Loading returns an empty index when the file turns out to be corrupt.
            if index.coverage().frames > 0 {
                if view.log().len().is_ok_and(|log_bytes| index.coverage().covered_to <= log_bytes) {
                    self.send_update(BackgroundUpdate::EventCount(index.coverage().events));
                }
                self.publish_index(&index);
                self.state.index = Some(index);
                return;
            }
        }
        self.state.index = Some(view.empty_index().with_spill_options(index_spill_options()));
        self.state.builds_index = true;
    }

    fn publish_index(&self, index: &AggregateIndex) {
        self.shared.publish_index(index.clone(), self.state.journals.clone());
        self.send_update(self.shared.index_ready());
    }

    fn send_update(&self, update: BackgroundUpdate) {
        let _ = self.out.send(Message::Background(update));
    }

    /// Scans the next slice: first the part of the log that the index has not read, then the parts not verified yet.
    fn run_next_slice(&mut self) -> Result<SliceOutcome, StorageError> {
        let view = self.shared.view().with_threads(self.threads);
        let log_bytes = view.log().len()?;
        if self.state.needs_catch_up(log_bytes) {
            self.catch_up_index(&view, log_bytes)?;
            return Ok(SliceOutcome::Scanned);
        }
        if self.state.builds_index {
            return Ok(SliceOutcome::NothingToScan);
        }
        self.verify_next_slice(&view, log_bytes)
    }

    /// Reads the next slice that the in-memory index has not read, and verifies it at the same time.
    fn catch_up_index(&mut self, view: &LogView, log_bytes: u64) -> Result<(), StorageError> {
        let Some(mut index) = self.state.index.take() else { return Ok(()) };
        let coverage = index.coverage();
        if coverage.covered_to > log_bytes {
            // The log is truncated: the index has read all that remains of it, and also counts the missing events.
            self.state.last_catch_up = Some(CatchUp { log_bytes, in_flight_since: None });
            self.publish_index(&index);
            if let Some(end) = self.state.requeue_end(&index, log_bytes) {
                self.send_update(BackgroundUpdate::RescanFrom(end));
            }
            self.state.index = Some(index);
            return Ok(());
        }
        let from = (coverage.frames > 0).then_some(coverage.covered_to);
        let start = from.unwrap_or_default();
        let read_to = coverage.scanned_to.max(start);
        let (until, is_segment_start) = end_of_slice(&view.segment_bases(), read_to, self.slice_bytes());
        let options = SurveyOptions { from, until: (until < log_bytes).then_some(until), ..slice_survey_options() };
        let reaches_end = options.until.is_none();
        self.send_update(BackgroundUpdate::RescanFrom(start));
        let started = Instant::now();
        let result = self.run_survey(view, &options, Some(&mut index), start);
        // The index keeps what a stopped slice has read. It counts nothing before the first part of a log is complete.
        let coverage = index.coverage();
        if result.is_ok() || coverage.frames > 0 {
            self.send_update(BackgroundUpdate::EventCount(coverage.events));
        }
        if result.is_ok() && is_segment_start && !reaches_end {
            self.send_update(BackgroundUpdate::EventsBefore { offset: until, events: coverage.events });
        }
        let result = result.map(|survey| {
            index.record_verification(start..survey.scanned_to, now_ms());
            if reaches_end {
                let in_flight_since = survey.in_flight.map(|_| Instant::now());
                self.state.last_catch_up = Some(CatchUp { log_bytes, in_flight_since });
                self.publish_index(&index);
            }
        });
        self.state.index = Some(index);
        if reaches_end && result.is_ok() && self.state.has_verified_all() {
            // While another process keeps appending, the scan uses at most a fifth of the time to read what is
            // appended.
            thread::sleep((started.elapsed() * 4).min(Duration::from_secs(1)));
        }
        result
    }

    /// Verifies the next slice of the queued ranges without building anything.
    fn verify_next_slice(&mut self, view: &LogView, log_bytes: u64) -> Result<SliceOutcome, StorageError> {
        self.state.queue_unverified_ranges(log_bytes);
        let Some(range) = self.state.next_range() else { return Ok(SliceOutcome::NothingToScan) };
        let until = (range.start + self.slice_bytes()).min(range.end);
        // A survey from the first byte also verifies the header; any other one starts at a frame.
        let from = (range.start > 0).then(|| enclosing_start(view, range.start, log_bytes)).transpose()?;
        let previous_time = self.state.last_event_time;
        let options = SurveyOptions {
            from,
            until: (until < log_bytes).then_some(until),
            previous_time,
            ..slice_survey_options()
        };
        let result = self.run_survey(view, &options, None, range.start)?;
        self.state.finish_slice(result.scanned_to.max(until), result.last_time);
        self.record_damage_in_index(result);
        Ok(SliceOutcome::Scanned)
    }

    /// Returns the size of a slice in bytes. With several threads, a slice is long enough to give each several parts.
    fn slice_bytes(&self) -> u64 {
        if self.threads > 1 { SLICE_BYTES * 4 * self.threads as u64 } else { SLICE_BYTES }
    }

    /// Runs one survey at the permitted rate, and sends its progress and findings to the screen.
    fn run_survey(
        &self,
        view: &LogView,
        options: &SurveyOptions,
        index: Option<&mut AggregateIndex>,
        start: u64,
    ) -> Result<Survey, StorageError> {
        let mut reported_to = start;
        let mut fix_finder = FixFinder::new(view)?;
        let mut fix_error = None;
        let result = survey(view, options, index, &mut |update| {
            match update {
                SurveyUpdate::Progress(Progress { position, total }) => {
                    let from = reported_to.min(position);
                    self.send_update(BackgroundUpdate::ScanProgress { from, to: position, end: total });
                    let bytes = position.saturating_sub(reported_to);
                    reported_to = position;
                    return self.shared.rate_limiter().throttle(bytes, &mut || self.check_stop());
                }
                SurveyUpdate::Finding(finding) => match fix_finder.push(finding) {
                    Ok(proposed) => self.send_findings(proposed),
                    Err(error) => {
                        fix_error = Some(error);
                        return ControlFlow::Break(());
                    }
                },
            }
            self.check_stop()
        });
        self.send_findings(fix_finder.finish());
        fix_error.map_or(result, Err)
    }

    fn send_findings(&self, proposed: Vec<ProposedFix>) {
        for finding in proposed {
            self.send_update(BackgroundUpdate::Finding(Box::new(finding)));
        }
    }

    /// Breaks when the scan was asked to stop.
    fn check_stop(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Returns the options that all surveys of the scan share.
fn slice_survey_options() -> SurveyOptions {
    SurveyOptions::new().part_bytes(SLICE_BYTES)
}

/// Returns options that limit the memory of the index, so that a log of any size without an index file can be scanned.
fn index_spill_options() -> SpillOptions {
    SpillOptions { max_memory: INDEX_MEMORY_BYTES, ..SpillOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{DamageKind, Finding};
    use crate::log::EventLog;
    use crate::sample::{GeneratorOptions, LogLength, generate};

    /// A generated log with a saved index that covers all of it.
    struct VerifiedLog {
        _folder: tempfile::TempDir,
        path: std::path::PathBuf,
    }

    impl VerifiedLog {
        fn with_events(events: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.log");
            let options =
                GeneratorOptions { length: LogLength::Events(events), aggregates: 50, ..GeneratorOptions::default() };
            generate(&crate::file::OsDisk, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
            EventLog::open_read_only(&path).unwrap().save_index().unwrap();
            Self { _folder: folder, path }
        }

        fn edit_bytes(&self, edit: impl FnOnce(&mut Vec<u8>)) {
            let mut bytes = std::fs::read(&self.path).unwrap();
            edit(&mut bytes);
            std::fs::write(&self.path, bytes).unwrap();
        }

        fn start_scan(&self) -> (Arc<SharedState>, ScanHandle, Receiver<Message>) {
            let shared = Arc::new(SharedState::open(TuiOptions::new(&self.path)).unwrap());
            let (out, messages) = unbounded();
            let handle = start(&shared, &out);
            (shared, handle, messages)
        }
    }

    /// Receives messages until the scan is done. Returns the findings, and the other updates.
    fn collect_until_done(messages: &Receiver<Message>) -> (Vec<Finding>, Vec<BackgroundUpdate>) {
        let (mut findings, mut updates) = (Vec::new(), Vec::new());
        loop {
            match messages.recv_timeout(Duration::from_secs(60)).unwrap() {
                Message::Background(BackgroundUpdate::ScanDone) => return (findings, updates),
                Message::Background(BackgroundUpdate::Finding(proposed)) => findings.push(proposed.finding),
                Message::Background(other) => updates.push(other),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn ranges_verified_earlier_are_read_only_on_request() {
        let log = VerifiedLog::with_events(2000);
        log.edit_bytes(|bytes| {
            bytes[200_000] ^= 1;
            bytes[400_000] ^= 1;
        });
        let (shared, scan, messages) = log.start_scan();
        assert!(collect_until_done(&messages).0.is_empty(), "the damaged ranges were verified earlier");
        // Damage that a page of rows shows is surveyed at once.
        let options = SurveyOptions::new().until(300_000);
        let damage = survey(&shared.view(), &options, None, &mut |_| ControlFlow::Continue(())).unwrap().findings;
        scan.scan_range(damage[0].range());
        let Message::Background(BackgroundUpdate::Finding(found)) =
            messages.recv_timeout(Duration::from_secs(60)).unwrap()
        else {
            panic!()
        };
        assert!(found.finding == damage[0] && found.fix.is_some());
        scan.resume();
        let (findings, _) = collect_until_done(&messages);
        assert_eq!(findings.iter().filter(|finding| finding.kind == DamageKind::Checksum).count(), 2, "{findings:?}");
        assert_eq!(shared.index().unwrap().known_damage().count(), 2, "a saved index lists both");
        scan.resume();
        assert!(collect_until_done(&messages).0.is_empty(), "everything has been read");
    }

    #[test]
    fn a_truncated_log_is_surveyed_from_a_frame_and_its_missing_events_are_not_counted() {
        let log = VerifiedLog::with_events(300);
        log.edit_bytes(|bytes| bytes.truncate(bytes.len() - 700));
        let len = std::fs::metadata(&log.path).unwrap().len();
        let (shared, _scan, messages) = log.start_scan();
        let (findings, updates) = collect_until_done(&messages);
        let full_survey =
            survey(&shared.view(), &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(full_survey.findings[0].start < len, "{full_survey:?}");
        assert_eq!(findings, full_survey.findings);
        assert!(!updates.iter().any(|update| matches!(update, BackgroundUpdate::EventCount(_))), "{updates:?}");
    }
}
