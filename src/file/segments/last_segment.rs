//! Finds the log to which the segments in a folder belong, and opens its last segment.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::segment_file::{SegmentFile, SegmentIdentity, read_identity};
use super::table::{SegmentTable, segment_path};
use crate::file::settings_file::FoundSettings;
use crate::file::storage::{Disk, OpenMode};
use crate::format::LogId;

/// Opens the last segment of a listed folder, and excludes the segments that were removed from the log.
pub(super) fn open_last(
    disk: &dyn Disk,
    folder: &Path,
    log_id: LogId,
    (mut table, mode): (SegmentTable, OpenMode),
) -> io::Result<(SegmentTable, SegmentFile)> {
    let active = loop {
        let base = table.last().ok_or_else(no_segment)?;
        match SegmentFile::open(disk, folder, base, log_id, mode) {
            Err(error) if error.kind() == ErrorKind::NotFound => table.exclude(base),
            opened => break opened?,
        }
    };
    match read_identity(active.storage.as_ref())? {
        SegmentIdentity::Known(newest) => table.start_at(newest.log_start),
        // The settings tell removed segments from lost ones.
        SegmentIdentity::Damaged | SegmentIdentity::OtherVersion => {
            let settings = FoundSettings::read(disk, folder, active.storage.as_ref(), log_id);
            let start = settings.valid().map_or(0, |settings| settings.first_offset);
            table.start_at(start.min(active.base));
        }
    }
    Ok((table, active))
}

/// Finds the log to which the segments in a folder belong: that of the first segment with a readable header. Returns its id, and
/// that segment, open for reading.
pub(super) fn identify(disk: &dyn Disk, folder: &Path, table: &SegmentTable) -> io::Result<(LogId, SegmentFile)> {
    let mut failure = no_segment();
    for base in table.bases().iter().copied() {
        let opened = disk.open(&segment_path(folder, base), OpenMode::Read);
        match opened.and_then(|storage| Ok((read_identity(storage.as_ref())?, storage))) {
            Ok((SegmentIdentity::Known(header), storage)) if header.base == base => {
                return Ok((header.log_id, SegmentFile { base, len: storage.len()?, storage }));
            }
            Ok(_) => {}
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn no_segment() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "the folder has no segment of a log")
}
