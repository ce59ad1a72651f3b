//! [`ImportWriter`]: writes the events of an import into a new log, each at its old offset where the sizes allow.

use std::path::Path;

use crate::StorageError;
use crate::file::{Backup, Disk, ExistingFile, NewFile};
use crate::format::frame::{self, CHECKSUM_LEN, LENGTH_LEN, MAX_FRAME};
use crate::format::{FrameFormat, LogHeader, gap};
use crate::inspect::index_path;

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;
/// Length of the smallest gap frame, in bytes.
const MIN_GAP: u64 = 10;
/// A hole up to this size is filled in any log; a larger one only when the log before it is larger.
const ALWAYS_FILLED_BYTES: u64 = 64 << 20;

/// A hole before an event that is too large to be filled with gaps.
#[derive(Debug)]
pub(super) struct LargeHole {
    /// The size of the hole in bytes.
    pub(super) bytes: u64,
}

/// The counts of an import: what was written, and how it differs from the log that was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ImportSummary {
    /// Number of events.
    pub(super) events: u64,
    /// Number of events that have the offset of the input.
    pub(super) kept_offsets: u64,
    /// Number of events that have another offset than in the input.
    pub(super) moved_events: u64,
    /// Number of events without an offset in the input.
    pub(super) unplaced_events: u64,
    /// Number of holes between events that were filled with gaps.
    pub(super) filled_holes: u64,
    /// Size of these gaps in bytes.
    pub(super) gap_bytes: u64,
    /// Number of events that end in spaces, because the hole after them is too small for a gap.
    pub(super) padded_events: u64,
    /// Size of the log in bytes.
    pub(super) bytes: u64,
}

/// A new log that is being written under a temporary name.
pub(super) struct ImportWriter<'d> {
    disk: &'d dyn Disk,
    file: NewFile<'d>,
    /// The format of the frames.
    format: FrameFormat,
    buffer: Vec<u8>,
    /// The payload of the last event, which is held back because the offset of the next one decides about its padding.
    pending: Option<Vec<u8>>,
    /// File offset after the bytes in the buffer.
    position: u64,
    summary: ImportSummary,
}

impl<'d> ImportWriter<'d> {
    /// Creates the log with a header.
    ///
    /// # Errors
    /// Those of [`NewFile::create_log`].
    pub(super) fn create(
        disk: &'d dyn Disk,
        path: &Path,
        existing: ExistingFile,
        header: LogHeader,
    ) -> Result<Self, StorageError> {
        let file = NewFile::create_log(disk, path, existing)?;
        let (buffer, format) = (header.encode().to_vec(), header.frame_format());
        let position = buffer.len() as u64;
        Ok(Self { disk, file, format, buffer, pending: None, position, summary: ImportSummary::default() })
    }

    /// Adds the payload of an event, at `offset` if possible.
    ///
    /// # Errors
    /// `Io` when the file cannot be written; the inner error when the hole before the event is too large.
    pub(super) fn add(&mut self, payload: Vec<u8>, offset: Option<u64>) -> Result<Result<(), LargeHole>, StorageError> {
        let end = self.position + self.pending.as_ref().map_or(0, |payload| frame_len(payload));
        self.summary.events += 1;
        match offset {
            None => self.summary.unplaced_events += 1,
            Some(offset) => match offset.checked_sub(end) {
                Some(0) => self.summary.kept_offsets += 1,
                Some(hole @ MIN_GAP..) if hole > ALWAYS_FILLED_BYTES && hole > end => {
                    return Ok(Err(LargeHole { bytes: hole }));
                }
                Some(hole @ MIN_GAP..) => {
                    self.write_pending()?;
                    self.fill_hole(hole)?;
                    self.summary.kept_offsets += 1;
                }
                Some(hole) if self.pad_pending(hole as usize) => self.summary.kept_offsets += 1,
                Some(_) | None => self.summary.moved_events += 1,
            },
        }
        self.write_pending()?;
        self.pending = Some(payload);
        Ok(Ok(()))
    }

    /// Appends spaces to the payload of the last event, which do not change the event. Returns false when there is no such
    /// event, or it would be too long.
    fn pad_pending(&mut self, spaces: usize) -> bool {
        let Some(payload) =
            self.pending.as_mut().filter(|payload| payload.len() + spaces <= frame::MAX_PAYLOAD as usize)
        else {
            return false;
        };
        payload.resize(payload.len() + spaces, b' ');
        self.summary.padded_events += 1;
        true
    }

    fn write_pending(&mut self) -> Result<(), StorageError> {
        let Some(payload) = self.pending.take() else { return Ok(()) };
        self.append_frame(&payload)
    }

    /// Writes gap frames over the next `bytes` bytes.
    fn fill_hole(&mut self, bytes: u64) -> Result<(), StorageError> {
        let (start, end) = (self.position, self.position + bytes);
        let description = format!("{{\"by\":\"import\",\"start\":{start},\"end\":{end}}}");
        while self.position < end {
            let left = end - self.position;
            let mut len = left.min(MAX_FRAME as u64);
            // The rest must not be too short for a gap.
            if (1..MIN_GAP).contains(&(left - len)) {
                len -= MIN_GAP;
            }
            let payload_len = len as usize - LENGTH_LEN - CHECKSUM_LEN;
            self.append_frame(&gap::build_gap_payload(payload_len, &description))?;
        }
        self.summary.filled_holes += 1;
        self.summary.gap_bytes += bytes;
        Ok(())
    }

    fn append_frame(&mut self, payload: &[u8]) -> Result<(), StorageError> {
        frame::encode_at(self.format, self.position, payload, &mut self.buffer);
        self.position += frame_len(payload);
        if self.buffer.len() >= BUFFER_LEN { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the last event, syncs the log and gives it its name. An index of a log that it replaces is removed.
    ///
    /// # Errors
    /// Those of [`NewFile::commit`]; the replaced files are then restored.
    pub(super) fn finish(mut self) -> Result<ImportSummary, StorageError> {
        self.write_pending()?;
        self.flush()?;
        // An old index next to the new log could be trusted, so it is moved away first.
        let mut backup = Backup::new(self.disk);
        let index = index_path(self.file.path());
        match backup.move_away(&index).and_then(|()| self.file.commit()) {
            Ok(()) => backup.discard_all(),
            Err(error) => {
                backup.restore(&error)?;
                return Err(error);
            }
        }
        Ok(ImportSummary { bytes: self.position, ..self.summary })
    }
}

/// Returns the length of the frame of a payload, in bytes.
const fn frame_len(payload: &[u8]) -> u64 {
    (LENGTH_LEN + payload.len() + CHECKSUM_LEN) as u64
}
