//! [`NewLogFolder`]: the creation of a log that is a folder, which is there completely or not at all.
//!
//! The folder is filled under the temporary name `<name>.<process id>-<number>.tmp`, and renamed when it is complete. Its file
//! `lock` is locked for that time. A killed process leaves the folder with a lock that is free; the next creation of a folder
//! with the same final name removes it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file_place::folder_of;
use super::log_folder::is_log_folder;
use super::new_file::{ExistingFile, sync_folder_of};
use super::path_entry::EntryKind;
use super::segments::LOCK_FILE;
use super::storage::{Disk, OpenMode, Storage};
use super::temporary_file::{MAX_NAME_ATTEMPTS, is_file_at, is_own, is_temporary_name, numbered_path};
use super::write_settings;
use crate::StorageError;
use crate::format::{LogSettings, SETTINGS_FILE, Version, base_of_index_file, base_of_segment_file, segment_file_name};

/// A log folder that is being filled under a temporary name. Dropping it before [`NewLogFolder::commit`] removes it.
#[derive(Debug)]
pub(crate) struct NewLogFolder<'d> {
    disk: &'d dyn Disk,
    /// The final path, without a `/` at its end.
    path: PathBuf,
    temporary: PathBuf,
    /// The locked file in the folder.
    lock: Arc<dyn Storage>,
    /// The log whose owner, group and mode the files get; `None` for those that the system gives to new files.
    permissions_from: Option<PathBuf>,
    name: FolderName,
}

/// The name that a new folder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FolderName {
    Temporary,
    Final,
    Removed,
}

impl<'d> NewLogFolder<'d> {
    /// Creates an empty folder under a temporary name, and removes those that killed processes have left for this path. The
    /// files in it get the owner, group and mode of the log or segment `permissions_from`, if it is given.
    ///
    /// # Errors
    /// `AlreadyExists` when something has the final name and is to be kept; the errors of [`check_replaceable_folder`] when it is
    /// to be replaced; `Io` when no folder can be created.
    pub(crate) fn create(
        disk: &'d dyn Disk,
        path: &Path,
        existing: ExistingFile,
        permissions_from: Option<&Path>,
    ) -> Result<Self, StorageError> {
        let path = path.components().as_path();
        if disk.identity(path).is_ok() {
            match existing {
                ExistingFile::Keep => return Err(StorageError::AlreadyExists { path: path.to_owned() }),
                ExistingFile::Replace => check_replaceable_folder(disk, path)?,
            }
        }
        remove_abandoned(disk, path);
        let io = |error| StorageError::io(path, "create the folder", error);
        for attempt in 0..MAX_NAME_ATTEMPTS {
            let temporary = numbered_path(path, attempt, "tmp");
            match disk.create_log_folder(&temporary) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(io(error)),
            }
            let lock = disk.open(&temporary.join(LOCK_FILE), creation_mode(permissions_from));
            match lock {
                // On a file system without locks, the folder is never taken for an abandoned one.
                Ok(lock)
                    if lock.try_lock().unwrap_or(true)
                        && is_file_at(disk, &temporary.join(LOCK_FILE), lock.as_ref()).unwrap_or(false) =>
                {
                    let folder = Self {
                        disk,
                        path: path.to_owned(),
                        temporary,
                        lock,
                        permissions_from: permissions_from.map(Path::to_owned),
                        name: FolderName::Temporary,
                    };
                    // After a power cut, a folder with other files has the lock too, which shows that it is abandoned.
                    disk.sync_folder(&folder.temporary).map_err(io)?;
                    return Ok(folder);
                }
                // Another process has removed the folder as an abandoned one, before or while it was locked.
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    remove_files_of_log(disk, &temporary);
                    return Err(io(error));
                }
            }
        }
        Err(io(ErrorKind::AlreadyExists.into()))
    }

    /// Creates the file of the segment that starts at `base`, and returns it with the path that it will have.
    ///
    /// # Errors
    /// `Io` when it cannot be created.
    pub(crate) fn create_segment(&self, base: u64) -> Result<(Arc<dyn Storage>, PathBuf), StorageError> {
        let name = segment_file_name(base);
        let path = self.path.join(&name);
        let mode = creation_mode(self.permissions_from.as_deref());
        let file = self.disk.open(&self.temporary.join(name), mode);
        Ok((file.map_err(|error| StorageError::io(&path, "create", error))?, path))
    }

    /// Writes the settings of the log.
    ///
    /// # Errors
    /// `Io` when they cannot be written.
    pub(crate) fn write_settings(&self, settings: &LogSettings) -> Result<(), StorageError> {
        write_settings(self.disk, &self.temporary, &self.temporary.join(LOCK_FILE), settings)
    }

    /// The path of the folder now: the temporary one before [`NewLogFolder::commit`] succeeds.
    pub(crate) fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Syncs the names of the files, gives the folder its final name unless something has it, and syncs that name. The files
    /// were synced before.
    ///
    /// # Errors
    /// `AlreadyExists` when something has the final name; `Io` when a step fails. The final name then leads to nothing of this
    /// folder, unless the folder cannot be renamed back after a failed sync.
    pub(crate) fn commit(&mut self) -> Result<(), StorageError> {
        let path = &self.path;
        self.disk.sync_folder(&self.temporary).map_err(|error| StorageError::io(path, "sync", error))?;
        self.disk.rename_no_replace(&self.temporary, path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: path.clone() },
            _ => StorageError::io(path, "create", error),
        })?;
        self.name = FolderName::Final;
        let synced = sync_folder_of(self.disk, path);
        if synced.is_err() && self.disk.rename_no_replace(path, &self.temporary).is_ok() {
            // Dropping the value removes it.
            self.name = FolderName::Temporary;
        }
        synced
    }

    /// Releases the lock of the folder, so that a writer can take it.
    pub(crate) fn unlock(&self) {
        // A failure is reported to the writer, which finds the lock taken.
        let _ = self.lock.unlock();
    }

    /// Removes the folder under its final name when no process writes to its log and none has appended to it.
    pub(crate) fn discard_unless_used(self) {
        let Ok(files) = self.disk.list(&self.path) else { return };
        let mut segments = files.iter().filter(|file| base_of_segment_file(file).is_some());
        let is_empty = |segment: &PathBuf| {
            let len = self.disk.open(segment, OpenMode::Read).and_then(|segment| segment.len());
            len.is_ok_and(|len| len <= Version::V2.first_frame_offset())
        };
        if matches!(self.lock.try_lock(), Ok(true)) && segments.all(is_empty) {
            self.discard();
        }
    }

    /// True once the folder has its final name.
    pub(crate) fn is_committed(&self) -> bool {
        self.name == FolderName::Final
    }

    /// Removes the folder, under its temporary or its final name. When that fails, it stays.
    pub(crate) fn discard(mut self) {
        if self.name == FolderName::Final {
            remove_files_of_log(self.disk, &self.path);
            self.name = FolderName::Removed;
        }
    }
}

