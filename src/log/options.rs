//! [`OpenOptions`]: the paths of the index and journals, the disk, the clock and the limits with which a log is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::EventLog;
use crate::StorageError;
use crate::file::{Disk, now_ms};
use crate::format::{MIN_SEGMENT_SIZE, NewLogFormat};
use crate::index::SpillOptions;
#[cfg(feature = "app")]
use crate::repair::JournalMark;
use crate::repair::LogPaths;

/// Options for opening or creating a log. [`EventLog::open`], [`EventLog::create`] and the other constructors use the
/// defaults.
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
    pub(super) spill_folder: Option<PathBuf>,
    pub(super) lock_timeout: Duration,
    pub(super) copies: Vec<PathBuf>,
    pub(super) format: NewLogFormat,
    pub(super) segment_size: Option<u64>,
    pub(super) segment_age: Option<Duration>,
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
            spill_folder,
            lock_timeout: Duration::ZERO,
            copies: Vec::new(),
            format: NewLogFormat::default(),
            segment_size: None,
            segment_age: None,
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
    /// Creates the default options: index and journals next to the log, and the disk and clock of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path of the index file; the default is `<log>.idx`.
    #[must_use]
    pub fn index_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.index_path = Some(path.into());
        self
    }

    /// Sets the folder of the repair journals; the default is `<log>.repairs`.
    #[must_use]
    pub fn journal_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.journal_folder = Some(folder.into());
        self
    }

    /// Sets the disk, an implementation of [`Disk`](crate::storage::Disk); the default is the disk of this machine.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// Sets the clock that gives events their time, in milliseconds since the Unix epoch; the default is the clock of
    /// this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the number of threads for operations that read the whole log; the default is 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the memory limit for aggregates while an index is built, in bytes; the default is 256 MiB. Aggregates that
    /// exceed the limit are written to anonymous files.
    #[must_use]
    pub fn max_index_memory(mut self, bytes: u64) -> Self {
        self.max_index_memory = bytes;
        self
    }

    /// Sets the folder for anonymous files of the index; the default is the system's temporary folder.
    #[must_use]
    pub fn spill_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spill_folder = Some(folder.into());
        self
    }

    /// Sets the longest time that opening for append waits for the writer's lock; the default is not to wait.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets the format of a log that is created; the default is version 1. A log that exists keeps its format.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("accounts.log");
    /// use chronicle::{LogId, NewLogFormat, OpenOptions};
    ///
    /// let log = OpenOptions::new().format(NewLogFormat::V2(LogId::random())).create(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn format(mut self, format: NewLogFormat) -> Self {
        self.format = format;
        self
    }

    /// Makes a log that is created a folder of segments, and sets the size at which its writer seals a segment and starts the
    /// next one, in bytes, at least 1 KiB. For a folder that exists, it replaces the size in its settings for this writer.
    /// The default is a log in one file, and 256 MiB for a folder.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("accounts");
    /// use chronicle::OpenOptions;
    ///
    /// let log = OpenOptions::new().segment_size(64 << 20).create(&path)?;
    /// assert!(path.join("00000000000000000000.log").is_file());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn segment_size(mut self, bytes: u64) -> Self {
        self.segment_size = Some(bytes.max(MIN_SEGMENT_SIZE));
        self
    }

    /// Makes a log that is created a folder of segments, and sets the age at which its writer seals a segment and starts the
    /// next one. The default is any age.
    #[must_use]
    pub const fn segment_age(mut self, age: Duration) -> Self {
        self.segment_age = Some(age);
        self
    }

    /// The age at which a segment is sealed, in milliseconds.
    pub(super) fn segment_age_ms(&self) -> Option<u64> {
        self.segment_age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    }

    /// Adds another copy of the log, by which opening for reading recognises a log whose first bytes are damaged.
    ///
    /// It is used last, when neither the index nor a frame in the first 64 MiB shows that the file is a log: the file then
    /// has a frame of the copy at its offset, or the creation time of the copy in its header.
    #[must_use]
    pub fn copy_of(mut self, path: impl Into<PathBuf>) -> Self {
        self.copies.push(path.into());
        self
    }

    /// The memory limit of an index, and the folder for its anonymous files.
    pub(super) fn spill_options(&self) -> SpillOptions {
        SpillOptions {
            disk: self.disk.clone(),
            spill_folder: self.spill_folder.clone(),
            max_memory: self.max_index_memory,
        }
    }

    /// Returns the paths that a repair of the log at `path` needs, with links resolved.
    ///
    /// # Errors
    /// `Io` when the log does not exist.
    pub fn log_paths(&self, path: &Path) -> Result<LogPaths, StorageError> {
        let path = self.disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        Ok(self.log_paths_at(&path))
    }

    /// Returns the paths that a repair needs, for a path whose links are already resolved.
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

    /// Reads the mark of the repairs of the log at `path`, whose links are already resolved.
    #[cfg(feature = "app")]
    pub(crate) fn journal_mark(&self, path: &Path) -> JournalMark {
        JournalMark::read(&self.log_paths_at(path))
    }

    /// Creates a log with these options, as [`EventLog::create`] does.
    ///
    /// # Errors
    /// The errors of [`EventLog::create`].
    pub fn create(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::create_with(self, path.as_ref())
    }

    /// Opens a log for append with these options, or creates it when the file does not exist.
    ///
    /// # Errors
    /// The errors of [`EventLog::open`] when the file exists, and of [`EventLog::create`] when it does not.
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
    /// The errors of [`EventLog::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::open_with(self, path.as_ref())
    }

    /// Opens a log for reading with these options, as [`EventLog::open_read_only`] does.
    ///
    /// # Errors
    /// The errors of [`EventLog::open_read_only`].
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<EventLog, StorageError> {
        EventLog::open_read_only_with(self, path.as_ref())
    }
}
