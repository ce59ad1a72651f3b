//! Opens a log for changes in place, under the writer's lock.

use std::sync::Arc;
use std::time::Duration;

use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode, WriterPresence, ensure_same_file, lock_for_writing};
use crate::format::Version;
use crate::repair::types::{LogPaths, refused_error};

/// Opens the log for repair and takes the writer's lock, waiting up to `timeout` for it.
pub(super) fn open_and_lock(paths: &LogPaths, timeout: Duration) -> Result<Arc<LogFile>, StorageError> {
    let path = &paths.path;
    let storage =
        paths.disk.open(path, OpenMode::Repair).map_err(|error| StorageError::io(path, "open for repair", error))?;
    if let WriterPresence::HasFileOpen(pid) = storage.detect_writer() {
        let reason = format!("process {pid} has the log open for writing, without the writer's lock");
        return Err(refused_error(path, reason, "Stop that process first"));
    }
    lock_for_writing(paths.disk.as_ref(), path, storage.as_ref(), timeout)?;
    Ok(Arc::new(LogFile::with_header(storage, path, Version::V1, HeaderState::Absent)))
}

/// Opens a second handle on a log that is already locked, for changes in place.
///
/// The handle that holds the lock is open for append. A roll-back through it would append the old bytes instead of
/// writing them at their offsets.
pub(super) fn reopen_for_repair(paths: &LogPaths, locked: &LogFile) -> Result<Arc<LogFile>, StorageError> {
    let path = locked.path();
    let storage =
        paths.disk.open(path, OpenMode::Repair).map_err(|error| StorageError::io(path, "open for repair", error))?;
    ensure_same_file(path, locked.storage().identity(), storage.identity())?;
    Ok(Arc::new(LogFile::with_header(storage, path, locked.version(), locked.header())))
}
