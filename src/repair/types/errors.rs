//! Constructors of the two errors with which a repair stops before it writes.

use std::path::Path;

use crate::StorageError;

/// The next step after an error about a repair that does not exist or cannot be used.
pub(crate) const LIST_REPAIRS: &str = "List the repairs with `chronicle undo LOG --list`";

/// The error of a repair that is impossible or not allowed: the `reason`, and the `alternative` that the user has.
pub(crate) fn refused_error(path: &Path, reason: String, alternative: &'static str) -> StorageError {
    StorageError::Refused { path: path.to_owned(), reason, alternative }
}

/// The error of a file that differs from what the plan or the journal expects.
pub(crate) fn changed_error(path: &Path, expected: &str, found: &str) -> StorageError {
    StorageError::Changed { path: path.to_owned(), expected: expected.into(), found: found.into() }
}
