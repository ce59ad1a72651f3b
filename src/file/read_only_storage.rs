//! [`ReadOnlyStorage`]: content that can only be read, such as an object on a server, as a file of the storage interface.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use super::WriterPresence;
use super::file_identity::{FileIdentity, FileStamp};
use super::path_entry::Ownership;
use super::storage::Storage;

/// Content that can only be read, and that no process changes while it is open.
pub(crate) trait ReadOnlyContent: Debug + Send + Sync {
    /// See [`Storage::len`].
    fn len(&self) -> io::Result<u64>;

    /// See [`Storage::read_at`].
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// See [`Storage::identity`].
    fn identity(&self) -> io::Result<FileIdentity>;

    /// See [`Storage::stamp`].
    fn stamp(&self) -> io::Result<FileStamp> {
        Ok(FileStamp { bytes: self.len()?, modified: None })
    }

    /// See [`Storage::ownership`].
    fn ownership(&self) -> io::Result<Option<Ownership>> {
        Ok(None)
    }

    /// Returns the error of a call that would change the content.
    fn refusal(&self) -> io::Error;
}

/// Read-only content as a file. Every call that would change it fails.
#[derive(Debug)]
pub(crate) struct ReadOnlyStorage<C>(pub(crate) C);

impl<C: ReadOnlyContent> Storage for ReadOnlyStorage<C> {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn append(&self, _bytes: &[u8]) -> io::Result<usize> {
        Err(self.0.refusal())
    }

    fn append_end(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Err(self.0.refusal())
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        Err(self.0.refusal())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Err(self.0.refusal())
    }

    fn unlock(&self) -> io::Result<()> {
        Ok(())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.0.identity()
    }

    fn stamp(&self) -> io::Result<FileStamp> {
        self.0.stamp()
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        self.0.ownership()
    }

    fn detect_writer(&self) -> WriterPresence {
        WriterPresence::NoneFound
    }

    fn wait(&self, _time: Duration) {}
}
