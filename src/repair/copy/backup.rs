//! Backups of the files that a copy replaces, under temporary names. They are restored when the copy fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, OpenMode, create_temporary_file};

/// Largest number of bytes that are copied at once.
const CHUNK_LEN: usize = 1 << 20;

/// The backups of the files that a copy replaces.
pub(super) struct Backup {
    disk: Arc<dyn Disk>,
    entries: Vec<BackupFile>,
}

struct BackupFile {
    /// Path of the file that is backed up.
    original: PathBuf,
    /// Temporary path of the backup.
    backup: PathBuf,
}

impl Backup {
    pub(super) const fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, entries: Vec::new() }
    }

    /// Backs up the file at `path`, if there is one, by copying it. The original stays in place until it is replaced, so
    /// `path` has a file after a kill at any instant.
    pub(super) fn add_copy(&mut self, path: &Path) -> Result<(), StorageError> {
        if self.disk.identity(path).is_err() {
            return Ok(());
        }
        let (backup, file) = create_temporary_file(self.disk.as_ref(), path, path)?;
        self.entries.push(BackupFile { original: path.to_owned(), backup: backup.clone() });
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
            append_all(file.as_ref(), bytes).map_err(|error| StorageError::io(&backup, "write", error))?;
            at += read as u64;
        }
        file.sync().map_err(|error| StorageError::io(&backup, "sync", error))
    }

    /// Backs up the file at `path`, if there is one, by renaming it, and syncs the folder.
    pub(super) fn move_away(&mut self, path: &Path) -> Result<(), StorageError> {
        if self.disk.identity(path).is_err() {
            return Ok(());
        }
        let (backup, _) = create_temporary_file(self.disk.as_ref(), path, path)?;
        if let Err(error) = self.disk.rename(path, &backup) {
            let _ = self.disk.remove(&backup);
            return Err(StorageError::io(path, "rename", error));
        }
        self.entries.push(BackupFile { original: path.to_owned(), backup });
        self.sync_folder(path)
    }

    /// True when the file that was at `path` has a backup.
    pub(super) fn has_backup(&self, path: &Path) -> bool {
        self.entries.iter().any(|entry| entry.original == path)
    }

    /// Restores every file. A file that cannot be restored keeps its temporary name, which starts with its original name.
    pub(super) fn restore(&self) {
        for BackupFile { original, backup } in self.entries.iter().rev() {
            if self.disk.rename(backup, original).is_ok() {
                let _ = self.sync_folder(original);
            }
        }
    }

    /// Removes the backup of the file at `path`. A backup that cannot be removed stays as a temporary file.
    pub(super) fn discard(&mut self, path: &Path) {
        self.discard_where(|entry| entry.original == path);
    }

    /// Removes the backups of all files.
    pub(super) fn discard_all(&mut self) {
        self.discard_where(|_| true);
    }

    fn discard_where(&mut self, is_discarded: impl Fn(&BackupFile) -> bool) {
        for entry in self.entries.extract_if(.., |entry| is_discarded(entry)) {
            let _ = self.disk.remove(&entry.backup);
        }
    }

    fn sync_folder(&self, path: &Path) -> Result<(), StorageError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        self.disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
    }
}
