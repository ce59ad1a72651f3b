//! Looking backwards: which frames lie before a place, and what lies at one, without reading from the start.
//!
//! A window before the place is scanned from its first valid frame on, which the checksum vouches for; where it holds
//! too little, it is doubled.

use std::ops::Range;
use std::sync::Arc;

use super::{LogFile, ScanSpan, Scanner};
use crate::StorageError;

/// The window that is tried first, in bytes.
const FIRST_WINDOW: u64 = 64 << 10;

/// What lies at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OffsetLocation {
    /// A valid frame starts here.
    FrameStart(Range<u64>),
    /// Inside a valid frame.
    InsideFrame(Range<u64>),
    /// At the start of, or inside, a damaged range.
    Damaged(Range<u64>),
    /// At or behind the end of the log.
    PastEnd,
}

/// The frames and damaged ranges that end at or before `before`, ascending and adjacent up to it: at least `count` of
/// them, where the log has as many before that place.
///
/// `before` is where a frame or a damaged range starts, or the end of the log. A damaged range that is first in the
/// answer is whole.
///
/// # Errors
/// As [`Scanner::next_item`].
pub fn spans_before(log: &Arc<LogFile>, before: u64, count: usize) -> Result<Vec<ScanSpan>, StorageError> {
    let first = log.first_frame_offset();
    let mut window = FIRST_WINDOW;
    loop {
        let from = before.saturating_sub(window).max(first);
        let mut scanner = new_scanner(log, from..before);
        let mut spans = Vec::new();
        while let Some(item) = scanner.next_item()? {
            spans.push(item.span());
        }
        if from == first || (spans.len() >= count && spans.first().is_some_and(|s| matches!(s, ScanSpan::Frame(_)))) {
            return Ok(spans);
        }
        window = window.saturating_mul(4);
    }
}

/// What lies at `offset`, in a log that ends at `end`.
///
/// # Errors
/// As [`Scanner::next_item`].
pub(crate) fn locate_offset(log: &Arc<LogFile>, offset: u64, end: u64) -> Result<OffsetLocation, StorageError> {
    if offset >= end {
        return Ok(OffsetLocation::PastEnd);
    }
    let first = log.first_frame_offset();
    let mut window = FIRST_WINDOW;
    loop {
        let from = offset.saturating_sub(window).max(first);
        let mut scanner = new_scanner(log, from..end);
        scanner.set_read_ahead_limit(offset.saturating_add(FIRST_WINDOW));
        let mut is_aligned = from == first;
        while let Some(item) = scanner.next_item()? {
            let span = item.span();
            let range = span.range().clone();
            // Damage in front of the first frame of a window may reach back beyond it.
            is_aligned |= range.start <= offset && matches!(span, ScanSpan::Frame(_));
            if !is_aligned && range.start > offset {
                break;
            }
            if range.end > offset {
                return Ok(match span {
                    ScanSpan::Frame(range) if range.start == offset => OffsetLocation::FrameStart(range),
                    ScanSpan::Frame(range) => OffsetLocation::InsideFrame(range),
                    ScanSpan::Damaged(range) | ScanSpan::Unreadable(range) => OffsetLocation::Damaged(range),
                });
            }
        }
        if is_aligned {
            return Ok(OffsetLocation::PastEnd);
        }
        window = window.saturating_mul(4);
    }
}

fn new_scanner(log: &Arc<LogFile>, range: Range<u64>) -> Scanner {
    let log = log.clone();
    if range.start == log.first_frame_offset() { Scanner::new(log, range) } else { Scanner::from_unaligned(log, range) }
}
