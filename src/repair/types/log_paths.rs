//! The paths of a log and its side files (index and journals), with the disk, the clock and the threads for a repair.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file::{Disk, OsDisk, journal_folder_of, permissions_source};

/// Returns the default folder for the journals of the log at `path`: `<log>.repairs`, or `repairs` in a log that is a folder.
pub fn journal_folder(path: &Path) -> PathBuf {
    journal_folder_of(&OsDisk, path)
}

/// The paths of a log, its index and its journals, and the environment in which it is repaired.
///
/// [`OpenOptions::log_paths`](crate::OpenOptions::log_paths) makes one for a log.
#[derive(Clone)]
#[non_exhaustive]
pub struct LogPaths {
    /// The disk that holds the log.
    pub disk: Arc<dyn Disk>,
    /// Path of the log, with symbolic links resolved.
    pub path: PathBuf,
    /// Path of the index; `None` for `<log>.idx`.
    pub custom_index: Option<PathBuf>,
    /// Folder of the journals; `None` for `<log>.repairs`.
    pub custom_journal_folder: Option<PathBuf>,
    /// Returns the current time, in milliseconds since the Unix epoch.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Number of threads for operations that read the whole log.
    pub scan_threads: usize,
}

impl std::fmt::Debug for LogPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogPaths").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LogPaths {
    /// Returns the folder of this log's journals.
    pub fn journal_folder(&self) -> PathBuf {
        self.custom_journal_folder.clone().unwrap_or_else(|| journal_folder_of(self.disk.as_ref(), &self.path))
    }

    /// Returns the file whose owner, group and mode new side files of the log get.
    pub(crate) fn permissions_source(&self) -> PathBuf {
        permissions_source(self.disk.as_ref(), &self.path)
    }

    /// Returns the path of the index when it is not `<log>.idx`.
    pub fn custom_index(&self) -> Option<&Path> {
        self.custom_index.as_deref()
    }
}
