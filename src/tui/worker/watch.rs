//! The watch: a few times a second, whether the log has grown, was cut, replaced or overwritten, and who writes to it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::fingerprint::LogFingerprint;
use super::journal_watch::JournalWatcher;
use super::{QuitOnPanic, SharedState, scan_control};
use crate::StorageError;
use crate::file::FileIdentity;
use crate::index::IndexState;
use crate::report::units::format_count;
use crate::tui::message::{BackgroundUpdate, LogChange, Message};
use crate::tui::model::{LogInfo, LogUnavailable};

/// Between two looks.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Between two looks for writers, which cost more: while nothing happens, and while the log grows.
const WRITER_CHECK_INTERVALS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_millis(500));

/// Starts it; it ends when what is returned is dropped.
pub(super) fn start(shared: &Arc<SharedState>, scan: &scan_control::ScanHandle, out: &Sender<Message>) -> Sender<()> {
    let (alive, end) = bounded::<()>(0);
    let mut watch = LogWatcher {
        shared: shared.clone(),
        scan: scan.clone(),
        out: out.clone(),
        last_facts: None,
        fingerprint: None,
        last_index_identity: None,
        pending_change: None,
        reported_loss: None,
        journals: JournalWatcher::new(shared),
        last_repair_epoch: shared.repair_epoch(),
        last_writer_check: None,
    };
    let run = move || {
        let _alive = QuitOnPanic(watch.out.clone());
        watch.last_index_identity = watch.index_identity();
        // While nobody ends it, nobody says anything either.
        while watch.poll().is_ok() && wait_for_stop(&end, POLL_INTERVAL).is_none() {}
    };
    let _ = thread::Builder::new().name("watch".into()).spawn(run);
    alive
}

/// Waits; the end, when it has come.
fn wait_for_stop(end: &Receiver<()>, time: Duration) -> Option<()> {
    (end.recv_timeout(time) != Err(RecvTimeoutError::Timeout)).then_some(())
}

struct LogWatcher {
    shared: Arc<SharedState>,
    scan: scan_control::ScanHandle,
    out: Sender<Message>,
    /// What was told last.
    last_facts: Option<LogInfo>,
    /// The bytes that it was told of.
    fingerprint: Option<LogFingerprint>,
    last_index_identity: Option<(u64, u64)>,
    /// A change of which the log has not been opened since, and how often that was tried.
    pending_change: Option<(LogChange, u32)>,
    /// What was told of a name that belongs to no log.
    reported_loss: Option<LogUnavailable>,
    journals: JournalWatcher,
    last_repair_epoch: u64,
    last_writer_check: Option<Instant>,
}

/// Nobody listens any more, or there is nothing left to look at.
struct WatchEnded;

type WatchResult<T = ()> = Result<T, WatchEnded>;

impl LogWatcher {
    /// Looks once.
    fn poll(&mut self) -> WatchResult {
        let bytes = self.shared.view().log().len().map_err(|_| WatchEnded)?;
        let counted = self.shared.repair_epoch();
        if counted % 2 == 1 {
            return Ok(());
        }
        if std::mem::replace(&mut self.last_repair_epoch, counted) != counted {
            // What has changed since was changed from here, and told.
            (self.last_facts, self.fingerprint) = (None, None);
            self.journals = JournalWatcher::new(&self.shared);
        }
        let grown = self.last_facts.as_ref().is_some_and(|known| bytes > known.bytes);
        match self.identify_path() {
            PathTarget::Missing => {
                self.pending_change = None;
                return self.report_loss(LogUnavailable::Gone);
            }
            PathTarget::OtherFile => self.set_pending_change(LogChange::Replaced),
            PathTarget::OpenFile if self.reported_loss.is_some() => self.set_pending_change(LogChange::Reappeared),
            PathTarget::OpenFile if self.pending_change.is_none() => self.detect_change(bytes),
            PathTarget::OpenFile => {}
        }
        let change = self.reopen_changed_log()?;
        if self.pending_change.is_some() {
            return Ok(());
        }
        let now = self.index_identity();
        if grown || now != self.last_index_identity {
            self.last_index_identity = now;
            let _ = self.shared.refresh_view();
        }
        if let Ok(facts) = self.shared.facts() {
            let is_ahead = |facts: &LogInfo| matches!(facts.index.state, IndexState::Ahead { .. });
            if grown && change.is_none() && self.last_facts.as_ref().is_some_and(is_ahead) && !is_ahead(&facts) {
                // Nobody appends to a log that has lost its end: it has got its bytes back, or others.
                self.set_pending_change(LogChange::Reappeared);
                return Ok(());
            }
            self.report_facts(facts, change)?;
        }
        // Behind what is new in the log, which somebody waits for.
        let pause = if grown { WRITER_CHECK_INTERVALS.1 } else { WRITER_CHECK_INTERVALS.0 };
        if self.last_writer_check.is_none_or(|at| at.elapsed() >= pause) {
            self.shared.detect_writer();
            self.last_writer_check = Some(Instant::now());
        }
        Ok(())
    }

