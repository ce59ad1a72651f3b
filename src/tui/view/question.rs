//! A question before something is written.

use ratatui::Frame;

use super::pane::{draw_dialog, span};
use super::text::{draw_spans, fit_safe};
use crate::tui::layout::{self, DIALOG_MAX_WIDTH};
use crate::tui::model::{ConfirmDialog, DialogButton, Model};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, question: &ConfirmDialog) {
    let width = DIALOG_MAX_WIDTH.min(frame.area().width);
    let text = layout::dialog_text_size(model.size, question);
    let (room, shown) = (usize::from(text.width), usize::from(text.height));
    let lines = question.wrapped_lines(room);
    let area = draw_dialog(
        frame,
        model,
        &question.title,
        (width, lines.len().min(usize::from(frame.area().height)) as u16 + 5),
    );
    // The answers are always in sight, however small the screen is.
    let above = area.height.saturating_sub(2);
    let hidden = lines.len().saturating_sub(question.top + shown);
    for (line, text) in lines.iter().skip(question.top).take(usize::from(above)).enumerate() {
        draw_spans(frame, area, line as u16, vec![span(model, Role::Text, fit_safe(text, room))]);
    }
    let answer = |choice, name: &str| {
        let chosen = question.selected == choice;
        let text = match (chosen, area.width >= 30) {
            (true, true) => format!("[> {name} <]   "),
            (false, true) => format!("[  {name}  ]   "),
            (true, false) => format!(">{name}<"),
            (false, false) => format!(" {name} "),
        };
        span(model, if chosen { Role::Cursor } else { Role::Text }, text)
    };
    let cancel = if question.confirm_label.is_some() { "Cancel" } else { "Close" };
    let mut spans = vec![answer(DialogButton::Cancel, cancel)];
    spans.extend(question.confirm_label.map(|go| answer(DialogButton::Confirm, go)));
    if hidden > 0 {
        spans.push(span(model, Role::Warning, format!("j: {hidden} more")));
    } else if question.top > 0 {
        spans.push(span(model, Role::Muted, "k: back"));
    }
    draw_spans(frame, area, area.height.saturating_sub(1), spans);
}