impl Drop for NewLogFolder<'_> {
    fn drop(&mut self) {
        if self.name == FolderName::Temporary {
            // A temporary folder that cannot be removed is harmless, and the next creation at this place removes it.
            remove_files_of_log(self.disk, &self.temporary);
        }
    }
}

/// Returns the mode in which a file of a new log is created.
fn creation_mode(permissions_from: Option<&Path>) -> OpenMode<'_> {
    permissions_from.map_or(OpenMode::Create, |permissions_from| OpenMode::CreateSidecar { permissions_from })
}

/// Checks that the folder at `path` is a log which may be replaced: it has a segment that can be opened, no process writes to
/// it, and it has nothing but segments, their indexes, the settings and the lock.
///
/// # Errors
/// `Refused` when it is no log in a folder, or has another file, such as a journal or a removed segment; `Locked` or `Refused` when
/// another process writes to it; `Io` when it cannot be examined.
pub(crate) fn check_replaceable_folder(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    let refused = |reason: &str, alternative| {
        let (path, reason) = (path.to_owned(), reason.to_owned());
        Err(StorageError::Refused { path, reason, alternative })
    };
    let other_name = "Name another folder; --force replaces only the folder of a log";
    if !is_log_folder(disk, path) {
        return refused("it is not the folder of a log", other_name);
    }
    let files = disk.list(path).map_err(|error| StorageError::io(path, "list", error))?;
    if let Some(other) = files.iter().find(|file| !is_file_of_log(file)) {
        let reason = format!("the folder has {}, which is no segment, index or settings of the log", other.display());
        let alternative = "Move the file or the folder away, or name another folder; --force does not remove it";
        return refused(&reason, alternative);
    }
    let Some(newest) = files.iter().rfind(|file| base_of_segment_file(file).is_some()) else {
        return refused("the folder has no log", "Remove the folder, or name another one; --force replaces only a log");
    };
    let segment = disk.open(newest, OpenMode::Read).map_err(|error| StorageError::io(newest, "open", error))?;
    segment.detect_writer().ensure_none(path)
}

/// True for a file that the program writes into the folder of a log and that the log alone needs. Journals and removed
/// segments can be needed after the log is gone.
fn is_file_of_log(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    base_of_index_file(path).is_some()
        || name == LOCK_FILE
        || name == SETTINGS_FILE
        || base_of_segment_file(path).is_some()
}

/// Removes the files of a log from the folder `path`, and then the folder. When that is not possible, because it has another
/// file, it stays.
pub(super) fn remove_files_of_log(disk: &dyn Disk, path: &Path) {
    let settings = path.join(SETTINGS_FILE);
    let is_removed = |file: &&PathBuf| is_file_of_log(file) || is_temporary_name(file, &settings);
    let files = disk.list(path).unwrap_or_default();
    let (lock, others): (Vec<_>, Vec<_>) =
        files.iter().filter(is_removed).partition(|file| file.file_name().is_some_and(|name| name == LOCK_FILE));
    // The lock is removed last: it shows that what a killed process has left of the folder is abandoned.
    for file in others.into_iter().chain(lock) {
        let _ = disk.remove(file);
    }
    let _ = disk.remove_folder(path);
}

