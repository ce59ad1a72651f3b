//! [`ImportWriter`]: writes the events of an import into a new log, each at its old offset where the sizes allow.

use std::sync::Arc;

use crate::StorageError;
use crate::file::{Backup, Disk, ExistingFile, NewLog, NewLogForm, NewLogTarget};
use crate::format::frame::{self, CHECKSUM_LEN, LENGTH_LEN, MAX_FRAME};
use crate::format::{LogHeader, Version, gap};
use crate::inspect::index_path;
use crate::log::now_ms;
use crate::repair::{ExpectedContent, verify_new_log};

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
    /// Number of segments; `None` for a log in one file.
    pub(super) segments: Option<u64>,
}

/// An event of the input, ready to be written.
pub(super) struct ImportedEvent {
    pub(super) payload: Vec<u8>,
    /// The time of the event, in milliseconds since the Unix epoch.
    pub(super) time_ms: u64,
}

/// A new log that is being written under a temporary name.
pub(super) struct ImportWriter<'d> {
    disk: &'d Arc<dyn Disk>,
    log: NewLog<'d>,
    target: NewLogTarget<'d>,
    /// The payload of the last event, which is held back because the offset of the next one decides about its padding.
    pending: Option<Vec<u8>>,
    /// Number of gap frames.
    gaps: u64,
    summary: ImportSummary,
}

impl<'d> ImportWriter<'d> {
    /// Creates the log with a header.
    ///
    /// # Errors
    /// Those of [`NewLog::create`].
    pub(super) fn create(
        disk: &'d Arc<dyn Disk>,
        target: NewLogTarget<'d>,
        header: LogHeader,
    ) -> Result<Self, StorageError> {
        let mut log = NewLog::create(disk.as_ref(), target, now_ms())?;
        log.write_header(header)?;
        Ok(Self { disk, log, target, pending: None, gaps: 0, summary: ImportSummary::default() })
    }

    /// Adds an event, at `offset` if possible. In a folder, the header of the next segment takes a part of the hole before the
    /// event, when one is due; without a hole, the event and those after it move.
    ///
    /// # Errors
    /// `Io` when the log cannot be written; the inner error when the hole before the event is too large.
    pub(super) fn add(
        &mut self,
        event: ImportedEvent,
        offset: Option<u64>,
    ) -> Result<Result<(), LargeHole>, StorageError> {
        let end = self.log.position() + self.pending.as_ref().map_or(0, |payload| frame_len(payload));
        let header = if self.log.is_segment_due(end, event.time_ms) { Version::V2.first_frame_offset() } else { 0 };
        self.summary.events += 1;
        let mut hole_to_fill = 0;
        match offset {
            None => self.summary.unplaced_events += 1,
            Some(offset) => match offset.checked_sub(end + header) {
                Some(0) => self.summary.kept_offsets += 1,
                Some(hole @ MIN_GAP..) if hole > ALWAYS_FILLED_BYTES && hole > end => {
                    return Ok(Err(LargeHole { bytes: hole }));
                }
                Some(hole @ MIN_GAP..) => {
                    hole_to_fill = hole;
                    self.summary.kept_offsets += 1;
                }
                Some(hole) if self.pad_pending(hole as usize) => self.summary.kept_offsets += 1,
                Some(_) | None => self.summary.moved_events += 1,
            },
        }
        self.write_pending()?;
        if let Some(header) = self.log.next_segment(event.time_ms) {
            self.log.write_header(header)?;
        }
        if hole_to_fill > 0 {
            self.fill_hole(hole_to_fill)?;
        }
        self.pending = Some(event.payload);
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
        self.log.append_frame(&payload).map(drop)
    }

    /// Writes gap frames over the next `bytes` bytes.
    fn fill_hole(&mut self, bytes: u64) -> Result<(), StorageError> {
        let (start, end) = (self.log.position(), self.log.position() + bytes);
        let description = format!("{{\"by\":\"import\",\"start\":{start},\"end\":{end}}}");
        while self.log.position() < end {
            let left = end - self.log.position();
            let mut len = left.min(MAX_FRAME as u64);
            // The rest must not be too short for a gap.
            if (1..MIN_GAP).contains(&(left - len)) {
                len -= MIN_GAP;
            }
            let payload_len = len as usize - LENGTH_LEN - CHECKSUM_LEN;
            self.log.append_frame(&gap::build_gap_payload(payload_len, &description))?;
            self.gaps += 1;
        }
        self.summary.filled_holes += 1;
        self.summary.gap_bytes += bytes;
        Ok(())
    }

    /// Writes the last event, reads the whole log again, and gives it its name. A log that it replaces is removed, with its index.
    ///
    /// # Errors
    /// Those of [`verify_new_log`], of [`NewLog::commit`] and of `on_read`; the replaced files are then restored.
    pub(super) fn finish(
        mut self,
        on_read: &mut dyn FnMut(u64, u64) -> Result<(), StorageError>,
    ) -> Result<ImportSummary, StorageError> {
        self.write_pending()?;
        let content = ExpectedContent { events: self.summary.events, gaps: self.gaps };
        verify_new_log(self.disk, 1, &mut self.log, content, on_read)?;
        // An old index next to the new log could be trusted, so it is moved away first.
        let mut backup = Backup::new(self.disk.as_ref());
        let NewLogTarget { path, existing, form, .. } = self.target;
        let moved = match (form, existing) {
            (NewLogForm::File, _) => backup.move_away(&index_path(path)),
            (NewLogForm::Folder(_), ExistingFile::Replace) => backup.move_away(path),
            (NewLogForm::Folder(_), ExistingFile::Keep) => Ok(()),
        };
        match moved.and_then(|()| self.log.commit()) {
            Ok(()) => backup.discard_all(),
            Err(error) => {
                self.log.discard();
                backup.restore(&error)?;
                return Err(error);
            }
        }
        Ok(ImportSummary { bytes: self.log.position(), segments: self.log.segments(), ..self.summary })
    }
}

/// Returns the length of the frame of a payload, in bytes.
const fn frame_len(payload: &[u8]) -> u64 {
    (LENGTH_LEN + payload.len() + CHECKSUM_LEN) as u64
}
