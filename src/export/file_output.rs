//! [`FileOutput`]: the bytes of an exported file, written from its start to its end.

use std::io::{self, Write};
use std::path::Path;

use super::output_file::create_output_file;
use crate::StorageError;
use crate::file::{ExistingFile, NewFile};

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// A file that is being written under a temporary name. Dropping it before [`FileOutput::finish`] leaves no file.
pub(crate) struct FileOutput {
    file: NewFile<'static>,
    buffer: Vec<u8>,
    /// Number of bytes in the file.
    written: u64,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenFile {
    /// The size of the file in bytes.
    pub(crate) bytes: u64,
    /// The columns in which values are missing because they are not of the type of the column, with the number of values.
    pub(crate) left_out: Vec<(String, u64)>,
}

impl FileOutput {
    /// Creates the file with the owner, group and mode of `log` where permitted.
    ///
    /// # Errors
    /// `AlreadyExists` when a file has the name and is to be kept; `Io` when no file can be created.
    pub(super) fn create(path: &Path, existing: ExistingFile, log: &Path) -> Result<Self, StorageError> {
        let file = create_output_file(path, existing, log)?;
        Ok(Self { file, buffer: Vec::new(), written: 0 })
    }

    /// The final path of the file.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes what is buffered, gives the file its name, and returns its size in bytes.
    ///
    /// # Errors
    /// `Io` when the file cannot be written or synced; `AlreadyExists` when a file got the name in the meantime and is to be
    /// kept. No file is left then.
    pub(super) fn finish(mut self) -> Result<u64, StorageError> {
        self.flush().map_err(|error| StorageError::io(self.path(), "write", error))?;
        self.file.commit()?;
        Ok(self.written)
    }
}

impl Write for FileOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_LEN {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.storage().write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
