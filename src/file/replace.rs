//! Replacing a side file at once: whoever reads it sees the old one or the new one, and so does whoever starts after a
//! power cut.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Disk, OpenMode, Storage};
use crate::StorageError;

/// Names that are tried.
const MAX_NAME_ATTEMPTS: u32 = 1000;

/// Writes a new file through `write` under a temporary name, syncs it, and gives it the name `path`; owned and readable
/// as `like` is.
///
/// # Errors
/// `Io` naming the file and the step, and what `write` fails with: then what stood at `path` is untouched.
pub(crate) fn replace_file(
    disk: &dyn Disk,
    path: &Path,
    permissions_from: &Path,
    write: impl FnOnce(&dyn Storage, &Path) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let (temporary, file) = create_temporary_file(disk, path, permissions_from)?;
    let written = write_and_rename(disk, file.as_ref(), &temporary, path, write);
    if written.is_err() {
        // If it cannot be removed it is only litter, with a name that says so.
        let _ = disk.remove(&temporary);
    }
    written
}

/// A new file beside `path`, under a name that no other process uses: one that was killed may have left such a name
/// behind, and this one may bear its number.
///
/// # Errors
/// `Io`; for a link at `path`, too.
pub(crate) fn create_temporary_file(
    disk: &dyn Disk,
    path: &Path,
    permissions_from: &Path,
) -> Result<(PathBuf, Arc<dyn Storage>), StorageError> {
    // Replacing a link would leave its target alone, but the link is somebody's wish: it is refused, as when reading.
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
