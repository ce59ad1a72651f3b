//! The two errors with which a repair stops before it writes.

use std::path::Path;

use crate::StorageError;

/// A repair that is not possible or not allowed: `reason` says why, `alternative` what to do instead.
pub(crate) fn refused_error(path: &Path, reason: String, alternative: &'static str) -> StorageError {
    StorageError::Refused { path: path.to_owned(), reason, alternative }
}

/// A file that is no longer as the plan or the journal describes it.
pub(crate) fn changed_error(path: &Path, expected: &str, found: &str) -> StorageError {
    StorageError::Changed { path: path.to_owned(), expected: expected.into(), found: found.into() }
}
