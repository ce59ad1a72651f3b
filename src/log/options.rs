//! How a log is opened: where its side files stand, which disk it is on, which clock it goes by.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::EventLog;
use crate::StorageError;
use crate::file::Disk;
use crate::index::Bounds;
use crate::repair::Site;

/// Options for opening or creating a log.
#[derive(Clone)]
pub struct OpenOptions {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) index: Option<PathBuf>,
    pub(super) journal: Option<PathBuf>,
    pub(super) clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(super) threads: usize,
    pub(super) memory: u64,
    pub(super) scratch: Option<PathBuf>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        let Bounds { disk, folder: scratch, memory } = Bounds::default();
        Self { disk, index: None, journal: None, clock: Arc::new(now_ms), threads: 1, memory, scratch }
    }
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (index, journal) = (&self.index, &self.journal);
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
    pub fn index(mut self, path: impl Into<PathBuf>) -> Self {
        self.index = Some(path.into());
        self
    }

    /// Keeps journals in this folder instead of `<log>.repairs`.
    #[must_use]
    pub fn journal(mut self, folder: impl Into<PathBuf>) -> Self {
        self.journal = Some(folder.into());
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
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Makes those files in this folder rather than where temporary files are kept.
    #[must_use]
    pub fn scratch(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scratch = Some(folder.into());
        self
    }

    /// What an index may take.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { disk: self.disk.clone(), folder: self.scratch.clone(), memory: self.memory }
    }

    /// The log at `path` as a repair needs it; links are resolved.
    ///
    /// # Errors
    /// `Io` when there is none.
    pub fn site(&self, path: &Path) -> Result<Site, StorageError> {
        let path = self.disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
        Ok(self.site_at(&path))
    }

    /// The same for a path whose links are resolved.
    pub(super) fn site_at(&self, path: &Path) -> Site {
        let (disk, clock, path, threads) = (self.disk.clone(), self.clock.clone(), path.to_owned(), self.threads);
        Site { disk, path, index: self.index.clone(), journal: self.journal.clone(), clock, threads }
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
