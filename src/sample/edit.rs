//! One change to the bytes of a file, as data: the offset, the removed bytes and the inserted bytes.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::StorageError;

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
    /// Writes `source` with this change to `copy`, which must not exist.
    pub(super) fn write_edited_copy(&self, source: &Path, copy: &Path) -> Result<(), StorageError> {
        let mut from = File::open(source).map_err(|error| StorageError::io(source, "open", error))?;
        let mut to = File::create_new(copy).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: copy.to_owned() },
            _ => StorageError::io(copy, "create", error),
        })?;
        self.copy_around_edit(&mut from, &mut to).map_err(|error| StorageError::io(copy, "write", error))
    }

    fn copy_around_edit(&self, from: &mut File, to: &mut File) -> io::Result<()> {
        io::copy(&mut Read::by_ref(from).take(self.at), to)?;
        to.write_all(&self.after)?;
        from.seek(SeekFrom::Start(self.at + self.before.len() as u64))?;
        io::copy(from, to)?;
        to.sync_all()
    }

    /// Makes this change in place. `before` and `after` must have the same length, so no other byte moves.
    pub(super) fn apply(&self, path: &Path) -> Result<(), StorageError> {
        debug_assert_eq!(self.before.len(), self.after.len(), "an edit in place must not move other bytes");
        let io = |error| StorageError::io_at(path, "write", self.at, error);
        let mut file = fs::OpenOptions::new().write(true).open(path).map_err(io)?;
        file.seek(SeekFrom::Start(self.at)).and_then(|_| file.write_all(&self.after)).map_err(io)
    }
}
