//! The table of aggregates. Only the lines on the screen.

use ratatui::Frame;
use ratatui::text::Line;

use super::pane::{border, span, tabs};
use super::text::{put, tint};
use crate::report::units::exact;
use crate::tui::layout::{Areas, Border};
use crate::tui::model::{Model, Pane, Sort, Source};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &Areas, model: &Model) {
    let table = &model.aggregates;
    border(frame, model, areas, (Pane::Main, areas.main), (tabs(model), Line::from(below(model))));
    let mark = |sort| if table.sort == sort { "▼" } else { " " };
    if areas.border == Border::Around {
        let heading = format!(
            "  {:>20}{} {:>12}{} {:>14}{} {:>14}{}",
            "id",
            mark(Sort::Id),
            "events",
            mark(Sort::Events),
            "first",
            mark(Sort::First),
            "last",
            mark(Sort::Last)
        );
        put(frame, areas.inner(areas.main), 0, vec![span(model, Role::Quiet, heading)]);
    }
    let lines = areas.lines(areas.main);
    if table.total == 0 {
        let text = match table.source {
            Source::Unasked | Source::Asked => "reading...",
            Source::NoIndex => {
                "there is no index yet to take them from: it is there when the scan is through, or after r"
            }
            Source::There => "no event belongs to an aggregate",
        };
        put(frame, lines, 0, vec![span(model, Role::Quiet, text)]);
        return;
    }
    for line in 0..lines.height {
        let number = table.cursor.top + usize::from(line);
        if number >= table.total {
            break;
        }
        let chosen = number == table.cursor.at;
        let marker = if chosen { ">" } else { " " };
        let text = table.row(number).map_or_else(
            || format!("{marker} ..."),
            |row| format!("{marker} {:>20}  {:>12}  {:>14}  {:>14}", row.id, exact(row.events), row.first, row.last),
        );
        put(frame, lines, line, vec![span(model, Role::Text, text)]);
        if chosen {
            tint(frame, lines, line, model.theme.style(Role::Cursor));
        }
    }
}

fn below(model: &Model) -> String {
    let table = &model.aggregates;
    let cut = if table.cut { ", the first of more" } else { "" };
    format!(" {} aggregates{cut}; s sorts, Enter shows an aggregate's events ", exact(table.total as u64))
}
