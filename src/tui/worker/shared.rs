//! The state that all workers share: the open log, its in-memory index, and the options with which both are opened.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::folder_watch::folder_changed_at;
use super::rate_limiter::RateLimiter;
use crate::StorageError;
use crate::file::{SegmentSet, WriterPresence};
use crate::format::Version;
use crate::index::AggregateIndex;
use crate::inspect::LogView;
use crate::log::OpenOptions;
use crate::log_disk::log_disk;
use crate::place::Place;
use crate::query::KnownNames;
use crate::repair::{JournalMark, journal_folder};
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::{IndexInfo, LogInfo};
use crate::tui::options::TuiOptions;

/// The open log, its index and its writer, shared by all workers.
#[derive(Debug)]
pub(crate) struct SharedState {
    settings: TuiOptions,
    open_options: OpenOptions,
    opened: RwLock<OpenedLog>,
    index: RwLock<Option<ScannedIndex>>,
    writer: RwLock<WriterPresence>,
    pending_updates: Mutex<Vec<BackgroundUpdate>>,
    /// A counter that is incremented when this process starts to change the log and again when it has finished, so that
    /// it is odd in between.
    repair_epoch: AtomicU64,
    rate_limiter: RateLimiter,
}

/// The open log, and its repairs before its index file was opened.
#[derive(Debug, Clone)]
pub(crate) struct OpenedLog {
    pub(crate) view: LogView,
    pub(crate) journals: JournalMark,
}

/// An index in memory, and the repairs of the log before the first byte of the index was read.
#[derive(Debug, Clone)]
pub(crate) struct ScannedIndex {
    pub(crate) index: Arc<AggregateIndex>,
    pub(crate) journals: JournalMark,
}

impl SharedState {
    /// Opens the log for reading.
    ///
    /// # Errors
    /// Returns the errors of [`LogView::open`].
    pub(crate) fn open(settings: TuiOptions) -> Result<Self, StorageError> {
        let mut open_options = OpenOptions::new().disk(log_disk()).threads(thread_count());
        if let Some(index) = &settings.index_path {
            open_options = open_options.index_path(index);
        }
        if let Some(journal) = &settings.journal_dir {
            open_options = open_options.journal_folder(journal);
        }
        let opened = open_log(&settings, &open_options)?;
        Ok(Self {
            rate_limiter: RateLimiter::new(settings.max_read_rate),
            settings,
            open_options,
            opened: RwLock::new(opened),
            index: RwLock::new(None),
            writer: RwLock::new(WriterPresence::Unknown),
            pending_updates: Mutex::new(Vec::new()),
            repair_epoch: AtomicU64::new(0),
        })
    }

    /// Returns the open log and the state of its index file, as of the last refresh.
    pub(crate) fn view(&self) -> LogView {
        self.opened.read().unwrap_or_else(PoisonError::into_inner).view.clone()
    }

    /// Returns the open log, and its repairs before its index file was opened.
    pub(crate) fn opened_log(&self) -> OpenedLog {
        self.opened.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the options that the screen was started with.
    pub(crate) const fn settings(&self) -> &TuiOptions {
        &self.settings
    }

    /// Returns the limiter of background reads.
    pub(super) const fn rate_limiter(&self) -> &RateLimiter {
        &self.rate_limiter
    }

    /// Returns the path as the user gave it. Symlinks are not resolved, so that replacing the link replaces the log.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.settings.path
    }

    /// Returns the options for opening the log for writing.
    pub(super) fn open_options(&self) -> OpenOptions {
        self.open_options.clone()
    }

    /// Returns the in-memory index; `None` until one is published.
    pub(super) fn index(&self) -> Option<Arc<AggregateIndex>> {
        self.scanned_index().map(|scanned| scanned.index)
    }

    /// Returns the in-memory index, or that of the index file while there is none; `None` when the file cannot be trusted.
    pub(super) fn known_index(&self, view: &LogView) -> Option<Arc<AggregateIndex>> {
        self.index().or_else(|| view.index_coverage().map(|_| Arc::new(view.load_index())))
    }

    /// Returns the in-memory index with the repairs from before it was read; `None` until one is published.
    pub(super) fn scanned_index(&self) -> Option<ScannedIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the update that reports the in-memory index and its names.
    pub(crate) fn index_ready(&self) -> BackgroundUpdate {
        let names = self.index().map(|index| KnownNames::from_index(&index)).unwrap_or_default();
        BackgroundUpdate::IndexReady(Arc::new(names))
    }

