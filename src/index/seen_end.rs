//! [`SeenEnd`]: the answer to how far a log was seen, which only the index of the log can give.

use std::path::Path;

use super::IndexFault;
use crate::StorageError;
use crate::file::SideFileOrigin;

/// How far a log was seen by the program that saved its index.
///
/// Every operation that classifies or cuts the end of a log uses this answer: bytes before the recorded end were once a complete
/// part of the log, and without an answer an unfinished frame cannot be told from the rest of a log that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeenEnd {
    /// An index has recorded that the log reached at least this offset.
    Offset(u64),
    /// There is no index of this log, so nothing was recorded.
    Nothing,
    /// There can be a record of the end, in an index that cannot be read.
    Unknown {
        /// A description of what was found in place of a readable index.
        reason: String,
        /// The next step for the user, as one sentence without a full stop.
        remedy: &'static str,
    },
}

impl SeenEnd {
    /// The name of the answer in JSON and in the format document.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Offset(_) => "offset",
            Self::Nothing => "nothing",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The recorded end of the log, as a file offset; `None` when nothing was recorded or the record cannot be read.
    pub const fn offset(&self) -> Option<u64> {
        match self {
            Self::Offset(end) => Some(*end),
            Self::Nothing | Self::Unknown { .. } => None,
        }
    }

    /// True when the record cannot be read.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// True when the bytes from offset `start` to the end of the log can be cut off, because no record shows that they,
    /// or bytes after them, were a complete part of the log.
    pub(crate) const fn allows_cut_at(&self, start: u64) -> bool {
        match self {
            Self::Offset(end) => *end <= start,
            Self::Nothing => true,
            Self::Unknown { .. } => false,
        }
    }

    /// Checks that the record can be read, before an operation that depends on it changes the log or replaces the index
    /// at `index_path`.
    ///
    /// # Errors
    /// `Refused`, with the next step, when the answer is unknown.
    pub(crate) fn ensure_known(&self, index_path: &Path) -> Result<(), StorageError> {
        let Self::Unknown { reason, remedy } = self else { return Ok(()) };
        Err(StorageError::Refused {
            path: index_path.to_owned(),
            reason: format!("{reason}; only this file can show whether the log has lost its end"),
            alternative: remedy,
        })
    }

    /// Returns the answer of an index that could not be opened.
    pub(crate) fn from_fault(fault: &IndexFault) -> Self {
        let (reason, remedy) = match fault {
            IndexFault::Missing | IndexFault::NotAnIndex(_) => return Self::Nothing,
            IndexFault::Untrusted(found) => match found.origin {
                // Other users could otherwise prevent every append.
                SideFileOrigin::NoRecord => return Self::Nothing,
                SideFileOrigin::PossibleRecord => (found.reason.clone(), found.remedy),
            },
            IndexFault::Unsupported(_) => (
                fault.to_string(),
                "Use the version of Chronicle that wrote it, or give up its record with `chronicle index rebuild LOG`",
            ),
            IndexFault::Corrupt(_) => (
                fault.to_string(),
                "Compare the end of the log with a backup, then replace the index with `chronicle index rebuild LOG`",
            ),
            IndexFault::Io(error) => (
                format!("the index cannot be read: {}", system_error_text(error)),
                "Correct what prevents reading it, or give up its record with `chronicle index rebuild LOG`",
            ),
        };
        Self::Unknown { reason, remedy }
    }
}

/// Returns the error of the operating system without the path, which the message names already.
pub(super) fn system_error_text(error: &StorageError) -> String {
    match error {
        StorageError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
