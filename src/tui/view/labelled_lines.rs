//! Draws lines of text with a label in front of each.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::pane::{has_focus, span};
use super::text::{draw_spans, fit_safe, style_line};
use crate::report::{DetailLine, Tone};
use crate::tui::model::{ListCursor, Model, Pane, label_columns};
use crate::tui::theme::Role;

/// Draws the lines at the scroll position of `cursor`, and highlights its line when the detail pane has the focus.
pub(super) fn draw_with_cursor(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    lines: &[DetailLine],
    cursor: &ListCursor,
) {
    let visible = cursor.top..lines.len().min(cursor.top + usize::from(area.height));
    draw(frame, area, model, lines, cursor.top);
    if has_focus(model, Pane::Detail) && visible.contains(&cursor.line) {
        let line = (cursor.line - cursor.top) as u16;
        style_line(frame, area, line, model.theme.style(Role::Cursor));
    }
}

/// Draws the lines from number `top` on, as many as fit into the area.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, lines: &[DetailLine], top: usize) {
    let columns = label_columns(lines);
    for (line, detail_line) in (0..area.height).zip(lines.iter().skip(top)) {
        let text = fit_safe(&detail_line.text, usize::from(area.width).saturating_sub(columns));
        let label = span(model, Role::Muted, format!("{:<columns$}", detail_line.label));
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
