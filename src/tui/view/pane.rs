//! Parts that several panes and dialogs use: borders with titles, the tab bar, and the boxes of dialogs.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::text::{cut_spans, fit_safe};
use crate::tui::click_targets::{tab_labels, tab_separator};
use crate::tui::dialog_layout::DIALOG_MIN_BORDERED_SIZE;
use crate::tui::layout::{Border, LayoutAreas, compute_areas};
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Role;

/// The border of a pane, with a title at its top and one at its bottom.
pub(super) struct PaneBorder {
    pub(super) pane: Pane,
    pub(super) area: Rect,
    pub(super) title: Line<'static>,
    pub(super) bottom_title: Line<'static>,
}

/// Draws the border of a pane, unless the screen is too small for borders.
pub(super) fn draw_border(frame: &mut Frame, model: &Model, areas: &LayoutAreas, border: PaneBorder) {
    if areas.border == Border::None {
        return;
    }
    let PaneBorder { pane, area, title, bottom_title } = border;
    let role = if model.focus == pane { Role::Focus } else { Role::Muted };
    let width = usize::from(area.width).saturating_sub(2);
    // A title has its own styles, without the colour of the border.
    let plain = model.theme.base().fg(model.theme.base().fg.unwrap_or(Color::Reset)).remove_modifier(Modifier::all());
    let fit = |title: Line<'static>| {
        let spans = cut_spans(title.spans, width).into_iter();
        spans.map(|span| Span::styled(span.content, plain.patch(span.style))).collect::<Line>()
    };
    let block = Block::bordered().border_style(model.theme.style(role)).title(fit(title));
    let block = block.title_bottom(fit(bottom_title));
    block.render(area.intersection(frame.area()), frame.buffer_mut());
}

/// Returns the tab bar, which is the title of the main pane.
pub(super) fn tab_title(model: &Model) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    let separator = tab_separator(compute_areas(model).main.width);
    for (number, (tab, label)) in tab_labels(model).into_iter().enumerate() {
        if number > 0 {
            spans.push(span(model, Role::Muted, separator));
        }
        let role = match (model.tab == tab, model.focus) {
            (true, Pane::Main) => Role::Focus,
            (true, _) => Role::Title,
            (false, _) => Role::Muted,
        };
        spans.push(span(model, role, label));
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
