//! What panes have in common: the border with its titles, and boxes over the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::text::fit_safe;
use crate::tui::layout::{Border, LayoutAreas, compute_areas};
use crate::tui::model::{Model, Pane, Tab};
use crate::tui::theme::Role;

/// Columns from which the tabs have blanks between them.
const MIN_SPACED_TABS_WIDTH: u16 = 66;

/// Draws a pane's border, when there is one.
pub(super) fn draw_border(
    frame: &mut Frame,
    model: &Model,
    areas: &LayoutAreas,
    (pane, area): (Pane, Rect),
    (title, below): (Line<'static>, Line<'static>),
) {
    if areas.border == Border::None {
        return;
    }
    let role = if model.focus == pane { Role::Focus } else { Role::Muted };
    let block = Block::bordered().border_style(model.theme.style(role)).title(title).title_bottom(below);
    block.render(area.intersection(frame.area()), frame.buffer_mut());
}

/// The tabs, as the title of the main pane.
pub(super) fn tab_title(model: &Model) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    // Where there is little room the lines alone keep them apart.
    let between = if compute_areas(model).main.width < MIN_SPACED_TABS_WIDTH { "│" } else { " │ " };
    for (number, (tab, name)) in Tab::ALL.into_iter().enumerate() {
        if number > 0 {
            spans.push(Span::styled(between, model.theme.style(Role::Muted)));
        }
        let role = if model.tab == tab { Role::Title } else { Role::Muted };
        let found = model.scan.findings.len() as u64 + model.scan.dropped_findings;
        let name = match tab {
            Tab::Findings if found > 0 => format!("{} {name} {found}", number + 1),
            _ => format!("{} {name}", number + 1),
        };
        // The chosen one is told by its brackets, not by its colour alone.
        let name = if model.tab == tab { format!("[{name}]") } else { name };
        spans.push(Span::styled(name, model.theme.style(role)));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// An empty box in the middle of the screen, of so many columns and lines at most; what is inside its border.
pub(super) fn draw_dialog(frame: &mut Frame, model: &Model, title: &str, (width, height): (u16, u16)) -> Rect {
    let screen = frame.area();
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    let area = Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height);
    Clear.render(area, frame.buffer_mut());
    frame.buffer_mut().set_style(area, model.theme.base());
    if width < 20 || height < 5 {
        return area;
    }
    let title = format!(" {} ", fit_safe(title, usize::from(width).saturating_sub(6)));
    let block = Block::bordered().border_style(model.theme.style(Role::Focus)).title(title);
    let inner = block.inner(area);
    block.render(area, frame.buffer_mut());
    // A column of air at either side.
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// A piece of text in a role.
pub(super) fn span(model: &Model, role: Role, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), model.theme.style(role))
}
