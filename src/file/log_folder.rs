//! Logs that are folders: telling them from files, and the names that belong to them.

use std::path::{Path, PathBuf};

use super::path_entry::EntryKind;
use super::storage::Disk;
use crate::format::base_of_segment_file;

/// The name of the folder with the journals of a log that is a folder.
const JOURNAL_FOLDER: &str = "repairs";

/// Returns true when `path`, whose links are resolved, is a folder in which a log can be.
pub(crate) fn is_log_folder(disk: &dyn Disk, path: &Path) -> bool {
    match disk.entry(path) {
        Ok(entry) => entry.kind == EntryKind::Folder,
        // A disk without types of entries lists nothing for a file.
        Err(_) => newest_segment(disk, path).is_some(),
    }
}

/// Returns true when `path` is a folder that has a segment of a log.
pub(crate) fn has_segments(disk: &dyn Disk, path: &Path) -> bool {
    is_log_folder(disk, path) && newest_segment(disk, path).is_some()
}

/// Returns the file whose owner, group and mode a new side file of the log gets: the log itself, or the newest segment of a
/// folder.
pub(crate) fn permissions_source(disk: &dyn Disk, log: &Path) -> PathBuf {
    let newest = is_log_folder(disk, log).then(|| newest_segment(disk, log)).flatten();
    newest.unwrap_or_else(|| log.to_owned())
}

/// Returns the folder of the journals of the log at `path`: `<log>.repairs`, or `repairs` in a log that is a folder.
pub(crate) fn journal_folder_of(disk: &dyn Disk, path: &Path) -> PathBuf {
    if is_log_folder(disk, path) {
        return path.join(JOURNAL_FOLDER);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".repairs");
    path.with_file_name(name)
}

/// Returns the path of the last file in `folder` that has the name of a segment.
fn newest_segment(disk: &dyn Disk, folder: &Path) -> Option<PathBuf> {
    disk.list(folder).ok()?.into_iter().rfind(|path| base_of_segment_file(path).is_some())
}
