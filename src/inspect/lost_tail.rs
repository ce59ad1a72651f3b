//! The events at the end of a log that the log has lost, according to its index.

use super::LogView;
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{DamageKind, EventView, Evidence, Finding};
use crate::index::{AggregateIndex, LostTail};

/// The number of events that a log has lost at its end, and of their aggregates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LostEventCount {
    /// Number of lost events.
    pub(crate) events: u64,
    /// Number of aggregates to which these events belong.
    pub(crate) aggregates: u64,
}

impl LogView {
    /// Counts the events at and after `from` according to the index; `None` when the index cannot be read or lists none.
    ///
    /// Reads the log from the anchor before `from`, and all aggregates of the index.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub(crate) fn count_lost_events(&self, from: u64) -> Result<Option<LostEventCount>, StorageError> {
        let Some(index) = self.trusted_index().and_then(|index| AggregateIndex::from_persisted(index).ok()) else {
            return Ok(None);
        };
        let anchor = index.anchor_before(from);
        let (start, mut events_before) =
            anchor.map_or((self.log().first_frame_offset(), 0), |anchor| (anchor.offset, anchor.ordinal));
        let mut scanner = Scanner::new(self.log().clone(), start..from.min(self.log().len()?));
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item {
                events_before += u64::from(EventView::parse(frame.payload(), self.log().version()).is_ok());
            }
        }
        let mut aggregates = 0;
        for summary in index.iter() {
            match summary {
                Ok(summary) => aggregates += u64::from(summary.last >= from),
                Err(_) => return Ok(None),
            }
        }
        let recorded = index.lost_tail();
        let events = index.coverage().events.saturating_sub(events_before) + recorded.lost_events;
        let aggregates = aggregates.max(recorded.lost_aggregates);
        // An index that was rebuilt after corruption may have recorded a lost end without the number of its events.
        Ok((events > 0).then_some(LostEventCount { events, aggregates }))
    }

    /// Returns the index's record of the end of the log, and of the events that the log has lost there; `None` without an
    /// index of this log whose header is intact. Without its other pages, the number of lost events is 0.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub fn lost_tail(&self) -> Result<Option<LostTail>, StorageError> {
        let Some(index) = self.identified_index() else { return Ok(None) };
        let len = self.log().len()?;
        if index.header().log_end_offset <= len {
            return Ok(Some(LostTail { last_frame: index.last_seen_frame(), ..index.lost_tail() }));
        }
        let LostEventCount { events: lost_events, aggregates: lost_aggregates } =
            self.count_lost_events(len)?.unwrap_or_default();
        let log_end_offset = index.header().log_end_offset;
        Ok(Some(LostTail { log_end_offset, lost_events, lost_aggregates, last_frame: index.last_seen_frame() }))
    }

    /// Returns the finding that the log has lost its end after `start`; `None` unless an index has recorded an end of the
    /// log after `file_end`.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub fn truncation_finding(&self, start: u64, file_end: u64) -> Result<Option<Finding>, StorageError> {
        let Some(indexed_end) = self.seen_end().offset().filter(|indexed_end| *indexed_end > file_end) else {
            return Ok(None);
        };
        let lost = self.count_lost_events(start)?;
        let evidence = Evidence {
            log_end_offset: Some(indexed_end),
            bytes_missing: Some(indexed_end - file_end),
            events_missing: lost.map(|lost| lost.events),
            aggregates_missing: lost.map(|lost| lost.aggregates),
            ..Evidence::default()
        };
        Ok(Some(Finding::new(DamageKind::Truncated, start..file_end).with_evidence(evidence)))
    }
}
