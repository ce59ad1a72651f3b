//! Highlights the line under the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::pane::has_focus;
use super::text::style_line;
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Role;

/// Highlights a line of a list as the selected one, less strongly when another pane has the focus.
pub(super) fn highlight_selected_line(frame: &mut Frame, area: Rect, line: u16, model: &Model, pane: Pane) {
    let role = if has_focus(model, pane) { Role::Cursor } else { Role::CursorUnfocused };
    style_line(frame, area, line, model.theme.style(role));
}

/// Highlights a line of the detail pane when the pane has the focus and its cursor is on that line.
pub(super) fn highlight_detail_line(frame: &mut Frame, area: Rect, line: u16, model: &Model) {
    if has_focus(model, Pane::Detail) && model.detail.cursor.top + usize::from(line) == model.detail.cursor.line {
        style_line(frame, area, line, model.theme.style(Role::Cursor));
    }
}
