//! The open files of a log's segments, of which a bounded number is kept.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::bounds::SegmentCondition;
use super::table::segment_path;
use crate::file::storage::{Disk, OpenMode, Storage, read_full};
use crate::format::byte_layout::u16_at;
use crate::format::frame::{self, CHECKSUM_LEN, DecodeResult, LENGTH_LEN};
use crate::format::header::{ID_AND_BASE, LogHeader, MAGIC, MAX_HEADER_LEN};
use crate::format::{FrameFormat, LogId, SegmentHeader, Version};

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
    /// The header of another version. The rest of the header or a frame of the log after it shows that the version is damaged.
    OtherVersion,
}

/// The number of bytes of the log id and the base in a header that must be right before the file is taken for a segment with a
/// damaged version. At least 12 of them are bytes of the log id, so a file of another log or version has them by chance once
/// in 2^96 cases.
const MIN_RIGHT_BYTES: usize = 20;

impl SegmentFile {
    /// Opens the segment that starts at `base`, when its header does not show another log or another place.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, or when it is a segment of another log, with another base, or a log of another
    /// version; otherwise the error of the operating system.
    pub(super) fn open(disk: &dyn Disk, folder: &Path, base: u64, log_id: LogId, mode: OpenMode) -> io::Result<Self> {
        let storage = disk.open(&segment_path(folder, base), mode)?;
        let is_segment = match read_identity(storage.as_ref())? {
            SegmentIdentity::Known(header) => header.log_id == log_id && header.base == base,
            SegmentIdentity::Damaged => true,
            SegmentIdentity::OtherVersion => {
                has_fields_of(storage.as_ref(), base, log_id)? || has_first_frame(storage.as_ref(), base, log_id)?
            }
        };
        if !is_segment {
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
    Ok(match header.and_then(|header| header.segment) {
        Some(segment) => SegmentIdentity::Known(segment),
        None if has_other_version(found) => SegmentIdentity::OtherVersion,
        None => SegmentIdentity::Damaged,
    })
}

/// True when a header has the magic of a log and another version than that of segments.
///
/// Logs of version 0 have no header, so the version 0 in one is damage. A file that was cut after the magic has it while an undo
/// writes zeros where the file had no bytes.
fn has_other_version(header: &[u8]) -> bool {
    let other = |version: u16| version != Version::V0.number() && version != Version::V2.number();
    header.starts_with(&MAGIC) && u16_at(header, MAGIC.len()).is_some_and(other)
}

/// True when the header in a file has the log id and the base of the segment at `base`, apart from a few damaged bytes.
fn has_fields_of(storage: &dyn Storage, base: u64, log_id: LogId) -> io::Result<bool> {
    let mut found = [0; MAX_HEADER_LEN];
    let is_whole = read_full(storage, &mut found, 0)? == found.len();
    let segment = SegmentHeader { log_id, base, number: 0, prev_checksum: 0, log_start: 0 };
    let expected = LogHeader { flags: 0, created_at_ms: 0, segment: Some(segment) }.encode();
    let pairs = found.iter().zip(expected.iter()).enumerate();
    let right = pairs.filter(|(at, (found, expected))| ID_AND_BASE.contains(at) && found == expected).count();
    Ok(is_whole && right >= MIN_RIGHT_BYTES)
}

/// True when the file has a valid frame of this log where the first one of the segment at `base` is.
fn has_first_frame(storage: &dyn Storage, base: u64, log_id: LogId) -> io::Result<bool> {
    let at = Version::V2.first_frame_offset();
    let mut length = [0; LENGTH_LEN];
    let read = read_full(storage, &mut length, at)?;
    let Some(payload) = frame::payload_length_at(length.get(..read).unwrap_or_default(), 0) else { return Ok(false) };
    let mut bytes = vec![0; LENGTH_LEN + payload as usize + CHECKSUM_LEN];
    let is_whole = read_full(storage, &mut bytes, at)? == bytes.len();
    let decoded = frame::decode(&bytes, FrameFormat::of_log(log_id), base.saturating_add(at));
    Ok(is_whole && matches!(decoded, DecodeResult::Complete(_)))
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
