//! What the workers share: the log, its index as far as it is known, and how both are opened.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::budget::Budget;
use crate::StorageError;
use crate::file::{OsDisk, Seen, who_writes};
use crate::format::Version;
use crate::index::{AggregateIndex, Coverage};
use crate::inspect::LogView;
use crate::log::OpenOptions;
use crate::repair::journal_folder;
use crate::tui::message::News;
use crate::tui::model::{Facts, IndexFacts};
use crate::tui::options::Options;

/// What the workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    settings: Options,
    options: OpenOptions,
    view: RwLock<LogView>,
    index: RwLock<Option<Arc<AggregateIndex>>>,
    writer: RwLock<Seen>,
    news: Mutex<Vec<News>>,
    /// Counted up when a repair of this screen begins, and when it ends.
    repairs: AtomicU64,
    budget: Budget,
}

impl Shared {
    /// Opens the log to be read.
    ///
    /// # Errors
    /// As [`LogView::open`].
    pub(crate) fn open(settings: Options) -> Result<Self, StorageError> {
        let view = LogView::open(Arc::new(OsDisk), &settings.path, settings.index.as_deref())?;
        let view = view.reading_with(threads());
        let mut open = OpenOptions::new().threads(threads());
        if let Some(index) = &settings.index {
            open = open.index(index);
        }
        if let Some(journal) = &settings.journal {
            open = open.journal(journal);
        }
        Ok(Self {
            budget: Budget::new(settings.rate),
            settings,
            options: open,
            view: RwLock::new(view),
            index: RwLock::new(None),
            writer: RwLock::new(Seen::Unknown),
            news: Mutex::new(Vec::new()),
            repairs: AtomicU64::new(0),
        })
    }

    /// The log and its index file, as they were looked at last.
    pub(crate) fn view(&self) -> LogView {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the screen was started with.
    pub(crate) const fn settings(&self) -> &Options {
        &self.settings
    }

    /// What may be read behind the screen.
    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The path as it was given, links not resolved: who replaces a link replaces the log.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.settings.path
    }

    /// How the log is opened to be written to.
    pub(crate) fn options(&self) -> OpenOptions {
        self.options.clone()
    }

    /// The index to look things up in.
    pub(crate) fn index(&self) -> Option<Arc<AggregateIndex>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another index to look things up in.
    pub(crate) fn publish(&self, index: Option<AggregateIndex>) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index.map(Arc::new);
    }

    /// Looks at the index file and the log's size again.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn refresh(&self) -> Result<(), StorageError> {
        // Not under the lock: who reads must not wait for it.
        let mut view = self.view();
        view.refresh()?;
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        Ok(())
    }

    /// Opens the file that bears the log's name now.
    ///
    /// # Errors
    /// As [`LogView::open`].
    pub(crate) fn reopen(&self) -> Result<(), StorageError> {
        let view = LogView::open(Arc::new(OsDisk), &self.settings.path, self.settings.index.as_deref())?;
        let view = view.reading_with(threads());
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        self.publish(None);
        Ok(())
    }

    /// Looks who writes to the log. Takes a while where many processes run.
    pub(crate) fn look_for_writer(&self) {
        let seen = self.view().log().storage().identity().map_or(Seen::Unknown, who_writes);
        *self.writer.write().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// The folder of the log's journals.
    pub(crate) fn journals(&self) -> PathBuf {
        self.settings.journal.clone().unwrap_or_else(|| journal_folder(self.view().path()))
    }

    /// Changes the log, which the watch is not to take for somebody else's doing.
    pub(crate) fn repairing<T>(&self, change: impl FnOnce() -> T) -> T {
        self.repairs.fetch_add(1, Ordering::AcqRel);
        let done = change();
        self.repairs.fetch_add(1, Ordering::AcqRel);
        done
    }

    /// How often a repair of this screen has begun or ended: odd while one is under way.
    pub(crate) fn repairs(&self) -> u64 {
        self.repairs.load(Ordering::Acquire)
    }

    /// Leaves news for the screen.
    pub(crate) fn tell(&self, news: News) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).push(news);
    }

    /// Takes the news that were left.
    pub(crate) fn take_news(&self) -> Vec<News> {
        std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known about the log.
    ///
    /// # Errors
    /// `Io` when it cannot be measured.
    pub(crate) fn facts(&self) -> Result<Facts, StorageError> {
        let view = self.view();
        let log = view.log();
        let file = view.witness().map(|index| {
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
        let closed = match log.version() {
            Version::V0 => Some("a log of version 0 is never written to".to_owned()),
            Version::V1 => {
                view.forbidding_flags().map(|flags| format!("the header's flags ({flags:04x}) forbid writing"))
            }
        };
        Ok(Facts {
            path: view.path().to_owned(),
            version: log.version().number(),
            created_at_ms: view.created_at_ms(),
            bytes: log.len()?,
            first_frame: log.first_frame(),
            journals: self.journals(),
            index: IndexFacts {
                path: view.index_path().to_owned(),
                state: view.state().clone(),
                file,
                memory: self.index().map(|index| index.coverage()),
                verified: view.witness().and_then(|index| index.verified()),
            },
            writer: *self.writer.read().unwrap_or_else(PoisonError::into_inner),
            closed,
        })
    }
}

/// For whoever waits at the screen all processors work.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
