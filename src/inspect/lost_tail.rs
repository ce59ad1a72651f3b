//! What an index knows of events that its log has lost at the end.

use super::LogView;
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{DamageKind, EventView, Evidence, Finding};
use crate::index::{AggregateIndex, LostTail};

impl LogView {
    /// How many events, of how many aggregates, the index knows from `from` on; `None` where it cannot be read, or knows none.
    ///
    /// Walks from the anchor before `from`, and through the index's directory.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub fn count_lost_events(&self, from: u64) -> Result<Option<(u64, u64)>, StorageError> {
        let Some(index) = self.trusted_index().and_then(|index| AggregateIndex::from_persisted(index).ok()) else {
            return Ok(None);
        };
        let anchor = index.anchor_before(from);
        let (start, mut before) =
            anchor.map_or((self.log().first_frame_offset(), 0), |anchor| (anchor.offset, anchor.ordinal));
        let mut scanner = Scanner::new(self.log().clone(), start..from.min(self.log().len()?));
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item {
                before += u64::from(EventView::parse(frame.payload(), self.log().version()).is_ok());
            }
        }
        let mut aggregates = 0;
        for summary in index.iter() {
            match summary {
                Ok(summary) => aggregates += u64::from(summary.last >= from),
                Err(_) => return Ok(None),
            }
        }
        let carried = index.lost_tail();
        let events = index.coverage().events.saturating_sub(before) + carried.lost_events;
        // Where it lost its own entries with a broken file, it knows that there were some, and not how many.
        Ok((events > 0).then_some((events, aggregates.max(carried.lost_aggregates))))
    }

    /// What the index knows of how far the log once went, where it may speak for it; of an end that the log has lost with
    /// what lay there.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub fn lost_tail(&self) -> Result<Option<LostTail>, StorageError> {
        let Some(index) = self.trusted_index() else { return Ok(None) };
        let len = self.log().len()?;
        if index.header().log_end_offset <= len {
            return Ok(Some(LostTail { last_frame: index.last_seen_frame(), ..index.lost_tail() }));
        }
        let (lost_events, lost_aggregates) = self.count_lost_events(len)?.unwrap_or_default();
        let log_end_offset = index.header().log_end_offset;
        Ok(Some(LostTail { log_end_offset, lost_events, lost_aggregates, last_frame: index.last_seen_frame() }))
    }

    /// The finding that the log lost its end, from `start` on; `None` when no index has seen it reach beyond `file_end`.
    ///
    /// # Errors
    /// `Io`, `Changed` when the log cannot be read.
    pub fn truncation_finding(&self, start: u64, file_end: u64) -> Result<Option<Finding>, StorageError> {
        let Some(indexed_end) = self.trusted_index_end().filter(|seen| *seen > file_end) else {
            return Ok(None);
        };
        let lost = self.count_lost_events(start)?;
        let evidence = Evidence {
            log_end_offset: Some(indexed_end),
            bytes_missing: Some(indexed_end - file_end),
            events_missing: lost.map(|lost| lost.0),
            aggregates_missing: lost.map(|lost| lost.1),
            ..Evidence::default()
        };
        Ok(Some(Finding::new(DamageKind::Truncated, start..file_end).with_evidence(evidence)))
    }
}
