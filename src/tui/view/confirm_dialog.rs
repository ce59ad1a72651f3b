//! Draws the dialog that asks for confirmation before anything is written.

use ratatui::Frame;
use ratatui::layout::Size;
use ratatui::text::Span;

use super::pane::{draw_dialog, span};
use super::text::{draw_spans, fit_safe};
use crate::tui::layout::{self, DIALOG_MAX_WIDTH};
use crate::tui::model::{ConfirmDialog, DialogButton, Model};
use crate::tui::theme::Role;

/// Minimum width of a dialog whose buttons are drawn with brackets.
const MIN_BRACKETED_WIDTH: u16 = 30;
/// Number of lines of a dialog besides its text: the border, empty lines and the buttons.
const OTHER_LINES: u16 = 5;

/// Draws a dialog. Its buttons are visible on a screen of any size. Its text is scrolled when it does not fit.
pub(super) fn draw(frame: &mut Frame, model: &Model, dialog: &ConfirmDialog) {
    let screen = frame.area();
    let text_size = layout::dialog_text_size(model.size, dialog);
    let text_width = usize::from(text_size.width);
    let lines = dialog.wrapped_lines(text_width);
    let text_height = lines.len().min(usize::from(screen.height)) as u16;
    let size = Size::new(DIALOG_MAX_WIDTH.min(screen.width), text_height + OTHER_LINES);
    let area = draw_dialog(frame, model, &dialog.title, size);
    for (line, text) in (0..area.height.saturating_sub(2)).zip(lines.iter().skip(dialog.scroll.top())) {
        draw_spans(frame, area, line, vec![span(model, Role::Text, fit_safe(text, text_width))]);
    }
    let button = |choice, name: &str| {
        let is_selected = dialog.selected_button == choice;
        let text = match (is_selected, area.width >= MIN_BRACKETED_WIDTH) {
            (true, true) => format!("[> {name} <]   "),
            (false, true) => format!("[  {name}  ]   "),
            (true, false) => format!(">{name}<"),
            (false, false) => format!(" {name} "),
        };
        span(model, if is_selected { Role::Cursor } else { Role::Text }, text)
    };
    let cancel = if dialog.confirm_label.is_some() { "Cancel" } else { "Close" };
    let mut spans = vec![button(DialogButton::Cancel, cancel)];
    spans.extend(dialog.confirm_label.map(|label| button(DialogButton::Confirm, label)));
    spans.extend(scroll_hint(model, dialog));
    draw_spans(frame, area, area.height.saturating_sub(1), spans);
}

/// Returns a hint at the key that scrolls to the hidden part of the text; `None` when all of the text is visible.
fn scroll_hint(model: &Model, dialog: &ConfirmDialog) -> Option<Span<'static>> {
    let hidden_lines = dialog.scroll.lines_below();
    if hidden_lines > 0 {
        Some(span(model, Role::Warning, format!("j: {hidden_lines} more")))
    } else if dialog.scroll.top() > 0 {
        Some(span(model, Role::Muted, "k: back"))
    } else {
        None
    }
}
