//! The times of the first and the last event of a log.

use std::ops::ControlFlow;

use super::filter::Filter;
use super::page::{PageRequest, read_page};
use super::row::{Direction, ReadStart, RowContent};
use crate::StorageError;
use crate::inspect::LogView;

/// Number of bytes at a place of the log in which an event is searched for.
const MAX_SEARCHED_BYTES: u64 = 4 << 20;
/// Number of rows that are read at a place: two, because one of them can be an unfinished frame.
const MAX_ROWS: usize = 2;

/// The times of the first and the last event of a log, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventTimes {
    /// The time of the first event.
    pub first_ms: u64,
    /// The time of the last event.
    pub last_ms: u64,
}

impl EventTimes {
    /// Reads the first and the last event of a log. Returns `None` for a log without events, and when more than 4 MiB at
    /// one of its ends hold no event.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub fn read(view: &LogView) -> Result<Option<Self>, StorageError> {
        let first = read_time(view, ReadStart::forward(0))?;
        let last = read_time(view, ReadStart::backward(u64::MAX))?;
        Ok(first.zip(last).map(|(first_ms, last_ms)| Self { first_ms, last_ms }))
    }
}

/// Returns the time of the event nearest to a place, in one direction; `None` when 4 MiB there hold no event.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub(super) fn read_time(view: &LogView, start: ReadStart) -> Result<Option<u64>, StorageError> {
    let events = Filter::parse("size>0 -is:damaged -is:gap", 0).unwrap_or_default();
    let mut reports: u64 = 0;
    let page = read_page(view, None, &PageRequest::new(&events, start, MAX_ROWS), &mut |_| {
        reports += 1;
        // Progress is reported about once per mebibyte.
        if reports << 20 > MAX_SEARCHED_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let rows = match page {
        Err(StorageError::Cancelled) => return Ok(None),
        page => page?.rows,
    };
    let mut times = rows.iter().filter_map(|row| match &row.content {
        RowContent::Event(event) => Some(event.time_ms),
        _ => None,
    });
    Ok(match start.direction {
        Direction::Forward => times.next(),
        Direction::Backward => times.next_back(),
    })
}
