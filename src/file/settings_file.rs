//! Reads and writes the settings of a log that is a folder.

use std::path::{Path, PathBuf};

use super::file_identity::FileIdentity;
use super::new_file::replace_file;
use super::storage::{Disk, Storage, append_all};
use super::trust::{SideFileFault, TrustRule};
use crate::StorageError;
use crate::format::{LogId, LogSettings, MAX_SETTINGS_BYTES, SETTINGS_FILE};

/// The settings of a log, or why there are none that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundSettings {
    /// The settings of this log.
    Valid(LogSettings),
    /// There is no such file.
    Missing,
    /// The file is not used, for this reason.
    Unusable(String),
}

impl FoundSettings {
    /// Reads the settings of the log with this id in `folder`. A file that another user could have written is not used.
    pub(crate) fn read(disk: &dyn Disk, folder: &Path, log: &dyn Storage, log_id: LogId) -> Self {
        let path = settings_path(folder);
        let reason = match read_trusted(disk, folder, log).map(|bytes| LogSettings::decode(&bytes)) {
            Ok(Ok(settings)) if settings.log_id == log_id => return Self::Valid(settings),
            Ok(Ok(settings)) => format!("it describes the log {}", settings.log_id),
            Ok(Err(reason)) => reason,
            Err(SideFileFault::Missing) => return Self::Missing,
            Err(SideFileFault::Untrusted(found)) => return Self::Unusable(found.to_notice(&path)),
            Err(SideFileFault::Io(error)) => error.to_string(),
        };
        Self::Unusable(format!("{}: not used: {reason}", path.display()))
    }

    /// The settings, when they can be used.
    pub(crate) const fn valid(&self) -> Option<&LogSettings> {
        match self {
            Self::Valid(settings) => Some(settings),
            Self::Missing | Self::Unusable(_) => None,
        }
    }
}

/// Writes the settings of the log in `folder`, with the owner, group and mode of `permissions_from`. The old file is there
/// until the new one is complete.
///
/// # Errors
/// `Io` when the file cannot be written.
pub(crate) fn write_settings(
    disk: &dyn Disk,
    folder: &Path,
    permissions_from: &Path,
    settings: &LogSettings,
) -> Result<(), StorageError> {
    replace_settings_bytes(disk, folder, permissions_from, Some(settings.encode().as_bytes()))
}

/// Reads the file with the settings of the log in `folder`, whatever it contains; `None` when there is no such file.
///
/// # Errors
/// The reason why the file cannot be used, with its path: another user could have written it, or it is too large.
pub(crate) fn read_settings_bytes(
    disk: &dyn Disk,
    folder: &Path,
    log: &dyn Storage,
) -> Result<Option<Vec<u8>>, String> {
    let path = settings_path(folder);
    match read_trusted(disk, folder, log) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(SideFileFault::Missing) => Ok(None),
        Err(SideFileFault::Untrusted(found)) => Err(found.to_notice(&path)),
        Err(SideFileFault::Io(error)) => Err(format!("{}: {error}", path.display())),
    }
}

/// Reads the file with the settings of the log in `folder`, when no other user could have written it.
fn read_trusted(disk: &dyn Disk, folder: &Path, log: &dyn Storage) -> Result<Vec<u8>, SideFileFault> {
    let rule = TrustRule::for_log(disk, log).map_err(SideFileFault::Io)?;
    rule.read(disk, &settings_path(folder), MAX_SETTINGS_BYTES)
}

/// Replaces the file with the settings of the log in `folder` by one with these bytes, or removes it for `None`.
///
/// # Errors
/// `Io` when the file cannot be written or removed.
pub(crate) fn replace_settings_bytes(
    disk: &dyn Disk,
    folder: &Path,
    permissions_from: &Path,
    bytes: Option<&[u8]>,
) -> Result<(), StorageError> {
    let path = settings_path(folder);
    if let Some(bytes) = bytes {
        let write =
            |file: &dyn Storage| append_all(file, bytes).map_err(|error| StorageError::io(&path, "write", error));
        return replace_file(disk, &path, permissions_from, write).map(drop);
    }
    match disk.remove(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StorageError::io(&path, "remove", error)),
        Ok(()) => disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error)),
    }
}

/// Returns the identity of the file with the settings, which is replaced when they change; `None` when there is no such file.
pub(super) fn settings_identity(disk: &dyn Disk, folder: &Path) -> Option<FileIdentity> {
    disk.identity(&settings_path(folder)).ok()
}

fn settings_path(folder: &Path) -> PathBuf {
    folder.join(SETTINGS_FILE)
}
