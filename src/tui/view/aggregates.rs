//! The Aggregates tab: one line for each aggregate, in the chosen order.

use ratatui::Frame;
use ratatui::text::Line;

use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title};
use super::text::{draw_spans, style_line};
use crate::report::units::{format_date, format_number, format_time_of_day, format_zone};
use crate::tui::actions::ActionId;
use crate::tui::layout::{LayoutAreas, PaneTitles, text_area};
use crate::tui::model::{AggregateLoadState, Model, Pane};
use crate::tui::request::{AggregateRow, AggregateSort};
use crate::tui::theme::Role;

/// Number of columns between two columns of the table, and before the first one.
const GAP: usize = 2;
/// Width of a line below which the columns are as narrow as possible.
const MIN_COMFORTABLE_LINE: usize = 40;

/// Draws the Aggregates tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let table = &model.aggregates;
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    draw_note(frame, areas, vec![span(model, Role::Muted, note(model))]);
    let line_width = usize::from(areas.table_body(areas.main).width);
    let columns = AggregateColumn::for_width(line_width, table.sort);
    if areas.titles == PaneTitles::Shown {
        draw_spans(
            frame,
            areas.inner(areas.main),
            0,
            vec![span(model, Role::Muted, heading(model, &columns, line_width))],
        );
    }
    let lines = areas.table_body(areas.main);
    if table.total == 0 {
        let text = match table.load_state {
            AggregateLoadState::NotRequested | AggregateLoadState::Requested => "Loading…".to_owned(),
            AggregateLoadState::NoIndex => {
                let build = model.keys.hint(ActionId::UpdateIndex);
                format!("No index yet. It is ready when the scan is done; {build} builds it now.")
            }
            AggregateLoadState::Loaded if table.requested_prefix.is_empty() => {
                "No event belongs to an aggregate.".to_owned()
            }
            AggregateLoadState::Loaded => {
                let (digits, drop) = (table.requested_prefix.digits(), model.keys.hint(ActionId::FilterRemoveLast));
                format!("No aggregate has an id that starts with {digits}; {drop} drops the filter.")
            }
        };
        draw_spans(frame, text_area(lines), 0, vec![span(model, Role::Muted, text)]);
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
                let cells = columns
                    .iter()
                    .map(|column| format!("{:>width$}", column.text(model, row), width = column.width(line_width)));
                format!("{marker} {}", cells.collect::<Vec<_>>().join("  "))
            },
        );
        draw_spans(frame, lines, line, vec![span(model, Role::Text, text)]);
        if is_selected {
            style_line(frame, lines, line, model.theme.style(Role::Cursor));
        }
    }
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AggregateColumn {
    Id,
    Events,
    FirstOffset,
    FirstTime,
    LastOffset,
    LastTime,
}

use AggregateColumn::{Events, FirstOffset, FirstTime, Id, LastOffset, LastTime};

impl AggregateColumn {
    /// Returns the columns that fit into a line: of the times and offsets, the more useful ones. The time by which the table
    /// is sorted stays longest.
    fn for_width(width: usize, sort: AggregateSort) -> Vec<Self> {
        let time = if sort == AggregateSort::First { FirstTime } else { LastTime };
        let sets: [&[Self]; 4] = [
            &[Id, Events, FirstOffset, FirstTime, LastOffset, LastTime],
            &[Id, Events, FirstTime, LastTime],
            &[Id, Events, time],
            &[Id, Events],
        ];
        let fits = |set: &&[Self]| set.iter().map(|column| column.width(width) + GAP).sum::<usize>() <= width;
        sets.into_iter().find(fits).unwrap_or(&[Id, Events]).to_vec()
    }

    /// Returns the width of the column in a line of `line` columns.
    const fn width(self, line: usize) -> usize {
        match self {
            Id if line < MIN_COMFORTABLE_LINE => 9,
            Events if line < MIN_COMFORTABLE_LINE => 6,
            Id => 20,
            Events => 12,
            FirstOffset | LastOffset => 14,
            FirstTime | LastTime => "2026-11-20 09:00:00".len(),
        }
    }

    /// Returns the order that the column shows.
    const fn sort(self) -> AggregateSort {
        match self {
            Id => AggregateSort::Id,
            Events => AggregateSort::Events,
            FirstOffset | FirstTime => AggregateSort::First,
            LastOffset | LastTime => AggregateSort::Last,
        }
    }

    fn title(self, model: &Model) -> String {
        let zone = || format_zone(model.now_ms, model.zone);
        match self {
            Id => "id".to_owned(),
            Events => "events".to_owned(),
            FirstOffset => "first".to_owned(),
            FirstTime => format!("first time {}", zone()),
            LastOffset => "last".to_owned(),
            LastTime => format!("last time {}", zone()),
        }
    }

    fn text(self, model: &Model, row: &AggregateRow) -> String {
        let time = |ms: Option<u64>| {
            ms.map_or_else(
                || "-".to_owned(),
                |ms| {
                    let (date, time) = (format_date(ms, model.zone), format_time_of_day(ms, model.zone));
                    format!("{date} {}", time.get(..8).unwrap_or(&time))
                },
            )
        };
        match self {
            Id => row.summary.id.to_string(),
            Events => format_number(row.summary.events),
            FirstOffset => model.format_offset(row.summary.first),
            FirstTime => time(row.first_time_ms),
            LastOffset => model.format_offset(row.summary.last),
            LastTime => time(row.last_time_ms),
        }
    }
}

/// Returns the column titles, with a mark at the column by which the table is sorted.
fn heading(model: &Model, columns: &[AggregateColumn], line_width: usize) -> String {
    let sort = model.aggregates.sort;
    // The order is that of the offsets, so that they have the mark when they are shown.
    let sorted = columns.iter().position(|column| column.sort() == sort);
    let titles = columns.iter().enumerate().map(|(position, column)| {
        let mark = if sorted == Some(position) { sort.mark() } else { "" };
        format!("{:>width$}", format!("{mark}{}", column.title(model)), width = column.width(line_width))
    });
    format!("  {}", titles.collect::<Vec<_>>().join("  "))
}

/// Returns the number of aggregates, of how many under the filter by id, and the keys of the table.
fn note(model: &Model) -> String {
    let (count, key) = (model.aggregate_count_text(), |id| model.keys.hint(id));
    let (find, sort, show) = (key(ActionId::Filter), key(ActionId::Sort), key(ActionId::Activate));
    let keys = format!("{find} filters by id, {sort} sorts, {show} shows an aggregate's events");
    match model.aggregates.requested_prefix.digits() {
        "" => format!("{count}; {keys}"),
        digits => format!("id {digits}… ({count}); {keys}"),
    }
}
