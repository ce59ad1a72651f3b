//! The properties of the log as a whole, and of its index file.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::file::WriterPresence;
use crate::index::{Coverage, IndexState, SeenEnd, VerificationMark};
use crate::report::{safe_path_text, shell_path};

/// The properties of the log as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogInfo {
    /// Path of the log, with symbolic links resolved.
    pub(crate) path: PathBuf,
    /// Version of the log format.
    pub(crate) version: u16,
    /// Time of creation from the header, in milliseconds since the Unix epoch; `None` in version 0.
    pub(crate) created_at_ms: Option<u64>,
    /// Size of the log in bytes.
    pub(crate) bytes: u64,
    /// Offset of the first frame.
    pub(crate) first_frame: u64,
    /// Offsets at which the segments of the log start; none for a log in one file.
    pub(crate) segment_starts: Vec<u64>,
    /// The first offset of the log. Retention has removed what was before it.
    pub(crate) log_start: u64,
    /// When a name in the folder of the log was last added, removed or replaced; `None` for a log in one file.
    pub(crate) folder_changed_at: Option<SystemTime>,
    /// Folder of the repair journals.
    pub(crate) journal_dir: PathBuf,
    /// The properties of the index file.
    pub(crate) index: IndexInfo,
    /// The process that writes to the log.
    pub(crate) writer: WriterPresence,
    /// Why nothing can ever be appended to this log.
    pub(crate) read_only_reason: Option<String>,
}

/// The properties of the index file and of the index in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexInfo {
    /// Path of the index file, which need not exist.
    pub(crate) path: PathBuf,
    /// State of the index file relative to the log.
    pub(crate) state: IndexState,
    /// How far the log was seen, according to the index file.
    pub(crate) seen_end: SeenEnd,
    /// Coverage of the index file, when it can be trusted.
    pub(crate) saved_coverage: Option<Coverage>,
    /// Coverage of the index in memory.
    pub(crate) memory_coverage: Option<Coverage>,
    /// How far the log was verified when the index was saved, and when that was.
    pub(crate) verification: Option<VerificationMark>,
}

/// Why the log's path no longer leads to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogUnavailable {
    /// There is no file at the path. The screen shows the file that is still open.
    Missing,
    /// Another file, which is not a log, is at the path. The screen shows the file that is still open.
    Replaced(String),
    /// The open file itself was cut or overwritten and is no longer a log. There is nothing to show.
    Overwritten(String),
}

impl LogUnavailable {
    /// Returns the text for the status line.
    pub(crate) fn status_label(&self) -> String {
        match self {
            Self::Missing => "GONE".into(),
            Self::Replaced(found) | Self::Overwritten(found) => format!("NOT A LOG: {found}"),
        }
    }

    /// Returns a message about the cause, and about the file that the screen shows.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Missing => "Log removed or renamed. Showing the file that is still open".into(),
            Self::Replaced(found) => {
                format!("Log replaced by a file that is not a log ({found}). Showing the file that is still open")
            }
            Self::Overwritten(found) => format!("No longer a log: cut or overwritten ({found})"),
        }
    }

    /// Returns why nothing can be written.
    pub(crate) fn write_refusal(&self) -> String {
        match self {
            Self::Missing => "the log was removed or renamed".into(),
            Self::Replaced(found) | Self::Overwritten(found) => format!("the file is not a log now: {found}"),
        }
    }

    /// Returns whether the open file is no longer a log either, so that there is nothing to show.
    pub(crate) const fn has_no_data(&self) -> bool {
        matches!(self, Self::Overwritten(_))
    }
}

impl LogInfo {
    /// Returns the log's file name without its folder.
    pub(crate) fn file_name(&self) -> String {
        safe_path_text(Path::new(self.path.file_name().unwrap_or(self.path.as_os_str())))
    }

    /// Returns the log's path, quoted for a shell.
    pub(crate) fn shell_path(&self) -> String {
        shell_path(&self.path)
    }
}

impl IndexInfo {
    /// Returns the offset up to which the index file covers the log.
    pub(crate) fn covered_to(&self) -> u64 {
        self.saved_coverage.map_or(0, |coverage| coverage.covered_to)
    }
}
