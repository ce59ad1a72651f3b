//! Draws lines of text with a label in front of each.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::pane::span;
use super::text::{draw_spans, fit_safe, style_line};
use crate::report::{DetailLine, Tone};
use crate::tui::model::{LABEL_WIDTH, ListCursor, Model, Pane};
use crate::tui::theme::Role;

/// Draws the lines at the scroll position of `cursor`, and highlights its line when the detail pane has the focus.
pub(super) fn draw_with_cursor(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    lines: Vec<DetailLine>,
    cursor: &ListCursor,
) {
    let visible = cursor.top..lines.len().min(cursor.top + usize::from(area.height));
    draw(frame, area, model, lines.into_iter().skip(cursor.top));
    if model.focus == Pane::Detail && visible.contains(&cursor.line) {
        let line = (cursor.line - cursor.top) as u16;
        style_line(frame, area, line, model.theme.style(Role::Cursor));
    }
}

/// Draws lines from the top of the area, as many as fit.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, lines: impl Iterator<Item = DetailLine>) {
    for (line, detail_line) in (0..area.height).zip(lines) {
        let text = fit_safe(&detail_line.text, usize::from(area.width).saturating_sub(LABEL_WIDTH));
        let label = span(model, Role::Muted, format!("{:<LABEL_WIDTH$} ", detail_line.label));
        draw_spans(frame, area, line, vec![label, span(model, tone_role(detail_line.tone), text)]);
    }
}

/// Returns the role in whose style a text of this tone is drawn.
pub(in crate::tui) const fn tone_role(tone: Tone) -> Role {
    match tone {
        Tone::Plain => Role::Text,
        Tone::Good => Role::Good,
        Tone::Warning => Role::Warning,
        Tone::Bad => Role::Damage,
    }
}
