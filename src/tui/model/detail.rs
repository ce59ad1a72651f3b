//! The contents of a row, and the views of the detail pane.

use std::path::PathBuf;

use super::json::JsonDoc;
use crate::query::{AggregateHistory, HistoryEntry, RowDetails};
use crate::repair::Fix;

/// The views of the detail pane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DetailView {
    /// The event's JSON, with every token as stored.
    #[default]
    Json,
    /// The bytes, with the frame's fields marked.
    Hex,
    /// Offsets, checksums and the index entry.
    Frame,
    /// The history of the aggregate: its events in order, each with the differences from the one before.
    Aggregate,
}

impl DetailView {
    /// All views, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Json, Self::Hex, Self::Frame, Self::Aggregate];

    /// Returns the name of the view.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Hex => "Hex",
            Self::Frame => "Frame",
            Self::Aggregate => "Aggregate",
        }
    }

    /// Returns the view that is `steps` places further on. The order is cyclic.
    pub(crate) fn cycle(self, steps: isize) -> Self {
        let current = Self::ALL.iter().position(|view| *view == self).unwrap_or_default() as isize;
        let next = (current + steps).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL.get(next).copied().unwrap_or(self)
    }
}

/// The contents of the row in the detail pane: its details, a window of its bytes, its history and its fix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowContents {
    /// The payload, the fields, the header and the frame of the row.
    pub(crate) details: RowDetails,
    /// The payload laid out in lines; empty when the payload is not text.
    pub(crate) doc: JsonDoc,
    /// A window of the row's bytes.
    pub(crate) bytes: Vec<u8>,
    /// File offset of the first byte of the window.
    pub(crate) bytes_start: u64,
    /// The history of the event's aggregate, when the aggregate view requested it.
    pub(crate) history: Option<AggregateHistory>,
    /// The fix that the scan found for the row's damage.
    pub(crate) fix: Option<Fix>,
    /// Time at which the row was read, in milliseconds since the Unix epoch; 0 until the screen has received it.
    pub(crate) read_at_ms: u64,
    /// The journal that holds the bytes that a gap replaced, when the repair history lists one.
    pub(crate) backup_journal: Option<PathBuf>,
}

impl AggregateHistory {
    /// Returns the number of lines of the history: one for each event and one for each difference.
    pub(crate) fn line_count(&self) -> usize {
        self.entries.iter().map(HistoryEntry::line_count).sum()
    }

    /// Returns the entry that a line of the history belongs to.
    pub(crate) fn entry_at_line(&self, line: usize) -> Option<&HistoryEntry> {
        let mut end = 0;
        self.entries.iter().find(|entry| {
            end += entry.line_count();
            line < end
        })
    }

    /// Returns the first line of the entry at an offset.
    pub(crate) fn line_of_offset(&self, offset: u64) -> usize {
        self.entries.iter().take_while(|entry| entry.row.start < offset).map(HistoryEntry::line_count).sum()
    }
}

impl HistoryEntry {
    /// Returns the number of lines of the entry.
    pub(crate) fn line_count(&self) -> usize {
        1 + self.changes.len() + usize::from(self.omitted_changes > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_views_is_cyclic() {
        assert_eq!(DetailView::Json.cycle(-1), DetailView::Aggregate);
        assert_eq!(DetailView::Aggregate.cycle(1), DetailView::Json);
        assert_eq!(DetailView::Hex.cycle(1), DetailView::Frame);
    }
}
