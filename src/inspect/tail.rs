//! Whether the unfinished end of a log is torn or being written.
//!
//! A healthy log looks torn while somebody appends: a size taken between two instants of one write shows a part of the
//! last frame. So the end is fixed first, and before it is judged it is looked at again.

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

/// Names the pieces of the damaged `range` that the log of `view` ends with, after a second look that said `ending`. Tells
/// `each` of them, and answers with the last one's range when that is being written, which is no damage.
///
/// # Errors
/// `Io`, `Changed`, `Memory`, and what `each` answers.
pub fn judge_end(
    view: &LogView,
    range: Range<u64>,
    ending: Ending,
    each: &mut dyn FnMut(Finding) -> Result<(), StorageError>,
) -> Result<Option<Range<u64>>, StorageError> {
    let file_end = range.end;
    let mut pieces = Pieces::of(view.log(), range, file_end, view.witnessed_end())?.peekable();
    while let Some(piece) = pieces.next() {
        let NamedPiece { finding, torn_but_for_index } = piece?;
        if pieces.peek().is_some() {
            each(finding)?;
            continue;
        }
        let unfinished = match ending {
            Ending::Moving => true,
            Ending::WriterSeen => finding.kind == Kind::TornTail,
            Ending::Still => false,
        };
        if unfinished {
            return Ok(Some(finding.range()));
        }
        let truncated = if torn_but_for_index { view.truncated(finding.start, file_end)? } else { None };
        each(truncated.unwrap_or(finding))?;
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
