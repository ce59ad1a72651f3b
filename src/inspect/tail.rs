//! Detects whether the unfinished end of a log is still being written.
//!
//! A healthy log looks torn while a program appends to it: a file size that is read during a write includes only a part
//! of the last frame. So the end of the log is fixed first, and it is observed twice before it is classified.

use std::ops::Range;
use std::time::Duration;

use crate::StorageError;
use crate::file::LogFile;
use crate::format::crc;

/// The time between the two observations of a log's end. An end that does not change in this time is classified.
const QUIET_PERIOD: Duration = Duration::from_millis(250);
/// Number of bytes that are compared at the start and at the end of the observed range.
const FINGERPRINT_BYTES: u64 = 1 << 20;

/// The way to find out whether another process writes to the log, before the end of the log is classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriterCheck {
    /// The platform is asked for a writer: a torn tail is in flight while another process has the log open for writing.
    AskPlatform,
    /// This process holds the writer's lock, so a tail that does not change is damage.
    HoldsLock,
}

/// The result of two observations of the end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailActivity {
    /// No writer was found and nothing has changed, so the end can be classified.
    Idle,
    /// Another process has the log open for writing.
    WriterPresent,
    /// The bytes of the range, or the size of the log, have changed.
    Changing,
}

/// The form of the last piece of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastPieceForm {
    /// A writer can complete it: it has the form of an unfinished frame.
    Unfinished,
    /// No write can make it a frame.
    Damaged,
}

/// The state of a walk concerning the damaged end of its log.
#[derive(Debug)]
pub(super) struct TailWatch {
    writer_check: WriterCheck,
    state: TailState,
    /// The start of the damaged range at the end of the log, once the walk has reached it.
    start: Option<u64>,
}

/// The state of the end of the log, as far as the walk has observed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TailState {
    /// The walk has found no damaged end, or one that did not change.
    Quiet,
    /// The end has changed since it was scanned, and is scanned again.
    Changed,
    /// The end has changed, or a writer was found: the last frame was reported as in flight.
    InFlight,
    /// The finding that the log has lost its end was reported.
    TruncationReported,
}

impl TailWatch {
    pub(super) const fn new(writer_check: WriterCheck) -> Self {
        Self { writer_check, state: TailState::Quiet, start: None }
    }

    /// Resets the state, for a walk that starts again.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.writer_check);
    }

    /// Returns the start of the damaged range at the end of the log, once the walk has reached it.
    pub(super) const fn start(&self) -> Option<u64> {
        self.start
    }

    /// Records that the log ends with a damaged range that starts at `start`.
    pub(super) const fn set_start(&mut self, start: u64) {
        self.start = Some(start);
    }

    /// Observes the damaged `range` at the end of the log. Returns `None` when it has changed and must be scanned again,
    /// because it may be intact now.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub(super) fn observe(&self, log: &LogFile, range: &Range<u64>) -> Result<Option<TailActivity>, StorageError> {
        if self.state != TailState::Quiet {
            return Ok(Some(TailActivity::Changing));
        }
        Ok(Some(observe_tail(log, range)?).filter(|activity| *activity != TailActivity::Changing))
    }

    /// Decides whether the last piece of the log is being written, and records that it is in flight.
    pub(super) fn is_in_flight(&mut self, activity: TailActivity, form: LastPieceForm) -> bool {
        let is_in_flight = match activity {
            TailActivity::Changing => true,
            TailActivity::WriterPresent => {
                self.writer_check == WriterCheck::AskPlatform && form == LastPieceForm::Unfinished
            }
            TailActivity::Idle => false,
        };
        if is_in_flight {
            self.state = TailState::InFlight;
        }
        is_in_flight
    }

    /// Records that the bytes at `offset` have changed and are scanned again.
    pub(super) fn mark_changed(&mut self, offset: u64) {
        if self.start.is_some_and(|start| start <= offset) {
            (self.state, self.start) = (TailState::Changed, None);
        }
    }

    /// Records that the finding about the lost end of the log was reported.
    pub(super) const fn mark_truncation_reported(&mut self) {
        self.state = TailState::TruncationReported;
    }

    /// True when the end has changed since it was scanned, or is in flight.
    pub(super) const fn is_moving(&self) -> bool {
        matches!(self.state, TailState::Changed | TailState::InFlight)
    }

    /// True when the finding about the lost end was already reported, or must not be reported because the end is in flight.
    pub(super) const fn is_truncation_decided(&self) -> bool {
        matches!(self.state, TailState::InFlight | TailState::TruncationReported)
    }
}

/// Observes the damaged `range` at the end of a log twice, 250 ms apart, and asks the platform for a writer.
///
/// `range.end` is the end of the log that was fixed before the scan. A log that has grown since then is `Changing`.
fn observe_tail(log: &LogFile, range: &Range<u64>) -> Result<TailActivity, StorageError> {
    let before = TailFingerprint::read(log, range)?;
    if before.file_len != range.end {
        return Ok(TailActivity::Changing);
    }
    let presence = log.storage().detect_writer();
    log.storage().wait(QUIET_PERIOD);
    Ok(if before != TailFingerprint::read(log, range)? {
        TailActivity::Changing
    } else if presence.pid().is_some() {
        TailActivity::WriterPresent
    } else {
        TailActivity::Idle
    })
}

/// The properties of the end of a log that two observations compare.
#[derive(Debug, PartialEq, Eq)]
struct TailFingerprint {
    file_len: u64,
    /// The checksum of the first and the last mebibyte of the range, where a writer would change bytes.
    checksum: u32,
}

impl TailFingerprint {
    fn read(log: &LogFile, range: &Range<u64>) -> Result<Self, StorageError> {
        let len = (range.end - range.start).min(FINGERPRINT_BYTES);
        let mut buf = vec![0; len as usize];
        let mut checksum = 0;
        for from in [range.start, range.end - len] {
            let read = log.read_at(&mut buf, from)?;
            checksum = crc::extend(checksum, buf.get(..read).unwrap_or_default());
        }
        Ok(Self { file_len: log.len()?, checksum })
    }
}
