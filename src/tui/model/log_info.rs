//! What is known about the log as a whole.

use std::path::PathBuf;

use crate::file::WriterPresence;
use crate::index::{Coverage, IndexState, VerificationMark};

/// What is known about the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogInfo {
    /// Its path, links resolved.
    pub(crate) path: PathBuf,
    /// Its version.
    pub(crate) version: u16,
    /// When it says it was created, milliseconds since the epoch.
    pub(crate) created_at_ms: Option<u64>,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its first frame's offset.
    pub(crate) first_frame: u64,
    /// The folder of its journals.
    pub(crate) journal_dir: PathBuf,
    /// Its index file.
    pub(crate) index: IndexInfo,
    /// Who writes to it.
    pub(crate) writer: WriterPresence,
    /// Why nothing can ever be appended to it.
    pub(crate) read_only_reason: Option<String>,
}

/// What is known about the index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexInfo {
    /// Where it stands, or would.
    pub(crate) path: PathBuf,
    /// How the file relates to the log.
    pub(crate) state: IndexState,
    /// What the file covers, when it may be believed.
    pub(crate) saved_coverage: Option<Coverage>,
    /// What is covered in memory.
    pub(crate) memory_coverage: Option<Coverage>,
    /// How far the log was verified when the file was saved, and when that was.
    pub(crate) verified: Option<VerificationMark>,
}

/// What the log's name belongs to while it belongs to no log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogUnavailable {
    /// No file bears it; what is shown is the open file.
    Gone,
    /// Another file bears it, which is no log; what is shown is the open file.
    Replaced(String),
    /// The file itself was cut or overwritten, and is no log any more: there is nothing to show.
    Overwritten(String),
}

impl LogUnavailable {
    /// The word for the status line.
    pub(crate) fn status_label(&self) -> String {
        match self {
            Self::Gone => "GONE".into(),
            Self::Replaced(found) | Self::Overwritten(found) => format!("NO LOG: {found}"),
        }
    }

    /// What has happened, and what is shown now.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Gone => "the log was removed or renamed; what is shown is the open file".into(),
            Self::Replaced(found) => {
                format!("the log was replaced by what is none ({found}); what is shown is the open file")
            }
            Self::Overwritten(found) => format!("no log any more: it was cut or overwritten ({found})"),
        }
    }

    /// Why nothing is written.
    pub(crate) fn write_refusal(&self) -> String {
        match self {
            Self::Gone => "the log is gone: no file bears its name".into(),
            Self::Replaced(found) | Self::Overwritten(found) => format!("no log stands there now: {found}"),
        }
    }

    /// True where the open file has nothing to show either.
    pub(crate) const fn has_no_data(&self) -> bool {
        matches!(self, Self::Overwritten(_))
    }
}

impl LogInfo {
    /// The log's name, without its folder.
    pub(crate) fn file_name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

impl IndexInfo {
    /// How far an index covers the log.
    pub(crate) fn covered_to(&self) -> u64 {
        let of = |coverage: &Option<Coverage>| coverage.as_ref().map_or(0, |coverage| coverage.covered_to);
        of(&self.saved_coverage)
    }
}
