//! Atomic replacement of a sidecar file, such as the index: a reader, or a program that starts after a power cut, finds
//! either the old file or the new one.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Disk, OpenMode, Storage};
use crate::StorageError;

/// The largest number of names that are tried for a temporary file.
const MAX_NAME_ATTEMPTS: u32 = 1000;

/// Creates a temporary file, lets `write` fill it, syncs it, and renames it to `path`. The file gets the owner, group
/// and mode of `permissions_from`.
///
/// # Errors
/// `Io` with the file and the failed step; every error of `write`. After an error the old file at `path` is unchanged,
/// unless the step that failed was the sync of the folder.
pub(crate) fn replace_file(
    disk: &dyn Disk,
    path: &Path,
    permissions_from: &Path,
    write: impl FnOnce(&dyn Storage, &Path) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let (temporary, file) = create_temporary_file(disk, path, permissions_from)?;
    let result = write_and_rename(disk, file.as_ref(), &temporary, path, write);
    if result.is_err() {
        // A temporary file that cannot be removed is harmless, and its name shows what it is.
        let _ = disk.remove(&temporary);
    }
    result
}

/// Creates a file in the folder of `path`, under a temporary name that is not in use.
///
/// Several names are tried, because a killed process with the same process id may have left a file with the first name.
///
/// # Errors
/// `Io` when no file can be created, and when `path` is a link.
pub(crate) fn create_temporary_file(
    disk: &dyn Disk,
    path: &Path,
    permissions_from: &Path,
) -> Result<(PathBuf, Arc<dyn Storage>), StorageError> {
    // Links are refused here, as they are for reading, because replacing a link would silently disconnect its target.
    match disk.open(path, OpenMode::ReadSidecar) {
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            return Err(StorageError::io(path, "replace", error));
        }
        _ => {}
    }
    let mut attempt = 0;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        match disk.open(&temporary, OpenMode::CreateSidecar { permissions_from }) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < MAX_NAME_ATTEMPTS => attempt += 1,
            Err(error) => return Err(StorageError::io(&temporary, "create", error)),
        }
    }
}

/// Fills the temporary file, syncs it, renames it to `path` and syncs the folder.
fn write_and_rename(
    disk: &dyn Disk,
    file: &dyn Storage,
    temporary: &Path,
    path: &Path,
    write: impl FnOnce(&dyn Storage, &Path) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    write(file, temporary)?;
    file.sync().map_err(|error| StorageError::io(temporary, "sync", error))?;
    disk.rename(temporary, path).map_err(|error| StorageError::io(path, "replace", error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
}
