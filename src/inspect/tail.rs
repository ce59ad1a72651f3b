//! Whether the unfinished end of a log is torn or being written.
//!
//! A healthy log looks torn while somebody appends: a size taken between two instants of one write shows a part of the
//! last frame. So the end is fixed first, and before it is judged it is looked at again.

use std::iter::Peekable;
use std::ops::Range;
use std::time::Duration;

use super::LogView;
use super::pieces::{NamedPiece, Pieces};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{Finding, Kind, crc};

/// How long an end has to stand still before it is judged.
const STILL: Duration = Duration::from_millis(250);

/// What a second look at the end of a log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nobody is seen writing, and nothing changed: it may be judged.
    Still,
    /// Another process has the log open for writing.
    WriterSeen,
    /// Its bytes, or the log's size, changed between two looks.
    Moving,
}

/// The pieces of the damaged range that a log ends with, ascending and adjacent, named one by one.
#[derive(Debug)]
pub struct EndPieces<'a> {
    view: &'a LogView,
    pieces: Peekable<Pieces>,
    ending: Ending,
    file_end: u64,
}

/// A piece of a log's end, named.
#[derive(Debug, Clone, PartialEq)]
pub enum EndPiece {
    /// A piece as found, or the end that was lost.
    Finding(Box<Finding>),
    /// The last piece, which is being written: no damage.
    InFlight(Range<u64>),
}

impl<'a> EndPieces<'a> {
    /// The pieces of the damaged `range` that the log of `view` ends with, after a second look that said `ending`.
    ///
    /// # Errors
    /// `Io`, `Changed`; likewise as items, and `Memory`.
    pub fn of(view: &'a LogView, range: Range<u64>, ending: Ending) -> Result<Self, StorageError> {
        let file_end = range.end;
        let pieces = Pieces::of(view.log(), range, file_end, view.witnessed_end())?.peekable();
        Ok(Self { view, pieces, ending, file_end })
    }

    fn name(&mut self, piece: NamedPiece) -> Result<EndPiece, StorageError> {
        let NamedPiece { finding, torn_but_for_index } = piece;
        if self.pieces.peek().is_some() {
            return Ok(EndPiece::Finding(Box::new(finding)));
        }
        let unfinished = match self.ending {
            Ending::Moving => true,
            Ending::WriterSeen => finding.kind == Kind::TornTail,
            Ending::Still => false,
        };
        if unfinished {
            return Ok(EndPiece::InFlight(finding.range()));
        }
        let truncated = if torn_but_for_index { self.view.truncated(finding.start, self.file_end)? } else { None };
        Ok(EndPiece::Finding(Box::new(truncated.unwrap_or(finding))))
    }
}

impl Iterator for EndPieces<'_> {
    type Item = Result<EndPiece, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.next()?;
        Some(piece.and_then(|piece| self.name(piece)))
    }
}

/// Names the same pieces. Tells `each` of them, and answers with the last one's range when that is being written.
///
/// # Errors
/// `Io`, `Changed`, `Memory`, and what `each` answers.
pub fn judge_end(
    view: &LogView,
    range: Range<u64>,
    ending: Ending,
    each: &mut dyn FnMut(Finding) -> Result<(), StorageError>,
) -> Result<Option<Range<u64>>, StorageError> {
    for piece in EndPieces::of(view, range, ending)? {
        match piece? {
            EndPiece::Finding(finding) => each(*finding)?,
            EndPiece::InFlight(range) => return Ok(Some(range)),
        }
    }
    Ok(None)
}

/// Looks twice at the damaged `range` that a log ends with, 250 ms apart, and whether the platform shows a writer.
///
/// # Errors
/// `Io`.
pub fn ending(log: &LogFile, range: &Range<u64>) -> Result<Ending, StorageError> {
    let before = fingerprint(log, range)?;
    let seen = log.storage().who_writes();
    log.storage().wait(STILL);
    Ok(if before != fingerprint(log, range)? {
        Ending::Moving
    } else if seen.pid().is_some() {
        Ending::WriterSeen
    } else {
        Ending::Still
    })
}

/// The log's size, and the checksum of a range's first and last mebibyte: where a writer would be at work.
fn fingerprint(log: &LogFile, range: &Range<u64>) -> Result<(u64, u32), StorageError> {
    let len = (range.end - range.start).min(1 << 20);
    let mut buf = vec![0; len as usize];
    let mut sum = 0;
    for from in [range.start, range.end - len] {
        let read = log.read(&mut buf, from)?;
        sum = crc::extend(sum, buf.get(..read).unwrap_or_default());
    }
    Ok((log.len()?, sum))
}
