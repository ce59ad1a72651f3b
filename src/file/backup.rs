//! [`Backup`]: the old files that a creation replaces, kept under their own names until it ends. They are restored when
//! the creation fails.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::log_folder::is_log_folder;
use super::new_file::sync_folder_of;
use super::new_log_folder::remove_files_of_log;
use super::storage::{Disk, OpenMode, append_all, read_full};
use super::temporary_file::{MAX_NAME_ATTEMPTS, TemporaryFile, numbered_path};
use crate::StorageError;

/// Largest number of bytes that are copied at once.
const CHUNK_LEN: usize = 1 << 20;

/// The old files, or the old folder of a log, that a creation replaces.
///
/// Each is complete under the name `<name>.<process id>-<number>.old`. No run removes a file with such a name that
/// another run has left, because after a kill it can be the only copy.
#[derive(Debug)]
pub(crate) struct Backup<'d> {
    disk: &'d dyn Disk,
    entries: Vec<BackupFile>,
}

#[derive(Debug)]
struct BackupFile {
    /// Path of the file that is backed up.
    original: PathBuf,
    /// Path of the backup.
    backup: PathBuf,
    origin: BackupOrigin,
}

/// How a backup was made, which decides what restoring it may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BackupOrigin {
    /// The original stayed in place until the new file replaced it, so restoring replaces the new file.
    Copied,
    /// The original was renamed, so a file that has its name now belongs to another process.
    Moved,
}

impl<'d> Backup<'d> {
    /// Creates a value without backups.
    pub(crate) const fn new(disk: &'d dyn Disk) -> Self {
        Self { disk, entries: Vec::new() }
    }

    /// Backs up the file at `path`, if there is one, by copying it. The original stays in place until it is replaced, so
    /// `path` has a file after a kill at any instant.
    ///
    /// # Errors
    /// `Io` when the copy cannot be written.
    pub(crate) fn add_copy(&mut self, path: &Path) -> Result<(), StorageError> {
        if !self.has_file(path)? {
            return Ok(());
        }
        let copy = TemporaryFile::create(self.disk, path, OpenMode::CreateSidecar { permissions_from: path })?;
        let backup = self.copy_contents(path, &copy).and_then(|()| self.rename_to_backup(&copy.path, path));
        let backup = backup.inspect_err(|_| {
            let _ = self.disk.remove(&copy.path);
        })?;
        self.entries.push(BackupFile { original: path.to_owned(), backup, origin: BackupOrigin::Copied });
        Ok(())
    }

    fn copy_contents(&self, path: &Path, copy: &TemporaryFile) -> Result<(), StorageError> {
        let original =
            self.disk.open(path, OpenMode::ReadSidecar).map_err(|error| StorageError::io(path, "open", error))?;
        let (mut buf, mut at) = (vec![0; CHUNK_LEN], 0);
        loop {
            let read = read_full(original.as_ref(), &mut buf, at);
            let read = read.map_err(|error| StorageError::io_at(path, "read", at, error))?;
            if read == 0 {
                break;
            }
            let bytes = buf.get(..read).unwrap_or_default();
            let written = append_all(copy.storage.as_ref(), bytes);
            written.map_err(|error| StorageError::io(&copy.path, "write", error))?;
            at += read as u64;
        }
        copy.storage.sync().map_err(|error| StorageError::io(&copy.path, "sync", error))
    }

    /// Backs up the file at `path`, if there is one, by renaming it, and syncs the folder.
    ///
    /// # Errors
    /// `Io` when the file cannot be renamed, or the folder cannot be synced.
    pub(crate) fn move_away(&mut self, path: &Path) -> Result<(), StorageError> {
        if !self.has_file(path)? {
            return Ok(());
        }
        let backup = self.rename_to_backup(path, path)?;
        self.entries.push(BackupFile { original: path.to_owned(), backup, origin: BackupOrigin::Moved });
        sync_folder_of(self.disk, path)
    }

