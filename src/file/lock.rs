//! The writer's lock, and the check that two handles, or a handle and a path, belong to the same file.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::storage::{Disk, FileIdentity, Storage};
use crate::StorageError;

/// Time between two attempts to take a lock that another process holds.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Takes the writer's lock on `storage`, which was opened from `disk` at `path`. Waits up to `timeout` for it.
///
/// # Errors
/// `Locked` when another process still holds the lock, with its process id when the platform reports it; `Changed` when
/// the path now leads to another file; `Io` when a system call fails.
pub(crate) fn lock_for_writing(
    disk: &dyn Disk,
    path: &Path,
    storage: &dyn Storage,
    timeout: Duration,
) -> Result<(), StorageError> {
    let mut waited = Duration::ZERO;
    while !storage.try_lock().map_err(|error| StorageError::io(path, "lock", error))? {
        if waited >= timeout {
            return Err(StorageError::Locked { path: path.to_owned(), pid: storage.detect_writer().pid() });
        }
        storage.wait(LOCK_RETRY_INTERVAL);
        waited += LOCK_RETRY_INTERVAL;
    }
    // Another process may have replaced the file between opening and locking. The lock on the old file protects
    // nothing.
    ensure_same_file(path, storage.identity(), disk.identity(path))
}

/// Checks that the file that was opened is the file that is found now. Files without identities pass: nothing shows
/// that they differ.
///
/// # Errors
/// `Changed` when they differ; `Io` when one of them could not be identified.
pub(crate) fn ensure_same_file(
    path: &Path,
    opened: io::Result<FileIdentity>,
    found: io::Result<FileIdentity>,
) -> Result<(), StorageError> {
    let to_error = |error| StorageError::io(path, "find", error);
    let (opened, found) = (opened.map_err(to_error)?, found.map_err(to_error)?);
    if opened.is_same_file(found).unwrap_or(true) {
        return Ok(());
    }
    Err(StorageError::Changed {
        path: path.to_owned(),
        expected: "the file that was opened".into(),
        found: "another file with its name".into(),
    })
}
