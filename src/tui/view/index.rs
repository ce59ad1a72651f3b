//! The Index tab: the state of the index, what it covers, and the available actions.

use ratatui::Frame;
use ratatui::text::Line;

use super::labelled_lines;
use super::pane::{PaneBorder, draw_border, tab_title};
use crate::tui::layout::{LayoutAreas, index_area};
use crate::tui::model::{Model, Pane, wrapped_index_lines};

/// Draws the Index tab with its border.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let border =
        PaneBorder { pane: Pane::Main, area: areas.main, title: tab_title(model), bottom_title: Line::default() };
    draw_border(frame, model, areas, border);
    let area = index_area(areas);
    let lines = wrapped_index_lines(model, usize::from(area.width));
    labelled_lines::draw(frame, area, model, lines.into_iter().skip(model.index.top()));
}
