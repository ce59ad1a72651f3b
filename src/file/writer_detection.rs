//! Detection of another process that writes to a file, without taking the writer's lock.
//!
//! Only Linux reports this: `/proc/locks` lists the holder of the lock, and `/proc/*/fd` the processes that have the
//! file open for writing. A detection that took the lock would make the attempt of a starting writer fail.

use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use super::FileIdentity;
#[cfg(target_os = "linux")]
use super::retry::{list_folder, retry};
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

    /// Checks that no process that writes to the file at `path` was found.
    ///
    /// # Errors
    /// `Locked` for a process that holds the lock; `Refused` for one that has the file open for writing without it.
    pub(crate) fn ensure_none(self, path: &Path) -> Result<(), StorageError> {
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
    let Some(writers) = find_open_descriptors(file) else { return WriterPresence::Unknown };
    if writers.is_empty() {
        return WriterPresence::NoneFound;
    }
    // A process may have taken the lock before it opened the file, after the first look at the locks. It may also
    // have closed the file and released the lock before the second look.
    if let Some(pid) = other_holder() {
        return WriterPresence::HoldsLock(pid);
    }
    let still_open = writers.iter().find(|writer| is_open_writer(&writer.path, file));
    still_open.map_or(WriterPresence::NoneFound, |writer| WriterPresence::HasFileOpen(writer.pid))
}

/// Returns the ids of all other processes that have the file open for writing, whether or not one holds the lock.
#[cfg(target_os = "linux")]
pub(super) fn find_open_writers(file: FileIdentity) -> Vec<u32> {
    find_open_descriptors(file).unwrap_or_default().into_iter().map(|writer| writer.pid).collect()
}

/// Returns no process, because only Linux reports which process writes to a file.
#[cfg(not(target_os = "linux"))]
pub(super) const fn find_open_writers(_file: FileIdentity) -> Vec<u32> {
    Vec::new()
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

/// Finds one descriptor of `file` that is open for writing in each other process that has one; `None` when the system
/// does not list its processes.
#[cfg(target_os = "linux")]
fn find_open_descriptors(file: FileIdentity) -> Option<Vec<OpenDescriptor>> {
    let current_pid = std::process::id();
    let found = list_folder(Path::new("/proc"))
        .ok()?
        .into_iter()
        .filter_map(|process| process.file_name()?.to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != current_pid)
        .filter_map(|pid| {
            let descriptors = list_folder(Path::new(&format!("/proc/{pid}/fd"))).ok()?;
            let path = descriptors.into_iter().find(|descriptor| is_open_writer(descriptor, file))?;
            Some(OpenDescriptor { pid, path })
        });
    Some(found.collect())
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

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::file::{Disk, OsDisk};

    /// A process that has a file open for writing as its standard input until it is dropped.
    struct OpenWriter(Child);

    impl OpenWriter {
        fn start(path: &Path) -> Self {
            let file = OpenOptions::new().append(true).open(path).unwrap();
            let mut command = Command::new("sleep");
            command.arg("600").stdin(Stdio::from(file)).stdout(Stdio::null()).stderr(Stdio::null());
            Self(command.spawn().unwrap())
        }
    }

    impl Drop for OpenWriter {
        fn drop(&mut self) {
            let _ = (self.0.kill(), self.0.wait());
        }
    }

    #[test]
    fn every_process_that_has_the_file_open_for_writing_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "x").unwrap();
        let file = OsDisk.identity(&path).unwrap();
        assert_eq!((find_open_writers(file), detect_writer(file)), (Vec::new(), WriterPresence::NoneFound));
        let writers = [OpenWriter::start(&path), OpenWriter::start(&path)];
        let mut pids = writers.each_ref().map(|writer| writer.0.id()).to_vec();
        pids.sort_unstable();
        let mut found = find_open_writers(file);
        found.sort_unstable();
        assert_eq!(found, pids);
        assert!(matches!(detect_writer(file), WriterPresence::HasFileOpen(pid) if pids.contains(&pid)));
        drop(writers);
        assert_eq!(find_open_writers(file), Vec::<u32>::new());
    }
}
