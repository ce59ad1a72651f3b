//! The path of an index file, and the check that saving an index there replaces no other kind of file.

use std::path::Path;

use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{Disk, FilePlace, OpenMode, SideFileFault, TrustRule, permissions_source};
use crate::format::header::looks_like_version_0;
use crate::format::{HEADER_LEN, hex, index_path};

/// Checks that an index of the log at `log` may replace what is at `path`: it is possible (see [`ensure_index_target`]),
/// and the file is trusted, because only users who can write the log can have put it there.
///
/// # Errors
/// `Refused` for any other file. Errors of opening and reading the file are left to the save.
pub(crate) fn ensure_replaceable_index(disk: &dyn Disk, path: &Path, log: Option<&Path>) -> Result<(), StorageError> {
    if let Some(log) = log.and_then(|log| disk.open(&permissions_source(disk, log), OpenMode::Read).ok())
        && let Ok(rule) = TrustRule::for_log(disk, log.as_ref())
        && let Err(SideFileFault::Untrusted(found)) = rule.open(disk, path, OpenMode::ReadSidecar)
    {
        return Err(found.to_error(path));
    }
    ensure_index_target(disk, path, log)
}

/// Checks that an index of the log at `log` may be saved to `path`: there is no file, an empty file, or an index.
///
/// At the default path of the index, any file may be replaced that is not a log or a journal, because the name itself
/// belongs to the index and damage can have changed its first bytes. `log` is `None` when the log is not known.
///
/// # Errors
/// `Refused` for any other file. Errors of opening and reading the file are left to the save.
pub(crate) fn ensure_index_target(disk: &dyn Disk, path: &Path, log: Option<&Path>) -> Result<(), StorageError> {
    let mut first = [0; HEADER_LEN as usize];
    let Ok(file) = disk.open(path, OpenMode::ReadSidecar) else { return Ok(()) };
    let Ok(read) = read_full(file.as_ref(), &mut first, 0) else { return Ok(()) };
    let found = first.get(..read).unwrap_or_default();
    if found.is_empty() || found.starts_with(&crate::format::index::MAGIC) {
        return Ok(());
    }
    let refused = |what: String| {
        Err(StorageError::Refused {
            path: path.to_owned(),
            reason: format!("the index would replace {what}"),
            alternative: "Name another file for the index, or remove this one",
        })
    };
    if found.starts_with(&crate::format::header::MAGIC) || looks_like_version_0(found) {
        return refused("a log".into());
    }
    if found.starts_with(&crate::format::journal::MAGIC) {
        return refused("a repair journal".into());
    }
    let is_default = |log: &Path| FilePlace::of(disk, path).is_same_place(&FilePlace::of(disk, &index_path(log)));
    if log.is_some_and(is_default) {
        return Ok(());
    }
    let start = found.first_chunk::<4>().map_or(found, |start| start.as_slice());
    refused(format!("a file that is not an index: it starts with {}", hex::encode_spaced(start)))
}
