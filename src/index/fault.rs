//! The errors of indexes: [`IndexFault`] for an unusable index file, and [`MergeError`] for a failed merge.

use std::io::ErrorKind;
use std::path::Path;

use crate::StorageError;
use crate::file::UntrustedFile;

/// The reason why an index file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexFault {
    /// The file does not exist.
    #[error("there is no index file")]
    Missing,
    /// A newer version of Chronicle wrote the file. The number is the file's version.
    #[error("the index has version {0}, and this program reads version 1")]
    Unsupported(u16),
    /// A checksum or the structure of the file is wrong. The text names the fault and its position.
    #[error("the index is corrupt: {0}")]
    Corrupt(String),
    /// The file is empty, or no part of it was written by Chronicle as an index. The text names what was found.
    #[error("the file is not an index: {0}")]
    NotAnIndex(String),
    /// Users who cannot write the log can have written the file, or it is not a regular file.
    #[error("the index is not trusted: {}", .0.reason)]
    Untrusted(UntrustedFile),
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] StorageError),
}

impl IndexFault {
    /// True when another file has replaced the index since it was opened, or it was removed. Opening it again helps.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self, Self::Io(StorageError::Io { source, .. }) if source.kind() == ErrorKind::StaleNetworkFileHandle)
    }

    /// Converts the fault to an error about the index file at `path`.
    pub(crate) fn into_error(self, path: &Path) -> StorageError {
        let unusable = |state, reason| StorageError::UnusableIndex { path: path.to_owned(), state, reason };
        match self {
            Self::Missing => unusable("missing", "there is no file".into()),
            Self::Unsupported(found) => unusable("unsupported", format!("expected version 1, found {found}")),
            Self::Corrupt(reason) | Self::NotAnIndex(reason) => unusable("corrupt", reason),
            Self::Untrusted(found) => unusable("untrusted", found.reason),
            Self::Io(error) => error,
        }
    }
}

/// The reason why two indexes cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Neither index covers the bytes between the end of the first and the start of the second.
    #[error(
        "neither index covers the bytes {covered_to}..{start}: build the second from offset {covered_to} or earlier"
    )]
    NotContiguous {
        /// The end of the part that the first index covers.
        covered_to: u64,
        /// The offset at which the second index starts.
        start: u64,
    },
    /// The indexes describe logs with different headers.
    #[error("the indexes describe logs with different headers")]
    DifferentLog,
    /// The log or an index file could not be read, or aggregates that exceed the memory limit could not be written to a
    /// file.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
