//! Making room for a new log where `--force` allows it; nowhere else is a file taken away.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::failure::CommandFailure;
use crate::StorageError;
use crate::file::{Disk, OsDisk, detect_writer};
use crate::inspect::index_path;

/// Sees to it that no log, and no index of another log beside it, stands at `path`.
///
/// A log that is being written, and what is no regular file, stays in any case.
pub(super) fn remove_existing(path: &Path, force: bool) -> Result<(), CommandFailure> {
    check_replaceable(path, force)?;
    for taken in [path, &index_path(path)] {
        match fs::remove_file(taken) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_failure(taken, "remove", error)),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses where `make_room` would, and takes nothing away: for what replaces a log only when its own is whole.
pub(super) fn check_replaceable(path: &Path, force: bool) -> Result<(), CommandFailure> {
    for taken in [path, &index_path(path)] {
        let found = match fs::symlink_metadata(taken) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(io_failure(taken, "look at", error)),
        };
        if !force {
            return Err(StorageError::AlreadyExists { path: taken.to_owned() }.into());
        }
        if !found.is_file() {
            let error = std::io::Error::new(ErrorKind::InvalidInput, "it is no regular file");
            return Err(io_failure(taken, "replace", error));
        }
        let identity = OsDisk.identity(taken).map_err(|error| io_failure(taken, "look at", error))?;
        if let Some(pid) = detect_writer(identity).pid() {
            return Err(StorageError::Locked { path: taken.to_owned(), pid: Some(pid) }.into());
        }
    }
    Ok(())
}

fn io_failure(path: &Path, action: &'static str, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: path.to_owned(), action, offset: None, source }.into()
}
