//! The mouse: a click goes where it points, the wheel moves what is under it.

use ratatui::layout::{Position, Rect};

use super::{layout, navigation, refresh};
use crate::tui::message::WheelDirection;
use crate::tui::model::{Model, Pane, Tab};
use crate::tui::strip;

/// Lines that one turn of the wheel moves.
const WHEEL_LINES: i64 = 3;

/// Takes a click.
pub(super) fn handle_click(model: &mut Model, column: u16, line: u16) {
    if !model.overlays.is_empty() {
        return;
    }
    let areas = layout::compute_areas(model);
    let here = Position::new(column, line);
    if areas.strip.contains(here) {
        if let Some(offset) = strip::offset_at(areas.strip, column, &model.log_info) {
            navigation::go_to_offset(model, offset);
        }
        return;
    }
    if let Some(pane) = pane_at(&areas, here) {
        model.focus = pane;
        let inner =
            |pane: Rect| areas.table_body(pane).contains(here).then(|| usize::from(line - areas.table_body(pane).y));
        match (pane, model.tab) {
            (Pane::Detail, Tab::Repairs) | (Pane::Main, Tab::Index) => {}
            (Pane::Detail, _) => {
                if let Some(line) = inner(areas.detail) {
                    let by = (model.detail.top + line) as i64 - model.detail.cursor as i64;
                    model.detail.move_by(by);
                }
            }
            (Pane::Findings, _) => {
                let inner = areas.inner(areas.findings);
                if inner.contains(here) {
                    select_finding(model, usize::from(line - inner.y));
                }
            }
            (Pane::Main, Tab::Events) => {
                if let Some(line) = inner(areas.main) {
                    let by = (model.list.top + line) as i64 - model.list.cursor as i64;
                    if by < 0 {
                        navigation::stop_following(model);
                    }
                    let last = model.list.rows.len().saturating_sub(1) as i64 - model.list.cursor as i64;
                    model.list.move_by(by.min(last));
                }
            }
            (Pane::Main, Tab::Aggregates) => {
                if let Some(line) = inner(areas.main) {
                    let cursor = &mut model.aggregates.cursor;
                    let by = (cursor.top + line) as i64 - cursor.line as i64;
                    cursor.move_by(by, model.aggregates.total);
                }
            }
            (Pane::Main, Tab::Findings) => {
                if let Some(line) = inner(areas.main) {
                    select_finding(model, line);
                }
            }
            (Pane::Main, Tab::Repairs) => {
                if let Some(line) = inner(areas.main) {
                    let by = (model.repairs.cursor.top + line) as i64 - model.repairs.cursor.line as i64;
                    model.repairs.move_by(by);
                }
            }
        }
    }
}

fn select_finding(model: &mut Model, line: usize) {
    let by = (model.findings.top + line) as i64 - model.findings.line as i64;
    model.findings.move_by(by, model.scan.findings.len());
}

/// Takes a turn of the wheel.
pub(super) fn handle_wheel(model: &mut Model, column: u16, line: u16, turn: WheelDirection) {
    use crate::tui::actions::ActionId;
    if !model.overlays.is_empty() {
        return;
    }
    let before = model.focus;
    if let Some(pane) = pane_at(&layout::compute_areas(model), Position::new(column, line)) {
        model.focus = pane;
    }
    for _ in 0..WHEEL_LINES {
        navigation::move_cursor(model, if turn == WheelDirection::Down { ActionId::Down } else { ActionId::Up });
    }
    // The wheel moves what it points at, and the keys stay where they are; what is shown beside follows them.
    model.focus = before;
    refresh::refresh(model);
}

fn pane_at(areas: &layout::LayoutAreas, here: Position) -> Option<Pane> {
    let panes = [(areas.detail, Pane::Detail), (areas.findings, Pane::Findings), (areas.main, Pane::Main)];
    panes.into_iter().find(|(area, _)| area.contains(here)).map(|(_, pane)| pane)
}
