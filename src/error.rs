//! The engine's one error type: what went wrong, in which file, at which offset, what was expected and what was found.
//!
//! What to do next is said at the edge, once, by whoever shows the error.

use std::io;
use std::path::{Path, PathBuf};

use crate::format::{DamageKind, Finding, PayloadError, hex};

/// Whatever an operation on a log can end in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused.
    #[error("{}: cannot {action}{}: {source}", path.display(), offset_suffix(*offset))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted, as a verb: "read", "sync".
        action: &'static str,
        /// Where in the file, in bytes, when the attempt had a place.
        offset: Option<u64>,
        /// The system's answer.
        source: io::Error,
    },
    /// Fewer bytes than a header.
    #[error("{}: no log: expected a header of 16 bytes, found a file of {bytes} bytes", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Neither magic nor a valid frame.
    #[error(
        "{}: no log: expected the magic 43 48 52 4e (\"CHRN\") at offset 0, found {}, and no valid frame in the first {searched} bytes",
        path.display(), hex::encode_spaced(found)
    )]
    NotALog {
        /// The file.
        path: PathBuf,
        /// Its first four bytes.
        found: [u8; 4],
        /// How many bytes were searched for a frame.
        searched: u64,
    },
    /// A good magic and a version this program does not know.
    #[error("{}: unsupported version at offset 4: expected 1, found {found}", path.display())]
    UnsupportedVersion {
        /// The file.
        path: PathBuf,
        /// The version number.
        found: u16,
    },
    /// Flags that say: not to be read, or not to be written, by who does not know them.
    #[error("{}: unknown flags at offset 6: expected 0000, found {found:04x}, which forbids to {forbids}", path.display())]
    UnknownFlags {
        /// The file.
        path: PathBuf,
        /// The flags.
        found: u16,
        /// "read" or "write".
        forbids: &'static str,
    },
    /// A damaged range in a log.
    #[error("{}: {} at offset {}..{}{}", path.display(), finding.kind.name(), finding.start, finding.end, checksum_suffix(finding))]
    Damaged {
        /// The log.
        path: PathBuf,
        /// What was found, and where.
        finding: Box<Finding>,
    },
    /// A range that an earlier repair fenced off: no damage, and no event.
    #[error(
        "{}: a gap at offset {start}..{end}: an earlier repair fenced this range off{}",
        path.display(), journal_suffix(journal.as_deref())
    )]
    Gap {
        /// The log.
        path: PathBuf,
        /// The gap frame's first byte.
        start: u64,
        /// Behind its last byte.
        end: u64,
        /// What the gap says about itself, as stored.
        content: Option<String>,
        /// The journal that keeps the original bytes, when it stands beside the log.
        journal: Option<PathBuf>,
    },
    /// A frame that an index points at is not the aggregate's any more, or not readable.
    #[error(
        "{}: expected an event of aggregate {aggregate} at offset {offset}, found {found}",
        path.display()
    )]
    IndexedEventMissing {
        /// The log.
        path: PathBuf,
        /// The aggregate asked for.
        aggregate: u64,
        /// Where the index knows an event of it.
        offset: u64,
        /// What stands there.
        found: String,
    },
    /// A start that lies inside a valid frame.
    #[error("{}: offset {offset} lies inside the frame at {start}..{end}", path.display())]
    InsideFrame {
        /// The log.
        path: PathBuf,
        /// The offset asked for.
        offset: u64,
        /// The frame's first byte.
        start: u64,
        /// Behind its last byte.
        end: u64,
    },
    /// Events that the index has seen are missing from the log's end.
    #[error(
        "{}: truncated: expected at least {log_end_offset} bytes, which its index has seen, found {bytes}",
        path.display()
    )]
    Truncated {
        /// The log.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// How far the index has seen it.
        log_end_offset: u64,
    },
    /// Another process holds the writer's lock.
    #[error("{}: another process{} holds the writer's lock", path.display(), pid_suffix(*pid))]
    Locked {
        /// The log.
        path: PathBuf,
        /// The process, where the platform can tell.
        pid: Option<u32>,
    },
    /// A file of version 0, which is only read.
    #[error("{}: a log of version 0 is never written to", path.display())]
    Version0ReadOnly {
        /// The log.
        path: PathBuf,
    },
    /// The log was opened to be read.
    #[error("{}: the log was opened read-only", path.display())]
    ReadOnly {
        /// The log.
        path: PathBuf,
    },
    /// A sync or a roll back failed: nobody knows what is on the disk, so nothing more is accepted.
    #[error("{}: {reason} at offset {offset}: nothing more is accepted until the log is reopened", path.display())]
    Poisoned {
        /// The log.
        path: PathBuf,
        /// The end of what was certain.
        offset: u64,
        /// What failed.
        reason: String,
    },
    /// The file changed under an operation that relied on it.
    #[error("{}: changed while in use: expected {expected}, found {found}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What was relied on.
        expected: String,
        /// What is there now.
        found: String,
    },
    /// What was asked for is not done, for a reason that lies in the log, not in the system.
    #[error("{}: refused: {reason}", path.display())]
    Refused {
        /// The log.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What can be done instead, in one sentence without its full stop.
        alternative: &'static str,
    },
    /// No event that may be stored.
    #[error("the event is refused: {0}")]
    InvalidEvent(#[from] PayloadError),
    /// The index file cannot be used.
    #[error("{}: the index is {state}: {reason}", path.display())]
    UnusableIndex {
        /// The index file.
        path: PathBuf,
        /// The state's word in FORMAT.md.
        state: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// The file to be created is there already.
    #[error("{}: exists already", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// No memory for something the file asks for.
    #[error("{}: no memory for {bytes} bytes at offset {offset}", path.display())]
    OutOfMemory {
        /// The file.
        path: PathBuf,
        /// Where the need arose.
        offset: u64,
        /// How much was asked for.
        bytes: u64,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl StorageError {
    /// An error of the operating system.
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, offset: None, source }
    }

    /// An error of the operating system at a place in a file.
    pub(crate) fn io_at(path: &Path, action: &'static str, offset: u64, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, offset: Some(offset), source }
    }

    /// True when the bytes of the log, or of its index, are not what they should be; false when the log is fine and
    /// the operation is not possible.
    pub fn is_corruption(&self) -> bool {
        match self {
            Self::Damaged { finding, .. } => finding.kind.is_damage(),
            Self::IndexedEventMissing { .. } | Self::Truncated { .. } | Self::UnusableIndex { .. } => true,
            _ => false,
        }
    }

    /// The file concerned, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::TooShort { path, .. }
            | Self::NotALog { path, .. }
            | Self::UnsupportedVersion { path, .. }
            | Self::UnknownFlags { path, .. }
            | Self::Damaged { path, .. }
            | Self::Gap { path, .. }
            | Self::IndexedEventMissing { path, .. }
            | Self::InsideFrame { path, .. }
            | Self::Truncated { path, .. }
            | Self::Locked { path, .. }
            | Self::Version0ReadOnly { path }
            | Self::ReadOnly { path }
            | Self::Poisoned { path, .. }
            | Self::Changed { path, .. }
            | Self::Refused { path, .. }
            | Self::UnusableIndex { path, .. }
            | Self::AlreadyExists { path }
            | Self::OutOfMemory { path, .. } => Some(path),
            Self::InvalidEvent(_) | Self::Cancelled => None,
        }
    }

    /// The place concerned, in bytes of the file, where there is one.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Io { offset, .. } => *offset,
            Self::NotALog { .. } => Some(0),
            Self::UnsupportedVersion { .. } => Some(4),
            Self::UnknownFlags { .. } => Some(6),
            Self::Damaged { finding, .. } => Some(finding.start),
            Self::Gap { start, .. } => Some(*start),
            Self::Truncated { bytes, .. } | Self::TooShort { bytes, .. } => Some(*bytes),
            Self::IndexedEventMissing { offset, .. }
            | Self::InsideFrame { offset, .. }
            | Self::Poisoned { offset, .. }
            | Self::OutOfMemory { offset, .. } => Some(*offset),
            _ => None,
        }
    }
}

fn offset_suffix(offset: Option<u64>) -> String {
    offset.map(|offset| format!(" at offset {offset}")).unwrap_or_default()
}

fn pid_suffix(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

fn journal_suffix(journal: Option<&Path>) -> String {
    journal.map(|journal| format!("; its original bytes are kept in {}", journal.display())).unwrap_or_default()
}

fn checksum_suffix(finding: &Finding) -> String {
    match (finding.kind, finding.evidence.stored_checksum, finding.evidence.computed_checksum) {
        (DamageKind::Checksum, Some(stored), Some(computed)) => {
            format!(": expected checksum {computed:08x} by its bytes, found {stored:08x}")
        }
        _ => String::new(),
    }
}