    /// True when there is a file at `path`.
    fn has_file(&self, path: &Path) -> Result<bool, StorageError> {
        match self.disk.identity(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StorageError::io(path, "examine", error)),
        }
    }

    /// Renames `from` to an unused backup name for `original`, and returns that name.
    fn rename_to_backup(&self, from: &Path, original: &Path) -> Result<PathBuf, StorageError> {
        let io = |error| StorageError::io(original, "rename", error);
        for attempt in 0..MAX_NAME_ATTEMPTS {
            let backup = numbered_path(original, attempt, "old");
            match self.disk.rename_no_replace(from, &backup) {
                Ok(()) => return Ok(backup),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io(error)),
            }
        }
        Err(io(ErrorKind::AlreadyExists.into()))
    }

    /// True when the file that was at `path` has a backup.
    pub(crate) fn has_backup(&self, path: &Path) -> bool {
        self.entries.iter().any(|entry| entry.original == path)
    }

    /// Restores every file after the creation failed with the message `cause`.
    ///
    /// A renamed file keeps its backup name also when one that was renamed after it does, so that an old index never
    /// gets its name back next to another log.
    ///
    /// # Errors
    /// `NotRestored`, whose message has `cause` and every file that keeps its backup name.
    pub(crate) fn restore(self, cause: &dyn Display) -> Result<(), StorageError> {
        let mut result = Ok(());
        let mut is_moved_kept = false;
        for BackupFile { original, backup, origin } in self.entries.into_iter().rev() {
            let restored = match origin {
                BackupOrigin::Copied => self.disk.rename(&backup, &original),
                BackupOrigin::Moved if is_moved_kept => Err(io::Error::other("the file of that log is not restored")),
                BackupOrigin::Moved => self.disk.rename_no_replace(&backup, &original),
            };
            match restored {
                Ok(()) => {
                    let _ = sync_folder_of(self.disk, &original);
                }
                Err(source) => {
                    is_moved_kept |= origin == BackupOrigin::Moved;
                    let cause = result.map_or_else(|error: StorageError| error.to_string(), |()| cause.to_string());
                    result = Err(StorageError::NotRestored { path: original, kept_at: backup, source, cause });
                }
            }
        }
        result
    }

    /// Removes the backup of the file at `path`. A backup that cannot be removed stays.
    pub(crate) fn discard(&mut self, path: &Path) {
        self.discard_where(|entry| entry.original == path);
    }

    /// Removes the backups of all files.
    pub(crate) fn discard_all(&mut self) {
        self.discard_where(|_| true);
    }

    fn discard_where(&mut self, is_discarded: impl Fn(&BackupFile) -> bool) {
        for entry in self.entries.extract_if(.., |entry| is_discarded(entry)) {
            if self.disk.remove(&entry.backup).is_err() && is_log_folder(self.disk, &entry.backup) {
                remove_files_of_log(self.disk, &entry.backup);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::file::{NewFile, OsDisk};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_old_file_that_a_kill_left_is_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "old").unwrap();
        // A kill leaves the value without dropping it, and the lock of every handle is free.
        let mut killed = Backup::new(&OsDisk);
        killed.move_away(&path).unwrap();
        drop(killed);
        let kept = numbered_path(&path, 0, "old");
        assert_eq!(fs::read(&kept).unwrap(), b"old");
        NewFile::create_log(&OsDisk, &path, crate::file::ExistingFile::Keep).unwrap().commit().unwrap();
        let mut next = Backup::new(&OsDisk);
        next.move_away(&path).unwrap();
        next.discard_all();
        assert_eq!(fs::read(&kept).unwrap(), b"old", "another run removes only its own backup");
        assert_eq!(names(folder.path()).len(), 1);
    }

    #[test]
    fn files_get_their_names_back_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["map", "index", "log"] {
            fs::write(at(name), name).unwrap();
        }
        let mut backup = Backup::new(&OsDisk);
        backup.add_copy(&at("map")).unwrap();
        assert_eq!(fs::read(at("map")).unwrap(), b"map", "a copied file stays until it is replaced");
        fs::write(at("map"), "new map").unwrap();
        backup.move_away(&at("index")).unwrap();
        backup.move_away(&at("log")).unwrap();
        backup.move_away(&at("absent")).unwrap();
        backup.restore(&StorageError::Cancelled).unwrap();
        assert_eq!(names(folder.path()), ["index", "log", "map"]);
        for name in ["map", "index", "log"] {
            assert_eq!(fs::read(at(name)).unwrap(), name.as_bytes());
        }
    }

    #[test]
    fn a_file_whose_name_another_process_took_is_kept_and_named_with_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["map", "log.idx", "log"] {
            fs::write(at(name), format!("old {name}")).unwrap();
        }
        let mut backup = Backup::new(&OsDisk);
        backup.add_copy(&at("map")).unwrap();
        backup.move_away(&at("log.idx")).unwrap();
        backup.move_away(&at("log")).unwrap();
        fs::write(at("log"), "of another process").unwrap();
        let error = backup.restore(&StorageError::Cancelled).unwrap_err();
        assert_eq!(fs::read(at("log")).unwrap(), b"of another process");
        assert!(!at("log.idx").exists(), "an old index never gets its name back beside another log");
        assert_eq!(fs::read(at("map")).unwrap(), b"old map");
        let text = error.to_string();
        for name in ["log", "log.idx"] {
            let kept = numbered_path(&at(name), 0, "old");
            assert_eq!(fs::read(&kept).unwrap(), format!("old {name}").as_bytes());
            assert!(text.contains(&kept.display().to_string()), "{text}");
        }
        assert!(text.ends_with("cancelled"), "{text}");
    }
}
