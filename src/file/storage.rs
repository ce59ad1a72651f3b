//! The storage interface: [`Storage`] is one open file, and [`Disk`] opens, names and lists files.
//!
//! Both return `io::Result`; their callers add the path and the offset. Tests implement the interface with a simulated
//! disk. A *sidecar file* is a file next to the log that belongs to it, such as the index or a journal.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::WriterPresence;
use super::file_identity::{FileIdentity, FileStamp};
use super::path_entry::{Ownership, PathEntry};
use super::segments::SegmentSet;

/// One open file. Every method takes `&self`, because a file is read from several threads.
pub trait Storage: Debug + Send + Sync {
    /// Returns the current size, in bytes.
    ///
    /// # Errors
    /// The error of the operating system.
    fn len(&self) -> io::Result<u64>;

    /// Returns true when the file is empty.
    ///
    /// # Errors
    /// The errors of [`Storage::len`].
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads up to `buf.len()` bytes at `offset`, and returns how many were read: 0 only at the end of the file.
    ///
    /// A read that a signal interrupted is repeated.
    ///
    /// # Errors
    /// The error of the operating system.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes once at the current end of the file, and returns how many bytes were written, which can be fewer than
    /// all.
    ///
    /// # Errors
    /// The error of the operating system. After an error, nothing was written.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns the file offset after the last byte that [`Storage::append`] wrote.
    ///
    /// # Errors
    /// The error of the operating system.
    fn append_end(&self) -> io::Result<u64>;

    /// Writes all of `bytes` at `offset`. Must not be used for a file that was opened for append, where the operating
    /// system would write at the end.
    ///
    /// # Errors
    /// The error of the operating system. After an error, any part of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Removes the file from the page cache, so that the next read comes from the device. Does nothing on platforms
    /// that have no such call.
    fn drop_cache(&self) {}

    /// Sets the size of the file: truncates it, or extends it with zeros.
    ///
    /// # Errors
    /// The error of the operating system.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Blocks until every byte that was written is on stable storage.
    ///
    /// # Errors
    /// The error of the operating system. After an error, the contents of the disk are unknown, and a later success
    /// does not prove that the data is there, because the operating system may have dropped it.
    fn sync(&self) -> io::Result<()>;

    /// Takes the writer's lock; returns false when another handle holds it. Closing the file handle releases the lock.
    ///
    /// # Errors
    /// The error of the operating system, for example when the file system does not support locks.
    fn try_lock(&self) -> io::Result<bool>;

    /// Releases the writer's lock if this handle holds it. Closing the last handle also releases it.
    ///
    /// # Errors
    /// The error of the operating system.
    fn unlock(&self) -> io::Result<()>;

    /// Returns the identity of the open file, which does not depend on its path.
    ///
    /// # Errors
    /// The error of the operating system.
    fn identity(&self) -> io::Result<FileIdentity>;

    /// Returns the identity of the file that [`Storage::try_lock`] locks: the open file itself, unless a log has a separate
    /// one.
    ///
    /// # Errors
    /// The error of the operating system.
    fn lock_identity(&self) -> io::Result<FileIdentity> {
        self.identity()
    }

    /// Returns the size and the time of the last write, both as of the same moment.
    ///
    /// # Errors
    /// The error of the operating system.
    fn stamp(&self) -> io::Result<FileStamp> {
        Ok(FileStamp { bytes: self.len()?, modified: None })
    }

    /// Returns the owner and mode of the open file; `None` on platforms without owners.
    ///
    /// # Errors
    /// The error of the operating system.
    fn ownership(&self) -> io::Result<Option<Ownership>> {
        Ok(None)
    }

    /// Looks for another process that writes to this file, without taking the lock.
    fn detect_writer(&self) -> WriterPresence {
        WriterPresence::Unknown
    }

    /// Returns the ids of the other processes that have this file open for writing, as far as the platform reports them.
    ///
    /// The default implementation returns the process that [`Storage::detect_writer`] finds.
    fn open_writers(&self) -> Vec<u32> {
        match self.detect_writer() {
            WriterPresence::HasFileOpen(pid) => vec![pid],
            _ => Vec::new(),
        }
    }

    /// Waits for `time`, so that a second read can show whether another process is writing. A simulated disk need not
    /// wait.
    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }

    /// Returns the segments of a log that is a folder of segments, or one of them; `None` for a log in one file.
    #[doc(hidden)]
    fn segments(&self) -> Option<&dyn SegmentSet> {
        None
    }
}

/// A file system: opens, names, lists and removes files.
pub trait Disk: Debug + Send + Sync {
    /// Opens a regular file.
    ///
    /// # Errors
    /// `InvalidInput`, without blocking, when the path is not a regular file; otherwise the error of the operating
    /// system.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>>;

    /// Creates a file without a name, which is deleted when it is dropped. The file is in `folder`, or in the system's
    /// folder for temporary files when `folder` is `None` or the file cannot be created there.
    ///
    /// # Errors
    /// The error of the operating system.
    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>>;

