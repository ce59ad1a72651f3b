//! The numbers of the events of a page: the n-th event of the log.

use super::row::{LogRow, RowContent};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::EventView;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// Largest range that is read to count the events before a row, in bytes.
const MAX_COUNTED_BYTES: u64 = 8 << 20;

/// Counts the events from the start of a log up to places that ascend.
struct EventCount<'a> {
    view: &'a LogView,
    index: Option<&'a AggregateIndex>,
    counted_to: u64,
    events: u64,
}

impl<'a> EventCount<'a> {
    fn new(view: &'a LogView, index: Option<&'a AggregateIndex>) -> Self {
        let index = index.filter(|index| index.covers_log_start());
        Self { view, index, counted_to: view.log().first_frame_offset(), events: 0 }
    }

    /// Returns the number of events before a row, or before the end of the log; `None` when more than 8 MiB would be read.
    fn before(&mut self, offset: u64) -> Result<Option<u64>, StorageError> {
        let log = self.view.log();
        let anchor = self.index.and_then(|index| index.anchor_before(offset));
        if let Some(anchor) = anchor.filter(|anchor| anchor.offset > self.counted_to && anchor.is_in_log(log)) {
            (self.counted_to, self.events) = (anchor.offset, anchor.ordinal);
        }
        if offset.saturating_sub(self.counted_to) > MAX_COUNTED_BYTES {
            return Ok(None);
        }
        if offset <= self.counted_to {
            return Ok(Some(self.events));
        }
        let mut scanner = Scanner::new(log.clone(), self.counted_to..offset);
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item {
                self.events += u64::from(EventView::parse(frame.payload(), log.version()).is_ok());
            }
        }
        self.counted_to = offset;
        Ok(Some(self.events))
    }
}

/// Returns the numbers of events before `offsets`, which ascend and are starts of rows or of segments. Where more than 8 MiB
/// would be read after the last anchor of the index, the number stays unknown.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
#[cfg(feature = "app")]
pub(crate) fn events_before(
    view: &LogView,
    index: &AggregateIndex,
    offsets: &[u64],
) -> Result<Vec<Option<u64>>, StorageError> {
    let mut count = EventCount::new(view, Some(index));
    offsets.iter().map(|offset| count.before(*offset)).collect()
}

/// Numbers the events among `rows`, which ascend by offset, as [`JumpTarget::Ordinal`](super::JumpTarget::Ordinal) does:
/// the first event of the log has the number 1.
///
/// The events are counted from the last anchor of the index before each row, or from the start of the log. Where this
/// would read more than 8 MiB, the number stays unknown.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn number_events(view: &LogView, index: Option<&AggregateIndex>, rows: &mut [LogRow]) -> Result<(), StorageError> {
    let mut count = EventCount::new(view, index);
    for row in rows {
        let RowContent::Event(event) = &mut row.content else { continue };
        if let Some(events) = count.before(row.start)? {
            event.ordinal = Some(events + 1);
        }
    }
    Ok(())
}
