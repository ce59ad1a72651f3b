//! Handles mouse events: a click selects the line under the pointer, or runs the tab, view, key or button under it, and
//! the wheel scrolls the pane or the dialog under it.

use ratatui::layout::{Position, Rect};

use super::navigation::{self, Movement};
use super::{confirm, following, key_input, plan_dialog, refresh, tabs, timeline};
use crate::tui::click_targets::{ClickTarget, target_at};
use crate::tui::layout::{self, LayoutAreas};
use crate::tui::message::WheelDirection;
use crate::tui::model::{Model, Overlay, Pane, Tab};
use crate::tui::strip;

/// Number of lines that one turn of the wheel scrolls.
const WHEEL_LINES: i64 = 3;

/// Handles a click: selects a pane and a line, or goes to an offset of the integrity strip.
pub(super) fn handle_click(model: &mut Model, position: Position) {
    if let Some(target) = target_at(model, position) {
        return run_target(model, target);
    }
    match model.overlays.last() {
        None => {}
        Some(Overlay::Confirm(_)) => return confirm::handle_click(model, position),
        Some(Overlay::Plan(_)) => return plan_dialog::handle_click(model, position),
        Some(_) => return,
    }
    let areas = layout::compute_areas(model);
    if areas.footer.contains(position) {
        // A message covers the keys until it is closed.
        model.notice = None;
    }
    if areas.strip.contains(position) {
        if let Some(offset) = strip::offset_at(areas.strip, position.x, &model.log_info) {
            navigation::go_to_offset(model, offset);
        }
    } else if areas.timeline.contains(position) {
        model.focus = Pane::Timeline;
        timeline::go_to_clicked_column(model, usize::from(position.x - areas.timeline.x));
    } else if let Some(pane) = pane_at(&areas, position) {
        model.focus = pane;
        if let Some(line) = line_at(model, &areas, pane, position) {
            select_line(model, pane, line);
        }
    }
}

fn run_target(model: &mut Model, target: ClickTarget) {
    match target {
        ClickTarget::Tab(tab) => {
            tabs::switch_tab(model, tab);
            model.focus = Pane::Main;
        }
        ClickTarget::View(view) => {
            let contents = model.detail.contents.as_ref();
            let views: Vec<_> = contents.map(|contents| contents.views().collect()).unwrap_or_default();
            let position = |wanted| views.iter().position(|view| *view == wanted);
            if let (Some(from), Some(to)) = (position(model.detail.shown_view()), position(view)) {
                navigation::cycle_view(model, to as isize - from as isize);
            }
            model.focus = Pane::Detail;
        }
        ClickTarget::Key(key) => key_input::handle_key(model, key, model.now),
    }
}

/// Returns the visible line of a pane at a position, counted from 0.
fn line_at(model: &Model, areas: &LayoutAreas, pane: Pane, position: Position) -> Option<usize> {
    let body: Rect = match pane {
        Pane::Main if model.tab == Tab::Events => areas.event_rows(model),
        Pane::Main if model.tab == Tab::Compare => areas.comparison_areas(model).rows,
        Pane::Main if model.tab == Tab::Segments => areas.segment_areas(model).rows,
        Pane::Main if model.tab == Tab::Findings => areas.finding_areas(model).rows,
        Pane::Main => areas.table_body(areas.main),
        Pane::Detail => areas.table_body(areas.detail),
        Pane::Findings => areas.inner(areas.findings),
        Pane::Timeline => return None,
    };
    let has_lines =
        !matches!((pane, model.tab), (Pane::Detail, Tab::Repairs | Tab::Compare) | (Pane::Main, Tab::Index));
    (has_lines && body.contains(position)).then(|| usize::from(position.y - body.y))
}

/// Selects a visible line of a pane.
fn select_line(model: &mut Model, pane: Pane, line: usize) {
    let distance = |top: usize, cursor: usize| (top + line) as i64 - cursor as i64;
    match (pane, model.tab) {
        (Pane::Timeline, _) | (Pane::Main, Tab::Index) => {}
        (Pane::Detail, _) => {
            let lines = distance(model.detail.cursor.top, model.detail.cursor.line);
            model.detail.move_by(lines);
        }
        (Pane::Findings, _) | (Pane::Main, Tab::Findings) => {
            let lines = distance(model.findings.top, model.findings.line);
            model.findings.move_by(lines, model.scan.findings.len());
        }
        (Pane::Main, Tab::Events) => {
            let lines = distance(model.list.top, model.list.cursor);
            if lines < 0 {
                following::pause_following(model);
            }
            // A click below the last row selects the last row now, and not a later one when further rows arrive.
            let lines_to_last = model.list.rows.len().saturating_sub(1) as i64 - model.list.cursor as i64;
            model.list.move_by(lines.min(lines_to_last));
        }
        (Pane::Main, Tab::Aggregates) => {
            let lines = distance(model.aggregates.cursor.top, model.aggregates.cursor.line);
            model.aggregates.cursor.move_by(lines, model.aggregates.total);
        }
        (Pane::Main, Tab::Statistics) => {
            let lines = distance(model.statistics.cursor.top, model.statistics.cursor.line);
            let groups = model.statistics.groups().len();
            model.statistics.cursor.move_by(lines, groups);
        }
        (Pane::Main, Tab::Compare) => {
            let lines = distance(model.compare.cursor.top, model.compare.cursor.line);
            model.compare.move_by(lines);
        }
        (Pane::Main, Tab::Segments) => {
            let lines = distance(model.segments.cursor.top, model.segments.cursor.line);
            model.segments.cursor.move_by(lines, model.segments.page.total);
        }
        (Pane::Main, Tab::Repairs) => {
            let lines = distance(model.repairs.cursor.top, model.repairs.cursor.line);
            model.repairs.move_by(lines);
        }
    }
}

/// Handles a turn of the wheel, which scrolls the pane under the pointer.
pub(super) fn handle_wheel(model: &mut Model, position: Position, direction: WheelDirection) {
    let step = match direction {
        WheelDirection::Down => 1,
        WheelDirection::Up => -1,
    };
    match model.overlays.last() {
        None => {}
        Some(Overlay::Confirm(_)) => return confirm::scroll(model, step * WHEEL_LINES),
        Some(Overlay::Plan(_)) => return plan_dialog::scroll(model, step * WHEEL_LINES),
        Some(_) => return,
    }
    let focus = model.focus;
    if let Some(pane) = pane_at(&layout::compute_areas(model), position) {
        model.focus = pane;
    }
    navigation::move_cursor(model, Movement::Lines(step * WHEEL_LINES));
    // The focus is restored, because the wheel must not move it, and the detail pane follows the focus.
    model.focus = focus;
    refresh::refresh(model);
}

fn pane_at(areas: &LayoutAreas, position: Position) -> Option<Pane> {
    let panes = [(areas.detail, Pane::Detail), (areas.findings, Pane::Findings), (areas.main, Pane::Main)];
    panes.into_iter().find(|(area, _)| area.contains(position)).map(|(_, pane)| pane)
}
