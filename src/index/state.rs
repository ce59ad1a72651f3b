//! The state of an index file: how it relates to its log. The states are tested in the order of `docs/format.md`.

use std::sync::Arc;

use super::seen_end::system_error_text;
use super::{IndexFault, PersistedIndex, SeenEnd};
use crate::StorageError;
use crate::file::{LogFile, OffsetLocation, UntrustedFile, locate_offset};
use crate::format::{FrameIdentity, LogHeader};

/// How an index file relates to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexState {
    /// The index file does not exist.
    Missing,
    /// Users who cannot write the log can have written the index file, or it is not a regular file.
    Untrusted {
        /// What was found, and the next step.
        found: UntrustedFile,
    },
    /// The index file exists, and the system refuses to read it.
    Unreadable {
        /// The error of the system.
        reason: String,
    },
    /// A newer version of Chronicle wrote the index file.
    Unsupported {
        /// The version in the file.
        version: u16,
    },
    /// A checksum or the structure of the index file is wrong.
    Corrupt {
        /// The fault in the file, and its position.
        reason: String,
    },
    /// The index describes another log, or this log before it was rewritten.
    Foreign {
        /// A description of the mismatch.
        reason: String,
    },
    /// The log is shorter than the index recorded: events are missing at its end.
    Ahead {
        /// The number of missing bytes.
        bytes: u64,
    },
    /// The log has the size that the index recorded.
    Fresh,
    /// The log has another size, and the index covers only a part of it.
    Behind {
        /// The number of bytes that are not covered.
        bytes: u64,
    },
}

impl IndexState {
    /// The name of the state in JSON and in the format document.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Untrusted { .. } => "untrusted",
            Self::Unreadable { .. } => "unreadable",
            Self::Unsupported { .. } => "unsupported",
            Self::Corrupt { .. } => "corrupt",
            Self::Foreign { .. } => "foreign",
            Self::Ahead { .. } => "ahead",
            Self::Fresh => "fresh",
            Self::Behind { .. } => "behind",
        }
    }

    /// Returns the state of an index file that cannot be used because of `fault`.
    pub(crate) fn from_fault(fault: IndexFault) -> Self {
        match fault {
            IndexFault::Missing => Self::Missing,
            IndexFault::Untrusted(found) => Self::Untrusted { found },
            IndexFault::Unsupported(version) => Self::Unsupported { version },
            IndexFault::Corrupt(reason) | IndexFault::NotAnIndex(reason) => Self::Corrupt { reason },
            IndexFault::Io(error) => Self::Unreadable { reason: system_error_text(&error) },
        }
    }

    /// True when the index describes this log, so that its records can be used.
    pub const fn is_trusted(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Fresh | Self::Behind { .. })
    }
}

/// The result of comparing an index file with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexExamination {
    /// The state of the index.
    pub(crate) state: IndexState,
    /// The end of the log that the header of the index has recorded, even where later pages of the index are corrupt.
    pub(crate) seen_end: SeenEnd,
    /// True when the log contains at least one frame that the index has recorded, which proves that the index belongs
    /// to the log.
    pub(crate) has_matching_frame: bool,
}

/// The result of comparing a frame recorded in the index with the log.
enum FrameMatch {
    /// The log has the recorded frame at the recorded offset.
    Matching,
    /// The log has a valid frame with another checksum, or a valid frame that extends across the offset. The text names
    /// it.
    Different(String),
    /// The log has damage there, or ends before. This is no evidence for or against the index.
    NoEvidence,
}

/// Compares an index file whose header is intact with a log of `len` bytes. Reads a few frames.
///
/// # Errors
/// `Io` when the log cannot be read.
pub(crate) fn examine_index(
    log: &Arc<LogFile>,
    index: &PersistedIndex,
    len: u64,
) -> Result<IndexExamination, StorageError> {
    let header = index.header();
    let foreign = |reason| IndexExamination {
        state: IndexState::Foreign { reason },
        seen_end: SeenEnd::Nothing,
        has_matching_frame: false,
    };
    if header.log_version != log.version().number() {
        return Ok(foreign(format!("it describes a log of version {}", header.log_version)));
    }
    let mut recorded_frames = Vec::from_iter(index.known_frame());
    let mut fault_state = None;
    if header.frames > 0 {
        recorded_frames.extend([header.first_frame(), header.last_frame()]);
        match index.first_and_last_anchors(len.min(header.last_offset)) {
            Ok(anchors) => recorded_frames.extend(
                anchors.iter().map(|anchor| FrameIdentity { offset: anchor.offset, checksum: anchor.checksum }),
            ),
            // The header stays a record of the log: only the anchors are missing from the comparison.
            Err(fault) => fault_state = Some(IndexState::from_fault(fault)),
        }
    }
    let mut has_matching_frame = false;
    for recorded in recorded_frames {
        match match_frame(log, recorded, len)? {
            FrameMatch::Matching => has_matching_frame = true,
            FrameMatch::Different(reason) => return Ok(foreign(reason)),
            FrameMatch::NoEvidence => {}
        }
    }
    // An index without frames can be matched only by its copy of the log's header. The exception is an index that a
    // repair cut back until no frame was left: its copy is not compared, because the repair may have changed the log's
    // header.
    let is_cut_back = index.known_frame().is_none() && header.log_end_offset > log.first_frame_offset();
    if header.frames == 0 && !has_matching_frame && !is_cut_back && header_differs(log, &header.log_header)? {
        return Ok(foreign("it has another header, and knows no frame".into()));
    }
    let state = if let Some(state) = fault_state {
        state
    } else if len < header.log_end_offset {
        IndexState::Ahead { bytes: header.log_end_offset - len }
    } else if len == header.scanned_to {
        IndexState::Fresh
    } else {
        IndexState::Behind { bytes: len - header.covered_to }
    };
    Ok(IndexExamination { state, seen_end: SeenEnd::Offset(header.log_end_offset), has_matching_frame })
}

fn match_frame(log: &Arc<LogFile>, recorded: FrameIdentity, len: u64) -> Result<FrameMatch, StorageError> {
    let FrameIdentity { offset, checksum } = recorded;
    let mut buf = Vec::new();
    if let Some(frame) = log.read_frame_at(offset, &mut buf)? {
        let found = frame.checksum();
        if found == checksum {
            return Ok(FrameMatch::Matching);
        }
        let reason = format!("the frame at offset {offset} has the checksum {found:08x}; the index has {checksum:08x}");
        return Ok(FrameMatch::Different(reason));
    }
    Ok(match locate_offset(log, offset, len)? {
        OffsetLocation::InsideFrame(range) => {
            FrameMatch::Different(format!("a frame lies at {}..{}, across offset {offset}", range.start, range.end))
        }
        _ => FrameMatch::NoEvidence,
    })
}

/// True when the log has another header than the copy in an index. In a log in segments, that is the header of the segment that
/// the index belongs to.
fn header_differs(log: &LogFile, expected: &[u8]) -> Result<bool, StorageError> {
    let segment = LogHeader::decode(expected).ok().and_then(|header| header.segment);
    let is_folder = log.storage().segments().is_some_and(|segments| !segments.is_single_segment());
    if let Some(segment) = segment.filter(|_| is_folder) {
        let mut found = vec![0; expected.len()];
        let read = log.read_at(&mut found, segment.base)?;
        return Ok(read < found.len() || found != expected);
    }
    let (found, range) = (log.read_header()?, log.header_range());
    Ok(!range.is_empty() && found.len() as u64 == range.end - range.start && found != expected)
}
