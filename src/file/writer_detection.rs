//! Who writes to a file: as far as the platform tells, without taking the lock to find out.
//!
//! Linux only: `/proc/locks` names the holder of the lock, `/proc/*/fd` who else has the file open for writing. Probing
//! by taking the lock would make the writer's own attempt fail.

use super::FileIdentity;

/// What can be seen of writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterPresence {
    /// This process holds the writer's lock.
    HoldsLock(u32),
    /// This process has the file open for writing, without the lock.
    HasFileOpen(u32),
    /// No other process is seen writing. Processes of other users may be hidden.
    NoneFound,
    /// This platform cannot tell.
    Unknown,
}

impl WriterPresence {
    /// The process seen.
    pub const fn pid(self) -> Option<u32> {
        match self {
            Self::HoldsLock(pid) | Self::HasFileOpen(pid) => Some(pid),
            Self::NoneFound | Self::Unknown => None,
        }
    }
}

/// Looks for another process that writes to the file.
#[cfg(target_os = "linux")]
pub fn detect_writer(file: FileIdentity) -> WriterPresence {
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else {
        return WriterPresence::Unknown;
    };
    if let Some(pid) = locks.lines().find_map(|line| parse_lock_holder(line, file)) {
        return if pid == std::process::id() { WriterPresence::NoneFound } else { WriterPresence::HoldsLock(pid) };
    }
    find_open_writer(file).map_or(WriterPresence::NoneFound, WriterPresence::HasFileOpen)
}

/// Looks for another process that writes to the file.
#[cfg(not(target_os = "linux"))]
pub const fn detect_writer(_file: FileIdentity) -> WriterPresence {
    WriterPresence::Unknown
}

/// The process of a line like `1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF`, when it is about `file`.
#[cfg(target_os = "linux")]
fn parse_lock_holder(line: &str, file: FileIdentity) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip(1).filter(|word| *word != "->");
    let (_kind, _mode, access, pid, id) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let mut parts = id.split(':');
    let (major, minor) = (u32::from_str_radix(parts.next()?, 16).ok()?, u32::from_str_radix(parts.next()?, 16).ok()?);
    let inode: u64 = parts.next()?.parse().ok()?;
    let device = rustix::fs::makedev(major, minor);
    (access == "WRITE" && inode == file.inode && device == file.device).then(|| pid.parse().ok()).flatten()
}

/// A process other than this one with a descriptor on `file` that can write.
#[cfg(target_os = "linux")]
fn find_open_writer(file: FileIdentity) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;

    let own = std::process::id();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).filter(|pid| *pid != own).find(
        |pid| {
            let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
                return false;
            };
            descriptors.flatten().any(|descriptor| {
                let same = std::fs::metadata(descriptor.path())
                    .is_ok_and(|found| found.ino() == file.inode && found.dev() == file.device);
                same && can_write(*pid, &descriptor.file_name().to_string_lossy())
            })
        },
    )
}

/// The access mode in the `flags:` line of `/proc/PID/fdinfo/FD`, octal: 1 is write-only, 2 is both.
#[cfg(target_os = "linux")]
fn can_write(pid: u32, descriptor: &str) -> bool {
    let info = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok());
    flags.is_some_and(|flags| matches!(flags & 3, 1 | 2))
}
