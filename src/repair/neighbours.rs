//! The valid frames next to a damaged range: what a fix rests on, and between which times an event belongs.

use std::ops::Range;
use std::sync::Arc;

use super::Neighbour;
use super::correction::NeighbourTimes;
use super::identity::read_neighbour;
use crate::StorageError;
use crate::file::{LogFile, OffsetLocation, ScanSpan, locate_offset, spans_before};
use crate::format::{EventView, HEADER_LEN};

/// The nearest valid frames before and behind a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Neighbours {
    pub(super) before: Option<Neighbour>,
    pub(super) after: Option<Neighbour>,
}

impl Neighbours {
    /// Those of `range`, whose damage may reach further on both sides, in a log that ends at `end`.
    pub(super) fn find(log: &Arc<LogFile>, range: &Range<u64>, end: u64) -> Result<Self, StorageError> {
        Ok(Self { before: find_before(log, range.start)?, after: find_after(log, range.end, end)? })
    }

    pub(super) fn into_vec(self) -> Vec<Neighbour> {
        self.before.into_iter().chain(self.after).collect()
    }

    /// When the events in them were written.
    pub(super) fn read_times(self, log: &LogFile) -> Result<NeighbourTimes, StorageError> {
        let mut buf = Vec::new();
        let mut time = |frame: Option<Neighbour>| -> Result<Option<u64>, StorageError> {
            let Some(frame) = frame else { return Ok(None) };
            let frame = log.read_frame_at(frame.offset, &mut buf)?;
            let event = frame.and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
            Ok(event.map(|event| event.write_timestamp_ms()))
        };
        Ok(NeighbourTimes { before: time(self.before)?, after: time(self.after)? })
    }
}

fn find_before(log: &Arc<LogFile>, start: u64) -> Result<Option<Neighbour>, StorageError> {
    if start <= HEADER_LEN {
        return Ok(None);
    }
    let spans = spans_before(log, start, 2)?;
    let frame = spans.iter().rev().find_map(|span| match span {
        ScanSpan::Frame(range) => Some(range.start),
        _ => None,
    });
    frame.map_or(Ok(None), |start| read_neighbour(log, start))
}

fn find_after(log: &Arc<LogFile>, at: u64, end: u64) -> Result<Option<Neighbour>, StorageError> {
    if at >= end {
        return Ok(None);
    }
    if let Some(frame) = read_neighbour(log, at)? {
        return Ok(Some(frame));
    }
    match locate_offset(log, at, end)? {
        OffsetLocation::Damaged(range) if range.end < end => read_neighbour(log, range.end),
        _ => Ok(None),
    }
}
