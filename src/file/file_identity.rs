//! [`FileIdentity`] and [`FileStamp`]: what distinguishes an open file from another one, and one state of it from another.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// The size of a file and the time of its last write, which show whether its bytes may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Size in bytes.
    pub bytes: u64,
    /// Time of the last write; `None` where the storage does not record it.
    pub modified: Option<SystemTime>,
}

/// Identifies a file independently of its path, on platforms that number their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FileIdentity {
    /// Device and inode of the file; `None` on platforms that have none.
    pub device_inode: Option<DeviceInode>,
    /// The number of names (hard links) of the file.
    pub links: u64,
}

/// The number of a device, and the number of a file on it. In JSON, an array of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
#[non_exhaustive]
pub struct DeviceInode {
    /// The number of the device.
    pub device: u64,
    /// The number of the file on the device.
    pub inode: u64,
}

impl FileIdentity {
    /// The identity of every file on platforms without device and inode numbers.
    pub const UNKNOWN: Self = Self { device_inode: None, links: 1 };

    /// Creates the identity of a file with one name.
    pub const fn new(device: u64, inode: u64) -> Self {
        Self { device_inode: Some(DeviceInode { device, inode }), links: 1 }
    }

    /// Sets the number of names of the file.
    #[must_use]
    pub const fn with_links(mut self, links: u64) -> Self {
        self.links = links;
        self
    }

    /// Returns whether both identify the same file; `None` when one of them is unknown. The number of names is ignored,
    /// because it can change.
    pub fn is_same_file(self, other: Self) -> Option<bool> {
        Some(self.device_inode? == other.device_inode?)
    }
}

impl From<(u64, u64)> for DeviceInode {
    fn from((device, inode): (u64, u64)) -> Self {
        Self { device, inode }
    }
}

impl From<DeviceInode> for (u64, u64) {
    fn from(file: DeviceInode) -> Self {
        (file.device, file.inode)
    }
}
