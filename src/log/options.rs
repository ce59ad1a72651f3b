//! How a log is opened: where its side files stand, which disk it is on, which clock it goes by.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::EventLog;
use crate::StorageError;
use crate::file::Disk;
use crate::index::SpillOptions;
use crate::repair::LogPaths;

/// Options for opening or creating a log.
#[derive(Clone)]
pub struct OpenOptions {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) index_path: Option<PathBuf>,
    pub(super) journal_folder: Option<PathBuf>,
    pub(super) clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(super) threads: usize,
    pub(super) max_index_memory: u64,
    pub(super) scratch_folder: Option<PathBuf>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        let SpillOptions { disk, spill_folder: scratch, max_memory: memory } = SpillOptions::default();
        Self {
            disk,
            index_path: None,
            journal_folder: None,
            clock: Arc::new(now_ms),
            threads: 1,
            max_index_memory: memory,
            scratch_folder: scratch,
        }
    }
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (index, journal) = (&self.index_path, &self.journal_folder);
        f.debug_struct("OpenOptions").field("index", index).field("journal", journal).finish_non_exhaustive()
    }
}

impl OpenOptions {
    /// Side files beside the log, this machine's disk and clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the index in this file instead of `<log>.idx`.
    #[must_use]
    pub fn index_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.index_path = Some(path.into());
        self
    }

    /// Keeps journals in this folder instead of `<log>.repairs`.
    #[must_use]
    pub fn journal_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.journal_folder = Some(folder.into());
        self
    }

    /// Reads and writes another disk.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// Takes the time of events from another clock: milliseconds since the Unix epoch.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Reads a log that has to be read whole with so many threads; one unless it is said.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Lets an index that is built hold so many bytes of aggregates in memory, 256 MiB unless it is said; what is more
    /// goes to files without a name.
    #[must_use]
    pub fn max_index_memory(mut self, bytes: u64) -> Self {
        self.max_index_memory = bytes;
        self
    }

    /// Makes those files in this folder rather than where temporary files are kept.
    #[must_use]
    pub fn scratch_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scratch_folder = Some(folder.into());
        self
    }

    /// What an index may take.
    pub(super) fn spill_options(&self) -> SpillOptions {
        SpillOptions {
            disk: self.disk.clone(),
            spill_folder: self.scratch_folder.clone(),
            max_memory: self.max_index_memory,
        }
    }

    /// The log at `path` as a repair needs it; links are resolved.
    ///
    /// # Errors
    /// `Io` when there is none.
    pub fn log_paths(&self, path: &Path) -> Result<LogPaths, StorageError> {
        let path = self.disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        Ok(self.log_paths_at(&path))
    }

    /// The same for a path whose links are resolved.
    pub(super) fn log_paths_at(&self, path: &Path) -> LogPaths {
        let (disk, clock, path, threads) = (self.disk.clone(), self.clock.clone(), path.to_owned(), self.threads);
        LogPaths {
            disk,
            path,
            custom_index: self.index_path.clone(),
            custom_journal_folder: self.journal_folder.clone(),
            clock,
            scan_threads: threads,
        }
    }

    /// [`EventLog::create`] with these options.
    ///
    /// # Errors
    /// As there.
    pub fn create(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::create_with(self, path.as_ref())
    }

    /// [`EventLog::open`] with these options.
    ///
    /// # Errors
    /// As there.
    pub fn open(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::open_with(self, path.as_ref())
    }

    /// [`EventLog::open_read_only`] with these options.
    ///
    /// # Errors
    /// As there.
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::open_read_only_with(self, path.as_ref())
    }
}

/// Milliseconds since the Unix epoch by this machine's clock; 0 for a clock before it.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
