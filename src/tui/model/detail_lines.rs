//! The labelled lines about a row or a state in the detail pane, wrapped to the width of the pane.

use super::detail::{RowContents, ShownState};
use super::labelled_lines::wrap_lines;
use crate::report::{DetailLine, FixSearchResult, row_detail_lines, safe_path_text, state_lines};

/// Returns the lines about a row, wrapped to `width` columns including the label.
pub(crate) fn wrapped_row_lines(contents: &RowContents, width: usize) -> Vec<DetailLine> {
    let fix = contents.fix.as_ref().map_or(FixSearchResult::NotSearched, FixSearchResult::Fix);
    let journal = contents.backup_journal.as_deref().map(safe_path_text);
    wrap_lines(row_detail_lines(&contents.details, fix, journal.as_deref()), width)
}

/// Returns the lines about the state of an aggregate, wrapped to `width` columns including the label.
pub(crate) fn wrapped_state_lines(state: &ShownState, width: usize) -> Vec<DetailLine> {
    wrap_lines(state_lines(&state.summary), width)
}
