//! The state of the detail pane: view, contents, cursor and scroll position.

use super::detail::{AggregateMode, DetailView, RowContents, is_shown_as_event};
use super::detail_lines::wrapped_row_lines;
use super::difference_text::DifferenceText;
use super::json::JsonDoc;
use super::tables::ListCursor;
use crate::query::{Direction, RowContent, SearchPattern, StoredValue};
use crate::tui::request::AggregatePart;

/// Bytes of the file that are read for the hex view at once.
pub(crate) const HEX_WINDOW_BYTES: u64 = 16 << 10;

/// Largest number of columns of a line in a view that does not know the lengths of its lines.
const MAX_LINE_COLUMNS: usize = 4096;
/// Number of columns that may follow a value: a comma, and a time.
const COLUMNS_AFTER_VALUE: usize = 28;

/// The state of the detail pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct DetailPane {
    /// The view that was chosen for events. A row for which it has nothing is shown in another one.
    pub(crate) view: DetailView,
    /// The view that was chosen for findings; `None` for the one with the verdict.
    pub(crate) finding_view: Option<DetailView>,
    /// What the aggregate view shows.
    pub(crate) aggregate_mode: AggregateMode,
    /// Whether long values are wrapped.
    pub(crate) wrap: LineWrap,
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
    pub(crate) scroll_columns: usize,
    /// Number of visible columns.
    pub(crate) width: usize,
    /// Number of lines about the difference from the backup.
    pub(crate) side_line_count: usize,
    /// Number of bytes in a line of the hex view.
    pub(crate) hex_width: usize,
    /// Offset of the event to which Enter in a history went; Enter on this event goes back.
    pub(crate) entered_event: Option<u64>,
    /// The direction of the search whose match is shown as soon as the contents of the row that it selects arrive.
    pub(crate) reveal_match: Option<Direction>,
}

/// Whether values that are longer than the pane is wide take several rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LineWrap {
    /// A long value is cut at the edge of the pane.
    #[default]
    Off,
    /// A long value takes several rows.
    On,
}

/// A request for the contents of the detail pane. When the request for the current state differs from the last one, it
/// is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DetailRequest {
    /// Offset of the row.
    pub(crate) start: u64,
    /// End offset of the row.
    pub(crate) end: u64,
    /// What was requested about the aggregate.
    pub(crate) aggregate: AggregatePart,
    /// Offset of the first byte of the hex window.
    pub(crate) hex_start: u64,
    /// The index generation at the time of the request.
    pub(crate) index_generation: u64,
}

impl DetailPane {
    /// Returns the view that is shown: the chosen one, or the frame where the row has nothing to show in that.
    pub(crate) fn shown_view(&self) -> DetailView {
        let Some(contents) = &self.contents else { return self.view };
        let chosen = self.chosen_view(&contents.details.row.content);
        if contents.has_view(chosen) { chosen } else { DetailView::Frame }
    }

    /// Returns the view that was chosen for rows of this kind.
    fn chosen_view(&self, row: &RowContent) -> DetailView {
        if is_shown_as_event(row) { self.view } else { self.finding_view.unwrap_or(DetailView::Frame) }
    }

    /// Returns what has to be read about the aggregate of a row.
    pub(crate) fn aggregate_part(&self, row: &RowContent) -> AggregatePart {
        match (self.chosen_view(row), self.aggregate_mode) {
            (DetailView::Aggregate, AggregateMode::History) => AggregatePart::History,
            (DetailView::Aggregate, AggregateMode::State) => AggregatePart::State,
            _ => AggregatePart::Nothing,
        }
    }

    /// Chooses a view for rows of the kind that is shown.
    pub(crate) fn choose_view(&mut self, view: DetailView) {
        match &self.contents {
            Some(contents) if !is_shown_as_event(&contents.details.row.content) => self.finding_view = Some(view),
            _ => self.view = view,
        }
    }

    /// Chooses the view that is `steps` places further on among those of the row. The order is cyclic.
    pub(crate) fn cycle_view(&mut self, steps: isize) {
        let views: Vec<DetailView> = match &self.contents {
            Some(contents) => contents.views().collect(),
            None => DetailView::ALL.to_vec(),
        };
        let current = views.iter().position(|view| *view == self.shown_view()).unwrap_or_default() as isize;
        let next = (current + steps).rem_euclid(views.len().max(1) as isize) as usize;
        if let Some(view) = views.get(next) {
            self.choose_view(*view);
        }
    }

    /// Returns the JSON document that is shown: that of the row, or the state of its aggregate.
    pub(crate) fn doc(&self) -> Option<&JsonDoc> {
        let contents = self.contents.as_ref()?;
        match (self.shown_view(), self.aggregate_mode) {
            (DetailView::Json, _) => Some(&contents.doc),
            (DetailView::Aggregate, AggregateMode::State) => contents.state.as_ref().map(|state| &state.doc),
            _ => None,
        }
    }

