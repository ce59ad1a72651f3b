//! Where each pane stands, by the size of the screen: three panes, two, one, the list, one line.
//!
//! ```text
//!     status                                      status                status          row
//!     strip                                       strip                 row             row
//!     ┌ Events ───────────┐┌ detail ──────────┐   ┌ Events ─────────┐   row
//!     │                   ││                  │   │                 │   footer
//!     ├ Findings ─────────┤│                  │   ├ detail ─────────┤
//!     │                   ││                  │   │                 │
//!     └───────────────────┘└──────────────────┘   └─────────────────┘
//!     footer                                      footer
//! ```
//!
//! Update asks it too: heights and clicks follow from it. Here is never drawn.

use ratatui::layout::{Constraint, Layout, Rect};

use super::model::{ConfirmDialog, DetailView, Model, Pane, Tab, Zoom, fix_preview_lines};

/// Columns from which list and detail stand side by side.
const SIDE_BY_SIDE_MIN_WIDTH: u16 = 100;
/// Lines from which they stand above each other.
const STACKED_MIN_HEIGHT: u16 = 20;
/// Columns and lines from which the findings have a pane below the events.
const THREE_PANES_MIN_SIZE: (u16, u16) = (110, 30);
/// Columns of a question at most.
pub(crate) const DIALOG_MAX_WIDTH: u16 = 76;
/// Columns and lines from which panes have borders.
const BORDERS_MIN_SIZE: (u16, u16) = (36, 8);

/// Where everything stands. What has no room has no area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LayoutAreas {
    /// The status line.
    pub(crate) status: Rect,
    /// The integrity strip.
    pub(crate) strip: Rect,
    /// The tab's pane, its border included.
    pub(crate) main: Rect,
    /// The detail pane, likewise.
    pub(crate) detail: Rect,
    /// The findings below the events, likewise.
    pub(crate) findings: Rect,
    /// The footer.
    pub(crate) footer: Rect,
    /// Panes have borders.
    pub(crate) border: Border,
}

/// Whether panes have borders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Border {
    /// No room for them.
    #[default]
    None,
    /// Around each.
    Around,
}

impl LayoutAreas {
    /// What a pane has inside its border.
    pub(crate) fn inner(&self, pane: Rect) -> Rect {
        match self.border {
            Border::None => pane,
            Border::Around if pane.width < 2 || pane.height < 2 => Rect { width: 0, height: 0, ..pane },
            Border::Around => Rect::new(pane.x + 1, pane.y + 1, pane.width - 2, pane.height - 2),
        }
    }

    /// The lines of a table inside a pane: below its heading, where there is room for one.
    pub(crate) fn table_body(&self, pane: Rect) -> Rect {
        let inner = self.inner(pane);
        match self.border {
            Border::Around if inner.height > 1 => Rect { y: inner.y + 1, height: inner.height - 1, ..inner },
            _ => inner,
        }
    }
}

/// Where everything stands.
pub(crate) fn compute_areas(model: &Model) -> LayoutAreas {
    let (width, height) = model.size;
    let screen = Rect::new(0, 0, width, height);
    let bordered = width >= BORDERS_MIN_SIZE.0 && height >= BORDERS_MIN_SIZE.1;
    let [status, strip, body, footer] = Layout::vertical([
        Constraint::Length(u16::from(height >= 3)),
        Constraint::Length(u16::from(height >= 10 && width >= BORDERS_MIN_SIZE.0)),
        Constraint::Fill(1),
        Constraint::Length(u16::from(height >= 2)),
    ])
    .areas(screen);
    let border = if bordered { Border::Around } else { Border::None };
    let mut areas = LayoutAreas { status, strip, footer, border, ..LayoutAreas::default() };
    let with_detail = matches!(model.tab, Tab::Events | Tab::Findings | Tab::Repairs);
    let alone = model.zoom == Zoom::In || !bordered || !with_detail;
    if !alone && width >= SIDE_BY_SIDE_MIN_WIDTH {
        let [left, right] = Layout::horizontal([Constraint::Percentage(56), Constraint::Fill(1)]).areas(body);
        areas.detail = right;
        areas.main = left;
        if model.tab == Tab::Events && width >= THREE_PANES_MIN_SIZE.0 && height >= THREE_PANES_MIN_SIZE.1 {
            let [events, findings] = Layout::vertical([Constraint::Fill(1), Constraint::Length(9)]).areas(left);
            (areas.main, areas.findings) = (events, findings);
        }
    } else if !alone && height >= STACKED_MIN_HEIGHT {
        let [above, below] = Layout::vertical([Constraint::Percentage(55), Constraint::Fill(1)]).areas(body);
        (areas.main, areas.detail) = (above, below);
    } else {
        match model.focus {
            Pane::Detail if with_detail => areas.detail = body,
            Pane::Findings if model.tab == Tab::Events && bordered => areas.findings = body,
            _ => areas.main = body,
        }
    }
    areas
}

/// Lines of help's list on a screen of so many: without border, typed line, and what is said of the chosen action.
pub(crate) const fn help_list_height(height: u16) -> u16 {
    height.saturating_sub(3 + help_description_height(height))
}

/// Lines for what is said of the action that is chosen in help.
pub(crate) const fn help_description_height(height: u16) -> u16 {
    if height >= 14 { 4 } else { 0 }
}

/// Columns of what a question says, and lines that a screen of this size shows of it.
pub(crate) fn dialog_text_size((width, height): (u16, u16), question: &ConfirmDialog) -> (usize, usize) {
    let columns = usize::from(width.min(DIALOG_MAX_WIDTH)).saturating_sub(4).max(1);
    let lines = question.wrapped_lines(columns).len();
    // Below them an empty line and the answers, around them the border: the answers are always in sight.
    (columns, lines.min(usize::from(height).saturating_sub(if height < 5 || width < 20 { 2 } else { 4 })))
}

/// Lines above the bytes for what a fix would change: half the pane at most, so that bytes are always in sight.
pub(crate) fn fix_preview_height(model: &Model) -> u16 {
    let areas = compute_areas(model);
    let area = areas.table_body(areas.detail);
    let contents = model.detail.contents.as_ref().filter(|_| model.detail.view == DetailView::Hex);
    let fix = contents.and_then(|contents| contents.fix.as_ref()).filter(|fix| !fix.candidates.is_empty());
    fix.map_or(0, |fix| (fix_preview_lines(fix, usize::from(area.width)).len() as u16).min(area.height / 2))
}

/// The panes that can have the keys, in order.
pub(crate) fn focusable_panes(model: &Model) -> Vec<Pane> {
    match model.tab {
        Tab::Events if model.size.0 >= THREE_PANES_MIN_SIZE.0 && model.size.1 >= THREE_PANES_MIN_SIZE.1 => {
            vec![Pane::Main, Pane::Findings, Pane::Detail]
        }
        Tab::Events | Tab::Findings | Tab::Repairs => vec![Pane::Main, Pane::Detail],
        Tab::Aggregates | Tab::Index => vec![Pane::Main],
    }
}