    /// Replaces the in-memory index. `journals` are the repairs of the log before the first byte of the index was read.
    pub(crate) fn publish_index(&self, index: AggregateIndex, journals: JournalMark) {
        let scanned = ScannedIndex { index: Arc::new(index), journals };
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Some(scanned);
    }

    /// Reads the size of the log and the state of the index file again.
    ///
    /// # Errors
    /// `Io` when either cannot be read.
    pub(crate) fn refresh_view(&self) -> Result<(), StorageError> {
        // A copy is refreshed without holding the lock, so that other workers need not wait for the file.
        let mut view = self.view();
        let journals = self.open_options.journal_mark(view.path());
        view.refresh_index_state()?;
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = OpenedLog { view, journals };
        Ok(())
    }

    /// Opens the file that the log's path leads to now, and drops the in-memory index.
    ///
    /// # Errors
    /// Returns the errors of [`LogView::open`].
    pub(crate) fn reopen_log(&self) -> Result<(), StorageError> {
        let opened = open_log(&self.settings, &self.open_options)?;
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = opened;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Detects the process that writes to the log. This is slow when many processes are running.
    pub(super) fn detect_writer(&self) {
        let detected = self.view().log().storage().detect_writer();
        *self.writer.write().unwrap_or_else(PoisonError::into_inner) = detected;
    }

    /// Returns the folder of the log's repair journals.
    pub(super) fn journal_folder(&self) -> PathBuf {
        self.settings.journal_dir.clone().unwrap_or_else(|| journal_folder(self.view().path()))
    }

    /// Runs `change`, which writes to the log, without the watcher reporting the change as one by another process.
    pub(super) fn with_watch_paused<T>(&self, change: impl FnOnce() -> T) -> T {
        self.repair_epoch.fetch_add(1, Ordering::AcqRel);
        let result = change();
        self.repair_epoch.fetch_add(1, Ordering::AcqRel);
        result
    }

    /// Returns a counter that is odd while this process is changing the log, and grows with each change.
    pub(super) fn repair_epoch(&self) -> u64 {
        self.repair_epoch.load(Ordering::Acquire)
    }

    /// Queues an update, which the worker sends after its response.
    pub(super) fn queue_update(&self, update: BackgroundUpdate) {
        self.pending_updates.lock().unwrap_or_else(PoisonError::into_inner).push(update);
    }

    /// Removes and returns the queued updates.
    pub(crate) fn take_updates(&self) -> Vec<BackgroundUpdate> {
        std::mem::take(&mut *self.pending_updates.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the properties of the log and its index, which the status line and the Index tab show.
    ///
    /// # Errors
    /// `Io` when the log's size cannot be read.
    pub(crate) fn log_info(&self) -> Result<LogInfo, StorageError> {
        let view = self.view();
        let log = view.log();
        let saved_coverage = view.index_coverage();
        let read_only_reason = match log.version() {
            _ if matches!(Place::parse(view.path().as_os_str()), Ok(Place::Remote(_))) => {
                Some("a log on a server can only be read; download it to change or repair the copy".to_owned())
            }
            Version::V0 => Some("version 0 logs are read-only; `chronicle migrate` makes a version 1 log".to_owned()),
            Version::V1 | Version::V2 => {
                view.write_blocking_flags().map(|flags| format!("header flags {flags:04x} forbid writing"))
            }
        };
        Ok(LogInfo {
            path: view.path().to_owned(),
            version: log.version().number(),
            created_at_ms: view.created_at_ms(),
            bytes: log.len()?,
            first_frame: log.first_frame_offset(),
            segment_starts: view.segment_bases(),
            log_start: view.segments().map_or(0, SegmentSet::log_start),
            folder_changed_at: folder_changed_at(&view),
            journal_dir: self.journal_folder(),
            index: IndexInfo {
                path: view.index_path().to_owned(),
                state: view.index_state().clone(),
                seen_end: view.seen_end().clone(),
                saved_coverage,
                memory_coverage: self.index().map(|index| index.coverage()),
                verification: view.verification_mark(),
            },
            writer: *self.writer.read().unwrap_or_else(PoisonError::into_inner),
            read_only_reason,
        })
    }
}

fn open_log(settings: &TuiOptions, options: &OpenOptions) -> Result<OpenedLog, StorageError> {
    // The journals are listed before the index is opened, so that a repair after that is noticed.
    let journals = options.journal_mark(&options.log_paths(&settings.path)?.path);
    let view = LogView::open(log_disk(), &settings.path, settings.index_path.as_deref())?;
    Ok(OpenedLog { view: view.with_threads(thread_count()), journals })
}

/// Returns the number of processors. Requests of the user are handled with all of them.
fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
