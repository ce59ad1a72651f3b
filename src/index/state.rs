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

/// The state of an index, and whether the log is known by its frames to be the one it describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The state.
    pub state: IndexState,
    /// A frame that the index knows stands in its place.
    pub frames_match: bool,
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
pub fn examine(log: &Arc<LogFile>, index: &PersistedIndex, len: u64) -> Result<Examined, StorageError> {
    let head = index.head();
    let without_match = |state| Ok(Examined { state, frames_match: false });
    if head.log_version != log.version().number() {
        let reason = format!("it describes a log of version {}", head.log_version);
        return without_match(IndexState::Foreign { reason });
    }
    let mut marks = Vec::from_iter(index.known());
    if head.frames > 0 {
        marks.extend([(head.first_offset, head.first_checksum), (head.last_offset, head.log_checksum)]);
        match index.outer_anchors(len.min(head.last_offset)) {
            Ok(near) => marks.extend(near.iter().map(|anchor| (anchor.offset, anchor.checksum))),
            Err(super::IndexFault::Io(error)) => return Err(error),
            Err(fault) => {
                let reason = fault.into_error(index.path()).to_string();
                return without_match(IndexState::Corrupt { reason });
            }
        }
    }
    let mut frames_match = false;
    for (offset, checksum) in marks {
        match compare(log, offset, checksum, len)? {
            Match::Same => frames_match = true,
            Match::Other(reason) => return without_match(IndexState::Foreign { reason }),
            Match::Nothing => {}
        }
    }
    // Where no frame is known there is nothing but the header to know the log by; unless the index was cut back by a
    // repair that left no frame alone.
    let cut_back = index.known().is_none() && head.log_end_offset > log.first_frame();
    if head.frames == 0 && !frames_match && !cut_back && header_differs(log, head.log_header)? {
        return without_match(IndexState::Foreign { reason: "it has another header, and knows no frame".into() });
    }
    let state = if len < head.log_end_offset {
        IndexState::Ahead { bytes: head.log_end_offset - len }
    } else if len == head.scanned_to {
        IndexState::Fresh
    } else {
        IndexState::Behind { bytes: len - head.covered_to }
    };
    Ok(Examined { state, frames_match })
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
