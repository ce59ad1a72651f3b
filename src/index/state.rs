//! How an index file relates to its log: one state, tested in the order of FORMAT.md.

use std::sync::Arc;

use super::PersistedIndex;
use crate::StorageError;
use crate::file::{LogFile, Place, place};

/// The state of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexState {
    /// There is no file.
    Missing,
    /// Written by a newer version.
    Unsupported {
        /// Its version.
        version: u16,
    },
    /// Its own checksum or structure fails.
    Corrupt {
        /// How, and where.
        reason: String,
    },
    /// It describes another log, or one that was rewritten.
    Foreign {
        /// What does not match.
        reason: String,
    },
    /// The log is shorter than what the index has seen.
    Ahead {
        /// Bytes that are missing.
        bytes: u64,
    },
    /// The log is as long as when it was last looked at.
    Fresh,
    /// The log has another length.
    Behind {
        /// Bytes not covered.
        bytes: u64,
    },
}

impl IndexState {
    /// The state's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unsupported { .. } => "unsupported",
            Self::Corrupt { .. } => "corrupt",
            Self::Foreign { .. } => "foreign",
            Self::Ahead { .. } => "ahead",
            Self::Fresh => "fresh",
            Self::Behind { .. } => "behind",
        }
    }

    /// True when what the index says of `log_end_offset` may be used as a witness.
    pub const fn is_witness(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Fresh | Self::Behind { .. })
    }
}

/// What stands where the index has a frame.
enum Match {
    /// That frame.
    Same,
    /// A valid frame with another checksum, or one across the place.
    Other(String),
    /// Damage, or the end of the file: no evidence either way.
    Nothing,
}

/// The state of an index that could be opened, for a log of `len` bytes. Reads a few frames.
///
/// # Errors
/// `Io` when the log cannot be read.
pub fn examine(log: &Arc<LogFile>, index: &PersistedIndex, len: u64) -> Result<IndexState, StorageError> {
    let head = index.head();
    if head.log_version != log.version().number() {
        let reason = format!("it describes a log of version {}", head.log_version);
        return Ok(IndexState::Foreign { reason });
    }
    let mut marks = Vec::new();
    if head.frames > 0 {
        marks.extend([(head.first_offset, head.first_checksum), (head.last_offset, head.log_checksum)]);
        match index.outer_anchors(len.min(head.last_offset)) {
            Ok(near) => marks.extend(near.iter().map(|anchor| (anchor.offset, anchor.checksum))),
            Err(super::IndexFault::Io(error)) => return Err(error),
            Err(fault) => {
                let reason = fault.into_error(index.path()).to_string();
                return Ok(IndexState::Corrupt { reason });
            }
        }
    }
    let mut same = 0;
    for (offset, checksum) in marks {
        match compare(log, offset, checksum, len)? {
            Match::Same => same += 1,
            Match::Other(reason) => return Ok(IndexState::Foreign { reason }),
            Match::Nothing => {}
        }
    }
    if same == 0 && header_differs(log, head.log_header)? {
        return Ok(IndexState::Foreign { reason: "it has another header, and none of its frames is there".into() });
    }
    Ok(if len < head.log_end_offset {
        IndexState::Ahead { bytes: head.log_end_offset - len }
    } else if len == head.scanned_to {
        IndexState::Fresh
    } else {
        IndexState::Behind { bytes: len - head.covered_to }
    })
}

fn compare(log: &Arc<LogFile>, offset: u64, checksum: u32, len: u64) -> Result<Match, StorageError> {
    let mut buf = Vec::new();
    if let Some(frame) = log.frame_at(offset, &mut buf)? {
        let found = frame.checksum();
        if found == checksum {
            return Ok(Match::Same);
        }
        let reason =
            format!("the frame at offset {offset} should have the checksum {checksum:08x} and has {found:08x}");
        return Ok(Match::Other(reason));
    }
    Ok(match place(log, offset, len)? {
        Place::Inside(range) => {
            Match::Other(format!("a frame lies at {}..{}, across offset {offset}", range.start, range.end))
        }
        _ => Match::Nothing,
    })
}

fn header_differs(log: &LogFile, expected: [u8; 16]) -> Result<bool, StorageError> {
    if log.version() == crate::format::Version::V0 {
        return Ok(false);
    }
    let mut found = [0; 16];
    Ok(log.read(&mut found, 0)? == found.len() && found != expected)
}
