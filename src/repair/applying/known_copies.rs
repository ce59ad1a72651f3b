//! Finds the copies of a log that are known: those that the journals and the folder of the log show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{HeaderState, LogFile, OpenMode, folder_of, open_log};
use crate::format::header::MAX_HEADER_LEN;
use crate::format::index::MAGIC as INDEX_MAGIC;
use crate::format::{FrameFormat, Version};
use crate::inspect::index_path;
use crate::repair::journal::{RepairRecord, read_repair_history};
use crate::repair::types::{LogPaths, RepairStep};

/// Largest number of files in the folder of the log that are examined.
const MAX_FILES: usize = 4096;
/// The first bytes of a saved plan.
const PLAN_START: &[u8] = b"{\"plan\":";
/// Offset of the copy of the log's header in an index file.
const LOG_HEADER_IN_INDEX: usize = 8;

/// A file that can have bytes of events of a log, and that no change of the log reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct KnownCopy {
    /// Path of the file.
    pub path: PathBuf,
    /// What the file is.
    pub kind: KnownCopyKind,
}

/// What a known copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KnownCopyKind {
    /// A copy of the log from which the repair with this number took bytes. The file need not exist any more.
    Donor {
        /// The number of the repair.
        repair: u32,
    },
    /// A file in the folder of the log with the header of the log.
    Log,
    /// A file in the folder of the log that is an index of this log.
    Index,
    /// A file in the folder of the log that is a saved plan. A plan has bytes and hashes of the log.
    Plan,
}

impl KnownCopy {
    /// Describes the copy: its path, and what it is.
    pub(crate) fn describe(&self) -> String {
        let path = self.path.display();
        match self.kind {
            KnownCopyKind::Donor { repair } => format!("{path}, from which repair {repair} took bytes"),
            KnownCopyKind::Log => format!("{path}, which has the header of the log: a copy of it"),
            KnownCopyKind::Index => format!("{path}, another index of the log"),
            KnownCopyKind::Plan => format!("{path}, a saved plan"),
        }
    }
}

/// Returns the copies of a log that are known: the donors that its journals name, and the copies, the other indexes and
/// the saved plans in the folder of the log. Other copies can exist anywhere.
///
/// # Errors
/// `Io` when the log cannot be read.
pub fn known_copies(paths: &LogPaths) -> Result<Vec<KnownCopy>, StorageError> {
    let mut copies = BTreeMap::new();
    for RepairRecord { number, plan, .. } in read_repair_history(paths)?.records {
        // The source of an undo is a journal.
        let sources = plan.steps.iter().filter(|_| plan.undoes.is_none()).flat_map(RepairStep::copied_sections);
        for donor in sources.filter_map(|section| section.from) {
            copies.entry(donor.to_owned()).or_insert(KnownCopyKind::Donor { repair: number });
        }
    }
    let path = &paths.path;
    let storage = open_log(&paths.disk, path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = LogFile::with_header(storage, path, FrameFormat::V1, HeaderState::Absent);
    let mut header = [0; MAX_HEADER_LEN];
    let read = log.read_at(&mut header, log.header_range().start)?;
    let header = header.get(..read.min(header_len(&header))).unwrap_or_default();
    let own_index = paths.custom_index.clone().unwrap_or_else(|| index_path(path));
    for file in paths.disk.list(folder_of(path)).unwrap_or_default().into_iter().take(MAX_FILES) {
        if file != *path
            && file != own_index
            && let Some(kind) = examine_file(paths, &file, header)
        {
            copies.entry(file).or_insert(kind);
        }
    }
    Ok(copies.into_iter().map(|(path, kind)| KnownCopy { path, kind }).collect())
}

/// Returns the length of the header that starts with these bytes.
fn header_len(header: &[u8]) -> usize {
    let is_version_2 = header.get(4..6) == Some(&Version::V2.number().to_be_bytes()[..]);
    let version = if is_version_2 { Version::V2 } else { Version::V1 };
    version.first_frame_offset() as usize
}

/// Reads the first bytes of a file, and returns what it is; `None` when it shows no relation to the log, or cannot be read.
fn examine_file(paths: &LogPaths, file: &Path, header: &[u8]) -> Option<KnownCopyKind> {
    let storage = paths.disk.open(file, OpenMode::ReadSidecar).ok()?;
    let mut start = [0; MAX_HEADER_LEN];
    let read = read_full(storage.as_ref(), &mut start, 0).ok()?;
    let start = start.get(..read)?;
    if start.starts_with(PLAN_START) {
        return Some(KnownCopyKind::Plan);
    }
    // The first 16 bytes are in all versions, and an index has a copy of them in one piece.
    let shared = header.get(..Version::V1.first_frame_offset() as usize)?;
    if start.starts_with(&INDEX_MAGIC) {
        return (start.get(LOG_HEADER_IN_INDEX..)?.starts_with(shared)).then_some(KnownCopyKind::Index);
    }
    start.starts_with(header).then_some(KnownCopyKind::Log)
}
