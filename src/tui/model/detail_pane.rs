//! The state of the detail pane: view, contents, cursor and scroll position.

use super::detail::{DetailView, RowContents};
use super::detail_lines::wrapped_row_lines;
use super::tables::ListCursor;
use crate::query::AggregateHistory;
use crate::tui::request::IncludeHistory;

/// Bytes of the file that are read for the hex view at once.
pub(crate) const HEX_WINDOW_BYTES: u64 = 16 << 10;

/// The state of the detail pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct DetailPane {
    /// The view that is shown.
    pub(crate) view: DetailView,
    /// The contents that were read last. Until new contents arrive they may be those of another row.
    pub(crate) contents: Option<RowContents>,
    /// The request that was made last.
    pub(crate) last_request: Option<DetailRequest>,
    /// Offset of the selected row when its contents could not be read; `None` when they could.
    pub(crate) failed_at: Option<u64>,
    /// Number of times that the index has changed. The contents are requested again after each change, because they
    /// include the index entry.
    pub(crate) index_generation: u64,
    /// The cursor in the lines of the view.
    pub(crate) cursor: ListCursor,
    /// Number of columns that are scrolled out of view.
    pub(crate) scroll_columns: u16,
    /// Number of visible columns.
    pub(crate) width: usize,
    /// Number of bytes in a line of the hex view.
    pub(crate) hex_width: usize,
}

/// A request for the contents of the detail pane. When the request for the current state differs from the last one, it
/// is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DetailRequest {
    /// Offset of the row.
    pub(crate) start: u64,
    /// End offset of the row.
    pub(crate) end: u64,
    /// Whether the aggregate's history was requested.
    pub(crate) history: IncludeHistory,
    /// Offset of the first byte of the hex window.
    pub(crate) hex_start: u64,
    /// The index generation at the time of the request.
    pub(crate) index_generation: u64,
}

impl DetailPane {
    /// Returns the number of lines of the selected view.
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
            _ => wrapped_row_lines(contents, self.view, self.width).len(),
        }
    }

    /// Moves the cursor by a number of lines and scrolls to it.
    pub(crate) fn move_by(&mut self, lines: i64) {
        self.cursor.move_by(lines, self.line_count());
    }

    /// Moves the cursor to a line and scrolls so that the line is a third of the way down the pane.
    pub(crate) fn show_at_third(&mut self, line: usize) {
        self.scroll_to_start();
        self.move_by(line as i64);
        let last_top = self.line_count().saturating_sub(self.cursor.height.max(1));
        self.cursor.top = self.cursor.line.saturating_sub(self.cursor.height / 3).min(last_top);
    }

    /// Moves the cursor and the scroll position to the first line and the first column.
    pub(crate) fn scroll_to_start(&mut self) {
        self.cursor = ListCursor { line: 0, top: 0, ..self.cursor };
        self.scroll_columns = 0;
    }

    /// Returns the start offset of the hex window that the visible lines need, when the contents do not hold it.
    pub(crate) fn missing_hex_window(&self) -> Option<u64> {
        let contents = self.contents.as_ref().filter(|_| self.view == DetailView::Hex)?;
        let width = self.hex_width.max(1) as u64;
        let first = contents.details.row.start + self.cursor.top as u64 * width;
        let last = (first + (self.cursor.height as u64 + 1) * width).min(contents.details.row.end);
        let loaded = contents.bytes_start..contents.bytes_start + contents.bytes.len() as u64;
        let is_loaded = loaded.contains(&first) && last <= loaded.end;
        // The window starts half its size before the first visible line, so that scrolling up needs no further request.
        (!is_loaded).then(|| first.saturating_sub(HEX_WINDOW_BYTES / 2).max(contents.details.row.start))
    }
}
