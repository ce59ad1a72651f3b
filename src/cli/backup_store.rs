//! Opens the place where backups are kept: a folder, or object storage.

use std::path::Path;

use super::failure::CommandFailure;
use crate::StorageError;
use crate::backup::{FolderStore, ObjectStore, is_fault};
use crate::file::{FilePlace, OsDisk};
use crate::place::{Place, RemoteUrl};
use crate::report::{ExitStatus, safe_path_text};

/// Opens the store at `place`. `log` is the log that is backed up; without one, the store is only read.
///
/// # Errors
/// `Usage` for a place that this build or the command cannot open; `Refused` when the store is the log, is inside its folder or
/// contains it; `Io` when the configuration of a server is incomplete.
pub(super) fn open_store(place: &Path, log: Option<&Path>) -> Result<Box<dyn ObjectStore>, CommandFailure> {
    match parse_place(place)? {
        Place::Local(path) => {
            let folder = FilePlace::of(&OsDisk, &path);
            let other = log.map(|log| FilePlace::of(&OsDisk, log));
            if other.is_some_and(|log| log.is_same_place(&folder) || folder.is_inside(&log) || log.is_inside(&folder)) {
                return Err(CommandFailure::Refused {
                    message: format!("{}: the log and its backups must be in different folders", safe_path_text(place)),
                    hint: "Name another folder, best on another device".into(),
                });
            }
            if log.is_none() && !path.is_dir() {
                let error = match std::fs::metadata(&path) {
                    Ok(_) => std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is not a folder"),
                    Err(error) => error,
                };
                return Err(StorageError::io(&path, "open", error).into());
            }
            Ok(Box::new(FolderStore::new(&path, log)))
        }
        Place::Remote(url) => open_remote(&url),
    }
}

/// Parses an argument that was checked when the command line was parsed.
pub(super) fn parse_place(place: &Path) -> Result<Place, CommandFailure> {
    Place::parse(place.as_os_str())
        .map_err(|error| CommandFailure::Usage { message: error.to_string(), hint: "Correct the URL".into() })
}

/// Gives an object that is missing or not the expected one the status of damage.
pub(super) fn damage_of_backup(error: StorageError) -> CommandFailure {
    let status = if is_fault(&error) { ExitStatus::Damage } else { ExitStatus::for_error(&error) };
    CommandFailure::Storage(error, status)
}

/// The failure for a store without a backup.
pub(super) fn no_backup(place: &Path) -> CommandFailure {
    CommandFailure::Usage {
        message: format!("{}: expected a backup, found none", safe_path_text(place)),
        hint: "Name the destination of `chronicle backup LOG DEST`".into(),
    }
}

/// Opens a store on a server. Where this build has no servers, the command line was refused before.
fn open_remote(url: &RemoteUrl) -> Result<Box<dyn ObjectStore>, CommandFailure> {
    #[cfg(feature = "remote")]
    if url.scheme() == crate::place::RemoteScheme::S3 {
        return Ok(Box::new(crate::remote::S3Store::open(url)?));
    }
    Err(CommandFailure::Usage {
        message: format!("{url}: backups cannot be kept there"),
        hint: "Name a folder, or s3://BUCKET/PREFIX".into(),
    })
}
