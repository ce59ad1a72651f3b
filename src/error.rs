//! [`StorageError`], the error type of every operation. It holds the failed action, the file, the offset, and the
//! expected and the found bytes or state.
//!
//! The errors hold no advice. The command line and the screen add the next step when they show an error.

use std::io;
use std::path::{Path, PathBuf};

use crate::changed_file::ChangedFile;
use crate::error_text::{ascii_suffix, checksum_suffix, content_suffix, journal_suffix, lock_holder, offset_suffix};
use crate::failed_repair::{JournalStateAfterFailure, LogStateAfterFailure};
use crate::format::{Finding, ForeignFile, PayloadError, hex};

/// Why an operation on a log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A call to the operating system failed.
    #[error("{}: cannot {action}{}: {source}", path.display(), offset_suffix(*offset))]
    Io {
        /// The path of the file or folder.
        path: PathBuf,
        /// The attempted operation, as a verb: "read", "sync".
        action: &'static str,
        /// The file offset of the attempt, when it had one.
        offset: Option<u64>,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is shorter than a header.
    #[error("{}: not a Chronicle log: expected a header of {expected} bytes, found a file of {bytes} bytes", path.display())]
    TooShort {
        /// The path of the file.
        path: PathBuf,
        /// The size of the file, in bytes.
        bytes: u64,
        /// The size of the header, in bytes.
        expected: u64,
    },
    /// The file starts without the magic, and it is another kind of file or no valid frame was found in it.
    #[error(
        "{}: not a Chronicle log: expected 43 48 52 4e (\"CHRN\") at offset 0, found {}{}; {}",
        path.display(), hex::encode_spaced(found), ascii_suffix(*found), content_suffix(*content, *searched)
    )]
    NotALog {
        /// The path of the file.
        path: PathBuf,
        /// The first four bytes of the file.
        found: [u8; 4],
        /// How many bytes were searched for a valid frame.
        searched: u64,
        /// What the file is instead; `None` when that is not known.
        content: Option<ForeignFile>,
    },
    /// The header of a log of version 2 is damaged, and no valid frame shows what it was.
    #[error(
        "{}: damaged header: expected the checksum {computed:08x} at offset 60, found {stored:08x}; no valid frame was found",
        path.display()
    )]
    DamagedHeader {
        /// The path of the file.
        path: PathBuf,
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes before it.
        computed: u32,
    },
    /// The file is one segment of a log, which cannot be changed by itself.
    #[error("{}: expected a whole log, found only segment {number}, which starts at offset {base} of its log", path.display())]
    SegmentOfLog {
        /// The path of the file.
        path: PathBuf,
        /// The number of the segment.
        number: u32,
        /// The offset of the segment in the log.
        base: u64,
    },
    /// The magic is right, and the version is not supported.
    #[error("{}: unsupported version at offset 4: expected 1 or 2, found {found}", path.display())]
    UnsupportedVersion {
        /// The path of the file.
        path: PathBuf,
        /// The version number that was found.
        found: u16,
    },
    /// The header has flags that this version does not know and that forbid reading or writing the log.
    #[error("{}: unknown flags at offset 6: expected 0000, found {found:04x}: this version of Chronicle must not {forbids} the log", path.display())]
    UnknownFlags {
        /// The path of the file.
        path: PathBuf,
        /// The flags that were found.
        found: u16,
        /// The operation that they forbid: "read" or "write".
        forbids: &'static str,
    },
    /// A range of the log is damaged.
    #[error("{}: {} at offset {}..{}{}", path.display(), finding.kind.name(), finding.start, finding.end, checksum_suffix(finding))]
    Damaged {
        /// The path of the log.
        path: PathBuf,
        /// The kind, range and evidence of the damage.
        finding: Box<Finding>,
    },
    /// A range that an earlier repair replaced with a gap. It is neither damage nor an event.
    #[error(
        "{}: gap at offset {start}..{end}: an earlier repair replaced this range with a gap{}",
        path.display(), journal_suffix(journal.as_deref())
    )]
    Gap {
        /// The path of the log.
        path: PathBuf,
        /// Offset of the first byte of the gap frame.
        start: u64,
        /// Offset after its last byte.
        end: u64,
        /// The `$gap` object of the gap, as stored.
        content: Option<String>,
        /// The journal with the original bytes, when it exists.
        journal: Option<PathBuf>,
    },
    /// The index lists an event of the aggregate at an offset, and no such event can be read there.
    #[error("{}: expected an event of aggregate {aggregate} at offset {offset}, found {found}", path.display())]
    IndexedEventMissing {
        /// The path of the log.
        path: PathBuf,
        /// The id of the requested aggregate.
        aggregate: u64,
        /// The offset that the index lists.
        offset: u64,
        /// A description of the bytes at that offset.
        found: String,
    },
    /// The requested offset is inside a valid frame.
    #[error("{}: offset {offset} is inside the frame at {start}..{end}", path.display())]
    InsideFrame {
        /// The path of the log.
        path: PathBuf,
        /// The offset that was requested.
        offset: u64,
        /// Offset of the first byte of the frame.
        start: u64,
        /// Offset after its last byte.
        end: u64,
    },
    /// The offset lies before the first one of the log: retention has removed the segment with it.
    #[error("{}: offset {offset} was removed: the log starts at {first}", path.display())]
    Removed {
        /// The path of the log.
        path: PathBuf,
        /// The offset that was requested.
        offset: u64,
        /// The first offset of the log now.
        first: u64,
    },
    /// No segment has the range, and a repair has given it up. It is neither damage nor an event.
    #[error("{}: lost at offset {start}..{end}: no segment has this range, and a repair gave it up", path.display())]
    Lost {
        /// The path of the log.
        path: PathBuf,
        /// Offset of the first byte of the range.
        start: u64,
        /// Offset after its last byte.
        end: u64,
        /// When a repair gave the range up, in milliseconds since the Unix epoch.
        given_up_at_ms: u64,
    },
    /// Events that the index has recorded are missing from the end of the log.
    #[error(
        "{}: truncated: expected at least {log_end_offset} bytes, which its index covers, found {bytes}",
        path.display()
    )]
    Truncated {
        /// The path of the log.
        path: PathBuf,
        /// The size of the log, in bytes.
        bytes: u64,
        /// The end of the log that the index has recorded.
        log_end_offset: u64,
    },
    /// Another process, or another handle of this process, holds the writer's lock.
    #[error("{}: {} holds the writer's lock", path.display(), lock_holder(*pid))]
    Locked {
        /// The path of the log.
        path: PathBuf,
        /// The id of the process that holds it, when the platform reports it.
        pid: Option<u32>,
    },
    /// The log has version 0, which Chronicle never writes to.
    #[error("{}: version 0 logs are read-only", path.display())]
    Version0ReadOnly {
        /// The path of the log.
        path: PathBuf,
    },
    /// The operation writes, and the log was opened read-only.
    #[error("{}: the log was opened read-only", path.display())]
    ReadOnly {
        /// The path of the log.
        path: PathBuf,
    },
    /// [`EventLog::close`](crate::EventLog::close) has closed the log, and a [`SharedWriter`](crate::SharedWriter) of it was used
    /// afterwards. Nothing was written.
    #[error("{}: the log was closed by this program", path.display())]
    Closed {
        /// The path of the log.
        path: PathBuf,
    },
    /// A sync or a rollback failed. The contents of the disk are unknown, so the writer refuses every append until the
    /// log is reopened.
    #[error("{}: {reason} at offset {offset}: appends are refused until the log is reopened", path.display())]
    Poisoned {
        /// The path of the log.
        path: PathBuf,
        /// The end of the part of the log that the failure does not put into question: after a failed sync, the end at the last
        /// successful sync or at opening; otherwise the end of the last append that succeeded.
        offset: u64,
        /// A description of the failure.
        reason: String,
    },
    /// The file changed during an operation that relied on its contents.
    #[error("{}: changed while in use: expected {expected}, found {found}", path.display())]
    Changed {
        /// The path of the file.
        path: PathBuf,
        /// The state on which the operation relied.
        expected: String,
        /// The state that the operation found later.
        found: String,
    },
    /// A repair, an undo or a recovery failed after it had written its journal, and may have changed the log.
    #[error("{}: {failure}", path.display())]
    RepairFailed {
        /// The path of the log.
        path: PathBuf,
        /// The error that stopped it, and what the log and the journal contain after that.
        failure: Box<RepairFailure>,
    },
    /// The operation was refused because of the state of the log, not because a call failed.
    #[error("{}: refused: {reason}", path.display())]
    Refused {
        /// The path of the log.
        path: PathBuf,
        /// Why the operation was refused.
        reason: String,
        /// The action to take instead, as one sentence without a full stop.
        alternative: &'static str,
    },
    /// The event is not valid, or does not fit a frame.
    #[error("invalid event: {0}")]
    InvalidEvent(#[from] PayloadError),
    /// The index file cannot be used.
    #[error("{}: the index is {state}: {reason}", path.display())]
    UnusableIndex {
        /// The path of the index file.
        path: PathBuf,
        /// The name of the index state in `docs/format.md`.
        state: &'static str,
        /// The fault in the file, and its position.
        reason: String,
    },
    /// The file to create already exists.
    #[error("{}: already exists", path.display())]
    AlreadyExists {
        /// The path of the file.
        path: PathBuf,
    },
    /// The creation of a file failed, and an old file that it was to replace did not get its name back.
    #[error("{}: the old file is kept as {}: cannot restore it: {source}; the creation failed: {cause}", path.display(), kept_at.display())]
    NotRestored {
        /// The path that the old file had.
        path: PathBuf,
        /// The path of the old file now.
        kept_at: PathBuf,
        /// Why it did not get its name back.
        source: io::Error,
        /// The message of the error that stopped the creation.
        cause: String,
    },
    /// There is not enough memory for a structure whose size the file determines.
    #[error("{}: not enough memory for {bytes} bytes at offset {offset}", path.display())]
    OutOfMemory {
        /// The path of the file.
        path: PathBuf,
        /// The file offset of the structure.
        offset: u64,
        /// How many bytes were requested.
        bytes: u64,
    },
    /// The caller stopped the operation.
    #[error("cancelled")]
    Cancelled,
}

