//! Existing files at the path of a new log: refused, or removed if `--force` allows it. No other code removes a file.

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
/// As [`check_replaceable`]; `Io` when a file cannot be removed.
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

/// Checks that the log at `path` and its index may be replaced, and changes nothing: for commands that write the new
/// log elsewhere and rename it once it is complete.
///
/// # Errors
/// `AlreadyExists` when a file exists and `existing` is `Keep`; `Locked` when another process writes to it; `Io` when it
/// is not a regular file or cannot be examined.
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
