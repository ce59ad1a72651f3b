//! Handles existing files at the path of a new log: refuses them, or replaces them if `--force` is given.

use std::io::ErrorKind;
use std::path::Path;

use super::failure::CommandFailure;
use crate::StorageError;
use crate::file::{
    Backup, Disk, EntryKind, ExistingFile, NewLogForm, OsDisk, check_replaceable_folder, detect_writer,
    is_unused_folder,
};
use crate::inspect::index_path;

/// Creates a new log at `path` with `create`, which expects no log and no index there, if `existing` allows it.
///
/// The files that the new log replaces are renamed for that time, removed when `create` succeeds, and restored when it
/// fails.
///
/// # Errors
/// The errors of [`check_replaceable`] and of `create`; `Io` when a file cannot be renamed; `NotRestored` when `create`
/// fails and a file does not get its name back.
pub(super) fn create_replacing<T>(
    path: &Path,
    existing: ExistingFile,
    form: NewLogForm,
    create: impl FnOnce() -> Result<T, CommandFailure>,
) -> Result<T, CommandFailure> {
    check_replaceable(path, existing, form)?;
    let mut backup = Backup::new(&OsDisk);
    let moved = match form {
        NewLogForm::Folder(_) if existing == ExistingFile::Keep => Ok(()),
        NewLogForm::File => backup.move_away(&index_path(path)).and_then(|()| backup.move_away(path)),
        NewLogForm::Folder(_) => backup.move_away(path),
    };
    match moved.map_err(CommandFailure::from).and_then(|()| create()) {
        Ok(created) => {
            backup.discard_all();
            Ok(created)
        }
        Err(failure) => {
            backup.restore(&failure.message())?;
            Err(failure)
        }
    }
}

/// Checks that the log at `path` and its index may be replaced by a log of this form, and changes nothing. A file replaces only
/// a file, and a folder only the folder of a log.
///
/// Commands that write the new log to a temporary file and rename it once it is complete use this check alone.
///
/// # Errors
/// `AlreadyExists` when a file exists and `existing` is `Keep`; `Locked` or `Refused` when another process writes to it;
/// `Refused` when it is not a regular file; `Io` when it cannot be examined; for a folder, the errors of [`check_replaceable_folder`].
pub(super) fn check_replaceable(path: &Path, existing: ExistingFile, form: NewLogForm) -> Result<(), CommandFailure> {
    if let NewLogForm::Folder(_) = form {
        let path: &Path = path.components().as_path();
        return match (OsDisk.entry(path), existing) {
            (Err(error), _) if error.kind() == ErrorKind::NotFound => Ok(()),
            (Err(error), _) => Err(io_failure(path, "examine", error)),
            // `create` makes it a log. The other commands rename a complete folder, and refuse it later.
            (Ok(_), ExistingFile::Keep) if is_unused_folder(&OsDisk, path) => Ok(()),
            (Ok(_), ExistingFile::Keep) => Err(StorageError::AlreadyExists { path: path.to_owned() }.into()),
            (Ok(_), ExistingFile::Replace) => Ok(check_replaceable_folder(&OsDisk, path)?),
        };
    }
    for file in [path, &index_path(path)] {
        let entry = match OsDisk.entry(file) {
            Ok(entry) => entry,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(io_failure(file, "examine", error)),
        };
        if existing == ExistingFile::Keep {
            return Err(StorageError::AlreadyExists { path: file.to_owned() }.into());
        }
        if entry.kind != EntryKind::File {
            let (reason, alternative) = match entry.kind {
                EntryKind::Folder => (
                    "it is a folder, and the new log is one file",
                    "Name a file, or end the name with / for a log in a folder",
                ),
                _ => ("it is not a regular file", "Name another file; --force replaces only a regular file"),
            };
            let path = file.to_owned();
            return Err(StorageError::Refused { path, reason: reason.into(), alternative }.into());
        }
        let identity = OsDisk.identity(file).map_err(|error| io_failure(file, "examine", error))?;
        detect_writer(identity).ensure_none(file)?;
    }
    Ok(())
}

fn io_failure(path: &Path, action: &'static str, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: path.to_owned(), action, offset: None, source }.into()
}
