//! What a path names: the type of the file, and its owner, group and permissions.

use std::fs;
use std::io::{self, ErrorKind};

/// The owner, the group and the permissions of a file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    /// The id of the user who owns it.
    pub uid: u32,
    /// The id of its group.
    pub gid: u32,
    /// The permission bits, and the bits for special modes such as sticky folders.
    pub mode: u32,
}

/// A name in a folder, as [`Disk::entry`](super::Disk::entry) describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathEntry {
    /// The type of the file.
    pub kind: EntryKind,
    /// The owner and mode; `None` on platforms without owners.
    pub ownership: Option<Ownership>,
}

/// The type of the file that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A device, or a file of another special type.
    Device,
}

impl EntryKind {
    /// Returns the type with its article, as error messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Link => "a link",
            Self::Fifo => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
        }
    }
}

/// Checks that a file is a regular file.
///
/// # Errors
/// `InvalidInput` with the type of the file when it is another one.
pub(super) fn ensure_regular_file(metadata: &fs::Metadata) -> io::Result<()> {
    match entry_kind(metadata.file_type()) {
        EntryKind::File => Ok(()),
        other => {
            Err(io::Error::new(ErrorKind::InvalidInput, format!("expected a regular file, found {}", other.name())))
        }
    }
}

/// Returns the type of a file as an [`EntryKind`].
pub(super) fn entry_kind(file_type: fs::FileType) -> EntryKind {
    if file_type.is_file() {
        EntryKind::File
    } else if file_type.is_dir() {
        EntryKind::Folder
    } else if file_type.is_symlink() {
        EntryKind::Link
    } else {
        special_kind(file_type)
    }
}

/// Returns the owner and mode of a file; `None` on platforms without owners.
pub(super) fn ownership(metadata: &fs::Metadata) -> Option<Ownership> {
    #[cfg(unix)]
    let found = {
        use std::os::unix::fs::MetadataExt;

        Some(Ownership { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777 })
    };
    #[cfg(not(unix))]
    let found = {
        let _ = metadata;
        None
    };
    found
}

/// Returns the user with whose rights this process opens files; `None` on platforms without owners.
pub(super) fn effective_user() -> Option<u32> {
    #[cfg(unix)]
    let user = Some(rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    let user = None;
    user
}

#[cfg(unix)]
fn special_kind(file_type: fs::FileType) -> EntryKind {
    use std::os::unix::fs::FileTypeExt;

    if file_type.is_fifo() {
        EntryKind::Fifo
    } else if file_type.is_socket() {
        EntryKind::Socket
    } else {
        EntryKind::Device
    }
}

#[cfg(not(unix))]
fn special_kind(_file_type: fs::FileType) -> EntryKind {
    EntryKind::Device
}
