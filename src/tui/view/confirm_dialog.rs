//! The dialog that asks before something is written.

use ratatui::Frame;
use ratatui::layout::Size;
use ratatui::text::Span;

use super::pane::{draw_dialog, span};
use super::text::{draw_spans, fit_safe};
use crate::tui::layout::{self, DIALOG_MAX_WIDTH};
use crate::tui::model::{ConfirmDialog, DialogButton, Model};
use crate::tui::theme::Role;

/// Width from which the buttons are drawn with brackets.
const MIN_BRACKETED_WIDTH: u16 = 30;
/// Lines of the dialog beside its text: the border, an empty line and the buttons.
const OTHER_LINES: u16 = 5;

/// Draws the dialog. Its buttons are visible on a screen of any size; its text is scrolled.
pub(super) fn draw(frame: &mut Frame, model: &Model, dialog: &ConfirmDialog) {
    let screen = frame.area();
    let text_size = layout::dialog_text_size(model.size, dialog);
    let text_width = usize::from(text_size.width);
    let lines = dialog.wrapped_lines(text_width);
    let text_height = lines.len().min(usize::from(screen.height)) as u16;
    let size = Size::new(DIALOG_MAX_WIDTH.min(screen.width), text_height + OTHER_LINES);
    let area = draw_dialog(frame, model, &dialog.title, size);
    for (line, text) in (0..area.height.saturating_sub(2)).zip(lines.iter().skip(dialog.top)) {
        draw_spans(frame, area, line, vec![span(model, Role::Text, fit_safe(text, text_width))]);
    }
    let button = |choice, name: &str| {
        let is_selected = dialog.selected == choice;
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
    let hidden_lines = lines.len().saturating_sub(dialog.top + usize::from(text_size.height));
    spans.extend(scroll_hint(model, dialog, hidden_lines));
    draw_spans(frame, area, area.height.saturating_sub(1), spans);
}

/// The key that scrolls to the text that is not visible.
fn scroll_hint(model: &Model, dialog: &ConfirmDialog, hidden_lines: usize) -> Option<Span<'static>> {
    if hidden_lines > 0 {
        Some(span(model, Role::Warning, format!("j: {hidden_lines} more")))
    } else if dialog.top > 0 {
        Some(span(model, Role::Muted, "k: back"))
    } else {
        None
    }
}
