//! The labelled lines about a row in the detail pane, wrapped to the width of the pane.

use super::detail::{DetailView, RowContents};
use super::labelled_lines::wrap_lines;
use crate::query::RowContent;
use crate::report::{DetailLine, FixSearchResult, row_detail_lines, safe_path_text};

/// Returns the lines about a row, wrapped to `width` columns including the label.
pub(crate) fn wrapped_row_lines(contents: &RowContents, view: DetailView, width: usize) -> Vec<DetailLine> {
    let fix = contents.fix.as_ref().map_or(FixSearchResult::NotSearched, FixSearchResult::Fix);
    let journal = contents.backup_journal.as_deref().map(safe_path_text);
    let mut lines = row_detail_lines(&contents.details, fix, journal.as_deref());
    if let (RowContent::Event(_), DetailView::Aggregate) = (&contents.details.row.content, view) {
        lines.insert(0, DetailLine::plain("aggregate", "none: the event belongs to no aggregate"));
    }
    wrap_lines(lines, width)
}
