//! How a log is opened: where its index and journals are, which disk and which clock it uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::EventLog;
use crate::StorageError;
use crate::file::Disk;
use crate::index::SpillOptions;
use crate::repair::LogPaths;

/// Options for opening or creating a log. [`EventLog::open`] and its siblings use the defaults.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("accounts.log");
/// use chronicle::OpenOptions;
///
/// let log = OpenOptions::new().index_path(folder.path().join("elsewhere.idx")).threads(4).create(&path)?;
/// # Ok(())
/// # }
/// ```
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
        let SpillOptions { disk, spill_folder, max_memory } = SpillOptions::default();
        Self {
            disk,
            index_path: None,
            journal_folder: None,
            clock: Arc::new(now_ms),
            threads: 1,
            max_index_memory: max_memory,
            scratch_folder: spill_folder,
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
    /// The defaults: index and journals next to the log, and this machine's disk and clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the index file, instead of `<log>.idx`.
    #[must_use]
    pub fn index_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.index_path = Some(path.into());
        self
    }

    /// Sets the folder of the repair journals, instead of `<log>.repairs`.
    #[must_use]
    pub fn journal_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.journal_folder = Some(folder.into());
        self
    }

    /// Sets the disk: an implementation of [`Disk`](crate::storage::Disk), instead of this machine's.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// Sets the clock that gives events their time, in milliseconds since the Unix epoch, instead of this machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how many threads read the log when all of it is read; the default is 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets how much memory aggregates may use while an index is built, in bytes; the default is 256 MiB. The rest goes to
    /// anonymous files.
    #[must_use]
    pub fn max_index_memory(mut self, bytes: u64) -> Self {
        self.max_index_memory = bytes;
        self
    }

    /// Sets the folder of those anonymous files, instead of the system's temporary folder.
    #[must_use]
    pub fn scratch_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scratch_folder = Some(folder.into());
        self
    }

    /// The memory limit of an index, and where the rest goes.
    pub(super) fn spill_options(&self) -> SpillOptions {
        SpillOptions {
            disk: self.disk.clone(),
            spill_folder: self.scratch_folder.clone(),
            max_memory: self.max_index_memory,
        }
    }

    /// The paths that a repair of the log at `path` needs, with links resolved.
    ///
    /// # Errors
    /// `Io` when the log does not exist.
    pub fn log_paths(&self, path: &Path) -> Result<LogPaths, StorageError> {
        let path = self.disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        Ok(self.log_paths_at(&path))
    }

    /// The paths that a repair needs, for a path whose links are resolved.
    pub(super) fn log_paths_at(&self, path: &Path) -> LogPaths {
        LogPaths {
            disk: self.disk.clone(),
            path: path.to_owned(),
            custom_index: self.index_path.clone(),
            custom_journal_folder: self.journal_folder.clone(),
            clock: self.clock.clone(),
            scan_threads: self.threads,
        }
    }

    /// Creates a log with these options, as [`EventLog::create`] does.
    ///
    /// # Errors
    /// Those of [`EventLog::create`].
    pub fn create(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::create_with(self, path.as_ref())
    }

    /// Opens a log for append with these options, or creates it when the file does not exist.
    ///
    /// # Errors
    /// Those of [`EventLog::open`] when the file exists, and those of [`EventLog::create`] when it does not.
    pub fn open_or_create(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        let path = path.as_ref();
        match EventLog::create_with(self.clone(), path) {
            Err(StorageError::AlreadyExists { .. }) => EventLog::open_with(self, path),
            log => log,
        }
    }

    /// Opens a log for append with these options, as [`EventLog::open`] does.
    ///
    /// # Errors
    /// Those of [`EventLog::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::open_with(self, path.as_ref())
    }

    /// Opens a log for reading with these options, as [`EventLog::open_read_only`] does.
    ///
    /// # Errors
    /// Those of [`EventLog::open_read_only`].
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::open_read_only_with(self, path.as_ref())
    }
}

/// The time of this machine's clock in milliseconds since the Unix epoch; 0 when the clock is set before it.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
