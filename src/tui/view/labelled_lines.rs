//! Draws lines of text with a label in front of each.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::pane::span;
use super::text::{draw_spans, fit_safe, style_line};
use crate::report::{DetailLine, Tone};
use crate::tui::model::{LABEL_WIDTH, ListCursor, Model, Pane};
use crate::tui::theme::Role;

/// Draws the lines that are visible at the scroll position of `cursor`, and highlights its line when the detail pane
/// has the focus.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, lines: Vec<DetailLine>, cursor: &ListCursor) {
    let visible = lines.into_iter().enumerate().skip(cursor.top).take(usize::from(area.height));
    for (line, (number, detail_line)) in visible.enumerate() {
        let role = match detail_line.tone {
            Tone::Plain => Role::Text,
            Tone::Good => Role::Good,
            Tone::Bad => Role::Damage,
        };
        let text = fit_safe(&detail_line.text, usize::from(area.width).saturating_sub(LABEL_WIDTH));
        let label = span(model, Role::Muted, format!("{:<LABEL_WIDTH$} ", detail_line.label));
        draw_spans(frame, area, line as u16, vec![label, span(model, role, text)]);
        if model.focus == Pane::Detail && number == cursor.line {
            style_line(frame, area, line as u16, model.theme.style(Role::Cursor));
        }
    }
}
