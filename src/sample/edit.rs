//! One change to the bytes of a file, as data: the offset, the removed bytes and the inserted bytes.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, LogFile, NewFile, OpenMode, Storage};

/// Largest number of bytes that are copied at once.
const CHUNK_LEN: u64 = 1 << 20;

/// A change: the bytes `before` at offset `at` are replaced with `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByteEdit {
    /// File offset of the first changed byte.
    pub(crate) at: u64,
    /// The bytes removed; empty for an insertion.
    pub(crate) before: Vec<u8>,
    /// The bytes inserted; empty for a cut.
    pub(crate) after: Vec<u8>,
}

impl ByteEdit {
    /// Appends the bytes of `source` with this change to `copy`, an empty file.
    ///
    /// # Errors
    /// `Io` with the path of the file that cannot be read or written.
    pub(super) fn write_edited_copy(&self, source: &LogFile, copy: &NewFile) -> Result<(), StorageError> {
        copy_range(source, 0..self.at, copy)?;
        append(copy, &self.after)?;
        copy_range(source, self.at + self.before.len() as u64..source.len()?, copy)
    }

    /// Makes this change in place. `before` and `after` must have the same length, so no other byte moves.
    pub(super) fn apply(&self, path: &Path) -> Result<(), StorageError> {
        debug_assert_eq!(self.before.len(), self.after.len(), "an edit in place must not move other bytes");
        let io = |error| StorageError::io_at(path, "write", self.at, error);
        let mut file = fs::OpenOptions::new().write(true).open(path).map_err(io)?;
        file.seek(SeekFrom::Start(self.at)).and_then(|_| file.write_all(&self.after)).map_err(io)
    }
}

/// Appends a range of a log to `copy`.
fn copy_range(source: &LogFile, range: Range<u64>, copy: &NewFile) -> Result<(), StorageError> {
    let (mut buf, mut at) = (vec![0; CHUNK_LEN as usize], range.start);
    while at < range.end {
        let wanted = buf.get_mut(..CHUNK_LEN.min(range.end - at) as usize).unwrap_or_default();
        let read = source.read_at(wanted, at)?;
        source.ensure_bytes_available(at + read as u64, at + wanted.len() as u64)?;
        append(copy, wanted)?;
        at += read as u64;
    }
    Ok(())
}

/// Appends the bytes of the file `from` to `copy`, an empty file that messages name as `path`, and syncs it.
pub(super) fn copy_file(disk: &dyn Disk, from: &Path, copy: &dyn Storage, path: &Path) -> Result<(), StorageError> {
    let source = disk.open(from, OpenMode::Read).map_err(|error| StorageError::io(from, "open", error))?;
    let (mut buf, mut at) = (vec![0; CHUNK_LEN as usize], 0);
    loop {
        let read = source.read_at(&mut buf, at).map_err(|error| StorageError::io_at(from, "read", at, error))?;
        if read == 0 {
            return copy.sync().map_err(|error| StorageError::io(path, "sync", error));
        }
        let bytes = buf.get(..read).unwrap_or_default();
        append_all(copy, bytes).map_err(|error| StorageError::io(path, "write", error))?;
        at += read as u64;
    }
}

fn append(copy: &NewFile, bytes: &[u8]) -> Result<(), StorageError> {
    append_all(copy.storage().as_ref(), bytes).map_err(|error| StorageError::io(copy.path(), "write", error))
}
