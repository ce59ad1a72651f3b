//! Draws the dialog that asks for confirmation before anything is written.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::{draw_dialog_in, span};
use super::text::{draw_spans, fit_safe};
use crate::tui::actions::ActionId;
use crate::tui::dialog_layout::{self, PlacedButton};
use crate::tui::model::{ConfirmDialog, Model};
use crate::tui::theme::Role;

/// Columns between the buttons and the hint after them.
const HINT_GAP: &str = "   ";

/// Draws a dialog. Its buttons are visible on a screen of any size. Its text is scrolled when it does not fit.
pub(super) fn draw(frame: &mut Frame, model: &Model, dialog: &ConfirmDialog) {
    let areas = dialog_layout::confirm_dialog_areas(model.size, dialog);
    let text_width = usize::from(dialog_layout::dialog_text_size(model.size, dialog).width);
    let lines = dialog.wrapped_lines(text_width);
    draw_dialog_in(frame, model, &dialog.title, areas.outer);
    for (line, text) in (0..areas.text.height).zip(lines.iter().skip(dialog.scroll.top())) {
        draw_spans(frame, areas.text, line, vec![span(model, Role::Text, fit_safe(text, text_width))]);
    }
    let buttons = dialog_layout::place_buttons(areas.buttons, dialog.confirm_label, Some(dialog.selected_button));
    let hint = scroll_hint(model, dialog.scroll.top(), dialog.scroll.lines_below());
    draw_buttons(frame, model, areas.buttons, &buttons, hint);
}

/// Draws the buttons of a dialog, and a hint after them.
pub(super) fn draw_buttons(
    frame: &mut Frame,
    model: &Model,
    area: Rect,
    buttons: &[PlacedButton],
    hint: Option<Span<'static>>,
) {
    let mut end = area.x;
    let mut spans = Vec::new();
    for PlacedButton { text, area: button_area, is_selected, .. } in buttons {
        spans.push(Span::raw(" ".repeat(usize::from(button_area.x.saturating_sub(end)))));
        spans.push(span(model, if *is_selected { Role::Cursor } else { Role::Text }, text.clone()));
        end = button_area.right();
    }
    if let Some(hint) = hint {
        spans.extend([Span::raw(HINT_GAP), hint]);
    }
    draw_spans(frame, area, 0, spans);
}

/// Returns a hint at the key that scrolls to the hidden lines of a text; `None` when all of them are visible.
pub(super) fn scroll_hint(model: &Model, lines_above: usize, lines_below: usize) -> Option<Span<'static>> {
    let key = |id| model.keys.hint(id);
    if lines_below > 0 {
        Some(span(model, Role::Warning, format!("{}: {lines_below} more", key(ActionId::ScrollDown))))
    } else if lines_above > 0 {
        Some(span(model, Role::Muted, format!("{}: back", key(ActionId::ScrollUp))))
    } else {
        None
    }
}
