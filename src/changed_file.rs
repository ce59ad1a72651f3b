//! [`ChangedFile`]: the error of reading a file that is no longer the one that was opened.

/// The error of reading a file whose content another process has replaced since it was opened. It becomes
/// [`StorageError::Changed`](crate::StorageError::Changed).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("changed: expected {expected}, found {found}")]
pub(crate) struct ChangedFile {
    /// What was opened.
    pub(crate) expected: String,
    /// What is there now.
    pub(crate) found: String,
}
