//! [`Backup`]: the files that a new file replaces, under temporary names. They are restored when the creation fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::new_file::sync_folder_of;
use super::storage::{Disk, OpenMode, Storage, append_all, read_full};
use super::temporary_file::TemporaryFile;
use crate::StorageError;

/// Largest number of bytes that are copied at once.
const CHUNK_LEN: usize = 1 << 20;

/// The backups of the files that a creation replaces.
#[derive(Debug)]
pub(crate) struct Backup<'d> {
    disk: &'d dyn Disk,
    entries: Vec<BackupFile>,
}

#[derive(Debug)]
struct BackupFile {
    /// Path of the file that is backed up.
    original: PathBuf,
    /// Temporary path of the backup.
    backup: PathBuf,
    /// The open backup, whose lock keeps other processes from removing it as an abandoned file.
    _storage: Option<Arc<dyn Storage>>,
}

impl<'d> Backup<'d> {
    /// Creates a value without backups.
    pub(crate) const fn new(disk: &'d dyn Disk) -> Self {
        Self { disk, entries: Vec::new() }
    }

    /// Backs up the file at `path`, if there is one, by copying it. The original stays in place until it is replaced, so
    /// `path` has a file after a kill at any instant.
    ///
    /// # Errors
    /// `Io` when the copy cannot be written.
    pub(crate) fn add_copy(&mut self, path: &Path) -> Result<(), StorageError> {
        let Some(TemporaryFile { path: backup, storage, .. }) = self.create_backup_file(path)? else { return Ok(()) };
        self.entries.push(BackupFile {
            original: path.to_owned(),
            backup: backup.clone(),
            _storage: Some(storage.clone()),
        });
        let original =
            self.disk.open(path, OpenMode::ReadSidecar).map_err(|error| StorageError::io(path, "open", error))?;
        let (mut buf, mut at) = (vec![0; CHUNK_LEN], 0);
        loop {
            let read = read_full(original.as_ref(), &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(path, "read", at, error))?;
            if read == 0 {
                break;
            }
            let bytes = buf.get(..read).unwrap_or_default();
            append_all(storage.as_ref(), bytes).map_err(|error| StorageError::io(&backup, "write", error))?;
            at += read as u64;
        }
        storage.sync().map_err(|error| StorageError::io(&backup, "sync", error))
    }

    /// Backs up the file at `path`, if there is one, by renaming it, and syncs the folder.
    ///
    /// # Errors
    /// `Io` when the file cannot be renamed, or the folder cannot be synced.
    pub(crate) fn move_away(&mut self, path: &Path) -> Result<(), StorageError> {
        let Some(TemporaryFile { path: backup, .. }) = self.create_backup_file(path)? else { return Ok(()) };
        if let Err(error) = self.disk.rename(path, &backup) {
            let _ = self.disk.remove(&backup);
            return Err(StorageError::io(path, "rename", error));
        }
        let storage = self.disk.open(&backup, OpenMode::ReadSidecar).ok();
        // A lock that cannot be taken belongs to a writer of the moved file, and protects the backup as well.
        storage.as_ref().map(|storage| storage.try_lock());
        self.entries.push(BackupFile { original: path.to_owned(), backup, _storage: storage });
        sync_folder_of(self.disk, path)
    }

    /// Creates the empty file of a backup; `None` when there is no file at `path`.
    fn create_backup_file(&self, path: &Path) -> Result<Option<TemporaryFile>, StorageError> {
        if self.disk.identity(path).is_err() {
            return Ok(None);
        }
        TemporaryFile::create(self.disk, path, OpenMode::CreateSidecar { permissions_from: path }).map(Some)
    }

    /// True when the file that was at `path` has a backup.
    pub(crate) fn has_backup(&self, path: &Path) -> bool {
        self.entries.iter().any(|entry| entry.original == path)
    }

    /// Restores every file. A file that cannot be restored keeps its temporary name, which starts with its original name.
    pub(crate) fn restore(&self) {
        for BackupFile { original, backup, .. } in self.entries.iter().rev() {
            if self.disk.rename(backup, original).is_ok() {
                let _ = sync_folder_of(self.disk, original);
            }
        }
    }

    /// Removes the backup of the file at `path`. A backup that cannot be removed stays as a temporary file.
    pub(crate) fn discard(&mut self, path: &Path) {
        self.discard_where(|entry| entry.original == path);
    }

    /// Removes the backups of all files.
    pub(crate) fn discard_all(&mut self) {
        self.discard_where(|_| true);
    }

    fn discard_where(&mut self, is_discarded: impl Fn(&BackupFile) -> bool) {
        for entry in self.entries.extract_if(.., |entry| is_discarded(entry)) {
            let _ = self.disk.remove(&entry.backup);
        }
    }
}
