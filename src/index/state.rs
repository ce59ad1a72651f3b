//! How an index file relates to its log: one state, tested in the order of docs/format.md.

use std::sync::Arc;

use super::PersistedIndex;
use crate::StorageError;
use crate::file::{LogFile, OffsetLocation, locate_offset};

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
    pub const fn name(&self) -> &'static str {
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
    pub const fn is_trusted(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Fresh | Self::Behind { .. })
    }
}

/// The state of an index, and whether the log is known by its frames to be the one it describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexExamination {
    /// The state.
    pub state: IndexState,
    /// A frame that the index knows stands in its place.
    pub has_matching_frame: bool,
}

/// What stands where the index has a frame.
enum FrameMatch {
    /// That frame.
    Matching,
    /// A valid frame with another checksum, or one across the place.
    Different(String),
    /// Damage, or the end of the file: no evidence either way.
    NoEvidence,
}

/// The state of an index that could be opened, for a log of `len` bytes. Reads a few frames.
///
/// # Errors
/// `Io` when the log cannot be read.
pub fn examine_index(log: &Arc<LogFile>, index: &PersistedIndex, len: u64) -> Result<IndexExamination, StorageError> {
    let head = index.head();
    let without_match = |state| Ok(IndexExamination { state, has_matching_frame: false });
    if head.log_version != log.version().number() {
        let reason = format!("it describes a log of version {}", head.log_version);
        return without_match(IndexState::Foreign { reason });
    }
    let mut marks = Vec::from_iter(index.known_frame());
    if head.frames > 0 {
        marks.extend([(head.first_offset, head.first_checksum), (head.last_offset, head.log_checksum)]);
        match index.first_and_last_anchors(len.min(head.last_offset)) {
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
        match match_frame(log, offset, checksum, len)? {
            FrameMatch::Matching => frames_match = true,
            FrameMatch::Different(reason) => return without_match(IndexState::Foreign { reason }),
            FrameMatch::NoEvidence => {}
        }
    }
    // Where no frame is known there is nothing but the header to know the log by; unless the index was cut back by a
    // repair that left no frame alone.
    let cut_back = index.known_frame().is_none() && head.log_end_offset > log.first_frame_offset();
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
    Ok(IndexExamination { state, has_matching_frame: frames_match })
}

fn match_frame(log: &Arc<LogFile>, offset: u64, checksum: u32, len: u64) -> Result<FrameMatch, StorageError> {
    let mut buf = Vec::new();
    if let Some(frame) = log.read_frame_at(offset, &mut buf)? {
        let found = frame.checksum();
        if found == checksum {
            return Ok(FrameMatch::Matching);
        }
        let reason =
            format!("the frame at offset {offset} should have the checksum {checksum:08x} and has {found:08x}");
        return Ok(FrameMatch::Different(reason));
    }
    Ok(match locate_offset(log, offset, len)? {
        OffsetLocation::InsideFrame(range) => {
            FrameMatch::Different(format!("a frame lies at {}..{}, across offset {offset}", range.start, range.end))
        }
        _ => FrameMatch::NoEvidence,
    })
}

fn header_differs(log: &LogFile, expected: [u8; 16]) -> Result<bool, StorageError> {
    if log.version() == crate::format::Version::V0 {
        return Ok(false);
    }
    let mut found = [0; 16];
    Ok(log.read_at(&mut found, 0)? == found.len() && found != expected)
}
