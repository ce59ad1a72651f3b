//! The paths of a log and its side files, with the disk, the clock and the threads that a repair uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file::Disk;

/// The default folder for the journals of the log at `path`: `<log>.repairs`.
pub fn journal_folder(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".repairs");
    path.with_file_name(name)
}

/// The paths of a log and its side files, and the environment in which it is repaired.
///
/// [`OpenOptions::log_paths`](crate::OpenOptions::log_paths) makes one for a log.
#[derive(Clone)]
pub struct LogPaths {
    /// The disk that holds the log.
    pub disk: Arc<dyn Disk>,
    /// Path of the log, with symbolic links resolved.
    pub path: PathBuf,
    /// Path of the index; `None` for `<log>.idx`.
    pub custom_index: Option<PathBuf>,
    /// Folder of the journals; `None` for `<log>.repairs`.
    pub custom_journal_folder: Option<PathBuf>,
    /// Current time, in milliseconds since the Unix epoch.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Number of threads that read the log when all of it has to be read.
    pub scan_threads: usize,
}

impl std::fmt::Debug for LogPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogPaths").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LogPaths {
    /// The folder of this log's journals.
    pub fn journal_folder(&self) -> PathBuf {
        self.custom_journal_folder.clone().unwrap_or_else(|| journal_folder(&self.path))
    }

    /// The path of the index when it is not `<log>.idx`.
    pub fn custom_index(&self) -> Option<&Path> {
        self.custom_index.as_deref()
    }
}
