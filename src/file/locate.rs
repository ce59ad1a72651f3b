//! Looking backwards: which frames lie before a place, and what lies at one, without reading from the start.
//!
//! A window before the place is scanned from its first valid frame on, which the checksum vouches for; where it holds
//! too little, it is doubled.

use std::ops::Range;
use std::sync::Arc;

use super::{LogFile, Scanner, Span};
use crate::StorageError;

/// The window that is tried first, in bytes.
const FIRST_WINDOW: u64 = 64 << 10;

/// What lies at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A valid frame starts here.
    Frame(Range<u64>),
    /// Inside a valid frame.
    Inside(Range<u64>),
    /// At the start of, or inside, a damaged range.
    Damaged(Range<u64>),
    /// At or behind the end of the log.
    End,
}

/// The frames and damaged ranges that end at or before `before`, ascending and adjacent up to it: at least `count` of
/// them, where the log has as many before that place.
///
/// `before` is where a frame or a damaged range starts, or the end of the log. A damaged range that is first in the
/// answer is whole.
///
/// # Errors
/// As [`Scanner::next_item`].
pub fn spans_before(log: &Arc<LogFile>, before: u64, count: usize) -> Result<Vec<Span>, StorageError> {
    let first = log.first_frame();
    let mut window = FIRST_WINDOW;
    loop {
        let from = before.saturating_sub(window).max(first);
        let mut scanner = start(log, from..before);
        let mut spans = Vec::new();
        while let Some(item) = scanner.next_item()? {
            spans.push(item.span());
        }
        if from == first || (spans.len() >= count && spans.first().is_some_and(|s| matches!(s, Span::Frame(_)))) {
            return Ok(spans);
        }
        window = window.saturating_mul(4);
    }
}

/// What lies at `offset`, in a log that ends at `end`.
///
/// # Errors
/// As [`Scanner::next_item`].
pub(crate) fn place(log: &Arc<LogFile>, offset: u64, end: u64) -> Result<Place, StorageError> {
    if offset >= end {
        return Ok(Place::End);
    }
    let first = log.first_frame();
    let mut window = FIRST_WINDOW;
    loop {
        let from = offset.saturating_sub(window).max(first);
        let mut scanner = start(log, from..end);
        scanner.read_ahead_to(offset.saturating_add(FIRST_WINDOW));
        let mut known = from == first;
        while let Some(item) = scanner.next_item()? {
            let span = item.span();
            let range = span.range().clone();
            // Damage in front of the first frame of a window may reach back beyond it.
            known |= range.start <= offset && matches!(span, Span::Frame(_));
            if !known && range.start > offset {
                break;
            }
            if range.end > offset {
                return Ok(match span {
                    Span::Frame(range) if range.start == offset => Place::Frame(range),
                    Span::Frame(range) => Place::Inside(range),
                    Span::Damaged(range) | Span::Unreadable(range) => Place::Damaged(range),
                });
            }
        }
        if known {
            return Ok(Place::End);
        }
        window = window.saturating_mul(4);
    }
}

fn start(log: &Arc<LogFile>, range: Range<u64>) -> Scanner {
    let log = log.clone();
    if range.start == log.first_frame() { Scanner::new(log, range) } else { Scanner::adrift(log, range) }
}
