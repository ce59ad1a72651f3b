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