/// Removes the temporary folders for `target` whose processes no longer exist. A folder that cannot be examined, and one that
/// another user has made, stays.
fn remove_abandoned(disk: &dyn Disk, target: &Path) {
    let entries = disk.list(folder_of(target)).unwrap_or_default();
    let is_folder = |path: &Path| matches!(disk.entry(path), Ok(entry) if entry.kind == EntryKind::Folder);
    for path in entries.iter().filter(|path| is_temporary_name(path, target) && is_folder(path)) {
        match disk.open(&path.join(LOCK_FILE), OpenMode::ReadSidecar) {
            Ok(lock) if is_own(disk, lock.as_ref(), None) && matches!(lock.try_lock(), Ok(true)) => {
                remove_files_of_log(disk, path);
            }
            // The process was killed before it made the lock. Only an empty folder can be removed.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let _ = disk.remove_folder(path);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::file::OsDisk;
    use crate::format::{LogId, NewLogFormat};

    const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn create(path: &Path, existing: ExistingFile) -> Result<NewLogFolder<'static>, StorageError> {
        NewLogFolder::create(&OsDisk, path, existing, None)
    }

    fn fill(folder: &NewLogFolder) {
        let (file, _) = folder.create_segment(0).unwrap();
        super::super::storage::append_all(file.as_ref(), &NewLogFormat::V2(ID).header(5).encode()).unwrap();
    }

    #[test]
    fn a_folder_appears_when_it_is_complete_and_a_dropped_one_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("log/");
        let mut folder = create(&path, ExistingFile::Keep).unwrap();
        fill(&folder);
        assert_eq!(names(parent.path()).len(), 1);
        assert!(!path.exists());
        folder.commit().unwrap();
        drop(folder);
        assert_eq!(names(parent.path()), ["log"]);
        assert_eq!(names(&path), ["00000000000000000000.log", "lock"]);
        let error = create(&path, ExistingFile::Keep).unwrap_err();
        assert!(matches!(error, StorageError::AlreadyExists { .. }), "{error}");
        let other = create(&parent.path().join("other"), ExistingFile::Keep).unwrap();
        fill(&other);
        drop(other);
        assert_eq!(names(parent.path()), ["log"]);
    }

    #[test]
    fn what_a_killed_process_has_left_is_removed_and_what_a_running_one_fills_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("log");
        let running = create(&path, ExistingFile::Keep).unwrap();
        let at = |name: &str| parent.path().join(name);
        fs::create_dir(at("log.4294967295-0.tmp")).unwrap();
        for name in ["lock", "00000000000000000000.log", "log.json", "log.json.4294967295-0.tmp"] {
            fs::write(at("log.4294967295-0.tmp").join(name), "x").unwrap();
        }
        // Killed before it had a lock, and a folder in which a user has put a file.
        fs::create_dir(at("log.4294967295-1.tmp")).unwrap();
        fs::create_dir(at("log.4294967295-2.tmp")).unwrap();
        for name in ["lock", "notes.txt"] {
            fs::write(at("log.4294967295-2.tmp").join(name), "x").unwrap();
        }
        let second = create(&path, ExistingFile::Keep).unwrap();
        assert!(running.temporary_path().exists() && second.temporary_path().exists());
        assert_ne!(running.temporary_path(), second.temporary_path());
        drop((running, second));
        assert_eq!(names(parent.path()), ["log.4294967295-2.tmp"]);
        assert_eq!(names(&at("log.4294967295-2.tmp")), ["notes.txt"]);
    }

    #[test]
    fn only_a_log_in_a_folder_without_other_files_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::create_dir(at("empty")).unwrap();
        let mut folder = create(&at("log"), ExistingFile::Keep).unwrap();
        fill(&folder);
        folder.commit().unwrap();
        drop(folder);
        for refused in ["file", "empty"] {
            let error = create(&at(refused), ExistingFile::Replace).unwrap_err();
            assert!(matches!(error, StorageError::Refused { .. }), "{refused}: {error}");
        }
        assert!(create(&at("log"), ExistingFile::Replace).is_ok());
        for other in ["notes.txt", "00000000000000000000.log.bak", "x.idx"] {
            fs::write(at("log").join(other), "x").unwrap();
            let error = create(&at("log"), ExistingFile::Replace).unwrap_err();
            assert!(matches!(error, StorageError::Refused { .. }) && error.to_string().contains(other), "{error}");
            fs::remove_file(at("log").join(other)).unwrap();
        }
        fs::create_dir(at("log/repairs")).unwrap();
        assert!(create(&at("log"), ExistingFile::Replace).is_err(), "journals stay");
    }
}
