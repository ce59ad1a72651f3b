//! Whether the unfinished end of a log is still being written: the state that a walk keeps of it.
//!
//! A healthy log looks torn while a program appends to it: a file size read in the middle of a write includes a part of
//! the last frame. So the end of the log is fixed first, and it is observed twice before it is judged.

use std::ops::Range;
use std::time::Duration;

use crate::StorageError;
use crate::file::LogFile;
use crate::format::{DamageKind, crc};

/// The time between the two observations of a log's end. An end that does not change meanwhile is judged.
const QUIET_PERIOD: Duration = Duration::from_millis(250);
/// The bytes compared at the start and at the end of the observed range.
const FINGERPRINT_BYTES: u64 = 1 << 20;

/// Whether the platform is asked for a writer before the end of a log is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriterCheck {
    /// A torn tail is in flight while another process has the log open for writing.
    AskPlatform,
    /// This process holds the writer's lock, so a tail that does not change is damage.
    HoldsLock,
}

/// What two observations of the end of a log have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailActivity {
    /// No writer was found and nothing has changed, so the end can be judged.
    Idle,
    /// Another process has the log open for writing.
    WriterPresent,
    /// The bytes of the range, or the size of the log, have changed.
    Changing,
}

/// What a walk knows of the damaged end of the log that it reads.
#[derive(Debug)]
pub(super) struct TailWatch {
    writer_check: WriterCheck,
    state: TailState,
    /// The start of the damaged range that the log ends with.
    start: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TailState {
    /// The walk has not met a damaged end, or has met one that did not change.
    Quiet,
    /// The end has changed since it was scanned, and it was scanned again.
    Moved,
    /// The end has changed, or a writer was found: the last frame was reported as in flight.
    InFlight,
    /// The finding that the log has lost its end was reported.
    TruncationReported,
}

impl TailWatch {
    pub(super) const fn new(writer_check: WriterCheck) -> Self {
        Self { writer_check, state: TailState::Quiet, start: None }
    }

    /// Forgets the end that was met, for a walk that starts again.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.writer_check);
    }

    /// The start of the damaged range that the log ends with, once the walk has met it.
    pub(super) const fn start(&self) -> Option<u64> {
        self.start
    }

    /// Notes that the log ends with a damaged range from the offset `start` on.
    pub(super) const fn set_start(&mut self, start: u64) {
        self.start = Some(start);
    }

    /// Observes the damaged `range` that the log ends with. `None` when it has changed and was not yet scanned again: what
    /// looked damaged may be whole now.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub(super) fn observe(&self, log: &LogFile, range: &Range<u64>) -> Result<Option<TailActivity>, StorageError> {
        if self.state != TailState::Quiet {
            return Ok(Some(TailActivity::Changing));
        }
        Ok(Some(observe_tail(log, range)?).filter(|activity| *activity != TailActivity::Changing))
    }

    /// True when the last piece of the log, of damage kind `kind`, is being written; it is then noted as in flight.
    pub(super) fn is_in_flight(&mut self, activity: TailActivity, kind: DamageKind) -> bool {
        let is_in_flight = match activity {
            TailActivity::Changing => true,
            TailActivity::WriterPresent => {
                self.writer_check == WriterCheck::AskPlatform && kind == DamageKind::TornTail
            }
            TailActivity::Idle => false,
        };
        if is_in_flight {
            self.state = TailState::InFlight;
        }
        is_in_flight
    }

    /// Notes that the bytes at `offset` have changed and are scanned again.
    pub(super) fn mark_changed(&mut self, offset: u64) {
        if self.start.is_some_and(|start| start <= offset) {
            (self.state, self.start) = (TailState::Moved, None);
        }
    }

    /// Notes that the finding about the lost end of the log was reported.
    pub(super) const fn mark_truncation_reported(&mut self) {
        self.state = TailState::TruncationReported;
    }

    /// True when the end has changed since it was scanned, or is in flight.
    pub(super) const fn is_moving(&self) -> bool {
        matches!(self.state, TailState::Moved | TailState::InFlight)
    }

    /// True when the finding that the log has lost its end was reported, or must not be, because the end is in flight.
    pub(super) const fn settles_truncation(&self) -> bool {
        matches!(self.state, TailState::InFlight | TailState::TruncationReported)
    }
}

/// Observes twice, 250 ms apart, the damaged `range` that a log ends with, and asks the platform for a writer.
///
/// `range.end` is the end of the log as it was fixed before the scan: a log that has grown since is `Changing`.
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

/// What two observations of the end of a log are compared by.
#[derive(Debug, PartialEq, Eq)]
struct TailFingerprint {
    file_len: u64,
    /// The checksum of the first and the last mebibyte of the range, where a writer would be at work.
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
