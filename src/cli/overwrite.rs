//! Handles existing files at the path of a new log: refuses them, or removes them if `--force` is given.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::failure::CommandFailure;
use super::options::ExistingFiles;
use crate::StorageError;
use crate::file::{Disk, OsDisk, detect_writer};
use crate::inspect::index_path;

/// Removes the log at `path` and its index, if `existing` allows it, so that a new log can be created there.
///
/// # Errors
/// `AlreadyExists`, `Locked` and `Io` under the conditions of [`check_replaceable`]; `Io` also when a file cannot be
/// removed.
pub(super) fn remove_existing(path: &Path, existing: ExistingFiles) -> Result<(), CommandFailure> {
    check_replaceable(path, existing)?;
    for file in [path, &index_path(path)] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_failure(file, "remove", error)),
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the log at `path` and its index may be replaced, and changes nothing.
///
/// Commands that write the new log to a temporary file and rename it once it is complete use this check alone.
///
/// # Errors
/// `AlreadyExists` when a file exists and `existing` is `Keep`; `Locked` when another process writes to it; `Io` when
/// it is not a regular file or cannot be examined.
pub(super) fn check_replaceable(path: &Path, existing: ExistingFiles) -> Result<(), CommandFailure> {
    for file in [path, &index_path(path)] {
        let metadata = match fs::symlink_metadata(file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(io_failure(file, "examine", error)),
        };
        if existing == ExistingFiles::Keep {
            return Err(StorageError::AlreadyExists { path: file.to_owned() }.into());
        }
        if !metadata.is_file() {
            let error = std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file");
            return Err(io_failure(file, "replace", error));
        }
        let identity = OsDisk.identity(file).map_err(|error| io_failure(file, "examine", error))?;
        if let Some(pid) = detect_writer(identity).pid() {
            return Err(StorageError::Locked { path: file.to_owned(), pid: Some(pid) }.into());
        }
    }
    Ok(())
}

fn io_failure(path: &Path, action: &'static str, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: path.to_owned(), action, offset: None, source }.into()
}
