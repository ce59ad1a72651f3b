//! Parts that several panes and dialogs use: titles, rules, the tab bar, and the boxes of dialogs.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::text::{cut_spans, draw_spans, fit_safe, spans_width};
use crate::tui::click_targets::{tab_labels, tab_separator};
use crate::tui::dialog_layout::DIALOG_MIN_BORDERED_SIZE;
use crate::tui::layout::{LayoutAreas, PaneTitles, compute_areas};
use crate::tui::model::{Model, Overlay, Pane};
use crate::tui::theme::Role;

/// The first row of a pane: its title, and at the right end a word about its rows, where there is room for it.
pub(super) struct PaneTitle {
    pub(super) pane: Pane,
    pub(super) area: Rect,
    pub(super) title: Line<'static>,
    pub(super) right: Line<'static>,
}

/// Returns whether a pane has the focus. No pane has it while a dialog is open.
pub(super) fn has_focus(model: &Model, pane: Pane) -> bool {
    model.focus == pane && !model.overlays.iter().any(Overlay::is_dialog)
}

/// Returns the role of the title of a pane.
pub(super) fn title_role(model: &Model, pane: Pane) -> Role {
    if has_focus(model, pane) { Role::Focus } else { Role::Title }
}

/// Draws the title of a pane in a horizontal rule, unless the screen is too small for titles. The rule of the focused pane is
/// heavy and in the accent colour, so that it is recognised without colours too.
pub(super) fn draw_title(frame: &mut Frame, model: &Model, areas: &LayoutAreas, title: PaneTitle) {
    let PaneTitle { pane, area, title, right } = title;
    let row = Rect { height: area.height.min(1), ..area }.intersection(frame.area());
    if areas.titles == PaneTitles::None || row.is_empty() {
        return;
    }
    let is_focused = has_focus(model, pane);
    let (line, role) = if is_focused { ("━", Role::Focus) } else { ("─", Role::Muted) };
    let width = usize::from(row.width);
    let mut spans = vec![span(model, role, line)];
    spans.extend(cut_spans(title.spans, width.saturating_sub(2)));
    let (used, right_width) = (spans_width(&spans), spans_width(&right.spans));
    // The text at the right has a rule on either side.
    let has_right = right_width > 0 && used + right_width + 2 <= width;
    let end = if has_right { right_width + 1 } else { 0 };
    spans.push(span(model, role, line.repeat(width.saturating_sub(used + end))));
    if has_right {
        spans.extend(right.spans);
        spans.push(span(model, role, line));
    }
    draw_spans(frame, row, 0, spans);
}

/// Draws the vertical rule between the list and the detail pane, and joins it to the rules of the titles.
pub(super) fn draw_divider(frame: &mut Frame, model: &Model, areas: &LayoutAreas) {
    let area = areas.divider;
    for line in 0..area.height {
        let is_findings_title = areas.findings.height > 0 && area.y + line == areas.findings.y;
        let (symbol, role) = match line {
            0 if has_focus(model, Pane::Main) => ("┭", Role::Focus),
            0 if has_focus(model, Pane::Detail) => ("┮", Role::Focus),
            0 => ("┬", Role::Muted),
            _ if is_findings_title && has_focus(model, Pane::Findings) => ("┥", Role::Focus),
            _ if is_findings_title => ("┤", Role::Muted),
            _ => ("│", Role::Muted),
        };
        draw_spans(frame, area, line, vec![span(model, role, symbol)]);
    }
}

/// Draws the note below the rows of the main pane.
pub(super) fn draw_note(frame: &mut Frame, areas: &LayoutAreas, spans: Vec<Span<'static>>) {
    draw_spans(frame, areas.note, 0, std::iter::once(Span::raw(" ")).chain(spans).collect());
}

/// Returns the tab bar, which is the title of the main pane.
pub(super) fn tab_title(model: &Model) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    let separator = tab_separator(compute_areas(model).main.width);
    for (number, (tab, label)) in tab_labels(model).into_iter().enumerate() {
        if number > 0 {
            spans.push(span(model, Role::Muted, separator));
        }
        if model.tab == tab {
            spans.push(span(model, title_role(model, Pane::Main), label));
            continue;
        }
        // The number of damaged ranges is as visible as the damage.
        let (name, damage) = label.split_at(label.find('×').unwrap_or(label.len()));
        spans.extend([span(model, Role::Muted, name), span(model, Role::Damage, damage)]);
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// Draws an empty dialog in the middle of the screen, at most `size` large, and returns the area inside its border.
pub(super) fn draw_dialog(frame: &mut Frame, model: &Model, title: &str, size: Size) -> Rect {
    let screen = frame.area();
    let (width, height) = (size.width.min(screen.width), size.height.min(screen.height));
    draw_dialog_in(
        frame,
        model,
        title,
        Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height),
    )
}

/// Draws an empty dialog in an area of the screen, and returns the area inside its border.
pub(super) fn draw_dialog_in(frame: &mut Frame, model: &Model, title: &str, area: Rect) -> Rect {
    let area = area.intersection(frame.area());
    let Rect { width, height, .. } = area;
    Clear.render(area, frame.buffer_mut());
    frame.buffer_mut().set_style(area, model.theme.base());
    if width < DIALOG_MIN_BORDERED_SIZE.width || height < DIALOG_MIN_BORDERED_SIZE.height {
        return area;
    }
    let title = format!(" {} ", fit_safe(title, usize::from(width).saturating_sub(6)));
    let block = Block::bordered().border_style(model.theme.style(Role::Focus)).title(title);
    let inner = block.inner(area);
    block.render(area, frame.buffer_mut());
    // The text has an empty column on either side.
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Returns a piece of text in the style of a role.
pub(super) fn span(model: &Model, role: Role, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), model.theme.style(role))
}
