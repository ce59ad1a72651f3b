//! Functions that locate the frames before an offset, or the frame at an offset, without reading the log from its
//! start.
//!
//! They scan a window before the offset from the first valid frame in it, which the checksum confirms. When the window
//! holds too few frames, they scan a larger one.

use std::ops::Range;
use std::sync::Arc;

use super::{LogFile, ScanSpan, Scanner};
use crate::StorageError;

/// Size of the first window, in bytes. Each further window is four times as large as the previous one.
const FIRST_WINDOW: u64 = 64 << 10;

/// The position of an offset relative to the frames of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OffsetLocation {
    /// The valid frame with this range starts at the offset.
    FrameStart(Range<u64>),
    /// The offset is inside the valid frame with this range.
    InsideFrame(Range<u64>),
    /// The offset is at the start of this damaged range, or inside it.
    Damaged(Range<u64>),
    /// The offset is at or after the end of the log.
    PastEnd,
}

/// Returns the frames and damaged ranges that end at or before `before`, ascending and contiguous up to it.
///
/// Returns at least `count` spans when the log has that many before the offset. `before` must be the start of a frame
/// or of a damaged range, or the end of the log. When the first span is damaged, it is the whole damaged range.
///
/// # Errors
/// The errors of [`Scanner::next_item`].
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

/// Locates `offset` relative to the frames of a log that ends at `end`. An offset in the header of a later segment selects
/// the frame after it.
///
/// # Errors
/// The errors of [`Scanner::next_item`].
pub(crate) fn locate_offset(log: &Arc<LogFile>, offset: u64, end: u64) -> Result<OffsetLocation, StorageError> {
    if offset >= end {
        return Ok(OffsetLocation::PastEnd);
    }
    let offset = log.skip_segment_header(offset);
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
            // Damage before the first frame of a window may start before the window, so its start is not known.
            is_aligned |= range.start <= offset && matches!(span, ScanSpan::Frame(_));
            if !is_aligned && range.start > offset {
                break;
            }
            if range.end > offset {
                return Ok(match span {
                    ScanSpan::Frame(range) if range.start == offset => OffsetLocation::FrameStart(range),
                    ScanSpan::Frame(range) => OffsetLocation::InsideFrame(range),
                    ScanSpan::Damaged(range) | ScanSpan::Unreadable(range) | ScanSpan::Missing(range) => {
                        OffsetLocation::Damaged(range)
                    }
                });
            }
        }
        if is_aligned {
            return Ok(OffsetLocation::PastEnd);
        }
        window = window.saturating_mul(4);
    }
}

/// Creates a scanner that starts aligned only where a frame is known to start: at the first frame of the log.
fn new_scanner(log: &Arc<LogFile>, range: Range<u64>) -> Scanner {
    let log = log.clone();
    if range.start == log.first_frame_offset() { Scanner::new(log, range) } else { Scanner::from_unaligned(log, range) }
}
