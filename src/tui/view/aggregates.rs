//! The table of aggregates. Only the lines on the screen.

use ratatui::Frame;
use ratatui::text::Line;

use super::pane::{draw_border, span, tab_title};
use super::text::{draw_spans, style_line};
use crate::report::units::format_number;
use crate::tui::layout::{Border, LayoutAreas};
use crate::tui::model::{AggregateLoadState, Model, Pane};
use crate::tui::request::AggregateSort;
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let table = &model.aggregates;
    draw_border(frame, model, areas, (Pane::Main, areas.main), (tab_title(model), Line::from(bottom_title(model))));
    let mark = |sort| if table.sort == sort { "▼" } else { " " };
    if areas.border == Border::Around {
        let heading = format!(
            "  {:>20}{} {:>12}{} {:>14}{} {:>14}{}",
            "id",
            mark(AggregateSort::Id),
            "events",
            mark(AggregateSort::Events),
            "first",
            mark(AggregateSort::First),
            "last",
            mark(AggregateSort::Last)
        );
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, heading)]);
    }
    let lines = areas.table_body(areas.main);
    if table.total == 0 {
        let text = match table.load_state {
            AggregateLoadState::NotRequested | AggregateLoadState::Requested => "reading...",
            AggregateLoadState::NoIndex => {
                "there is no index yet to take them from: it is there when the scan is through, or after r"
            }
            AggregateLoadState::Loaded => "no event belongs to an aggregate",
        };
        draw_spans(frame, lines, 0, vec![span(model, Role::Muted, text)]);
        return;
    }
    for line in 0..lines.height {
        let number = table.cursor.top + usize::from(line);
        if number >= table.total {
            break;
        }
        let chosen = number == table.cursor.line;
        let marker = if chosen { ">" } else { " " };
        let text = table.row(number).map_or_else(
            || format!("{marker} ..."),
            |row| {
                format!(
                    "{marker} {:>20}  {:>12}  {:>14}  {:>14}",
                    row.id,
                    format_number(row.events),
                    row.first,
                    row.last
                )
            },
        );
        draw_spans(frame, lines, line, vec![span(model, Role::Text, text)]);
        if chosen {
            style_line(frame, lines, line, model.theme.style(Role::Cursor));
        }
    }
}

fn bottom_title(model: &Model) -> String {
    let table = &model.aggregates;
    let cut = if table.over_limit { ", the first of more" } else { "" };
    format!(" {} aggregates{cut}; s sorts, Enter shows an aggregate's events ", format_number(table.total as u64))
}
