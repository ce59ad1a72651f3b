//! What is known about the log as a whole.

use std::path::PathBuf;

use crate::file::Seen;
use crate::index::{Coverage, IndexState, Verified};

/// What is known about the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
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
    pub(crate) journals: PathBuf,
    /// Its index file.
    pub(crate) index: IndexFacts,
    /// Who writes to it.
    pub(crate) writer: Seen,
    /// Why nothing can ever be appended to it.
    pub(crate) closed: Option<String>,
}

/// What is known about the index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexFacts {
    /// Where it stands, or would.
    pub(crate) path: PathBuf,
    /// How the file relates to the log.
    pub(crate) state: IndexState,
    /// What the file covers, when it may be believed.
    pub(crate) file: Option<Coverage>,
    /// What is covered in memory.
    pub(crate) memory: Option<Coverage>,
    /// How far the log was verified when the file was saved, and when that was.
    pub(crate) verified: Option<Verified>,
}

/// What the log's name belongs to while it belongs to no log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No file bears it; what is shown is the open file.
    Gone,
    /// Another file bears it, which is no log; what is shown is the open file.
    Replaced(String),
    /// The file itself was cut or overwritten, and is no log any more: there is nothing to show.
    Emptied(String),
}

impl Lost {
    /// The word for the status line.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Gone => "GONE".into(),
            Self::Replaced(found) | Self::Emptied(found) => format!("NO LOG: {found}"),
        }
    }

    /// What has happened, and what is shown now.
    pub(crate) fn story(&self) -> String {
        match self {
            Self::Gone => "the log was removed or renamed; what is shown is the open file".into(),
            Self::Replaced(found) => {
                format!("the log was replaced by what is none ({found}); what is shown is the open file")
            }
            Self::Emptied(found) => format!("no log any more: it was cut or overwritten ({found})"),
        }
    }

    /// Why nothing is written.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Gone => "the log is gone: no file bears its name".into(),
            Self::Replaced(found) | Self::Emptied(found) => format!("no log stands there now: {found}"),
        }
    }

    /// True where the open file has nothing to show either.
    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self, Self::Emptied(_))
    }
}

impl Facts {
    /// The log's name, without its folder.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

impl IndexFacts {
    /// How far an index covers the log.
    pub(crate) fn covered_to(&self) -> u64 {
        let of = |coverage: &Option<Coverage>| coverage.as_ref().map_or(0, |coverage| coverage.covered_to);
        of(&self.file)
    }
}
