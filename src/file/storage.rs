//! What the engine asks of a disk. Tests put a simulated one under it; object storage could stand here one day.
//!
//! Two traits: [`Storage`] is one open file, [`Disk`] is where files have names. Both speak `io::Result`; the rooms
//! above add path and place.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::WriterPresence;

/// One open file.
pub trait Storage: Debug + Send + Sync {
    /// Its size now, in bytes.
    ///
    /// # Errors
    /// As the system answers.
    fn len(&self) -> io::Result<u64>;

    /// True when it holds no byte.
    ///
    /// # Errors
    /// As [`Storage::len`].
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads at `offset`, as many bytes as come at once; 0 only at the end of the file. Interrupted reads are repeated.
    ///
    /// # Errors
    /// As the system answers.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// One write at the end of the file, wherever that is by then: the bytes taken, which may be fewer.
    ///
    /// # Errors
    /// As the system answers; then nothing was written.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;

    /// The file position behind the last byte that [`Storage::append`] put there.
    ///
    /// # Errors
    /// As the system answers.
    fn append_end(&self) -> io::Result<u64>;

    /// Writes all of `bytes` at `offset`; not for a file that was opened for append.
    ///
    /// # Errors
    /// As the system answers; then any part of it may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Forgets what the system keeps of the file in memory, so that the next read comes from the device; where the
    /// platform cannot, nothing happens.
    fn drop_cache(&self) {}

    /// Cuts the file, or makes it longer with zeros.
    ///
    /// # Errors
    /// As the system answers.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Returns when what was written is on stable storage.
    ///
    /// # Errors
    /// As the system answers. After one nobody knows what is on the disk, and another call that succeeds proves nothing.
    fn sync(&self) -> io::Result<()>;

    /// Takes the writer's lock; false when another has it. It goes with the file handle.
    ///
    /// # Errors
    /// As the system answers, where locks are not supported.
    fn try_lock(&self) -> io::Result<bool>;

    /// Which file this is, whatever it is called.
    ///
    /// # Errors
    /// As the system answers.
    fn identity(&self) -> io::Result<FileIdentity>;

    /// Another process that writes to this file, as far as that can be seen without taking the lock.
    fn detect_writer(&self) -> WriterPresence {
        WriterPresence::Unknown
    }

    /// Lets others go on for `time`, so that a second look can show what they do. A disk that no one else uses need not.
    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Where files have names.
pub trait Disk: Debug + Send + Sync {
    /// Opens a regular file; anything else is refused without waiting for it.
    ///
    /// # Errors
    /// As the system answers, `InvalidInput` for what is no regular file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>>;

    /// A new file without a name, gone when it is dropped: in `folder`, or where it cannot be there, or none is given,
    /// where temporary files are kept.
    ///
    /// # Errors
    /// As the system answers.
    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>>;

    /// Which file bears this name now.
    ///
    /// # Errors
    /// `NotFound`, and what else the system answers.
    fn identity(&self, path: &Path) -> io::Result<FileIdentity>;

    /// The path with every link resolved.
    ///
    /// # Errors
    /// `NotFound`, and what else the system answers.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// Gives a file another name, replacing what bears it.
    ///
    /// # Errors
    /// As the system answers.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name that nothing bears.
    ///
    /// # Errors
    /// `AlreadyExists`, and what else the system answers.
    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.identity(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.rename(from, to),
            Err(error) => Err(error),
        }
    }

    /// Removes a file.
    ///
    /// # Errors
    /// As the system answers.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder unless it is there, reachable for no more than those who can read `like`.
    ///
    /// # Errors
    /// As the system answers.
    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()>;

    /// Returns when the names in the folder are on stable storage.
    ///
    /// # Errors
    /// As the system answers.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Bytes that can still be written where `path` is; `None` where the platform does not tell.
    fn available_space(&self, path: &Path) -> Option<u64> {
        let _ = path;
        None
    }

    /// The files in a folder, sorted; empty when there is none.
    ///
    /// # Errors
    /// As the system answers.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode<'a> {
    /// The log, to be read; a link is followed.
    Read,
    /// The log, to be read and appended to; a link is followed.
    Append,
    /// The log, to be read and changed in place; a link is followed.
    Repair,
    /// A new log, which must not be there yet.
    Create,
    /// A side file, to be read; a link is refused.
    ReadSidecar,
    /// A side file, to be read and appended to; a link is refused.
    AppendSidecar,
    /// A new side file, owned and readable as `like` is.
    CreateSidecar {
        /// The log it belongs to.
        permissions_from: &'a Path,
    },
}

/// A file, whatever its name: device and inode, where the platform has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device.
    pub device: u64,
    /// The file on it.
    pub inode: u64,
    /// How many names it has.
    pub links: u64,
}

impl FileIdentity {
    /// The identity of every file on a platform that has none.
    pub const UNKNOWN: Self = Self { device: u64::MAX, inode: u64::MAX, links: 1 };

    /// True when both are identities of one file. The number of its names does not matter: it can change in between.
    ///
    /// Two files of a platform without identities are never told apart.
    pub const fn is_same_file(self, other: Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// Reads until `buf` is full or the file ends; the number of bytes read.
///
/// # Errors
/// As [`Storage::read_at`].
pub fn read_full(storage: &dyn Storage, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match storage.read_at(rest, offset + done as u64)? {
            0 => break,
            n => done += n,
        }
    }
    Ok(done)
}

/// The same, content with what comes before bytes that the device refuses to read.
///
/// # Errors
/// As [`Storage::read_at`], for anything but such a refusal.
pub fn read_until_device_error(storage: &dyn Storage, buf: &mut [u8], offset: u64) -> io::Result<usize> {
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

/// True for what a failing device answers. Anything else (no memory, a stale handle) says nothing about the bytes.
pub fn is_device_error(error: &io::Error) -> bool {
    #[cfg(unix)]
    let device = error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
    #[cfg(not(unix))]
    let device = {
        let _ = error;
        false
    };
    device
}

/// Appends all of `bytes`, in as many writes as it takes; for side files, which are not valid until they are whole.
///
/// # Errors
/// As [`Storage::append`], and `WriteZero` when the system takes nothing.
pub fn append_all(storage: &dyn Storage, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = storage.append(bytes)?;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    Ok(())
}
