//! The watcher, which polls the log file ten times per second for growth, truncation, replacement, overwriting and
//! repairs by other processes, and searches less often for a process that writes to it.
//!
//! A file that was written and has not grown is read again as a whole: the samples of the fingerprint cannot show which
//! of its bytes are new.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::folder_watch::FolderWatcher;
use super::journal_watch::{JournalWatcher, LogContents};
use super::{QuitOnPanic, SharedState, scan_control};
use crate::StorageError;
use crate::file::{DeviceInode, FileStamp};
use crate::index::IndexState;
use crate::inspect::LogFingerprint;
use crate::report::units::format_count;
use crate::tui::message::{BackgroundUpdate, LogChange, Message};
use crate::tui::model::{LogInfo, LogUnavailable};

/// Time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Time between two searches for a writer while the log does not grow. A search reads the list of all processes.
const IDLE_WRITER_CHECK_INTERVAL: Duration = Duration::from_secs(3);
/// Time between two searches for a writer while the log grows.
const GROWING_WRITER_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Time that the size of a written file must stay the same before the write counts as overwriting. While a file grows,
/// the time of the last write can be visible before the new size is.
const WRITE_SETTLE_TIME: Duration = Duration::from_millis(250);

/// Starts the watch thread, which ends when the returned sender is dropped.
pub(super) fn start(shared: &Arc<SharedState>, scan: &scan_control::ScanHandle, out: &Sender<Message>) -> Sender<()> {
    let (stop_sender, stop) = bounded::<()>(0);
    let mut watcher = LogWatcher {
        shared: shared.clone(),
        scan: scan.clone(),
        out: out.clone(),
        last_info: None,
        fingerprint: None,
        last_stamp: None,
        written_since: None,
        last_index_identity: None,
        judged_bytes: None,
        pending_change: None,
        reported_reason: None,
        journals: JournalWatcher::new(shared),
        folder: FolderWatcher::default(),
        last_repair_epoch: shared.repair_epoch(),
        last_writer_check: None,
    };
    let run = move || {
        let _quit_on_panic = QuitOnPanic(watcher.out.clone());
        watcher.last_index_identity = watcher.index_identity();
        while watcher.poll().is_ok() && !is_stopped_within(&stop, POLL_INTERVAL) {}
    };
    let _ = thread::Builder::new().name("tui-watch".into()).spawn(run);
    stop_sender
}

/// Waits for `time`, and returns true as soon as the sender of `stop` is dropped.
fn is_stopped_within(stop: &Receiver<()>, time: Duration) -> bool {
    stop.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
}

/// The state of the watch thread.
struct LogWatcher {
    shared: Arc<SharedState>,
    scan: scan_control::ScanHandle,
    out: Sender<Message>,
    /// The properties of the log that were reported last.
    last_info: Option<LogInfo>,
    /// Samples of the log's bytes as of `last_info`.
    fingerprint: Option<LogFingerprint>,
    /// Size and time of the last write as of the last poll that explained them.
    last_stamp: Option<FileStamp>,
    /// The time at which a write without growth was first seen.
    written_since: Option<Instant>,
    /// Device and inode of the index file at the last poll.
    last_index_identity: Option<DeviceInode>,
    /// Size of the log when the state of the index file was last read.
    judged_bytes: Option<u64>,
    /// A change after which the log has not been reopened yet.
    pending_change: Option<PendingChange>,
    /// The reason that was reported last why the path does not lead to a log; `None` while it leads to one.
    reported_reason: Option<LogUnavailable>,
    journals: JournalWatcher,
    folder: FolderWatcher,
    last_repair_epoch: u64,
    last_writer_check: Option<Instant>,
}

/// A detected change, and the number of times that reopening the log after it has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PendingChange {
    change: LogChange,
    failed_reopens: u32,
}

/// Ends the watch, because the screen was closed or the size of the open file can no longer be read.
struct WatchEnded;

type WatchResult<T = ()> = Result<T, WatchEnded>;

