//! [`open_log`]: opens a log, which is a file or a folder of segments, as one storage.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::segment_file::{SegmentIdentity, read_identity};
use super::storage::{SegmentMode, SegmentedStorage};
use crate::file::log_folder::is_log_folder;
use crate::file::storage::{Disk, OpenMode, Storage};

/// Opens the log at `path`: a file, a folder of segments, or one segment without its neighbours.
///
/// # Errors
/// `NotFound` for a folder without a segment; `PermissionDenied` when one later segment is opened for writing; otherwise the
/// error of the operating system.
pub(crate) fn open_log(disk: &Arc<dyn Disk>, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
    if is_log_folder(disk.as_ref(), path) {
        let mode = match mode {
            OpenMode::Append => SegmentMode::Append,
            OpenMode::Repair => SegmentMode::Repair,
            _ => SegmentMode::Read,
        };
        return Ok(Arc::new(SegmentedStorage::open_folder(disk.clone(), path, mode)?));
    }
    let storage = disk.open(path, mode)?;
    match read_identity(storage.as_ref()) {
        Ok(SegmentIdentity::Known(header)) if header.base > 0 || header.number > 0 => {
            if mode != OpenMode::Read {
                let reason = "one segment of a log cannot be changed by itself; name its folder";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
            }
            Ok(Arc::new(SegmentedStorage::of_one(disk.clone(), path, header, storage)?))
        }
        _ => Ok(storage),
    }
}
