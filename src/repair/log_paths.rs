//! Where a log stands, with its side files, and which clock its journals go by.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::journal_folder;
use crate::file::Disk;

/// A log to be repaired: its place, its side files, the disk and the clock.
#[derive(Clone)]
pub struct LogPaths {
    /// The disk it is on.
    pub disk: Arc<dyn Disk>,
    /// Its path, links resolved.
    pub path: PathBuf,
    /// Its index; `None` for `<log>.idx`.
    pub custom_index: Option<PathBuf>,
    /// The folder of its journals; `None` for `<log>.repairs`.
    pub custom_journal_folder: Option<PathBuf>,
    /// Milliseconds since the Unix epoch.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// How many threads read the whole log, where all of it has to be read.
    pub scan_threads: usize,
}

impl std::fmt::Debug for LogPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogPaths").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LogPaths {
    /// The folder of its journals.
    pub fn journal_folder(&self) -> PathBuf {
        self.custom_journal_folder.clone().unwrap_or_else(|| journal_folder(&self.path))
    }

    /// Its index, when that is not beside it.
    pub fn custom_index(&self) -> Option<&Path> {
        self.custom_index.as_deref()
    }
}
