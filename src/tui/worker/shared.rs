//! What the workers share: the log, its index as far as it is known, and how both are opened.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::rate_limiter::RateLimiter;
use crate::StorageError;
use crate::file::{OsDisk, WriterPresence, detect_writer};
use crate::format::Version;
use crate::index::{AggregateIndex, Coverage};
use crate::inspect::LogView;
use crate::log::OpenOptions;
use crate::repair::journal_folder;
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::{IndexInfo, LogInfo};
use crate::tui::options::TuiOptions;

/// What the workers share.
#[derive(Debug)]
pub(crate) struct SharedState {
    settings: TuiOptions,
    open_options: OpenOptions,
    view: RwLock<LogView>,
    index: RwLock<Option<Arc<AggregateIndex>>>,
    writer: RwLock<WriterPresence>,
    pending_updates: Mutex<Vec<BackgroundUpdate>>,
    /// Counted up when a repair of this screen begins, and when it ends.
    repair_epoch: AtomicU64,
    rate_limiter: RateLimiter,
}

impl SharedState {
    /// Opens the log to be read.
    ///
    /// # Errors
    /// As [`LogView::init`].
    pub(crate) fn open(settings: TuiOptions) -> Result<Self, StorageError> {
        let view = LogView::open(Arc::new(OsDisk), &settings.path, settings.index_path.as_deref())?;
        let view = view.with_threads(thread_count());
        let mut open = OpenOptions::new().threads(thread_count());
        if let Some(index) = &settings.index_path {
            open = open.index_path(index);
        }
        if let Some(journal) = &settings.journal_dir {
            open = open.journal_folder(journal);
        }
        Ok(Self {
            rate_limiter: RateLimiter::new(settings.max_read_rate),
            settings,
            open_options: open,
            view: RwLock::new(view),
            index: RwLock::new(None),
            writer: RwLock::new(WriterPresence::Unknown),
            pending_updates: Mutex::new(Vec::new()),
            repair_epoch: AtomicU64::new(0),
        })
    }

    /// The log and its index file, as they were looked at last.
    pub(crate) fn view(&self) -> LogView {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the screen was started with.
    pub(crate) const fn settings(&self) -> &TuiOptions {
        &self.settings
    }

    /// What may be read behind the screen.
    pub(crate) const fn rate_limiter(&self) -> &RateLimiter {
        &self.rate_limiter
    }

    /// The path as it was given, links not resolved: who replaces a link replaces the log.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.settings.path
    }

    /// How the log is opened to be written to.
    pub(crate) fn open_options(&self) -> OpenOptions {
        self.open_options.clone()
    }

    /// The index to look things up in.
    pub(crate) fn index(&self) -> Option<Arc<AggregateIndex>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another index to look things up in.
    pub(crate) fn publish_index(&self, index: Option<AggregateIndex>) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index.map(Arc::new);
    }

    /// Looks at the index file and the log's size again.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn refresh_view(&self) -> Result<(), StorageError> {
        // Not under the lock: who reads must not wait for it.
        let mut view = self.view();
        view.refresh_index_state()?;
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        Ok(())
    }

    /// Opens the file that bears the log's name now.
    ///
    /// # Errors
    /// As [`LogView::init`].
    pub(crate) fn reopen_log(&self) -> Result<(), StorageError> {
        let view = LogView::open(Arc::new(OsDisk), &self.settings.path, self.settings.index_path.as_deref())?;
        let view = view.with_threads(thread_count());
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        self.publish_index(None);
        Ok(())
    }

    /// Looks who writes to the log. Takes a while where many processes run.
    pub(crate) fn detect_writer(&self) {
        let seen = self.view().log().storage().identity().map_or(WriterPresence::Unknown, detect_writer);
        *self.writer.write().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// The folder of the log's journals.
    pub(crate) fn journal_folder(&self) -> PathBuf {
        self.settings.journal_dir.clone().unwrap_or_else(|| journal_folder(self.view().path()))
    }

    /// Changes the log, which the watch is not to take for somebody else's doing.
    pub(crate) fn with_watch_paused<T>(&self, change: impl FnOnce() -> T) -> T {
        self.repair_epoch.fetch_add(1, Ordering::AcqRel);
        let done = change();
        self.repair_epoch.fetch_add(1, Ordering::AcqRel);
        done
    }

    /// How often a repair of this screen has begun or ended: odd while one is under way.
    pub(crate) fn repair_epoch(&self) -> u64 {
        self.repair_epoch.load(Ordering::Acquire)
    }

    /// Leaves news for the screen.
    pub(crate) fn queue_update(&self, news: BackgroundUpdate) {
        self.pending_updates.lock().unwrap_or_else(PoisonError::into_inner).push(news);
    }

    /// Takes the news that were left.
    pub(crate) fn take_updates(&self) -> Vec<BackgroundUpdate> {
        std::mem::take(&mut *self.pending_updates.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known about the log.
    ///
    /// # Errors
    /// `Io` when it cannot be measured.
    pub(crate) fn log_info(&self) -> Result<LogInfo, StorageError> {
        let view = self.view();
        let log = view.log();
        let file = view.trusted_index().map(|index| {
            let head = index.head();
            Coverage {
                covered_to: head.covered_to,
                scanned_to: head.scanned_to,
                log_end_offset: head.log_end_offset,
                events: head.events,
                gaps: head.gaps,
                frames: head.frames,
            }
        });
        let write_refusal = match log.version() {
            Version::V0 => Some("a log of version 0 is never written to".to_owned()),
            Version::V1 => {
                view.write_blocking_flags().map(|flags| format!("the header's flags ({flags:04x}) forbid writing"))
            }
        };
        Ok(LogInfo {
            path: view.path().to_owned(),
            version: log.version().number(),
            created_at_ms: view.created_at_ms(),
            bytes: log.len()?,
            first_frame: log.first_frame_offset(),
            journal_dir: self.journal_folder(),
            index: IndexInfo {
                path: view.index_path().to_owned(),
                state: view.index_state().clone(),
                saved_coverage: file,
                memory_coverage: self.index().map(|index| index.coverage()),
                verified: view.trusted_index().and_then(|index| index.verification_mark()),
            },
            writer: *self.writer.read().unwrap_or_else(PoisonError::into_inner),
            read_only_reason: write_refusal,
        })
    }
}

/// For whoever waits at the screen all processors work.
fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
