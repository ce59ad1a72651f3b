//! What stands where a copy goes: kept until the new log has its name, and put back when it does not get it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, OpenMode, create_temporary_file};

/// Copied at once, in bytes.
const CHUNK: usize = 1 << 20;

/// Files under temporary names, each with the name that it had.
pub(super) struct Backup {
    disk: Arc<dyn Disk>,
    entries: Vec<(PathBuf, PathBuf)>,
}

impl Backup {
    pub(super) const fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, entries: Vec::new() }
    }

    /// Keeps a copy of the file at `path`, if there is one, which stays there until something takes its name: so that a
    /// kill never leaves none.
    pub(super) fn add_copy(&mut self, path: &Path) -> Result<(), StorageError> {
        if self.disk.identity(path).is_err() {
            return Ok(());
        }
        let (aside, file) = create_temporary_file(self.disk.as_ref(), path, path)?;
        self.entries.push((path.to_owned(), aside.clone()));
        let old = self.disk.open(path, OpenMode::ReadSidecar).map_err(|error| StorageError::io(path, "open", error))?;
        let (mut buf, mut at) = (vec![0; CHUNK], 0);
        loop {
            let read = read_full(old.as_ref(), &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(path, "read", at, error))?;
            if read == 0 {
                break;
            }
            let bytes = buf.get(..read).unwrap_or_default();
            append_all(file.as_ref(), bytes).map_err(|error| StorageError::io(&aside, "write", error))?;
            at += read as u64;
        }
        file.sync().map_err(|error| StorageError::io(&aside, "sync", error))
    }

    /// Takes the file at `path`, if there is one, out of the way. When it returns, that is on stable storage.
    pub(super) fn move_away(&mut self, path: &Path) -> Result<(), StorageError> {
        if self.disk.identity(path).is_err() {
            return Ok(());
        }
        let (aside, _) = create_temporary_file(self.disk.as_ref(), path, path)?;
        if let Err(error) = self.disk.rename(path, &aside) {
            let _ = self.disk.remove(&aside);
            return Err(StorageError::io(path, "put aside", error));
        }
        self.entries.push((path.to_owned(), aside));
        self.sync_folder(path)
    }

    /// True when what stood at `path` is kept.
    pub(super) fn has_backup(&self, path: &Path) -> bool {
        self.entries.iter().any(|(old, _)| old == path)
    }

    /// Puts everything back. What cannot be stays under a name that begins with its own.
    pub(super) fn restore(&self) {
        for (path, aside) in self.entries.iter().rev() {
            if self.disk.rename(aside, path).is_ok() {
                let _ = self.sync_folder(path);
            }
        }
    }

    /// Drops one that is not needed, or all: what cannot be removed is litter, with a name that says so.
    pub(super) fn discard(&mut self, only: Option<&Path>) {
        self.entries.retain(|(path, aside)| {
            let goes = only.is_none_or(|only| only == path);
            if goes {
                let _ = self.disk.remove(aside);
            }
            !goes
        });
    }

    fn sync_folder(&self, path: &Path) -> Result<(), StorageError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        self.disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
    }
}
