//! Whether the unfinished end of a log is torn or being written.
//!
//! A healthy log looks torn while somebody appends: a size taken between two instants of one write shows a part of the
//! last frame. So the end is fixed first, and before it is judged it is looked at again.

use std::iter::Peekable;
use std::ops::Range;
use std::time::Duration;

use super::LogView;
use super::damage_pieces::{DamagePiece, DamagePieces};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{DamageKind, Finding, crc};

/// How long an end has to stand still before it is judged.
const QUIET_PERIOD: Duration = Duration::from_millis(250);

/// What a second look at the end of a log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailActivity {
    /// Nobody is seen writing, and nothing changed: it may be judged.
    Idle,
    /// Another process has the log open for writing.
    WriterPresent,
    /// Its bytes, or the log's size, changed between two looks.
    Changing,
}

/// The pieces of the damaged range that a log ends with, ascending and adjacent, named one by one.
#[derive(Debug)]
pub struct TailPieces<'a> {
    view: &'a LogView,
    pieces: Peekable<DamagePieces>,
    activity: TailActivity,
    file_end: u64,
}

/// A piece of a log's end, named.
#[derive(Debug, Clone, PartialEq)]
pub enum TailPiece {
    /// A piece as found, or the end that was lost.
    Finding(Box<Finding>),
    /// The last piece, which is being written: no damage.
    InFlight(Range<u64>),
}

impl<'a> TailPieces<'a> {
    /// The pieces of the damaged `range` that the log of `view` ends with, after a second look that said `ending`.
    ///
    /// # Errors
    /// `Io`, `Changed`; likewise as items, and `Memory`.
    pub fn new(view: &'a LogView, range: Range<u64>, activity: TailActivity) -> Result<Self, StorageError> {
        let file_end = range.end;
        let pieces = DamagePieces::new(view.log(), range, file_end, view.trusted_index_end())?.peekable();
        Ok(Self { view, pieces, activity: activity, file_end })
    }

    fn classify(&mut self, piece: DamagePiece) -> Result<TailPiece, StorageError> {
        let DamagePiece { finding, torn_ruled_out_by_index: torn_but_for_index } = piece;
        if self.pieces.peek().is_some() {
            return Ok(TailPiece::Finding(Box::new(finding)));
        }
        let unfinished = match self.activity {
            TailActivity::Changing => true,
            TailActivity::WriterPresent => finding.kind == DamageKind::TornTail,
            TailActivity::Idle => false,
        };
        if unfinished {
            return Ok(TailPiece::InFlight(finding.range()));
        }
        let truncated =
            if torn_but_for_index { self.view.truncation_finding(finding.start, self.file_end)? } else { None };
        Ok(TailPiece::Finding(Box::new(truncated.unwrap_or(finding))))
    }
}

impl Iterator for TailPieces<'_> {
    type Item = Result<TailPiece, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.next()?;
        Some(piece.and_then(|piece| self.classify(piece)))
    }
}

/// Names the same pieces. Tells `each` of them, and answers with the last one's range when that is being written.
///
/// # Errors
/// `Io`, `Changed`, `Memory`, and what `each` answers.
pub fn classify_tail(
    view: &LogView,
    range: Range<u64>,
    activity: TailActivity,
    on_finding: &mut dyn FnMut(Finding) -> Result<(), StorageError>,
) -> Result<Option<Range<u64>>, StorageError> {
    for piece in TailPieces::new(view, range, activity)? {
        match piece? {
            TailPiece::Finding(finding) => on_finding(*finding)?,
            TailPiece::InFlight(range) => return Ok(Some(range)),
        }
    }
    Ok(None)
}

/// Looks twice at the damaged `range` that a log ends with, 250 ms apart, and whether the platform shows a writer.
///
/// # Errors
/// `Io`.
pub fn observe_tail(log: &LogFile, range: &Range<u64>) -> Result<TailActivity, StorageError> {
    let before = fingerprint(log, range)?;
    let seen = log.storage().detect_writer();
    log.storage().wait(QUIET_PERIOD);
    Ok(if before != fingerprint(log, range)? {
        TailActivity::Changing
    } else if seen.pid().is_some() {
        TailActivity::WriterPresent
    } else {
        TailActivity::Idle
    })
}

/// The log's size, and the checksum of a range's first and last mebibyte: where a writer would be at work.
fn fingerprint(log: &LogFile, range: &Range<u64>) -> Result<(u64, u32), StorageError> {
    let len = (range.end - range.start).min(1 << 20);
    let mut buf = vec![0; len as usize];
    let mut sum = 0;
    for from in [range.start, range.end - len] {
        let read = log.read_at(&mut buf, from)?;
        sum = crc::extend(sum, buf.get(..read).unwrap_or_default());
    }
    Ok((log.len()?, sum))
}
