//! The open files of a log's segments, of which a bounded number is kept.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::bounds::SegmentCondition;
use super::table::segment_path;
use crate::file::storage::{Disk, OpenMode, Storage, read_full};
use crate::format::header::{LogHeader, MAX_HEADER_LEN};
use crate::format::{LogId, SegmentHeader};

/// The largest number of segments whose files are kept open. Opening another one closes the one that was used longest ago.
const MAX_OPEN_FILES: usize = 64;

/// One open segment.
#[derive(Debug, Clone)]
pub(super) struct SegmentFile {
    /// Offset of the segment in its log.
    pub(super) base: u64,
    pub(super) storage: Arc<dyn Storage>,
    /// The size of the file when it was opened, in bytes. A sealed segment keeps its size.
    pub(super) len: u64,
}

/// What the first bytes of a file show about the segment in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentIdentity {
    /// A valid header, or one with a single damaged bit that its checksum shows.
    Known(SegmentHeader),
    /// A damaged or short header. The frames after it show whether the file belongs to the log.
    Damaged,
}

impl SegmentFile {
    /// Opens the segment that starts at `base`, when its header does not show another log or another place.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, or when it is a segment of another log or with another base; otherwise the
    /// error of the operating system.
    pub(super) fn open(disk: &dyn Disk, folder: &Path, base: u64, log_id: LogId, mode: OpenMode) -> io::Result<Self> {
        let storage = disk.open(&segment_path(folder, base), mode)?;
        if let SegmentIdentity::Known(header) = read_identity(storage.as_ref())?
            && (header.log_id != log_id || header.base != base)
        {
            return Err(io::Error::new(ErrorKind::NotFound, "the file is not this segment of this log"));
        }
        Ok(Self { base, len: storage.len()?, storage })
    }
}

/// Reads which segment a file holds, from its header.
///
/// # Errors
/// The error of the operating system.
pub(super) fn read_identity(storage: &dyn Storage) -> io::Result<SegmentIdentity> {
    let mut first = [0; MAX_HEADER_LEN];
    let read = read_full(storage, &mut first, 0)?;
    let found = first.get(..read).unwrap_or_default();
    let header = LogHeader::decode(found).ok().or_else(|| LogHeader::correct_bit(found));
    Ok(header.and_then(|header| header.segment).map_or(SegmentIdentity::Damaged, SegmentIdentity::Known))
}

/// Returns the condition of a segment that could not be opened.
pub(super) fn condition_of_failure(error: &io::Error) -> SegmentCondition {
    match error.kind() {
        ErrorKind::NotFound => SegmentCondition::Missing,
        _ => SegmentCondition::Unreadable(error.to_string()),
    }
}

/// The segments that are open, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct OpenSegments {
    files: VecDeque<SegmentFile>,
}

impl OpenSegments {
    /// Returns the open segment with this base, and moves it to the end.
    pub(super) fn get(&mut self, base: u64) -> Option<SegmentFile> {
        let at = self.files.iter().rposition(|file| file.base == base)?;
        let file = self.files.remove(at)?;
        self.files.push_back(file.clone());
        Some(file)
    }

    /// Returns the open segment whose file has the byte at `offset`.
    pub(super) fn get_at(&self, offset: u64) -> Option<SegmentFile> {
        let has_byte = |file: &&SegmentFile| (file.base..file.base.saturating_add(file.len)).contains(&offset);
        self.files.iter().find(has_byte).cloned()
    }

    /// Adds a segment, and closes the one that was used longest ago when there are too many.
    pub(super) fn add(&mut self, file: SegmentFile) {
        if self.files.len() >= MAX_OPEN_FILES {
            self.files.pop_front();
        }
        self.files.push_back(file);
    }

    /// Closes the segment with this base, so that its size is read again when it is used next.
    pub(super) fn remove(&mut self, base: u64) {
        self.files.retain(|file| file.base != base);
    }

    /// Closes all segments.
    pub(super) fn clear(&mut self) {
        self.files.clear();
    }

    /// Iterates over the open segments.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SegmentFile> {
        self.files.iter()
    }
}
