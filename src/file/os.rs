//! The disk of this machine: std's files, opened so that nothing hangs and no link is followed by a side file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Disk, FileIdentity, OpenMode, Storage};
use super::{WriterPresence, detect_writer};

/// The file systems of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

#[derive(Debug)]
struct OsFile(File);

impl Storage for OsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        retry_interrupted(|| platform::read_at(&self.0, buf, offset))
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = &self.0;
        retry_interrupted(|| file.write(bytes))
    }

    fn append_end(&self) -> io::Result<u64> {
        // Opened for append, so the position is the end of what the last write here put there, even if a program that
        // asks for no lock wrote at the same instant.
        let mut file = &self.0;
        file.stream_position()
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        platform::write_all_at(&self.0, bytes, offset)
    }

    fn drop_cache(&self) {
        platform::drop_cache(&self.0);
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        retry_interrupted(|| self.0.set_len(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(platform::identity(&self.0.metadata()?))
    }

    fn detect_writer(&self) -> WriterPresence {
        self.identity().map_or(WriterPresence::Unknown, detect_writer)
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
            OpenMode::Create => {
                options.append(true).create_new(true);
            }
            OpenMode::Repair => {
                options.write(true);
            }
            OpenMode::CreateSidecar { .. } => {
                options.write(true).create_new(true);
            }
        }
        if let OpenMode::Read | OpenMode::Append | OpenMode::Repair | OpenMode::ReadSidecar | OpenMode::AppendSidecar =
            mode
        {
            let found = match mode {
                OpenMode::Read | OpenMode::Append | OpenMode::Repair => fs::metadata(path)?,
                _ => fs::symlink_metadata(path)?,
            };
            // Before opening, because opening a device can do things; and again afterwards, because a name can move.
            ensure_regular_file(&found)?;
        }
        let file = platform::open(&mut options, path, mode)?;
        ensure_regular_file(&file.metadata()?)?;
        if let OpenMode::CreateSidecar { permissions_from: like } = mode {
            platform::copy_ownership(&file, &fs::metadata(like)?);
        }
        Ok(Arc::new(OsFile(file)))
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        let there = folder.and_then(|folder| tempfile::tempfile_in(folder).ok());
        Ok(Arc::new(OsFile(there.map_or_else(tempfile::tempfile, Ok)?)))
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        Ok(platform::identity(&fs::metadata(path)?))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        platform::rename_no_replace(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "it is there and no folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                platform::create_folder(path, &fs::metadata(permissions_from)?)
            }
            Err(error) => Err(error),
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        platform::sync_folder(path)
    }

    fn available_space(&self, path: &Path) -> Option<u64> {
        platform::available_space(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }
}

fn ensure_regular_file(found: &fs::Metadata) -> io::Result<()> {
    let kind = found.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a link"
    } else {
        platform::special_file_name(kind)
    };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("expected a regular file, found {what}")))
}

/// Repeats a call that a signal interrupted, and one that a non-blocking handle put off; no byte is handed over twice.
fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {
                std::thread::yield_now();
            }
            answer => return answer,
        }
    }
}

