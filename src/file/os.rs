//! [`OsDisk`]: the file systems of this machine, through the standard library.
//!
//! Files are opened so that a FIFO or device cannot block the program. Links are followed for logs, and refused for
//! sidecar files: the index and the journals.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_identity::{FileIdentity, FileStamp};
#[cfg(not(unix))]
use super::os_without_unix as platform;
use super::path_entry::{Ownership, PathEntry, effective_user, ensure_regular_file, entry_kind, ownership};
use super::retry::{list_folder, retry, retry_name_change, retry_sync};
use super::storage::{Disk, OpenMode, Storage};
use super::writer_detection::find_open_writers;
use super::{WriterPresence, detect_writer};

/// The file systems of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

/// An open file of this machine.
#[derive(Debug)]
struct OsFile(File);

impl Storage for OsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(retry(|| self.0.metadata())?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        // No file has bytes there, and the system refuses the offset instead of returning none. An index can claim it.
        if i64::try_from(offset.saturating_add(buf.len() as u64)).is_err() {
            return Ok(0);
        }
        retry(|| platform::read_at(&self.0, buf, offset))
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = &self.0;
        retry(|| file.write(bytes))
    }

    fn append_end(&self) -> io::Result<u64> {
        // The file is open for append, so the position is the end of the last write of this handle, even when a program
        // without the lock wrote at the same time.
        let mut file = &self.0;
        retry(|| file.stream_position())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            // An interrupted write has written nothing, so every write continues after the part written before.
            match retry(|| platform::write_at(&self.0, rest, offset + done as u64))? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => done += written,
            }
        }
        Ok(())
    }

    fn drop_cache(&self) {
        platform::drop_cache(&self.0);
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        retry(|| self.0.set_len(len))
    }

    fn sync(&self) -> io::Result<()> {
        retry_sync(|| self.0.sync_data())
    }

    fn try_lock(&self) -> io::Result<bool> {
        retry(|| match self.0.try_lock() {
            Ok(()) => Ok(true),
            // This is the answer that another handle holds the lock, so it is not repeated.
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    fn unlock(&self) -> io::Result<()> {
        retry(|| self.0.unlock())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(platform::identity(&retry(|| self.0.metadata())?))
    }

    fn stamp(&self) -> io::Result<FileStamp> {
        let metadata = retry(|| self.0.metadata())?;
        Ok(FileStamp { bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        Ok(ownership(&retry(|| self.0.metadata())?))
    }

    fn detect_writer(&self) -> WriterPresence {
        self.identity().map_or(WriterPresence::Unknown, detect_writer)
    }

    fn open_writers(&self) -> Vec<u32> {
        self.identity().map(find_open_writers).unwrap_or_default()
    }
}

impl Disk for OsDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match mode {
            OpenMode::Read | OpenMode::ReadSidecar => {}
            OpenMode::Append | OpenMode::AppendSidecar => {
                options.append(true);
            }
            OpenMode::Repair | OpenMode::RepairSidecar => {
                options.write(true);
            }
            // No step after the creation can fail, because the file would stay under its name.
            OpenMode::Create | OpenMode::CreatePrivate => {
                return Ok(Arc::new(OsFile(platform::create(path, mode)?)));
            }
            OpenMode::CreateSidecar { permissions_from } => {
                let permissions = retry(|| fs::metadata(permissions_from))?;
                let file = platform::create(path, mode)?;
                platform::copy_ownership(&file, &permissions);
                return Ok(Arc::new(OsFile(file)));
            }
        }
        let metadata = match mode {
            OpenMode::ReadSidecar | OpenMode::AppendSidecar | OpenMode::RepairSidecar => {
                retry(|| fs::symlink_metadata(path))?
            }
            _ => retry(|| fs::metadata(path))?,
        };
        // The check is made before opening, because opening a device can have an effect, and again after opening,
        // because another process can replace the file in between.
        ensure_regular_file(&metadata)?;
        let file = retry(|| platform::open(&mut options, path, mode))?;
        ensure_regular_file(&retry(|| file.metadata())?)?;
        Ok(Arc::new(OsFile(file)))
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        let in_folder = folder.and_then(|folder| retry(|| tempfile::tempfile_in(folder)).ok());
        Ok(Arc::new(OsFile(in_folder.map_or_else(|| retry(tempfile::tempfile), Ok)?)))
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        Ok(platform::identity(&retry(|| fs::metadata(path))?))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        retry(|| fs::canonicalize(path)).map_err(|error| {
            // A pipe that a shell passes as a path can be opened, but has no path of its own.
            retry(|| fs::metadata(path)).ok().and_then(|metadata| ensure_regular_file(&metadata).err()).unwrap_or(error)
        })
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        let metadata = retry(|| fs::symlink_metadata(path))?;
        Ok(PathEntry { kind: entry_kind(metadata.file_type()), ownership: ownership(&metadata) })
    }

    fn user(&self) -> Option<u32> {
        effective_user()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        retry_name_change(|| fs::rename(from, to), ErrorKind::NotFound, || exists(to))
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        retry_name_change(|| platform::rename_no_replace(from, to), ErrorKind::NotFound, || exists(to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        retry_name_change(|| fs::remove_file(path), ErrorKind::NotFound, || true)
    }

    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()> {
        match retry(|| fs::symlink_metadata(path)) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "exists and is not a folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                platform::create_folder(path, &retry(|| fs::metadata(permissions_from))?)
            }
            Err(error) => Err(error),
        }
    }

    fn create_log_folder(&self, path: &Path) -> io::Result<()> {
        retry_name_change(|| fs::create_dir(path), ErrorKind::AlreadyExists, || exists(path))
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        retry_name_change(|| fs::remove_dir(path), ErrorKind::NotFound, || true)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        platform::sync_folder(path)
    }

    fn available_space(&self, path: &Path) -> Option<u64> {
        platform::available_space(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = match list_folder(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            listed => listed?,
        };
        // The paths differ in their last part only, and comparing paths part by part is slow.
        paths.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        Ok(paths)
    }
}

/// True when the path leads to something, which is not followed when it is a link.
fn exists(path: &Path) -> bool {
    retry(|| fs::symlink_metadata(path)).is_ok()
}

#[cfg(unix)]
mod platform {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    use rustix::fs::{Gid, Mode, OFlags, Uid, fchmod, fchown};

    use super::super::retry::{is_repeatable, retry_creation};
    use super::{ErrorKind, FileIdentity, OpenMode, effective_user, exists, retry, retry_name_change, retry_sync};

    pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buf, offset)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.write_at(bytes, offset)
    }

    pub(super) fn open(options: &mut OpenOptions, path: &Path, mode: OpenMode) -> io::Result<File> {
        // Non-blocking mode, so that a FIFO that replaced the file in between cannot block the program. The mode has no
        // effect on regular files.
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        if matches!(mode, OpenMode::ReadSidecar | OpenMode::AppendSidecar | OpenMode::RepairSidecar) {
            flags |= OFlags::NOFOLLOW;
        }
        options.custom_flags(flags.bits().cast_signed()).open(path)
    }

    /// Creates a file, whose name must not exist.
    pub(super) fn create(path: &Path, mode: OpenMode) -> io::Result<File> {
        let (access, permissions) = match mode {
            // Only the owner can read the file until it has the permissions of the log.
            OpenMode::CreateSidecar { .. } => (OFlags::RDWR, 0o600),
            OpenMode::CreatePrivate => (OFlags::RDWR | OFlags::APPEND, 0o600),
            _ => (OFlags::RDWR | OFlags::APPEND, 0o666),
        };
        let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let open = |flags| Ok(File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(permissions))?));
        retry_creation(
            || open(flags | OFlags::CREATE | OFlags::EXCL),
            || {
                let file = retry(|| open(flags))?;
                let found = retry(|| file.metadata())?;
                let is_new = found.is_file() && found.len() == 0 && found.nlink() == 1;
                Ok((is_new && effective_user() == Some(found.uid())).then_some(file))
            },
        )
    }

    pub(super) fn identity(metadata: &Metadata) -> FileIdentity {
        FileIdentity::new(metadata.dev(), metadata.ino()).with_links(metadata.nlink())
    }

    /// Copies owner, group and mode of the log as far as permitted. The file is never readable by more users than the
    /// log.
    pub(super) fn copy_ownership(file: &File, permissions_from: &Metadata) {
        let (user, group) = (Uid::from_raw(permissions_from.uid()), Gid::from_raw(permissions_from.gid()));
        let is_owner_copied = retry(|| Ok(fchown(file, Some(user), Some(group))?)).is_ok();
        // When owner and group cannot be copied, only the owner gets rights, because the file belongs to another group.
        let mask = if is_owner_copied { 0o666 } else { 0o600 };
        let mode = Mode::from_raw_mode((permissions_from.permissions().mode() & mask) | 0o600);
        // A file system without modes returns an error. It is ignored, because such a file system has no permissions.
        let _ = retry(|| Ok(fchmod(file, mode)?));
    }

    pub(super) fn create_folder(path: &Path, permissions_from: &Metadata) -> io::Result<()> {
        // Only the owner can access the folder until it has the permissions of the log.
        let create = || DirBuilder::new().mode(0o700).create(path);
        retry_name_change(create, ErrorKind::AlreadyExists, || exists(path))?;
        let folder = retry(|| File::open(path))?;
        let (user, group) = (Uid::from_raw(permissions_from.uid()), Gid::from_raw(permissions_from.gid()));
        let is_owner_copied = retry(|| Ok(fchown(&folder, Some(user), Some(group))?)).is_ok();
        let mode = permissions_from.permissions().mode() & if is_owner_copied { 0o666 } else { 0 };
        // Users who can read the log can also list the folder, so read permission implies execute permission.
        let mode = Mode::from_raw_mode(0o700 | mode | ((mode & 0o444) >> 2));
        let _ = retry(|| Ok(fchmod(&folder, mode)?));
        Ok(())
    }

    pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
        let folder = retry(|| File::open(if path.as_os_str().is_empty() { Path::new(".") } else { path }))?;
        retry_sync(|| folder.sync_all())
    }

    pub(super) fn drop_cache(file: &File) {
        // This is advice to the kernel. Dirty pages stay cached, and after an error the next read comes from memory.
        #[cfg(target_os = "linux")]
        let _ = retry(|| Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?));
        #[cfg(not(target_os = "linux"))]
        let _ = file;
    }

    pub(super) fn available_space(path: &Path) -> Option<u64> {
        let status = retry(|| Ok(rustix::fs::statvfs(path)?)).ok()?;
        status.f_bavail.checked_mul(status.f_frsize)
    }

    pub(super) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            use rustix::io::Errno;

            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                // The system or file system cannot rename in this way.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                result => return Ok(result?),
            }
        }
        link_and_unlink(from, to)
    }

    /// Gives the file its new name by a hard link, which never replaces a file, and then removes the old name. An old
    /// name that cannot be removed is a temporary one, which the next creation at this place removes.
    fn link_and_unlink(from: &Path, to: &Path) -> io::Result<()> {
        match std::fs::hard_link(from, to) {
            Ok(()) => {
                let _ = retry(|| std::fs::remove_file(from));
                Ok(())
            }
            // The caller repeats an interrupted call.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists || is_repeatable(&error) => Err(error),
            // The file system has no links.
            Err(_) => rename_if_absent(from, to),
        }
    }

    /// Renames after checking that the target does not exist. Another process can create it in between.
    fn rename_if_absent(from: &Path, to: &Path) -> io::Result<()> {
        match std::fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::rename(from, to),
            Err(error) => Err(error),
        }
    }
}
