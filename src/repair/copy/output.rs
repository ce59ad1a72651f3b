//! A new file that is there whole or not at all: written under another name, synced, renamed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, Storage, create_temporary_file};

/// Written at once, in bytes, about.
const BUFFER: usize = 1 << 20;

/// A file being written beside the place that it is for.
pub(super) struct AtomicFile {
    disk: Arc<dyn Disk>,
    storage: Arc<dyn Storage>,
    temporary_path: PathBuf,
    path: PathBuf,
    buffer: Vec<u8>,
    written: u64,
    hasher: Sha256,
    is_committed: bool,
}

impl AtomicFile {
    /// Begins a file for `path`, owned and readable as `like` is.
    pub(super) fn create(disk: &Arc<dyn Disk>, path: &Path, like: &Path) -> Result<Self, StorageError> {
        let (temporary, storage) = create_temporary_file(disk.as_ref(), path, like)?;
        let (path, buffer, sum, disk) = (path.to_owned(), Vec::new(), Sha256::new(), disk.clone());
        Ok(Self {
            disk,
            storage,
            temporary_path: temporary,
            path,
            buffer,
            written: 0,
            hasher: sum,
            is_committed: false,
        })
    }

    /// Where the next byte will stand.
    pub(super) const fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Lets `add` put bytes at the end.
    pub(super) fn append_with(&mut self, add: impl FnOnce(&mut Vec<u8>)) -> Result<(), StorageError> {
        add(&mut self.buffer);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        append_all(self.storage.as_ref(), &self.buffer).map_err(|error| self.io_error("write", error))?;
        self.hasher.update(&self.buffer);
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Returns when all of it is on stable storage, and reads as it was written. `on` is told how much of it was read.
    pub(super) fn sync_and_verify(
        &mut self,
        on: &mut dyn FnMut(u64) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.flush()?;
        self.storage.sync().map_err(|error| self.io_error("sync", error))?;
        let (mut sum, mut at, mut buf) = (Sha256::new(), 0, vec![0; BUFFER]);
        loop {
            let read = read_full(self.storage.as_ref(), &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(&self.temporary_path, "read", at, error))?;
            // What somebody else adds meanwhile is noticed, not followed.
            if read == 0 || at > self.written {
                break;
            }
            sum.update(buf.get(..read).unwrap_or_default());
            at += read as u64;
            on(at)?;
        }
        if at == self.written && sum.finalize() == self.hasher.clone().finalize() {
            return Ok(());
        }
        let expected = format!("the {} bytes that were written", self.written);
        Err(StorageError::Changed {
            path: self.temporary_path.clone(),
            expected,
            found: format!("{at} bytes, not the same"),
        })
    }

    /// Where it stands until it is placed.
    pub(super) fn temporary_path(&self) -> &Path {
        &self.temporary_path
    }

    /// Gives it its name, durably; what bears that name is replaced only with `replace`.
    pub(super) fn commit(&mut self, replace: bool) -> Result<(), StorageError> {
        let renamed = if replace {
            self.disk.rename(&self.temporary_path, &self.path)
        } else {
            self.disk.rename_no_replace(&self.temporary_path, &self.path)
        };
        renamed.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: self.path.clone() },
            _ => StorageError::io(&self.path, "create", error),
        })?;
        self.is_committed = true;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        self.disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
    }

    /// True once it has its name.
    pub(super) const fn is_committed(&self) -> bool {
        self.is_committed
    }

    /// Takes it away again, whether it has its name by now or not.
    pub(super) fn discard(self) {
        // It may not be there any more; and if it cannot be removed it is only litter, with a name that says so.
        let _ = self.disk.remove(if self.is_committed { &self.path } else { &self.temporary_path });
    }

    fn io_error(&self, action: &'static str, error: std::io::Error) -> StorageError {
        StorageError::io(&self.temporary_path, action, error)
    }
}
