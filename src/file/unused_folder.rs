//! [`is_unused_folder`]: whether a folder that exists can become the folder of a new log.

use std::path::Path;

use super::log_folder::is_log_folder;
use super::segments::LOCK_FILE;
use super::storage::{Disk, OpenMode, read_full};
use super::temporary_file::is_temporary_name;
use crate::format::{LogSettings, MAX_SETTINGS_BYTES, SETTINGS_FILE, segment_file_name};

/// Returns true when `path`, whose links are resolved, is a folder without a file, or with nothing but what a killed creation of a
/// log leaves in it: the lock, the settings of a log without an event, and temporary files.
pub(crate) fn is_unused_folder(disk: &dyn Disk, path: &Path) -> bool {
    let (settings, segment) = (path.join(SETTINGS_FILE), path.join(segment_file_name(0)));
    let is_left = |file: &Path| {
        file.file_name().is_some_and(|name| name == LOCK_FILE)
            || file == settings && is_of_new_log(disk, file)
            || is_temporary_name(file, &settings)
            || is_temporary_name(file, &segment)
    };
    is_log_folder(disk, path) && disk.list(path).is_ok_and(|files| files.iter().all(|file| is_left(file)))
}

/// True when the file at `path` has settings from which nothing is lost when they are replaced: the log has no removed and no lost
/// event.
fn is_of_new_log(disk: &dyn Disk, path: &Path) -> bool {
    let mut bytes = vec![0; MAX_SETTINGS_BYTES as usize];
    let read = disk.open(path, OpenMode::ReadSidecar).and_then(|file| read_full(file.as_ref(), &mut bytes, 0));
    let settings = read.ok().and_then(|len| LogSettings::decode(bytes.get(..len)?).ok());
    settings.is_some_and(|settings| settings.first_offset == 0 && settings.lost.is_empty())
}