    /// Whether the open file's bytes are those that were told of, and more.
    fn detect_change(&mut self, bytes: u64) {
        let Some(known) = &self.last_facts else { return };
        let before = known.bytes;
        let changed = if bytes < before {
            Some(LogChange::Shrunk(before))
        } else {
            let fits = self.fingerprint.as_ref().is_none_or(|print| print.matches_log(self.shared.view().log()));
            (!fits).then_some(LogChange::Overwritten)
        };
        // A journal says better what was done, and of what no print has seen.
        let repaired = self.journals.poll(&self.shared, changed.is_some());
        if let Some(change) = repaired.or(changed) {
            self.set_pending_change(change);
        }
    }

    /// What is open is not what it was.
    fn set_pending_change(&mut self, change: LogChange) {
        if self.pending_change.is_none_or(|(known, _)| known != change) {
            self.pending_change = Some((change, 0));
        }
    }

    /// Opens a log that has changed; how it has, once that is done.
    fn reopen_changed_log(&mut self) -> WatchResult<Option<LogChange>> {
        let Some((change, failed)) = self.pending_change else { return Ok(None) };
        match self.shared.reopen_log() {
            Ok(()) => {
                (self.pending_change, self.reported_loss) = (None, None);
                Ok(Some(change))
            }
            Err(error) => {
                self.pending_change = Some((change, failed + 1));
                // Half written, it may be no log yet: the next look sees it again, and tells.
                if failed > 0 {
                    let found = describe_non_log(&error);
                    let lost = if change == LogChange::Replaced {
                        LogUnavailable::Replaced(found)
                    } else {
                        LogUnavailable::Overwritten(found)
                    };
                    self.report_loss(lost)?;
                }
                Ok(None)
            }
        }
    }

    /// Tells, once, that the log's name belongs to none.
    fn report_loss(&mut self, lost: LogUnavailable) -> WatchResult {
        if self.reported_loss.as_ref() != Some(&lost) {
            self.reported_loss = Some(lost.clone());
            self.out.send(Message::Background(BackgroundUpdate::LogUnavailable(lost))).map_err(|_| WatchEnded)?;
        }
        Ok(())
    }

    /// Tells what is new.
    fn report_facts(&mut self, facts: LogInfo, change: Option<LogChange>) -> WatchResult {
        let has_grown = self.last_facts.as_ref().is_none_or(|known| known.bytes != facts.bytes);
        if has_grown || change.is_some() {
            self.fingerprint = LogFingerprint::read(self.shared.view().log(), facts.bytes);
        }
        let has_news = self.last_facts.as_ref() != Some(&facts);
        if !has_news && change.is_none() {
            return Ok(());
        }
        self.last_facts = Some(facts.clone());
        let facts = Box::new(facts);
        let news = match change {
            Some(change) => BackgroundUpdate::LogChanged(facts, change),
            None => BackgroundUpdate::LogInfo(facts),
        };
        self.out.send(Message::Background(news)).map_err(|_| WatchEnded)?;
        match change {
            Some(_) => self.scan.restart(),
            // By what is told, not by what was measured before it: the log may have grown in between.
            None => self.scan.notify_growth(),
        }
        Ok(())
    }

    /// Which file the log's name belongs to by now.
    fn identify_path(&self) -> PathTarget {
        let view = self.shared.view();
        let same = |a: FileIdentity, b: FileIdentity| (a.device, a.inode) == (b.device, b.inode);
        let Ok(open) = view.log().storage().identity() else { return PathTarget::OpenFile };
        match view.disk().identity(view.path()) {
            Ok(named) if !same(named, open) => PathTarget::OtherFile,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => PathTarget::Missing,
            _ => PathTarget::OpenFile,
        }
    }

    fn index_identity(&self) -> Option<(u64, u64)> {
        let view = self.shared.view();
        view.disk().identity(view.index_path()).ok().map(|found| (found.device, found.inode))
    }
}

/// Which file bears the log's name.
enum PathTarget {
    /// The one that is open.
    OpenFile,
    /// Another one.
    OtherFile,
    /// None.
    Missing,
}

/// What stands in the place of a log, in a few words.
fn describe_non_log(error: &StorageError) -> String {
    match error {
        StorageError::TooShort { bytes, .. } => format_count(*bytes, "byte"),
        StorageError::NotALog { .. } => "bytes of another kind".into(),
        StorageError::UnsupportedVersion { found, .. } => format!("a log of version {found}"),
        StorageError::UnknownFlags { found, .. } => format!("flags {found:04x}, which forbid reading"),
        StorageError::Io { source, .. } => {
            let text = source.to_string();
            text.rsplit_once("found ").map_or(text.clone(), |(_, found)| found.to_owned())
        }
        error => crate::report::describe_error(error),
    }
}
