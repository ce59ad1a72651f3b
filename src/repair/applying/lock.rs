//! Opens a log for changes in place, under the writer's lock.

use std::sync::Arc;
use std::time::Duration;

use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode, WriterLock, ensure_same_file, open_log};
use crate::format::FrameFormat;
use crate::repair::types::LogPaths;

/// A log that is open for changes in place, with the writer's lock.
#[derive(Debug)]
pub(super) struct LockedLog {
    /// The open log. The fields are dropped in this order: the log must not be open for writing once the lock is released.
    pub(super) log: Arc<LogFile>,
    _lock: WriterLock,
}

/// Opens the log for repair and takes the writer's lock, waiting up to `timeout` for it.
///
/// # Errors
/// `Locked` when another process still holds the lock; `Refused` when another process has the log open for writing
/// without the lock; `Changed` when the path leads to another file now; `Io` when a system call fails.
pub(super) fn open_and_lock(paths: &LogPaths, timeout: Duration) -> Result<LockedLog, StorageError> {
    let lock = WriterLock::take(&paths.disk, &paths.path, timeout)?;
    Ok(LockedLog { log: open_locked(paths, &lock)?, _lock: lock })
}

/// Waits up to `timeout` until no process holds the writer's lock of the log, so that a plan that is made now describes
/// the log as that process has left it.
///
/// # Errors
/// `Locked` when a process still holds the lock; `Changed` when the path leads to another file now; `Io` when a system
/// call fails.
#[cfg(feature = "app")]
pub(crate) fn wait_for_writer(paths: &LogPaths, timeout: Duration) -> Result<(), StorageError> {
    WriterLock::take(&paths.disk, &paths.path, timeout).map(drop)
}

/// Opens a log for repair whose lock is held already.
///
/// # Errors
/// Those of [`open_and_lock`], except `Locked`.
pub(super) fn open_locked(paths: &LogPaths, lock: &WriterLock) -> Result<Arc<LogFile>, StorageError> {
    let path = &paths.path;
    lock.ensure_only_writer(path)?;
    let storage = lock.open_for_writing(&paths.disk, path, OpenMode::Repair)?;
    Ok(Arc::new(LogFile::with_header(storage, path, FrameFormat::V1, HeaderState::Absent)))
}

/// Opens a log for changes in place that this process has locked and opened for reading as `locked`.
///
/// # Errors
/// `Changed` when the path leads to another file now; `Io` when a system call fails.
pub(super) fn reopen_for_repair(paths: &LogPaths, locked: &LogFile) -> Result<Arc<LogFile>, StorageError> {
    let path = locked.path();
    let storage = open_log(&paths.disk, path, OpenMode::Repair)
        .map_err(|error| StorageError::io(path, "open for repair", error))?;
    ensure_same_file(path, locked.storage().identity(), storage.identity())?;
    Ok(Arc::new(LogFile::with_header(storage, path, locked.format(), locked.header())))
}