impl LogWatcher {
    /// Checks the log once, and reports the changes since the previous poll.
    fn poll(&mut self) -> WatchResult {
        let stamp = self.shared.view().log().storage().stamp().map_err(|_| WatchEnded)?;
        let bytes = stamp.bytes;
        let repair_epoch = self.shared.repair_epoch();
        if repair_epoch % 2 == 1 {
            // This process is changing the log right now.
            return Ok(());
        }
        if std::mem::replace(&mut self.last_repair_epoch, repair_epoch) != repair_epoch {
            // The change was made by this process, which has reported it already.
            (self.last_info, self.fingerprint) = (None, None);
            (self.last_stamp, self.written_since) = (None, None);
            self.journals = JournalWatcher::new(&self.shared);
            self.folder = FolderWatcher::default();
        }
        let has_grown = self.last_info.as_ref().is_some_and(|last| bytes > last.bytes);
        match self.identify_path() {
            PathTarget::Missing => {
                self.pending_change = None;
                return self.report_unavailable(LogUnavailable::Missing);
            }
            PathTarget::OtherFile => self.set_pending_change(LogChange::Replaced),
            PathTarget::OpenFile if self.reported_reason.is_some() => self.set_pending_change(LogChange::Reappeared),
            PathTarget::OpenFile if self.pending_change.is_none() => self.detect_change(stamp),
            PathTarget::OpenFile => {}
        }
        let change = self.reopen_changed_log()?;
        if self.pending_change.is_some() {
            return Ok(());
        }
        let index_identity = self.index_identity();
        // The log may grow between this poll's read of its size and the report, so `has_grown` alone would miss that the
        // state of the index is about a shorter log.
        if self.judged_bytes != Some(bytes) || index_identity != self.last_index_identity {
            self.last_index_identity = index_identity;
            if self.shared.refresh_view().is_ok() {
                self.judged_bytes = Some(bytes);
            }
        }
        if let Ok(info) = self.shared.log_info() {
            if has_grown && change.is_none() && self.is_no_longer_truncated(&info) {
                self.set_pending_change(LogChange::Reappeared);
                return Ok(());
            }
            self.report_info(info, change)?;
        }
        // The writer is searched for last, because that is slow and the user waits for the new events.
        self.check_writer(if has_grown { GROWING_WRITER_CHECK_INTERVAL } else { IDLE_WRITER_CHECK_INTERVAL });
        Ok(())
    }

    /// Returns true when the log was truncated and no longer is: the index was ahead of it. Nothing can be appended to
    /// a truncated log, so its missing bytes were restored in some other way.
    fn is_no_longer_truncated(&self, info: &LogInfo) -> bool {
        let is_ahead = |info: &LogInfo| matches!(info.index.state, IndexState::Ahead { .. });
        self.last_info.as_ref().is_some_and(is_ahead) && !is_ahead(info)
    }

    /// Searches for a process that writes to the log, at most once per `interval`.
    fn check_writer(&mut self, interval: Duration) {
        if self.last_writer_check.is_none_or(|checked_at| checked_at.elapsed() >= interval) {
            self.shared.detect_writer();
            self.last_writer_check = Some(Instant::now());
        }
    }

    /// Checks whether the open file still holds the bytes that were reported, with nothing but appended bytes after
    /// them.
    fn detect_change(&mut self, stamp: FileStamp) {
        let is_written = self.is_written_without_growth(stamp);
        let Some(last) = &self.last_info else { return };
        let segment_change = self.folder.poll(&self.shared.view(), last.log_start);
        let change = if segment_change.is_some() {
            segment_change
        } else if stamp.bytes < last.bytes {
            Some(LogChange::Shrunk(last.bytes))
        } else {
            let matches =
                self.fingerprint.as_ref().is_none_or(|fingerprint| fingerprint.matches_log(self.shared.view().log()));
            if matches { is_written.then_some(LogChange::Written) } else { Some(LogChange::Overwritten) }
        };
        let contents = if change.is_some() { LogContents::Changed } else { LogContents::Unchanged };
        // A journal names the cause, and reveals changes outside the samples of the fingerprint.
        let repaired = self.journals.poll(&self.shared, contents);
        if let Some(change) = repaired.or(change) {
            self.set_pending_change(change);
        }
    }

    /// Returns true when the file was written and has kept its size for a while since.
    fn is_written_without_growth(&mut self, stamp: FileStamp) -> bool {
        match self.last_stamp.filter(|last| last.bytes == stamp.bytes && last.modified != stamp.modified) {
            None => {
                (self.last_stamp, self.written_since) = (Some(stamp), None);
                false
            }
            Some(_) if self.written_since.get_or_insert_with(Instant::now).elapsed() < WRITE_SETTLE_TIME => false,
            Some(_) => {
                (self.last_stamp, self.written_since) = (Some(stamp), None);
                true
            }
        }
    }