    /// Returns the JSON document that is shown, to fold it or to wrap its lines.
    pub(crate) fn doc_mut(&mut self) -> Option<&mut JsonDoc> {
        let view = self.shown_view();
        let contents = self.contents.as_mut()?;
        match (view, self.aggregate_mode) {
            (DetailView::Json, _) => Some(&mut contents.doc),
            (DetailView::Aggregate, AggregateMode::State) => contents.state.as_mut().map(|state| &mut state.doc),
            _ => None,
        }
    }

    /// Returns the value under the cursor, with its path.
    pub(crate) fn value_under_cursor(&self) -> Option<StoredValue> {
        if let Some(doc) = self.doc() {
            return doc.value_at(self.cursor.line);
        }
        let history =
            self.contents.as_ref()?.history.as_ref().filter(|_| self.shown_view() == DetailView::Aggregate)?;
        history.value_at(self.cursor.line)
    }

    /// Returns the number of lines of the shown view.
    pub(crate) fn line_count(&self) -> usize {
        let Some(contents) = &self.contents else { return 0 };
        if let Some(doc) = self.doc() {
            return doc.row_count() + usize::from(doc.omitted_bytes > 0);
        }
        match self.shown_view() {
            DetailView::Hex => {
                let bytes = contents.details.row.end - contents.details.row.start;
                bytes.div_ceil(self.hex_width.max(1) as u64) as usize
            }
            DetailView::Aggregate => contents.history.as_ref().map_or(0, |history| history.lines().len()),
            DetailView::Backup => self.side_line_count,
            DetailView::Json | DetailView::Frame => wrapped_row_lines(contents, self.width).len(),
        }
    }

    /// Sets the size of the pane, and wraps the lines of the document to it.
    pub(crate) fn resize(&mut self, width: usize, height: usize) {
        self.width = width;
        self.cursor.height = height;
        let columns = (self.wrap == LineWrap::On).then_some(width.max(1));
        let position = self.doc().and_then(|doc| doc.position_of_row(self.cursor.line));
        if let Some(doc) = self.doc_mut() {
            let rows = doc.row_count();
            doc.set_wrap(columns);
            // The cursor stays on its value when the rows change.
            if let Some(position) = position.filter(|_| doc.row_count() != rows) {
                self.cursor.line = doc.reveal(position);
            }
        }
        self.move_by(0);
    }

    /// Returns the number of columns of the longest visible line, as far as the view knows it.
    pub(crate) fn longest_line(&self) -> usize {
        let Some(doc) = self.doc() else { return MAX_LINE_COLUMNS };
        let visible = self.cursor.top..self.cursor.top + self.cursor.height;
        visible.map(|row| doc.row_columns(row)).max().unwrap_or_default() + COLUMNS_AFTER_VALUE
    }

    /// Returns the number of columns of the line under the cursor; 0 where no line is longer than the pane.
    pub(crate) fn cursor_line_columns(&self, search: Option<&SearchPattern>) -> usize {
        if let Some(doc) = self.doc() {
            return doc.row_columns(self.cursor.line) + 1;
        }
        let history = self.contents.as_ref().and_then(|contents| contents.history.as_ref());
        let change =
            history.filter(|_| self.shown_view() == DetailView::Aggregate).and_then(|h| h.change_at(self.cursor.line));
        change.map_or(0, |change| DifferenceText::new(change, search).columns())
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

    /// Shows the chosen event at a third of the pane, when the history of its aggregate is shown.
    pub(crate) fn show_chosen_event(&mut self) {
        let contents = self.contents.as_ref().filter(|_| self.shown_view() == DetailView::Aggregate);
        let line =
            contents.and_then(|contents| Some(contents.history.as_ref()?.line_of_offset(contents.details.row.start)));
        if let Some(line) = line.filter(|_| self.aggregate_mode == AggregateMode::History) {
            self.show_at_third(line);
        }
    }

    /// Moves the cursor and the scroll position to the first line and the first column.
    pub(crate) fn scroll_to_start(&mut self) {
        self.cursor = ListCursor { line: 0, top: 0, ..self.cursor };
        self.scroll_columns = 0;
    }

    /// Returns the start offset of the hex window that the visible lines need, when the contents do not hold it.
    pub(crate) fn missing_hex_window(&self) -> Option<u64> {
        let contents = self.contents.as_ref().filter(|_| self.shown_view() == DetailView::Hex)?;
        let width = self.hex_width.max(1) as u64;
        let first = contents.details.row.start + self.cursor.top as u64 * width;
        let last = (first + (self.cursor.height as u64 + 1) * width).min(contents.details.row.end);
        let loaded = contents.bytes_start..contents.bytes_start + contents.bytes.len() as u64;
        let is_loaded = loaded.contains(&first) && last <= loaded.end;
        // The window starts half its size before the first visible line, so that scrolling up needs no further request.
        (!is_loaded).then(|| first.saturating_sub(HEX_WINDOW_BYTES / 2).max(contents.details.row.start))
    }
}
