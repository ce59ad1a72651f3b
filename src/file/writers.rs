//! Who writes to a file: as far as the platform tells, without taking the lock to find out.
//!
//! Linux only: `/proc/locks` names the holder of the lock, `/proc/*/fd` who else has the file open for writing. Probing
//! by taking the lock would make the writer's own attempt fail.

use super::Identity;

/// What can be seen of writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// This process holds the writer's lock.
    Lock(u32),
    /// This process has the file open for writing, without the lock.
    Open(u32),
    /// No other process is seen writing. Processes of other users may be hidden.
    Nobody,
    /// This platform cannot tell.
    Unknown,
}

impl Seen {
    /// The process seen.
    pub const fn pid(self) -> Option<u32> {
        match self {
            Self::Lock(pid) | Self::Open(pid) => Some(pid),
            Self::Nobody | Self::Unknown => None,
        }
    }
}

/// Looks for another process that writes to the file.
#[cfg(target_os = "linux")]
pub fn who_writes(file: Identity) -> Seen {
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else {
        return Seen::Unknown;
    };
    if let Some(pid) = locks.lines().find_map(|line| holder(line, file)) {
        return if pid == std::process::id() { Seen::Nobody } else { Seen::Lock(pid) };
    }
    open_for_writing(file).map_or(Seen::Nobody, Seen::Open)
}

/// Looks for another process that writes to the file.
#[cfg(not(target_os = "linux"))]
pub const fn who_writes(_file: Identity) -> Seen {
    Seen::Unknown
}

/// The process of a line like `1: FLOCK  ADVISORY  WRITE 812 fe:00:1234 0 EOF`, when it is about `file`.
#[cfg(target_os = "linux")]
fn holder(line: &str, file: Identity) -> Option<u32> {
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
fn open_for_writing(file: Identity) -> Option<u32> {
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
