//! Detection of another process that writes to a file, without taking the writer's lock.
//!
//! Only Linux reports this: `/proc/locks` lists the holder of the lock, and `/proc/*/fd` the processes that have the
//! file open for writing. A detection that took the lock would make the attempt of a starting writer fail.

use super::FileIdentity;
#[cfg(target_os = "linux")]
use super::retry::retry;

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
}

/// Looks for another process that holds the writer's lock of the file or has the file open for writing.
#[cfg(target_os = "linux")]
pub(crate) fn detect_writer(file: FileIdentity) -> WriterPresence {
    let Ok(locks) = retry(|| std::fs::read_to_string("/proc/locks")) else {
        return WriterPresence::Unknown;
    };
    if let Some(pid) = locks.lines().find_map(|line| parse_lock_holder(line, file)) {
        return if pid == std::process::id() { WriterPresence::NoneFound } else { WriterPresence::HoldsLock(pid) };
    }
    find_open_writer(file).map_or(WriterPresence::NoneFound, WriterPresence::HasFileOpen)
}

/// Returns `Unknown`, because only Linux reports which process writes to a file.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn detect_writer(_file: FileIdentity) -> WriterPresence {
    WriterPresence::Unknown
}

/// Parses a line such as `1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF`, and returns the process id when the line is
/// about a write lock on `file`.
#[cfg(target_os = "linux")]
fn parse_lock_holder(line: &str, file: FileIdentity) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip(1).filter(|word| *word != "->");
    let (_kind, _mode, access, pid, id) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let mut parts = id.split(':');
    let (major, minor) = (u32::from_str_radix(parts.next()?, 16).ok()?, u32::from_str_radix(parts.next()?, 16).ok()?);
    let inode: u64 = parts.next()?.parse().ok()?;
    let locked = FileIdentity::new(rustix::fs::makedev(major, minor), inode);
    (access == "WRITE" && locked.is_same_file(file) == Some(true)).then(|| pid.parse().ok()).flatten()
}

/// Finds another process that has a descriptor of `file` open for writing.
#[cfg(target_os = "linux")]
fn find_open_writer(file: FileIdentity) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;

    let current_pid = std::process::id();
    let processes = retry(|| std::fs::read_dir("/proc")).ok()?.flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != current_pid)
        .find(|pid| {
            let Ok(descriptors) = retry(|| std::fs::read_dir(format!("/proc/{pid}/fd"))) else {
                return false;
            };
            descriptors.flatten().any(|descriptor| {
                let is_open = retry(|| std::fs::metadata(descriptor.path()))
                    .is_ok_and(|found| FileIdentity::new(found.dev(), found.ino()).is_same_file(file) == Some(true));
                is_open && can_write(*pid, &descriptor.file_name().to_string_lossy())
            })
        })
}

/// True when a descriptor can write. The octal `flags:` line of `/proc/PID/fdinfo/FD` holds the access mode in its
/// lowest two bits: 1 for write-only, 2 for reading and writing.
#[cfg(target_os = "linux")]
fn can_write(pid: u32, descriptor: &str) -> bool {
    let info = retry(|| std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}"))).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok());
    flags.is_some_and(|flags| matches!(flags & 3, 1 | 2))
}
