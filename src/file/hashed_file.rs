//! [`HashedFile`]: a new file that is written through a buffer and hashed, so that its bytes can be compared when they are read
//! again. [`VerifiedFile`] is one that gets its final name afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::new_file::NewFile;
use super::storage::{Storage, append_all, read_full};
use crate::StorageError;

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// A callback that receives the number of bytes read so far. Its error stops the reading.
pub(crate) type OnBytesRead<'a> = dyn FnMut(u64) -> Result<(), StorageError> + 'a;

/// A file that is being written.
pub(super) struct HashedFile {
    storage: Arc<dyn Storage>,
    /// The path that messages name.
    path: PathBuf,
    buffer: Vec<u8>,
    written: u64,
    hasher: Sha256,
}

/// A file that was written completely: its size in bytes, and the hash of its bytes.
pub(super) struct FinishedFile {
    /// The path that messages name.
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    hash: [u8; 32],
}

impl HashedFile {
    /// Creates the value for an empty file. Messages name `path`.
    pub(super) fn new(storage: Arc<dyn Storage>, path: &Path) -> Self {
        Self { storage, path: path.to_owned(), buffer: Vec::new(), written: 0, hasher: Sha256::new() }
    }

    /// Returns the position in the file at which the next byte will be appended.
    pub(super) const fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Appends the bytes that `add` pushes to the buffer.
    ///
    /// # Errors
    /// `Io` when they cannot be written.
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

    /// Writes what is buffered, syncs the file, and returns its size and hash.
    ///
    /// # Errors
    /// `Io` when the file cannot be written or synced.
    pub(super) fn finish(&mut self) -> Result<FinishedFile, StorageError> {
        self.flush()?;
        self.storage.sync().map_err(|error| self.io_error("sync", error))?;
        let hash = self.hasher.clone().finalize().into();
        Ok(FinishedFile { path: self.path.clone(), bytes: self.written, hash })
    }

    fn io_error(&self, action: &'static str, error: std::io::Error) -> StorageError {
        StorageError::io(&self.path, action, error)
    }
}

impl FinishedFile {
    /// Reads the file again and compares it with the bytes that were written.
    ///
    /// # Errors
    /// `Changed` when the bytes differ; `Io`; the errors of `on_read`.
    pub(super) fn verify(&self, storage: &dyn Storage, on_read: &mut OnBytesRead) -> Result<(), StorageError> {
        let (mut hasher, mut at, mut buf) = (Sha256::new(), 0, vec![0; BUFFER_LEN]);
        loop {
            let read = read_full(storage, &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(&self.path, "read", at, error))?;
            // When another program appends to the file, reading stops after the first surplus bytes.
            if read == 0 || at > self.bytes {
                break;
            }
            hasher.update(buf.get(..read).unwrap_or_default());
            at += read as u64;
            on_read(at)?;
        }
        if at == self.bytes && <[u8; 32]>::from(hasher.finalize()) == self.hash {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: self.path.clone(),
            expected: format!("the {} bytes that were written", self.bytes),
            found: format!("{at} bytes that differ"),
        })
    }
}

/// A new file whose bytes are buffered, hashed, and compared when they are read again.
pub(crate) struct VerifiedFile<'d> {
    file: NewFile<'d>,
    content: HashedFile,
}

impl<'d> VerifiedFile<'d> {
    /// Creates the value for a file to which nothing was written.
    pub(crate) fn new(file: NewFile<'d>) -> Self {
        let content = HashedFile::new(file.storage().clone(), file.path());
        Self { file, content }
    }

    /// Returns the file offset at which the next byte will be appended.
    pub(crate) const fn position(&self) -> u64 {
        self.content.position()
    }

    /// Appends the bytes that `add` pushes to the buffer.
    ///
    /// # Errors
    /// `Io` when they cannot be written.
    pub(crate) fn append_with(&mut self, add: impl FnOnce(&mut Vec<u8>)) -> Result<(), StorageError> {
        self.content.append_with(add)
    }

    /// Syncs the file, reads it again and compares it with the bytes that were written.
    ///
    /// # Errors
    /// `Changed` when the bytes differ; `Io`; the errors of `on_read`.
    pub(crate) fn sync_and_verify(&mut self, on_read: &mut OnBytesRead) -> Result<(), StorageError> {
        self.content.finish()?.verify(self.file.storage().as_ref(), on_read)
    }

    /// The new file.
    pub(crate) const fn file(&self) -> &NewFile<'d> {
        &self.file
    }

    /// Gives the file its final name, as [`NewFile::commit`] does.
    ///
    /// # Errors
    /// Those of [`NewFile::commit`].
    pub(crate) fn commit(&mut self) -> Result<(), StorageError> {
        self.file.commit()
    }

    /// Removes the file, as [`NewFile::discard`] does.
    pub(crate) fn discard(self) {
        self.file.discard();
    }
}