    /// Stores a change until the log is reopened.
    fn set_pending_change(&mut self, change: LogChange) {
        if self.pending_change.is_none_or(|pending| pending.change != change) {
            self.pending_change = Some(PendingChange { change, failed_reopens: 0 });
        }
    }

    /// Reopens the log after a pending change, and returns the change once that has succeeded.
    fn reopen_changed_log(&mut self) -> WatchResult<Option<LogChange>> {
        let Some(PendingChange { change, failed_reopens }) = self.pending_change else { return Ok(None) };
        match self.shared.reopen_log() {
            Ok(()) => {
                (self.pending_change, self.reported_reason) = (None, None);
                // The write that made this change is not reported a second time.
                (self.last_stamp, self.written_since) = (self.shared.view().log().storage().stamp().ok(), None);
                Ok(Some(change))
            }
            Err(error) => {
                self.pending_change = Some(PendingChange { change, failed_reopens: failed_reopens + 1 });
                // The first failure may be caused by a file that is half written, so only later failures are reported.
                if failed_reopens > 0 {
                    let description = describe_non_log(&error);
                    self.report_unavailable(if change == LogChange::Replaced {
                        LogUnavailable::Replaced(description)
                    } else {
                        LogUnavailable::Overwritten(description)
                    })?;
                }
                Ok(None)
            }
        }
    }

    /// Reports that the path no longer leads to a log, unless the same reason was reported last.
    fn report_unavailable(&mut self, reason: LogUnavailable) -> WatchResult {
        if self.reported_reason.as_ref() != Some(&reason) {
            self.reported_reason = Some(reason.clone());
            self.out.send(Message::Background(BackgroundUpdate::LogUnavailable(reason))).map_err(|_| WatchEnded)?;
        }
        Ok(())
    }

    /// Reports the properties of the log when they differ from the last report, and notifies the scan.
    fn report_info(&mut self, info: LogInfo, change: Option<LogChange>) -> WatchResult {
        let has_new_bytes = self.last_info.as_ref().is_none_or(|last| last.bytes != info.bytes);
        if has_new_bytes || change.is_some() {
            self.fingerprint = LogFingerprint::read(self.shared.view().log(), info.bytes);
        }
        if change.is_none() && self.last_info.as_ref() == Some(&info) {
            return Ok(());
        }
        self.last_info = Some(info.clone());
        let info = Box::new(info);
        let update = match change {
            Some(change) => BackgroundUpdate::LogChanged(info, change),
            None => BackgroundUpdate::LogInfo(info),
        };
        self.out.send(Message::Background(update)).map_err(|_| WatchEnded)?;
        match change {
            // What was verified before these changes proves nothing about the bytes now.
            Some(LogChange::Written | LogChange::Overwritten) if self.shared.settings().scan => self.scan.verify_all(),
            Some(_) => self.scan.restart(),
            // The scan is notified with every report, because the log may have grown since `poll` read its size.
            None => self.scan.notify_growth(),
        }
        Ok(())
    }

    /// Returns which file the log's path leads to now.
    fn identify_path(&self) -> PathTarget {
        let view = self.shared.view();
        let Ok(open) = view.log().storage().identity() else { return PathTarget::OpenFile };
        match view.disk().identity(view.path()) {
            Ok(at_path) if at_path.is_same_file(open) == Some(false) => PathTarget::OtherFile,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => PathTarget::Missing,
            _ => PathTarget::OpenFile,
        }
    }

    /// Returns the device and the inode of the index file; `None` when there is no index file, or files have none.
    fn index_identity(&self) -> Option<DeviceInode> {
        let view = self.shared.view();
        view.disk().identity(view.index_path()).ok()?.device_inode
    }
}

/// The file that the log's path leads to.
enum PathTarget {
    /// The file that is open.
    OpenFile,
    /// Another file: the log was replaced.
    OtherFile,
    /// No file: the log was removed or renamed.
    Missing,
}

