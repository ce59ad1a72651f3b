//! The numbers of the events of a page: the n-th event of the log.

use super::row::{LogRow, RowContent};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::EventView;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// Largest range that is read to count the events before a row, in bytes.
const MAX_COUNTED_BYTES: u64 = 8 << 20;

/// Numbers the events among `rows`, which ascend by offset, as [`JumpTarget::Ordinal`](super::JumpTarget::Ordinal) does:
/// the first event of the log has the number 1.
///
/// The events are counted from the last anchor of the index before each row, or from the start of the log. Where this
/// would read more than 8 MiB, the number stays unknown.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn number_events(view: &LogView, index: Option<&AggregateIndex>, rows: &mut [LogRow]) -> Result<(), StorageError> {
    let index = index.filter(|index| index.covers_log_start());
    let (mut counted_to, mut events) = (view.log().first_frame_offset(), 0);
    for row in rows {
        let RowContent::Event(event) = &mut row.content else { continue };
        let anchor = index.and_then(|index| index.anchor_before(row.start));
        if let Some(anchor) = anchor.filter(|anchor| anchor.offset > counted_to && anchor.is_in_log(view.log())) {
            (counted_to, events) = (anchor.offset, anchor.ordinal);
        }
        if row.start.saturating_sub(counted_to) > MAX_COUNTED_BYTES {
            continue;
        }
        let mut scanner = Scanner::new(view.log().clone(), counted_to..row.start);
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item {
                events += u64::from(EventView::parse(frame.payload(), view.log().version()).is_ok());
            }
        }
        counted_to = row.start;
        event.ordinal = Some(events + 1);
    }
    Ok(())
}
