//! The Aggregates tab: one line for each aggregate, in the chosen order.

use ratatui::Frame;
use ratatui::text::Line;

use super::pane::{PaneBorder, draw_border, span, tab_title};
use super::text::{draw_spans, style_line};
use crate::report::units::{format_count, format_number};
use crate::tui::layout::{Border, LayoutAreas};
use crate::tui::model::{AggregateLoadState, Model, Pane};
use crate::tui::request::AggregateSort;
use crate::tui::theme::Role;

/// Draws the Aggregates tab with its border.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let table = &model.aggregates;
    let border = PaneBorder {
        pane: Pane::Main,
        area: areas.main,
        title: tab_title(model),
        bottom_title: Line::from(bottom_title(model)),
    };
    draw_border(frame, model, areas, border);
    let columns = TableColumns::for_width(areas.table_body(areas.main).width);
    if areas.border == Border::Around {
        let heading = heading(table.sort, columns);
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, heading)]);
    }
    let lines = areas.table_body(areas.main);
    if table.total == 0 {
        let text = match table.load_state {
            AggregateLoadState::NotRequested | AggregateLoadState::Requested => "Loading…",
            AggregateLoadState::NoIndex => "No index yet. It is ready when the scan is done; `r` builds it now.",
            AggregateLoadState::Loaded => "No event belongs to an aggregate.",
        };
        draw_spans(frame, lines, 0, vec![span(model, Role::Muted, text)]);
        return;
    }
    for line in 0..lines.height {
        let number = table.cursor.top + usize::from(line);
        if number >= table.total {
            break;
        }
        let is_selected = number == table.cursor.line;
        let marker = if is_selected { ">" } else { " " };
        let text = table.row(number).map_or_else(
            || format!("{marker} …"),
            |row| {
                let events = format_number(row.events);
                let (first, last) = (model.format_offset(row.first), model.format_offset(row.last));
                let id = row.id.to_string();
                format!("{marker} {}", columns.join([&id, &events, &first, &last], ["  "; 4]))
            },
        );
        draw_spans(frame, lines, line, vec![span(model, Role::Text, text)]);
        if is_selected {
            style_line(frame, lines, line, model.theme.style(Role::Cursor));
        }
    }
}

/// The columns of the table that fit: all of them, or the id and the number of events, in less room where there is little.
#[derive(Debug, Clone, Copy)]
struct TableColumns {
    id: usize,
    events: usize,
    offset: Option<usize>,
}

impl TableColumns {
    const fn for_width(width: u16) -> Self {
        match width {
            72.. => Self { id: 20, events: 12, offset: Some(14) },
            40.. => Self { id: 20, events: 12, offset: None },
            _ => Self { id: 9, events: 6, offset: None },
        }
    }

    /// Joins the texts of the columns, each with what follows it.
    fn join(self, texts: [&str; 4], after: [&str; 4]) -> String {
        let widths = [Some(self.id), Some(self.events), self.offset, self.offset];
        let cells = texts.iter().zip(after).zip(widths);
        let cells = cells.filter_map(|((text, after), width)| width.map(|width| format!("{text:>width$}{after}")));
        cells.collect::<String>().trim_end().to_owned()
    }
}

/// Returns the column titles, with a mark at the column by which the table is sorted.
fn heading(sort: AggregateSort, columns: TableColumns) -> String {
    let sorts = [AggregateSort::Id, AggregateSort::Events, AggregateSort::First, AggregateSort::Last];
    let marks = sorts.map(|column| if sort == column { "▼ " } else { "  " });
    format!("  {}", columns.join(["id", "events", "first", "last"], marks))
}

fn bottom_title(model: &Model) -> String {
    let table = &model.aggregates;
    let total = table.total as u64;
    let count = if table.over_limit {
        format!("the first {} aggregates", format_number(total))
    } else {
        format_count(total, "aggregate")
    };
    format!(" {count}; s sorts, Enter shows an aggregate's events ")
}