/// Describes in a few words the file that was found at the log's path.
fn describe_non_log(error: &StorageError) -> String {
    match error {
        StorageError::TooShort { bytes, .. } => format_count(*bytes, "byte"),
        StorageError::NotALog { content: Some(content), .. } => content.description().into(),
        StorageError::NotALog { .. } => "unknown contents".into(),
        StorageError::UnsupportedVersion { found, .. } => format!("version {found}"),
        StorageError::UnknownFlags { found, .. } => format!("flags {found:04x} forbid reading"),
        StorageError::Io { source, .. } => {
            let text = source.to_string();
            text.rsplit_once("found ").map_or(text.clone(), |(_, found)| found.to_owned())
        }
        error => crate::report::describe_error(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};
    use std::sync::Arc;
    use std::time::SystemTime;

    use crossbeam_channel::{Receiver, unbounded};

    use super::*;
    use crate::format::Event;
    use crate::sample::{GeneratorOptions, LogLength, generate};
    use crate::tui::options::TuiOptions;

    fn wait_for_change(messages: &Receiver<Message>) -> LogChange {
        loop {
            match messages.recv_timeout(Duration::from_secs(60)).unwrap() {
                Message::Background(BackgroundUpdate::LogChanged(_, change)) => return change,
                Message::Background(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A generated log whose watcher has made its first report, after which it has a stamp of the log.
    struct WatchedLog {
        folder: tempfile::TempDir,
        path: std::path::PathBuf,
        shared: Arc<SharedState>,
        /// The end of the log when the index was saved.
        covered_to: u64,
        messages: Receiver<Message>,
        _scan_messages: Receiver<Message>,
        _stop: Sender<()>,
    }

    impl WatchedLog {
        fn start() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.log");
            let options = GeneratorOptions { length: LogLength::Events(200), ..GeneratorOptions::default() };
            generate(&crate::file::OsDisk, &path, &options, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
            crate::log::OpenOptions::new().open_read_only(&path).unwrap().save_index().unwrap();
            let covered_to = std::fs::metadata(&path).unwrap().len();
            // A write can carry the time of the generation, when both happen within one tick of the clock.
            let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
            let shared = Arc::new(SharedState::open(TuiOptions::new(&path)).unwrap());
            let (out, messages) = unbounded();
            let (scan_out, scan_messages) = unbounded();
            let scan = super::super::scan::start(&shared, &scan_out);
            let stop = start(&shared, &scan, &out);
            messages.recv_timeout(Duration::from_secs(60)).unwrap();
            Self { folder, path, shared, covered_to, messages, _scan_messages: scan_messages, _stop: stop }
        }

        /// Changes bytes of a file in place.
        fn write(path: &std::path::Path, offset: u64, bytes: &[u8]) {
            let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.seek(SeekFrom::Start(offset)).unwrap();
            file.write_all(bytes).unwrap();
        }
    }

    #[test]
    fn a_log_that_is_written_in_place_is_reported_wherever_the_byte_is() {
        let log = WatchedLog::start();
        WatchedLog::write(&log.path, 1000, b"#");
        assert_eq!(wait_for_change(&log.messages), LogChange::Written);
    }

    #[test]
    fn the_state_of_the_index_is_about_the_log_as_it_is_after_appends_of_this_process() {
        let log = WatchedLog::start();
        for _ in 0..2 {
            let expected = log.shared.with_watch_paused(|| {
                let mut writer = log.shared.open_options().open(&log.path).unwrap();
                let event = Event::builder().event_type("A").namespace("n").schema_id("S").schema_version(1);
                writer.append(&event.payload_json("{}").no_aggregate().build().unwrap()).unwrap();
                std::fs::metadata(&log.path).unwrap().len() - log.covered_to
            });
            loop {
                let message = log.messages.recv_timeout(Duration::from_secs(60)).expect("the new state is reported");
                let Message::Background(BackgroundUpdate::LogInfo(info)) = message else { continue };
                if info.index.state == (IndexState::Behind { bytes: expected }) {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_change_is_reported_once() {
        let log = WatchedLog::start();
        // The first sample of the fingerprint holds these bytes.
        WatchedLog::write(&log.path, 20, b"####");
        assert_eq!(wait_for_change(&log.messages), LogChange::Overwritten);
        let other = log.folder.path().join("b.log");
        std::fs::copy(&log.path, &other).unwrap();
        WatchedLog::write(&other, 20, b"%%%%");
        std::fs::rename(&other, &log.path).unwrap();
        assert_eq!(wait_for_change(&log.messages), LogChange::Replaced);
        // A second report of the same write would arrive before the report of the end of the log.
        std::thread::sleep(2 * WRITE_SETTLE_TIME);
        std::fs::OpenOptions::new().write(true).open(&log.path).unwrap().set_len(1000).unwrap();
        assert!(matches!(wait_for_change(&log.messages), LogChange::Shrunk(_)));
    }
}
