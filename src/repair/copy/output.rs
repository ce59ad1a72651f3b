//! The files that a copy writes. Their bytes are read again and compared before a file gets its final name.

use sha2::{Digest, Sha256};

use super::offset_map::OffsetMapFormat;
use crate::StorageError;
use crate::file::NewFile;
use crate::file::storage::{append_all, read_full};

/// The files that a copy writes.
pub(super) struct OutputFiles<'d> {
    /// File of the new log.
    pub(super) log: VerifiedFile<'d>,
    /// The map from old offsets to new ones.
    pub(super) map: Option<MapFile<'d>>,
}

/// The file of a map, and its format.
pub(super) struct MapFile<'d> {
    pub(super) file: VerifiedFile<'d>,
    pub(super) format: OffsetMapFormat,
}

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// A file of a copy: a new file whose bytes are buffered, hashed, and compared when they are read again.
pub(super) struct VerifiedFile<'d> {
    file: NewFile<'d>,
    buffer: Vec<u8>,
    written: u64,
    hasher: Sha256,
}

impl<'d> VerifiedFile<'d> {
    pub(super) fn new(file: NewFile<'d>) -> Self {
        Self { file, buffer: Vec::new(), written: 0, hasher: Sha256::new() }
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
        append_all(self.file.storage().as_ref(), &self.buffer).map_err(|error| self.io_error("write", error))?;
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
        self.file.storage().sync().map_err(|error| self.io_error("sync", error))?;
        let (mut hasher, mut at, mut buf) = (Sha256::new(), 0, vec![0; BUFFER_LEN]);
        loop {
            let read = read_full(self.file.storage().as_ref(), &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(self.file.path(), "read", at, error))?;
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
            path: self.file.path().to_owned(),
            expected: format!("the {} bytes that were written", self.written),
            found: format!("{at} bytes that differ"),
        })
    }

    /// The new file.
    pub(super) const fn file(&self) -> &NewFile<'d> {
        &self.file
    }

    /// Gives the file its final name, as [`NewFile::commit`] does.
    pub(super) fn commit(&mut self) -> Result<(), StorageError> {
        self.file.commit()
    }

    /// Removes the file, as [`NewFile::discard`] does.
    pub(super) fn discard(self) {
        self.file.discard();
    }

    fn io_error(&self, action: &'static str, error: std::io::Error) -> StorageError {
        StorageError::io(self.file.path(), action, error)
    }
}