    /// Returns the identity of the file that the path leads to now.
    ///
    /// # Errors
    /// `NotFound` when the path leads to no file; otherwise the error of the operating system.
    fn identity(&self, path: &Path) -> io::Result<FileIdentity>;

    /// Returns the path with every link resolved.
    ///
    /// # Errors
    /// `NotFound` when the path leads to no file; otherwise the error of the operating system.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// Returns the type, owner and mode of a file or folder. A link is described itself, and not what it leads to.
    ///
    /// # Errors
    /// `NotFound` when nothing has this path; `Unsupported` from the default implementation, for disks without owners;
    /// otherwise the error of the operating system.
    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the id of the user with whose rights files are opened; `None` on platforms without owners.
    fn user(&self) -> Option<u32> {
        None
    }

    /// Renames a file, and replaces a file that already has the new name.
    ///
    /// # Errors
    /// The error of the operating system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file unless the new name is in use.
    ///
    /// The default implementation checks first, so another process can create the file in between.
    ///
    /// # Errors
    /// `AlreadyExists` when the new name is in use; otherwise the error of the operating system.
    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.identity(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.rename(from, to),
            Err(error) => Err(error),
        }
    }

    /// Removes the file at `path`.
    ///
    /// # Errors
    /// The error of the operating system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder unless it exists. Only users with read access to the file `permissions_from` get access to the
    /// folder.
    ///
    /// # Errors
    /// The error of the operating system.
    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()>;

    /// Creates the folder of a log, with the permissions that the system gives to new folders.
    ///
    /// # Errors
    /// `AlreadyExists` when something has this path; `Unsupported` from the default implementation; otherwise the error of
    /// the operating system.
    fn create_log_folder(&self, path: &Path) -> io::Result<()> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// `Unsupported` from the default implementation; otherwise the error of the operating system.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Blocks until the names of the files in the folder are on stable storage.
    ///
    /// # Errors
    /// The error of the operating system.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Returns how many bytes can still be written to the file system of `path`; `None` when the platform does not
    /// report it.
    fn available_space(&self, path: &Path) -> Option<u64> {
        let _ = path;
        None
    }

    /// Lists the paths of the files in a folder, sorted; empty when the folder does not exist.
    ///
    /// # Errors
    /// The error of the operating system.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
}

/// The mode in which a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode<'a> {
    /// Opens the log for reading. Links are followed.
    Read,
    /// Opens the log for reading and appending. Links are followed.
    Append,
    /// Opens the log for reading and for writing in place. Links are followed.
    Repair,
    /// Creates a log. Fails when the file exists.
    Create,
    /// Creates a file that only its owner can read and write, and that belongs to no log. Fails when the file exists.
    CreatePrivate,
    /// Opens a sidecar file, such as the index, for reading. Links are refused.
    ReadSidecar,
    /// Opens a sidecar file for reading and appending. Links are refused.
    AppendSidecar,
    /// Opens a sidecar file for reading and for writing in place. Links are refused.
    RepairSidecar,
    /// Creates a sidecar file, with the owner, group and mode of the log.
    CreateSidecar {
        /// The log to which the new file belongs.
        permissions_from: &'a Path,
    },
}

/// Reads until `buf` is full or the file ends, and returns the number of bytes read.
///
/// # Errors
/// The errors of [`Storage::read_at`].
pub(crate) fn read_full(storage: &dyn Storage, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match storage.read_at(rest, offset + done as u64)? {
            0 => break,
            n => done += n,
        }
    }
    Ok(done)
}

/// Reads until `buf` is full, the file ends, or the device cannot read on, and returns the number of bytes read.
///
/// # Errors
/// The errors of [`Storage::read_at`], except those of the device (see [`is_device_error`]).
pub(crate) fn read_until_device_error(storage: &dyn Storage, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match storage.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if is_device_error(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The error of reading a segment whose file cannot be opened. The other segments of the log stay readable.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the segment {}: {reason}", path.display())]
pub(super) struct UnreadableSegment {
    /// The file of the segment.
    pub(super) path: PathBuf,
    /// The error of the operating system.
    pub(super) reason: String,
}

impl From<UnreadableSegment> for io::Error {
    fn from(error: UnreadableSegment) -> Self {
        Self::other(error)
    }
}

/// True when the error means that these bytes cannot be read, by the device or because the segment cannot be opened. Other
/// errors, such as a stale handle, do not concern the bytes.
pub(super) fn is_device_error(error: &io::Error) -> bool {
    if let Some(inner) = error.get_ref()
        && inner.is::<UnreadableSegment>()
    {
        return true;
    }
    #[cfg(unix)]
    let is_device_error = error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
    #[cfg(not(unix))]
    let is_device_error = {
        let _ = error;
        false
    };
    is_device_error
}

/// Appends all of `bytes` in one or more writes. A failure can leave a part of them in the file, so this is only for
/// files that are not used until they are complete.
///
/// # Errors
/// The errors of [`Storage::append`], and `WriteZero` when the operating system writes nothing.
pub(crate) fn append_all(storage: &dyn Storage, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = storage.append(bytes)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