#[cfg(unix)]
mod platform {
    use std::fs::{DirBuilder, File, FileType, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    use rustix::fs::{Gid, Mode, OFlags, Uid, fchmod, fchown};

    use super::{FileIdentity, OpenMode};

    pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buf, offset)
    }

    pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    pub(super) fn open(options: &mut OpenOptions, path: &Path, mode: OpenMode) -> io::Result<File> {
        // Non-blocking, so that a FIFO that takes the name in between cannot hang us; it means nothing to a file.
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        if matches!(mode, OpenMode::ReadSidecar | OpenMode::AppendSidecar | OpenMode::CreateSidecar { .. }) {
            flags |= OFlags::NOFOLLOW;
        }
        if matches!(mode, OpenMode::CreateSidecar { .. }) {
            // Until it is dressed like its log it is readable by its owner alone.
            options.mode(0o600);
        }
        options.custom_flags(flags.bits().cast_signed()).open(path)
    }

    pub(super) fn identity(found: &Metadata) -> FileIdentity {
        FileIdentity { device: found.dev(), inode: found.ino(), links: found.nlink() }
    }

    /// Owner, group and mode of the log, as far as permitted; never readable by more than the log is.
    pub(super) fn copy_ownership(file: &File, permissions_from: &Metadata) {
        let owned =
            fchown(file, Some(Uid::from_raw(permissions_from.uid())), Some(Gid::from_raw(permissions_from.gid())))
                .is_ok();
        // Where the group could not be taken over, the group's and the others' rights are not handed to another group.
        let mask = if owned { 0o666 } else { 0o600 };
        let mode = Mode::from_raw_mode((permissions_from.permissions().mode() & mask) | 0o600);
        // A file system without modes refuses, and then has nothing to protect.
        let _ = fchmod(file, mode);
    }

    pub(super) fn create_folder(path: &Path, permissions_from: &Metadata) -> io::Result<()> {
        // Until it is dressed like its log it is its owner's alone.
        DirBuilder::new().mode(0o700).create(path)?;
        let folder = File::open(path)?;
        let owned =
            fchown(&folder, Some(Uid::from_raw(permissions_from.uid())), Some(Gid::from_raw(permissions_from.gid())))
                .is_ok();
        let mode = permissions_from.permissions().mode() & if owned { 0o666 } else { 0 };
        // Whoever may read the log may enter the folder beside it.
        let _ = fchmod(&folder, Mode::from_raw_mode(0o700 | mode | ((mode & 0o444) >> 2)));
        Ok(())
    }

    pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
        File::open(if path.as_os_str().is_empty() { Path::new(".") } else { path })?.sync_all()
    }

    pub(super) fn drop_cache(file: &File) {
        // Advice: pages that are dirty stay, and a refusal means that they are read from memory.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
        #[cfg(not(target_os = "linux"))]
        let _ = file;
    }

    pub(super) fn available_space(path: &Path) -> Option<u64> {
        let found = rustix::fs::statvfs(path).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }

    pub(super) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            use rustix::io::Errno;

            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                // A file system, or a system, that does not know how: looked at first instead.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                answer => return Ok(answer?),
            }
        }
        rename_if_absent(from, to)
    }

    fn rename_if_absent(from: &Path, to: &Path) -> io::Result<()> {
        match std::fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::rename(from, to),
            Err(error) => Err(error),
        }
    }

    pub(super) fn special_file_name(kind: FileType) -> &'static str {
        if kind.is_fifo() {
            "a FIFO"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::{self, File, FileType, Metadata, OpenOptions};
    use std::io::{self, Read, Seek, SeekFrom, Write};
    use std::path::Path;

    use super::{FileIdentity, OpenMode};

    pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut own = file.try_clone()?;
        own.seek(SeekFrom::Start(offset))?;
        own.read(buf)
    }

    pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut own = file.try_clone()?;
        own.seek(SeekFrom::Start(offset))?;
        own.write_all(bytes)
    }

    pub(super) fn open(options: &mut OpenOptions, path: &Path, _mode: OpenMode) -> io::Result<File> {
        options.open(path)
    }

    pub(super) fn identity(_found: &Metadata) -> FileIdentity {
        FileIdentity::UNKNOWN
    }

    pub(super) fn copy_ownership(_file: &File, _permissions_from: &Metadata) {}

    pub(super) fn create_folder(path: &Path, _permissions_from: &Metadata) -> io::Result<()> {
        fs::create_dir(path)
    }

    pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn drop_cache(_file: &File) {}

    pub(super) fn available_space(_path: &Path) -> Option<u64> {
        None
    }

    pub(super) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
        if to.exists() { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(from, to) }
    }

    pub(super) fn special_file_name(_kind: FileType) -> &'static str {
        "something else"
    }
}
