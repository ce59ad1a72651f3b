//! Creates the files that commands write about a log.

use std::path::Path;

use crate::StorageError;
use crate::file::{ExistingFile, NewFile, OsDisk};
use crate::place::Place;

/// Creates a file with the owner, group and mode of `log`, or with those of new files when the log is on a server.
///
/// # Errors
/// `AlreadyExists` when a file has the name and is to be kept; `Io` when no file can be created.
pub(crate) fn create_output_file(
    path: &Path,
    existing: ExistingFile,
    log: &Path,
) -> Result<NewFile<'static>, StorageError> {
    match Place::parse(log.as_os_str()) {
        Ok(Place::Remote(_)) => NewFile::create_log(&OsDisk, path, existing),
        _ => NewFile::create_sidecar(&OsDisk, path, existing, log),
    }
}
