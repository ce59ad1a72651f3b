//! Detection of another process that writes to a file, without taking the writer's lock.
//!
//! Only Linux reports this: `/proc/locks` lists the holder of the lock, and `/proc/*/fd` the processes that have the
//! file open for writing. A detection that took the lock would make the attempt of a starting writer fail.

use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use super::FileIdentity;
#[cfg(target_os = "linux")]
use super::retry::retry;
use crate::StorageError;

/// The result of looking for another process that writes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriterPresence {
    /// The process with this id holds the writer's lock.
    HoldsLock(u32),
    /// The process with this id has the file open for writing, without the lock.
    HasFileOpen(u32),
    /// No other process was found. Processes of other users may be hidden.
    NoneFound,
    /// The platform does not report which processes write to a file.
    Unknown,
}

impl WriterPresence {
    /// The id of the process that was found; `None` when no process was found.
    pub const fn pid(self) -> Option<u32> {
        match self {
            Self::HoldsLock(pid) | Self::HasFileOpen(pid) => Some(pid),
            Self::NoneFound | Self::Unknown => None,
        }
    }

    /// Returns the error with which an operation on the file at `path` is refused because of the process.
    ///
    /// # Errors
    /// `Locked` for a process that holds the lock; `Refused` for one that has the file open for writing without it.
    pub(crate) fn refuse(self, path: &Path) -> Result<(), StorageError> {
        match self {
            Self::HoldsLock(pid) => Err(StorageError::Locked { path: path.to_owned(), pid: Some(pid) }),
            Self::HasFileOpen(pid) => Err(StorageError::Refused {
                path: path.to_owned(),
                reason: format!("process {pid} has the file open for writing, without the writer's lock"),
                alternative: "Stop that process first",
            }),
            Self::NoneFound | Self::Unknown => Ok(()),
        }
    }
}

/// Looks for another process that holds the writer's lock of the file or has the file open for writing.
#[cfg(target_os = "linux")]
pub(crate) fn detect_writer(file: FileIdentity) -> WriterPresence {
    let other_holder = || find_lock_holder(file).filter(|pid| *pid != std::process::id());
    if let Some(pid) = other_holder() {
        return WriterPresence::HoldsLock(pid);
    }
    let Some(OpenDescriptor { pid, path }) = find_open_writer(file) else { return WriterPresence::NoneFound };
    // The process may have taken the lock before it opened the file, after the first look at the locks. It may also
    // have closed the file and released the lock before the second look.
    match other_holder() {
        Some(pid) => WriterPresence::HoldsLock(pid),
        None if is_open_writer(&path, file) => WriterPresence::HasFileOpen(pid),
        None => WriterPresence::NoneFound,
    }
}

/// Returns `Unknown`, because only Linux reports which process writes to a file.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn detect_writer(_file: FileIdentity) -> WriterPresence {
    WriterPresence::Unknown
}

/// Returns the id of the process, which may be this one, that holds the writer's lock of the file; `None` when none was
/// found.
#[cfg(target_os = "linux")]
pub(super) fn find_lock_holder(file: FileIdentity) -> Option<u32> {
    let locks = retry(|| std::fs::read_to_string("/proc/locks")).ok()?;
    locks.lines().find_map(|line| parse_lock_holder(line, file))
}

/// Returns `None`, because only Linux reports which process holds a lock.
#[cfg(not(target_os = "linux"))]
pub(super) const fn find_lock_holder(_file: FileIdentity) -> Option<u32> {
    None
}

/// Parses a line such as `1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF`, and returns the process id when the line is
/// about a write lock on `file`. A line with `->` is about a process that waits for the lock.
#[cfg(target_os = "linux")]
fn parse_lock_holder(line: &str, file: FileIdentity) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (kind, _mode, access, pid, id) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let mut parts = id.split(':');
    let (major, minor) = (u32::from_str_radix(parts.next()?, 16).ok()?, u32::from_str_radix(parts.next()?, 16).ok()?);
    let inode: u64 = parts.next()?.parse().ok()?;
    let locked = FileIdentity::new(rustix::fs::makedev(major, minor), inode);
    (kind == "FLOCK" && access == "WRITE" && locked.is_same_file(file) == Some(true))
        .then(|| pid.parse().ok())
        .flatten()
}

/// A descriptor of another process.
#[cfg(target_os = "linux")]
struct OpenDescriptor {
    pid: u32,
    /// The path of the descriptor, `/proc/PID/fd/FD`.
    path: PathBuf,
}

/// Finds another process that has a descriptor of `file` open for writing.
#[cfg(target_os = "linux")]
fn find_open_writer(file: FileIdentity) -> Option<OpenDescriptor> {
    let current_pid = std::process::id();
    let processes = retry(|| std::fs::read_dir("/proc")).ok()?.flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != current_pid)
        .find_map(|pid| {
            let mut descriptors = retry(|| std::fs::read_dir(format!("/proc/{pid}/fd"))).ok()?.flatten();
            let path = descriptors.find(|descriptor| is_open_writer(&descriptor.path(), file))?.path();
            Some(OpenDescriptor { pid, path })
        })
}

/// True when the descriptor at the path `/proc/PID/fd/FD` has `file` open for writing. The octal `flags:` line of
/// `/proc/PID/fdinfo/FD` holds the access mode in its lowest two bits: 1 for write-only, 2 for reading and writing.
#[cfg(target_os = "linux")]
fn is_open_writer(descriptor: &Path, file: FileIdentity) -> bool {
    use std::os::unix::fs::MetadataExt;

    let found = retry(|| std::fs::metadata(descriptor));
    if !found.is_ok_and(|found| FileIdentity::new(found.dev(), found.ino()).is_same_file(file) == Some(true)) {
        return false;
    }
    let (Some(process), Some(name)) = (descriptor.parent().and_then(Path::parent), descriptor.file_name()) else {
        return false;
    };
    let info = retry(|| std::fs::read_to_string(process.join("fdinfo").join(name))).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok());
    flags.is_some_and(|flags| matches!(flags & 3, 1 | 2))
}
