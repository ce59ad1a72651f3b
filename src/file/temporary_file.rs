//! [`TemporaryFile`]: a file in the folder of its final path, under a temporary name and locked while it exists.
//!
//! A process that is killed leaves its temporary file. Its lock is then free, which distinguishes the file from one that
//! another process, even in another container, is still writing. The next process that creates a temporary file for
//! the same final path removes it.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_place::folder_of;
use super::storage::{Disk, OpenMode, Storage};
use crate::StorageError;
use crate::format::{base_of_index_file, base_of_segment_file};

/// The largest number of names that are tried for a temporary file.
pub(super) const MAX_NAME_ATTEMPTS: u32 = 1000;
/// The id of the user who gives each file that it creates to the owner of the log.
const ROOT: u32 = 0;

/// A file under the temporary name `<final name>.<process id>-<number>.tmp`. Dropping the value does not remove it.
#[derive(Debug)]
pub(super) struct TemporaryFile {
    /// The temporary path.
    pub(super) path: PathBuf,
    /// The open file. It holds the writer's lock, unless the file system has no locks.
    pub(super) storage: Arc<dyn Storage>,
    /// Why the file is not locked; `None` when it is locked.
    pub(super) lock_error: Option<io::Error>,
}

impl TemporaryFile {
    /// Creates a temporary file for the final path `target` in the given mode, and removes those that killed processes
    /// have left for this path. Those for a segment or its index stay, because the folder of such a log can have very many files:
    /// the next writer removes all of them at once.
    ///
    /// # Errors
    /// `Io` when no file can be created.
    pub(super) fn create(disk: &dyn Disk, target: &Path, mode: OpenMode) -> Result<Self, StorageError> {
        let log = match mode {
            OpenMode::CreateSidecar { permissions_from } => Some(permissions_from),
            _ => None,
        };
        if !is_file_of_segment(target) {
            let files = disk.list(folder_of(target)).unwrap_or_default();
            let is_for_target = |path: &&PathBuf| is_temporary_name(path, target);
            files.iter().filter(is_for_target).for_each(|path| remove_if_abandoned(disk, path, log));
        }
        let io = |error| StorageError::io(target, "create", error);
        for attempt in 0..MAX_NAME_ATTEMPTS {
            let path = numbered_path(target, attempt, "tmp");
            let storage = match disk.open(&path, mode) {
                Ok(storage) => storage,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(io(error)),
            };
            match storage.try_lock() {
                Ok(true) => match is_file_at(disk, &path, storage.as_ref()) {
                    Ok(true) => return Ok(Self { path, storage, lock_error: None }),
                    // Before the lock was taken, another process removed the file as an abandoned one.
                    Ok(false) => {}
                    Err(error) => {
                        let _ = disk.remove(&path);
                        return Err(io(error));
                    }
                },
                Ok(false) => {}
                Err(error) => return Ok(Self { path, storage, lock_error: Some(error) }),
            }
        }
        Err(io(ErrorKind::AlreadyExists.into()))
    }
}

/// Returns the path `<target>.<process id>-<number>.<suffix>`.
pub(super) fn numbered_path(target: &Path, number: u32, suffix: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.{suffix}", std::process::id()));
    target.with_file_name(name)
}

/// True for the path of a segment or of its index.
fn is_file_of_segment(path: &Path) -> bool {
    base_of_segment_file(path).or_else(|| base_of_index_file(path)).is_some()
}

/// Removes the temporary file at `path` when its process no longer exists. A file that cannot be examined, and a file that
/// another user has put there, stays. `log` is the log of a side file.
pub(super) fn remove_if_abandoned(disk: &dyn Disk, path: &Path, log: Option<&Path>) {
    if let Ok(storage) = disk.open(path, OpenMode::ReadSidecar)
        && is_own(disk, storage.as_ref(), log)
        && matches!(storage.try_lock(), Ok(true))
        && matches!(is_file_at(disk, path, storage.as_ref()), Ok(true))
    {
        let _ = disk.remove(path);
    }
}

/// True when this user can have created the file: as its owner, or as root for the owner of `log`. On platforms without
/// owners, every file counts as own.
pub(super) fn is_own(disk: &dyn Disk, file: &dyn Storage, log: Option<&Path>) -> bool {
    match (file.ownership(), disk.user()) {
        (Ok(Some(found)), Some(user)) => {
            let is_owner_of_log = |log| {
                let owner = disk.open(log, OpenMode::Read).and_then(|log| log.ownership());
                matches!(owner, Ok(Some(owner)) if owner.uid == found.uid)
            };
            found.uid == user || user == ROOT && log.is_some_and(is_owner_of_log)
        }
        (Ok(_), _) => true,
        (Err(_), _) => false,
    }
}

/// Returns true when `path` leads to the file that is open as `storage`, or when files have no identities.
///
/// # Errors
/// The error of the operating system when one of the two cannot be examined.
pub(crate) fn is_file_at(disk: &dyn Disk, path: &Path, storage: &dyn Storage) -> io::Result<bool> {
    let opened = storage.identity()?;
    match disk.identity(path) {
        Ok(found) => Ok(found.is_same_file(opened).unwrap_or(true)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the final name of a file with the temporary name `path`, as encoded bytes; `None` for any other name.
pub(crate) fn target_name(path: &Path) -> Option<&[u8]> {
    let name = path.file_name()?.as_encoded_bytes().strip_suffix(b".tmp".as_slice())?;
    let dot = memchr::memrchr(b'.', name)?;
    let (target, numbers) = (name.get(..dot)?, std::str::from_utf8(name.get(dot + 1..)?).ok()?);
    let (process, attempt) = numbers.split_once('-')?;
    // A number with a sign or leading zeros was not written by this program.
    let is_number = |text: &str| text.parse::<u32>().is_ok_and(|number| number.to_string() == text);
    (!target.is_empty() && is_number(process) && is_number(attempt)).then_some(target)
}

/// True when the name of `path` is a temporary name for `target`.
pub(super) fn is_temporary_name(path: &Path, target: &Path) -> bool {
    target_name(path).is_some_and(|name| target.file_name().map(OsStr::as_encoded_bytes) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::failing_disk::{FailingCall, FailingDisk};

    #[test]
    fn a_file_that_cannot_be_identified_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.log");
        for call in [FailingCall::IdentityOfPath, FailingCall::IdentityOfFile] {
            let disk = FailingDisk::new(call);
            let error = TemporaryFile::create(&disk, &target, OpenMode::Create).unwrap_err();
            assert!(matches!(error, StorageError::Io { .. }), "{call:?}: {error}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{call:?}");
        }
    }

    #[test]
    fn only_the_exact_pattern_is_a_temporary_name() {
        let target = Some(b"a.log".as_slice());
        for temporary in ["/data/a.log.1-0.tmp", "a.log.4294967295-12.tmp"] {
            assert_eq!(target_name(Path::new(temporary)), target, "{temporary}");
        }
        for other in [
            "a.log.tmp",
            "a.log.1.tmp",
            "a.log.1-.tmp",
            "a.log.-1.tmp",
            "a.log.01-0.tmp",
            "a.log.1-00.tmp",
            "a.log.+1-0.tmp",
            "a.log.4294967296-0.tmp",
            "a.log.1-0.tmp~",
            "a.log.1-0-0.tmp",
            "a.log.idx.1-0.tmp",
            "b.log.1-0.tmp",
            "a.logs.1-0.tmp",
            "a.log1-0.tmp",
        ] {
            assert_ne!(target_name(Path::new(other)), target, "{other}");
        }
    }
}
