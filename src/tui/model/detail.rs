//! The detail pane: what stands in the row under the cursor, and as what it is shown.

use std::path::PathBuf;

use super::json::JsonDoc;
use crate::query::{AggregateHistory, HistoryEntry, RowDetails};
use crate::repair::Fix;

/// Bytes of a hex window.
pub(crate) const HEX_WINDOW_BYTES: u64 = 16 << 10;

/// As what the row is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DetailView {
    /// JSON, exactly as stored.
    #[default]
    Json,
    /// Bytes, with the fields marked.
    Hex,
    /// Offsets, checksums and the index's entry.
    Frame,
    /// The aggregate's events in order, each with what it changed.
    Aggregate,
}

impl DetailView {
    /// Every view with its name.
    pub(crate) const ALL: [(Self, &'static str); 4] =
        [(Self::Json, "JSON"), (Self::Hex, "Hex"), (Self::Frame, "Frame"), (Self::Aggregate, "Aggregate")];

    /// The one so many places further on.
    pub(crate) fn cycle(self, by: isize) -> Self {
        let now = Self::ALL.iter().position(|(view, _)| *view == self).unwrap_or_default() as isize;
        let next = (now + by).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL.get(next).map_or(self, |(view, _)| *view)
    }
}

/// The detail pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct DetailPane {
    /// As what the row is shown.
    pub(crate) view: DetailView,
    /// What is known of it; of the row before until that has come.
    pub(crate) contents: Option<RowContents>,
    /// What was asked for last.
    pub(crate) requested: Option<DetailRequest>,
    /// How often the index has become another: what it says of the row is asked for again then.
    pub(crate) index_generation: u64,
    /// The line under the cursor.
    pub(crate) cursor: usize,
    /// The first line on the screen.
    pub(crate) top: usize,
    /// Columns scrolled to the right.
    pub(crate) scroll_columns: u16,
    /// Lines on the screen.
    pub(crate) height: usize,
    /// Columns on the screen.
    pub(crate) width: usize,
    /// Bytes in a line of hex.
    pub(crate) hex_width: usize,
}

/// What was asked about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DetailRequest {
    /// Its place.
    pub(crate) range: (u64, u64),
    /// As what it is shown, as far as that makes a difference to who answers.
    pub(crate) view: DetailView,
    /// The first byte of the hex window.
    pub(crate) base: u64,
    /// Which index is asked.
    pub(crate) index_generation: u64,
}

/// The row in the detail pane: its details, a window of its bytes, and what the views show beside them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowContents {
    /// The row's payload, fields, header and frame.
    pub(crate) details: RowDetails,
    /// The payload laid out in lines; empty when it is not text.
    pub(crate) doc: JsonDoc,
    /// A window of the row's bytes.
    pub(crate) bytes: Vec<u8>,
    /// File offset of the first byte of the window.
    pub(crate) bytes_start: u64,
    /// The history of the event's aggregate, when the aggregate view requested it.
    pub(crate) history: Option<AggregateHistory>,
    /// The fix that the scan found for the row's damage.
    pub(crate) fix: Option<Fix>,
    /// The journal that keeps the bytes that a gap replaced, when the repair history lists one.
    pub(crate) backup_journal: Option<PathBuf>,
}

impl DetailPane {
    /// How many lines the view has.
    pub(crate) fn line_count(&self) -> usize {
        let Some(contents) = &self.contents else { return 0 };
        match self.view {
            DetailView::Json if contents.details.payload_text.is_some() => {
                contents.doc.visible_line_count() + usize::from(contents.doc.omitted_bytes > 0)
            }
            DetailView::Hex => {
                let bytes = contents.details.row.end - contents.details.row.start;
                bytes.div_ceil(self.hex_width.max(1) as u64) as usize
            }
            DetailView::Aggregate => contents.history.as_ref().map_or(0, AggregateHistory::line_count),
            _ => super::detail_lines::wrapped_row_lines(contents, self.view, self.width).len(),
        }
    }

    /// Moves the cursor by so many lines.
    pub(crate) fn move_by(&mut self, lines: i64) {
        let last = self.line_count().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64).saturating_add(lines).clamp(0, last) as usize;
        let height = self.height.max(1);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height));
    }

    /// Back to the first line.
    pub(crate) fn scroll_to_start(&mut self) {
        (self.cursor, self.top, self.scroll_columns) = (0, 0, 0);
    }

    /// The hex window that the lines on the screen need, when it is not there.
    pub(crate) fn missing_hex_window(&self) -> Option<u64> {
        let contents = self.contents.as_ref().filter(|_| self.view == DetailView::Hex)?;
        let width = self.hex_width.max(1) as u64;
        let first = contents.details.row.start + self.top as u64 * width;
        let last = (first + (self.height as u64 + 1) * width).min(contents.details.row.end);
        let have = contents.bytes_start..contents.bytes_start + contents.bytes.len() as u64;
        let enough = have.contains(&first) && last <= have.end;
        // Half a window above, so that a few lines up need no other.
        (!enough).then(|| first.saturating_sub(HEX_WINDOW_BYTES / 2).max(contents.details.row.start))
    }
}

impl AggregateHistory {
    /// Lines it takes: one for each event, one for each difference.
    pub(crate) fn line_count(&self) -> usize {
        self.entries.iter().map(HistoryEntry::line_count).sum()
    }

    /// The event whose lines hold this one.
    pub(crate) fn entry_at_line(&self, line: usize) -> Option<&HistoryEntry> {
        let mut rest = line;
        self.entries.iter().find(|chapter| {
            let here = rest < chapter.line_count();
            rest = rest.saturating_sub(chapter.line_count());
            here
        })
    }

    /// The line of the event at an offset.
    pub(crate) fn line_of_offset(&self, offset: u64) -> usize {
        self.entries.iter().take_while(|chapter| chapter.row.start < offset).map(HistoryEntry::line_count).sum()
    }
}

impl HistoryEntry {
    /// Lines it takes.
    pub(crate) fn line_count(&self) -> usize {
        1 + self.changes.len() + usize::from(self.omitted_changes > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_go_round_both_ways() {
        assert_eq!(DetailView::Json.cycle(-1), DetailView::Aggregate);
        assert_eq!(DetailView::Aggregate.cycle(1), DetailView::Json);
        assert_eq!(DetailView::Hex.cycle(1), DetailView::Frame);
    }
}
