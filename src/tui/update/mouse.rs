//! The mouse: a click goes where it points, the wheel moves what is under it.

use ratatui::layout::{Position, Rect};

use super::{layout, moves, settle};
use crate::tui::message::Turn;
use crate::tui::model::{Model, Pane, Tab};
use crate::tui::strip;

/// Lines that one turn of the wheel moves.
const STEP: i64 = 3;

/// Takes a click.
pub(super) fn click(model: &mut Model, column: u16, line: u16) {
    if !model.layers.is_empty() {
        return;
    }
    let areas = layout::areas(model);
    let here = Position::new(column, line);
    if areas.strip.contains(here) {
        if let Some(offset) = strip::offset_at(areas.strip, column, &model.facts) {
            moves::go_to(model, offset);
        }
        return;
    }
    if let Some(pane) = pane_at(&areas, here) {
        model.focus = pane;
        let inner = |pane: Rect| areas.lines(pane).contains(here).then(|| usize::from(line - areas.lines(pane).y));
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
                    to_finding(model, usize::from(line - inner.y));
                }
            }
            (Pane::Main, Tab::Events) => {
                if let Some(line) = inner(areas.main) {
                    let by = (model.list.top + line) as i64 - model.list.cursor as i64;
                    if by < 0 {
                        moves::leave_end(model);
                    }
                    let last = model.list.rows.len().saturating_sub(1) as i64 - model.list.cursor as i64;
                    model.list.move_by(by.min(last));
                }
            }
            (Pane::Main, Tab::Aggregates) => {
                if let Some(line) = inner(areas.main) {
                    let cursor = &mut model.aggregates.cursor;
                    let by = (cursor.top + line) as i64 - cursor.at as i64;
                    cursor.move_by(by, model.aggregates.total);
                }
            }
            (Pane::Main, Tab::Findings) => {
                if let Some(line) = inner(areas.main) {
                    to_finding(model, line);
                }
            }
            (Pane::Main, Tab::Repairs) => {
                if let Some(line) = inner(areas.main) {
                    let by = (model.repairs.cursor.top + line) as i64 - model.repairs.cursor.at as i64;
                    model.repairs.move_by(by);
                }
            }
        }
    }
}

fn to_finding(model: &mut Model, line: usize) {
    let by = (model.findings.top + line) as i64 - model.findings.at as i64;
    model.findings.move_by(by, model.scan.findings.len());
}

/// Takes a turn of the wheel.
pub(super) fn wheel(model: &mut Model, column: u16, line: u16, turn: Turn) {
    use crate::tui::actions::Id;
    if !model.layers.is_empty() {
        return;
    }
    let before = model.focus;
    if let Some(pane) = pane_at(&layout::areas(model), Position::new(column, line)) {
        model.focus = pane;
    }
    for _ in 0..STEP {
        moves::move_cursor(model, if turn == Turn::Down { Id::Down } else { Id::Up });
    }
    // The wheel moves what it points at, and the keys stay where they are; what is shown beside follows them.
    model.focus = before;
    settle::settle(model);
}

fn pane_at(areas: &layout::Areas, here: Position) -> Option<Pane> {
    let panes = [(areas.detail, Pane::Detail), (areas.findings, Pane::Findings), (areas.main, Pane::Main)];
    panes.into_iter().find(|(area, _)| area.contains(here)).map(|(_, pane)| pane)
}