impl StorageError {
    /// Creates an `Io` error without an offset.
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::with_source(path, action, None, source)
    }

    /// Creates an `Io` error at a file offset.
    pub(crate) fn io_at(path: &Path, action: &'static str, offset: u64, source: io::Error) -> Self {
        Self::with_source(path, action, Some(offset), source)
    }

    fn with_source(path: &Path, action: &'static str, offset: Option<u64>, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(ChangedFile { expected, found }) => {
                Self::Changed { path, expected: expected.clone(), found: found.clone() }
            }
            None => Self::Io { path, action, offset, source },
        }
    }

    /// True when the log is damaged or its index is unusable; false when both may be intact and the operation failed
    /// for another reason, such as a lock.
    pub fn is_corruption(&self) -> bool {
        match self {
            Self::Damaged { finding, .. } => finding.kind.is_damage(),
            Self::IndexedEventMissing { .. } | Self::Truncated { .. } | Self::UnusableIndex { .. } => true,
            _ => false,
        }
    }

    /// The file or folder that the error concerns; `None` for errors that concern neither.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::TooShort { path, .. }
            | Self::NotALog { path, .. }
            | Self::UnsupportedVersion { path, .. }
            | Self::DamagedHeader { path, .. }
            | Self::SegmentOfLog { path, .. }
            | Self::UnknownFlags { path, .. }
            | Self::Damaged { path, .. }
            | Self::Gap { path, .. }
            | Self::IndexedEventMissing { path, .. }
            | Self::InsideFrame { path, .. }
            | Self::Removed { path, .. }
            | Self::Lost { path, .. }
            | Self::Truncated { path, .. }
            | Self::Locked { path, .. }
            | Self::Version0ReadOnly { path }
            | Self::ReadOnly { path }
            | Self::Closed { path }
            | Self::Poisoned { path, .. }
            | Self::Changed { path, .. }
            | Self::Refused { path, .. }
            | Self::RepairFailed { path, .. }
            | Self::UnusableIndex { path, .. }
            | Self::AlreadyExists { path }
            | Self::NotRestored { path, .. }
            | Self::OutOfMemory { path, .. } => Some(path),
            Self::InvalidEvent(_) | Self::Cancelled => None,
        }
    }

    /// The file offset that the error concerns; `None` for errors without an offset.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Io { offset, .. } => *offset,
            Self::RepairFailed { failure, .. } => failure.cause.offset(),
            Self::NotALog { .. } => Some(0),
            Self::UnsupportedVersion { .. } => Some(4),
            Self::DamagedHeader { .. } => Some(60),
            Self::SegmentOfLog { .. } => Some(32),
            Self::UnknownFlags { .. } => Some(6),
            Self::Damaged { finding, .. } => Some(finding.start),
            Self::Gap { start, .. } | Self::Lost { start, .. } => Some(*start),
            Self::Truncated { bytes, .. } | Self::TooShort { bytes, .. } => Some(*bytes),
            Self::IndexedEventMissing { offset, .. }
            | Self::InsideFrame { offset, .. }
            | Self::Removed { offset, .. }
            | Self::Poisoned { offset, .. }
            | Self::OutOfMemory { offset, .. } => Some(*offset),
            _ => None,
        }
    }
}

/// Why a repair, an undo or a recovery failed, and what the log and its journal contain after that.
#[derive(Debug, thiserror::Error)]
#[error("the {action} failed: {cause}; {log_state}; the journal {} {journal_state}", journal.display())]
#[non_exhaustive]
pub struct RepairFailure {
    /// What failed: "repair", "undo" or "recovery".
    pub action: &'static str,
    /// The error that stopped it.
    #[source]
    pub cause: StorageError,
    /// What the log contains, read after the failure.
    pub log_state: LogStateAfterFailure,
    /// The path of the repair's journal.
    pub journal: PathBuf,
    /// What the journal records, read after the failure.
    pub journal_state: JournalStateAfterFailure,
}
