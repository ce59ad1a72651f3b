//! A file that is created completely or not at all: written under a temporary name, synced, verified, and renamed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, Storage, create_temporary_file};

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// A file that is being written under a temporary name in the folder of its final path.
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

/// The treatment of a file that already has the final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExistingFile {
    Replace,
    Keep,
}

impl AtomicFile {
    /// Creates a temporary file for `path`, with the owner and the permissions of the file at `permissions_from`.
    pub(super) fn create(disk: &Arc<dyn Disk>, path: &Path, permissions_from: &Path) -> Result<Self, StorageError> {
        let (temporary_path, storage) = create_temporary_file(disk.as_ref(), path, permissions_from)?;
        Ok(Self {
            disk: disk.clone(),
            storage,
            temporary_path,
            path: path.to_owned(),
            buffer: Vec::new(),
            written: 0,
            hasher: Sha256::new(),
            is_committed: false,
        })
    }

    /// Returns the file offset at which the next byte will be appended.
    pub(super) const fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Appends the bytes that `add` pushes to the buffer.
    pub(super) fn append_with(&mut self, add: impl FnOnce(&mut Vec<u8>)) -> Result<(), StorageError> {
        add(&mut self.buffer);
        if self.buffer.len() >= BUFFER_LEN { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        append_all(self.storage.as_ref(), &self.buffer).map_err(|error| self.io_error("write", error))?;
        self.hasher.update(&self.buffer);
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Syncs the file, reads it again and compares it with the bytes that were written.
    ///
    /// `on_read` is called with the number of bytes read so far. Its error stops the comparison.
    ///
    /// # Errors
    /// `Changed` when the bytes differ; `Io`; the errors of `on_read`.
    pub(super) fn sync_and_verify(
        &mut self,
        on_read: &mut dyn FnMut(u64) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.flush()?;
        self.storage.sync().map_err(|error| self.io_error("sync", error))?;
        let (mut hasher, mut at, mut buf) = (Sha256::new(), 0, vec![0; BUFFER_LEN]);
        loop {
            let read = read_full(self.storage.as_ref(), &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(&self.temporary_path, "read", at, error))?;
            // When another program appends to the file, reading stops after the first surplus bytes.
            if read == 0 || at > self.written {
                break;
            }
            hasher.update(buf.get(..read).unwrap_or_default());
            at += read as u64;
            on_read(at)?;
        }
        if at == self.written && hasher.finalize() == self.hasher.clone().finalize() {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: self.temporary_path.clone(),
            expected: format!("the {} bytes that were written", self.written),
            found: format!("{at} bytes that differ"),
        })
    }

    /// Returns the path of the file before it is committed.
    pub(super) fn temporary_path(&self) -> &Path {
        &self.temporary_path
    }

    /// Renames the file to its final name, and syncs the folder.
    ///
    /// # Errors
    /// `AlreadyExists` when a file has that name and is to be kept; `Io`.
    pub(super) fn commit(&mut self, existing: ExistingFile) -> Result<(), StorageError> {
        let renamed = match existing {
            ExistingFile::Replace => self.disk.rename(&self.temporary_path, &self.path),
            ExistingFile::Keep => self.disk.rename_no_replace(&self.temporary_path, &self.path),
        };
        renamed.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: self.path.clone() },
            _ => StorageError::io(&self.path, "create", error),
        })?;
        self.is_committed = true;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        self.disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
    }

    /// True once the file has its final name.
    pub(super) const fn is_committed(&self) -> bool {
        self.is_committed
    }

    /// Removes the file under its temporary or final name. If that fails, the file stays.
    pub(super) fn discard(self) {
        let _ = self.disk.remove(if self.is_committed { &self.path } else { &self.temporary_path });
    }

    fn io_error(&self, action: &'static str, error: std::io::Error) -> StorageError {
        StorageError::io(&self.temporary_path, action, error)
    }
}
