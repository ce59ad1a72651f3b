//! The valid frames next to a damaged range. They identify the range, and bound the time of a damaged event in it.

use std::ops::Range;
use std::sync::Arc;

use crate::StorageError;
use crate::file::{LogFile, OffsetLocation, ScanSpan, locate_offset, spans_before};
use crate::format::{EventView, FrameIdentity};
use crate::repair::correction::NeighbourTimes;
use crate::repair::types::read_neighbour;

/// The nearest valid frames before and after a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Neighbours {
    pub(crate) before: Option<FrameIdentity>,
    pub(crate) after: Option<FrameIdentity>,
}

impl Neighbours {
    /// Finds the neighbours of `range` in a log that ends at `log_end`. Damage next to the range is skipped.
    pub(crate) fn find(log: &Arc<LogFile>, range: &Range<u64>, log_end: u64) -> Result<Self, StorageError> {
        NeighbourSearch::default().find(log, range, log_end)
    }

    pub(crate) fn into_vec(self) -> Vec<FrameIdentity> {
        self.before.into_iter().chain(self.after).collect()
    }

    /// Reads the write times of the events in these frames.
    fn read_times(self, log: &LogFile) -> Result<NeighbourTimes, StorageError> {
        let mut buf = Vec::new();
        let mut time = |frame: Option<FrameIdentity>| -> Result<Option<u64>, StorageError> {
            let Some(frame) = frame else { return Ok(None) };
            let frame = log.read_frame_at(frame.offset, &mut buf)?;
            let event = frame.and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
            Ok(event.map(|event| event.write_timestamp_ms()))
        };
        Ok(NeighbourTimes { before: time(self.before)?, after: time(self.after)? })
    }
}

/// Finds the neighbours of ranges one after the other. Ranges without a valid frame between them have the same neighbours,
/// which are searched and read once: otherwise the work would grow with the square of the damage.
#[derive(Debug, Default)]
pub(crate) struct NeighbourSearch {
    last: Option<FoundNeighbours>,
}

/// The neighbours of the ranges in a range without valid frames.
#[derive(Debug)]
struct FoundNeighbours {
    range: Range<u64>,
    neighbours: Neighbours,
    /// The times of the neighbours; `None` before they are read.
    times: Option<NeighbourTimes>,
}

impl NeighbourSearch {
    /// Finds the neighbours of `range`, like [`Neighbours::find`].
    pub(crate) fn find(
        &mut self,
        log: &Arc<LogFile>,
        range: &Range<u64>,
        log_end: u64,
    ) -> Result<Neighbours, StorageError> {
        Ok(self.find_or_reuse(log, range, log_end)?.neighbours)
    }

    /// Finds the neighbours of `range`, and reads the write times of the events in them.
    pub(super) fn find_times(
        &mut self,
        log: &Arc<LogFile>,
        range: &Range<u64>,
        log_end: u64,
    ) -> Result<NeighbourTimes, StorageError> {
        let found = self.find_or_reuse(log, range, log_end)?;
        match found.times {
            Some(times) => Ok(times),
            None => Ok(*found.times.insert(found.neighbours.read_times(log)?)),
        }
    }

    fn find_or_reuse(
        &mut self,
        log: &Arc<LogFile>,
        range: &Range<u64>,
        log_end: u64,
    ) -> Result<&mut FoundNeighbours, StorageError> {
        let is_inside = |found: &FoundNeighbours| found.range.start <= range.start && range.end <= found.range.end;
        let found = if let Some(found) = self.last.take().filter(is_inside) {
            found
        } else {
            let before = find_before(log, range.start)?;
            let (after, end) = find_after(log, range.end, log_end)?;
            FoundNeighbours { range: range.start..end, neighbours: Neighbours { before, after }, times: None }
        };
        Ok(self.last.insert(found))
    }
}

fn find_before(log: &Arc<LogFile>, start: u64) -> Result<Option<FrameIdentity>, StorageError> {
    if start <= log.first_frame_offset() {
        return Ok(None);
    }
    // Two spans are enough: they include the last frame even when damage lies between it and the range.
    let spans = spans_before(log, start, 2)?;
    let frame = spans.iter().rev().find_map(|span| match span {
        ScanSpan::Frame(range) => Some(range.start),
        _ => None,
    });
    frame.map_or(Ok(None), |start| read_neighbour(log, start))
}

/// Returns the first valid frame at `end` or after it, and the end of the bytes in which no frame starts.
fn find_after(log: &Arc<LogFile>, end: u64, log_end: u64) -> Result<(Option<FrameIdentity>, u64), StorageError> {
    if end >= log_end {
        return Ok((None, end));
    }
    // Where a segment ends, the next frame follows the header of the next one.
    let end = log.skip_segment_header(end);
    if let Some(frame) = read_neighbour(log, end)? {
        return Ok((Some(frame), end));
    }
    match locate_offset(log, end, log_end)? {
        OffsetLocation::Damaged(range) if range.end < log_end => Ok((read_neighbour(log, range.end)?, range.end)),
        OffsetLocation::Damaged(range) => Ok((None, range.end)),
        _ => Ok((None, end)),
    }
}
