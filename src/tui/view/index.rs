//! The Index tab: the state of the index, what it covers, and the available actions.

use ratatui::Frame;
use ratatui::text::Line;

use super::labelled_lines;
use super::pane::{PaneTitle, draw_title, tab_title};
use crate::tui::layout::{LayoutAreas, index_area};
use crate::tui::model::{Model, Pane, wrapped_index_lines};

/// Draws the Index tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    let area = index_area(areas);
    let lines = wrapped_index_lines(model, usize::from(area.width));
    labelled_lines::draw(frame, area, model, &lines, model.index.top());
}
