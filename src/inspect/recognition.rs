//! Recognises a log whose first bytes are damaged: by its index, by its frames, or by another copy of the log.

use std::path::Path;
use std::sync::Arc;

use super::zeros::find_last_nonzero;
use crate::StorageError;
use crate::file::{FRAME_SEARCH_LIMIT, HeaderState, LogFile, RejectedHeader, ScanItem, Scanner, Storage};
use crate::format::FrameFormat;
use crate::format::byte_layout::u64_at;
use crate::format::frame::MAX_FRAME;
use crate::format::header::LogHeader;
use crate::index::{IndexExamination, PersistedIndex, examine_index};

/// An open file whose first bytes are not a supported header.
pub(super) struct UnrecognisedFile<'a> {
    pub(super) storage: &'a Arc<dyn Storage>,
    pub(super) path: &'a Path,
    /// The reason why the first bytes are not a supported header.
    pub(super) rejected: &'a RejectedHeader,
}

impl UnrecognisedFile<'_> {
    /// Returns the format of the log and the state of its header; `None` when nothing shows that the file is a log.
    ///
    /// The index is examined first, then the frames in the first [`FRAME_SEARCH_LIMIT`] bytes, then each of `copies`.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the file or a copy cannot be read; the errors of opening a copy.
    pub(super) fn recognise(
        &self,
        index: Option<&PersistedIndex>,
        copies: impl Iterator<Item = Result<Arc<LogFile>, StorageError>>,
    ) -> Result<Option<(FrameFormat, HeaderState)>, StorageError> {
        if let Some(recognised) = index.and_then(|index| self.recognise_by_index(index)) {
            return Ok(Some(recognised));
        }
        if let Some(recognised) = LogFile::detect_format_by_frames(self.storage, self.path, self.rejected)? {
            return Ok(Some(recognised));
        }
        if !self.can_be_compared() {
            return Ok(None);
        }
        for copy in copies {
            if let Some(recognised) = self.recognise_by_copy(copy?.as_ref())? {
                return Ok(Some(recognised));
            }
        }
        Ok(None)
    }

    /// Returns the format of the log and the state of its header, when the index of the log shows that the file is a log.
    fn recognise_by_index(&self, index: &PersistedIndex) -> Option<(FrameFormat, HeaderState)> {
        let index_header = index.header();
        let format = index_header.log_format();
        let is_version_0 = format == FrameFormat::V0;
        if let StorageError::TooShort { bytes, .. } = self.rejected.error {
            let header = if is_version_0 { HeaderState::Absent } else { HeaderState::Truncated };
            return (index_header.log_end_offset > bytes).then_some((format, header));
        }
        let header = self.header_state(format);
        if !is_version_0 && LogHeader::decode(&index_header.log_header).is_err() {
            return None;
        }
        // The log must have a frame of the index, because the index may belong to another file. A file without any byte that
        // is not zero contradicts nothing: its space was allocated, and its data was lost.
        let log = Arc::new(self.as_log(format, header));
        let len = log.len().ok()?;
        let IndexExamination { seen_end, has_matching_frame, .. } = examine_index(&log, index, len).ok()?;
        // An index that was rebuilt since then covers no frame, and has kept the end that the log had.
        let had_frames = index_header.log_end_offset > log.first_frame_offset();
        let is_lost = || had_frames && find_last_nonzero(&log, &(0..len)).is_ok_and(|last| last.is_none());
        (seen_end.offset().is_some() && (has_matching_frame || is_lost())).then_some((format, header))
    }

    /// True when the file is otherwise not a log, so that it is compared with copies. An unsupported version and unknown
    /// flags can be right, because a copy can be older.
    const fn can_be_compared(&self) -> bool {
        matches!(
            self.rejected.error,
            StorageError::NotALog { .. }
                | StorageError::TooShort { .. }
                | StorageError::Io { .. }
                | StorageError::DamagedHeader { .. }
        )
    }

    /// Returns the format of the log and the state of its header, when another copy of the log shows that the file is a
    /// log: the file has the creation time of the copy in its place, a frame of the copy at its offset, or only a part of its
    /// header.
    ///
    /// Reads the file up to the first frame that it has in common with the copy.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the file or the copy cannot be read.
    fn recognise_by_copy(&self, copy: &LogFile) -> Result<Option<(FrameFormat, HeaderState)>, StorageError> {
        let format = copy.format();
        let header = self.header_state(format);
        if let HeaderState::Valid(expected) = copy.header()
            && can_be_start_of_header(&self.as_log(format, header), &expected.encode())?
        {
            return Ok(Some((format, header)));
        }
        if let (HeaderState::Damaged(found, _), HeaderState::Valid(expected)) = (header, copy.header())
            && expected.created_at_ms != 0
            && u64_at(&found, 8) == Some(expected.created_at_ms)
        {
            return Ok(Some((format, header)));
        }
        let log = Arc::new(self.as_log(format, header));
        // A frame that ends in the first bytes of the file would have been found.
        let from = FRAME_SEARCH_LIMIT.saturating_sub(MAX_FRAME as u64).max(log.first_frame_offset());
        let end = log.len()?.min(copy.len()?);
        if from >= end {
            return Ok(None);
        }
        let mut scanner = Scanner::from_unaligned(log, from..end);
        let mut buf = Vec::new();
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(at, frame) = item
                && copy.read_frame_at(at, &mut buf)?.is_some_and(|other| other.bytes() == frame.bytes())
            {
                return Ok(Some((format, header)));
            }
        }
        Ok(None)
    }

    /// Returns the state of the header that the file has as a log of `format`.
    const fn header_state(&self, format: FrameFormat) -> HeaderState {
        if format.version().has_header() { self.rejected.state } else { HeaderState::Absent }
    }

    fn as_log(&self, format: FrameFormat, header: HeaderState) -> LogFile {
        LogFile::with_header(self.storage.clone(), self.path, format, header)
    }
}

/// True when the file ends within the header of a log and can have been one with this header: its bytes are the first ones of
/// the header, or zeros, because a file system can have lost their content. An empty file can have been any log.
///
/// # Errors
/// `Io` when the file cannot be read.
pub(crate) fn can_be_start_of_header(log: &LogFile, header: &[u8]) -> Result<bool, StorageError> {
    let mut bytes = vec![0; header.len()];
    let read = log.read_at(&mut bytes, 0)?;
    let found = bytes.get(..read).filter(|found| found.len() < header.len());
    Ok(found.is_some_and(|found| header.starts_with(found) || found.iter().all(|byte| *byte == 0)))
}
