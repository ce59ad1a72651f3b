//! [`NewFile`]: the creation of a file, which is there completely or not at all.
//!
//! Every file that the program creates under a name goes through this type: it is written under a temporary name,
//! synced, and then renamed. A reader, or a program that starts after a power cut, finds the old file, the new file, or
//! none.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_place::folder_of;
use super::log_folder::permissions_source;
#[cfg(feature = "app")]
use super::storage::append_all;
use super::storage::{Disk, OpenMode, Storage};
use super::temporary_file::TemporaryFile;
use crate::StorageError;

/// The treatment of a file that already has the final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExistingFile {
    /// The new file replaces it.
    Replace,
    /// It stays, and the creation fails.
    Keep,
}

/// A file that is being written under a temporary name. Dropping it before [`NewFile::commit`] removes it.
#[derive(Debug)]
pub(crate) struct NewFile<'d> {
    disk: &'d dyn Disk,
    file: TemporaryFile,
    /// The final path.
    path: PathBuf,
    existing: ExistingFile,
    name: FileName,
}

/// The name that a new file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileName {
    Temporary,
    Final,
    Removed,
}

impl<'d> NewFile<'d> {
    /// Creates a log that is opened for append, with the permissions that the system gives to new files.
    ///
    /// # Errors
    /// `AlreadyExists` when a file has the final name and is to be kept; `Io` when no file can be created.
    pub(crate) fn create_log(disk: &'d dyn Disk, path: &Path, existing: ExistingFile) -> Result<Self, StorageError> {
        Self::create(disk, path, existing, OpenMode::Create)
    }

    /// Creates a file that belongs to the log `permissions_from`, and gets its owner, group and mode.
    ///
    /// # Errors
    /// Those of [`NewFile::create_log`].
    pub(crate) fn create_sidecar(
        disk: &'d dyn Disk,
        path: &Path,
        existing: ExistingFile,
        permissions_from: &Path,
    ) -> Result<Self, StorageError> {
        let permissions_from = &permissions_source(disk, permissions_from);
        Self::create(disk, path, existing, OpenMode::CreateSidecar { permissions_from })
    }

    /// Creates a file that only its owner can read and write, and that belongs to no log.
    ///
    /// # Errors
    /// Those of [`NewFile::create_log`].
    #[cfg(feature = "app")]
    pub(crate) fn create_private(
        disk: &'d dyn Disk,
        path: &Path,
        existing: ExistingFile,
    ) -> Result<Self, StorageError> {
        Self::create(disk, path, existing, OpenMode::CreatePrivate)
    }

    fn create(disk: &'d dyn Disk, path: &Path, existing: ExistingFile, mode: OpenMode) -> Result<Self, StorageError> {
        match existing {
            ExistingFile::Keep => ensure_absent(disk, path)?,
            // Links are refused, as they are for reading, because replacing a link would silently disconnect its target.
            ExistingFile::Replace => match disk.open(path, OpenMode::ReadSidecar) {
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    return Err(StorageError::io(path, "replace", error));
                }
                _ => {}
            },
        }
        let file = TemporaryFile::create(disk, path, mode)?;
        Ok(Self { disk, file, path: path.to_owned(), existing, name: FileName::Temporary })
    }

    /// The open file, which stays open under its final name.
    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        &self.file.storage
    }

    /// Appends all of `bytes` to the file.
    ///
    /// # Errors
    /// `Io` when they cannot be written.
    #[cfg(feature = "app")]
    pub(crate) fn append(&self, bytes: &[u8]) -> Result<(), StorageError> {
        append_all(self.file.storage.as_ref(), bytes).map_err(|error| StorageError::io(&self.path, "write", error))
    }

    /// The path of the file: the temporary one before [`NewFile::commit`] succeeds.
    pub(crate) fn temporary_path(&self) -> &Path {
        &self.file.path
    }

    /// The final path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the final path by another name of the same place, such as one without links.
    pub(crate) fn set_path(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// Checks that this process holds the writer's lock of the file, which it keeps under the final name.
    ///
    /// # Errors
    /// `Io` when the file system has no locks.
    pub(crate) fn ensure_locked(&mut self) -> Result<(), StorageError> {
        self.file.lock_error.take().map_or(Ok(()), |error| Err(StorageError::io(&self.path, "lock", error)))
    }

    /// Syncs the file, gives it its final name, and syncs the folder.
    ///
    /// # Errors
    /// `AlreadyExists` when a file has the final name and is to be kept; `Io` when a step fails. The final name then
    /// leads to the file that it led to before. Only when the last step fails after a file was replaced, the new file
    /// stays.
    pub(crate) fn commit(&mut self) -> Result<(), StorageError> {
        self.file.storage.sync().map_err(|error| StorageError::io(&self.path, "sync", error))?;
        let (temporary, path) = (&self.file.path, &self.path);
        let (action, renamed) = match self.existing {
            ExistingFile::Replace => ("replace", self.disk.rename(temporary, path)),
            ExistingFile::Keep => ("create", self.disk.rename_no_replace(temporary, path)),
        };
        renamed.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: path.clone() },
            _ => StorageError::io(path, action, error),
        })?;
        self.name = FileName::Final;
        let synced = sync_folder_of(self.disk, path);
        if synced.is_err() && self.existing == ExistingFile::Keep && self.disk.remove(path).is_ok() {
            self.name = FileName::Removed;
        }
        synced
    }

    /// True once the file has its final name.
    pub(crate) fn is_committed(&self) -> bool {
        self.name == FileName::Final
    }

    /// Removes the file, under its temporary or its final name. When that fails, the file stays.
    pub(crate) fn discard(mut self) {
        if self.name == FileName::Final {
            let _ = self.disk.remove(&self.path);
            self.name = FileName::Removed;
        }
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if self.name == FileName::Temporary {
            // A temporary file that cannot be removed is harmless. The next creation at this place removes it, or the next writer
            // of a log in segments.
            let _ = self.disk.remove(&self.file.path);
        }
    }
}

/// Replaces the file at `path`, which need not exist, by one that `write` fills, and returns the new file. It gets the
/// owner, group and mode of the log `permissions_from`.
///
/// # Errors
/// The errors of [`NewFile::create_sidecar`] and [`NewFile::commit`]; every error of `write`.
pub(crate) fn replace_file(
    disk: &dyn Disk,
    path: &Path,
    permissions_from: &Path,
    write: impl FnOnce(&dyn Storage) -> Result<(), StorageError>,
) -> Result<Arc<dyn Storage>, StorageError> {
    let mut file = NewFile::create_sidecar(disk, path, ExistingFile::Replace, permissions_from)?;
    write(file.storage().as_ref())?;
    file.commit()?;
    Ok(file.storage().clone())
}

/// Checks that no file has the path.
///
/// # Errors
/// `AlreadyExists` when one has.
fn ensure_absent(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    if disk.identity(path).is_ok() {
        return Err(StorageError::AlreadyExists { path: path.to_owned() });
    }
    Ok(())
}

/// Blocks until the name of the file at `path` is on stable storage.
///
/// # Errors
/// `Io` when the folder cannot be synced.
pub(super) fn sync_folder_of(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    let folder = folder_of(path);
    disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
}
