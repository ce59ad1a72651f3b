//! The Segments tab: one line for each segment of a log that is a folder, and for each range of which no segment is left.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::cursor::highlight_selected_line;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title};
use super::text::{draw_spans, fit_safe, pad};
use crate::file::SegmentCondition;
use crate::inspect::GoneCause;
use crate::report::units::{format_date, format_number, format_size, format_time_of_day, format_zone};
use crate::tui::actions::ActionId;
use crate::tui::layout::{FindingAreas, LayoutAreas, PaneTitles, text_area};
use crate::tui::model::{Model, Pane, SegmentEvents, SegmentHealth, wrap_text};
use crate::tui::request::{SegmentFacts, SegmentRow};
use crate::tui::theme::Role;

/// Number of columns between two columns of the table, and before the first one.
const GAP: usize = 2;
/// The mark of a value that was not read yet.
const UNREAD: &str = "…";
/// The mark of a value that does not exist.
const ABSENT: &str = "-";

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SegmentColumn {
    Number,
    Base,
    Bytes,
    Events,
    FirstTime,
    LastTime,
    Health,
    Index,
    State,
}

use SegmentColumn::{Base, Bytes, Events, FirstTime, Health, Index, LastTime, Number, State};

/// The columns of the widest table that has room, the more useful ones in narrow tables.
const COLUMN_SETS: [&[SegmentColumn]; 7] = [
    &[Number, Base, Bytes, Events, FirstTime, LastTime, Health, Index, State],
    &[Number, Base, Bytes, Events, LastTime, Health, Index, State],
    &[Number, Base, Bytes, Events, Health, Index, State],
    &[Base, Bytes, Events, Health, State],
    &[Base, Events, Health],
    &[Base, Health],
    &[Base],
];

/// The columns that are shown, with their widths.
struct Columns(Vec<(SegmentColumn, usize)>);

impl Columns {
    fn for_width(model: &Model, width: usize) -> Self {
        let offset = model.format_offset(model.log_info.bytes).len().max("base".len());
        let events = model.event_count().map_or(0, |events| format_number(events).len() + 1).max(7);
        let column_width = |column: SegmentColumn| match column {
            Number => 4,
            Base => offset,
            Bytes => 9,
            Events => events,
            FirstTime | LastTime => "2026-11-20 09:00:00".len(),
            Health => 12,
            Index => "unreadable".len(),
            State => "removed".len(),
        };
        let needed = |set: &[SegmentColumn]| set.iter().map(|column| column_width(*column) + GAP).sum::<usize>();
        let set = COLUMN_SETS.into_iter().find(|set| needed(set) <= width).unwrap_or(&[Base]);
        Self(set.iter().map(|column| (*column, column_width(*column))).collect())
    }

    fn heading(&self, model: &Model) -> String {
        let title = |column: SegmentColumn| match column {
            Number => "no.".to_owned(),
            Base => "base".to_owned(),
            Bytes => "bytes".to_owned(),
            Events => "events".to_owned(),
            FirstTime => format!("first event {}", format_zone(model.now_ms, model.zone)),
            LastTime => format!("last event {}", format_zone(model.now_ms, model.zone)),
            Health => "health".to_owned(),
            Index => "index".to_owned(),
            State => "state".to_owned(),
        };
        let titles = self.0.iter().map(|(column, width)| column.align(&title(*column), *width));
        format!("  {}", titles.collect::<Vec<_>>().join("  "))
    }

    /// Returns the index and the times of the selected segment, where they have no column.
    fn left_out(&self, model: &Model) -> String {
        let has = |wanted: SegmentColumn| self.0.iter().any(|(column, _)| *column == wanted);
        let Some(SegmentRow::Segment(facts)) = model.segments.selected() else { return String::new() };
        let index = (!has(Index)).then(|| format!("index {}", Index.of_segment(model, facts).1));
        let times = facts.times_ms.filter(|_| !has(LastTime));
        let times = times.map(|(first, last)| format!("{} to {}", time_text(model, first), time_text(model, last)));
        index.into_iter().chain(times).collect::<Vec<_>>().join(", ")
    }

    fn row(&self, model: &Model, row: &SegmentRow) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        for (column, width) in &self.0 {
            let (role, text) = match row {
                SegmentRow::Segment(facts) => column.of_segment(model, facts),
                SegmentRow::Gone { range, cause, events } => {
                    let role = match cause {
                        GoneCause::Removed => Role::Muted,
                        GoneCause::Lost => Role::Gap,
                        GoneCause::Missing => Role::Damage,
                    };
                    (role, column.of_gone(model, (range.start, range.end), *cause, *events))
                }
            };
            spans.extend([Span::raw("  "), span(model, role, column.align(&text, *width))]);
        }
        // The mark of the cursor takes the place of the first blank.
        if let Some(first) = spans.first_mut() {
            *first = Span::raw(" ");
        }
        spans
    }
}

impl SegmentColumn {
    fn align(self, text: &str, width: usize) -> String {
        match self {
            Number | Base | Bytes | Events => format!("{:>width$}", fit_safe(text, width)),
            FirstTime | LastTime | Health | Index | State => pad(text, width),
        }
    }

    fn of_segment(self, model: &Model, facts: &SegmentFacts) -> (Role, String) {
        let is_readable = facts.condition == SegmentCondition::Present;
        // Of a file that cannot be read, nothing will be known.
        let unread = || if is_readable { UNREAD.to_owned() } else { ABSENT.to_owned() };
        let time = |ms: Option<u64>| ms.map_or_else(unread, |ms| time_text(model, ms));
        let text = match self {
            Number => facts.number.map_or_else(|| "?".to_owned(), |number| number.to_string()),
            Base => model.format_offset(facts.base),
            Bytes if is_readable => format_size(model.segment_end(facts) - facts.base),
            Events => match model.segment_events(facts) {
                SegmentEvents::Counted(events) => format_number(events),
                SegmentEvents::AtLeast(events) => format!("{}+", format_number(events)),
                SegmentEvents::Unknown => unread(),
            },
            // A segment without events has no times.
            FirstTime | LastTime if model.segment_events(facts) == SegmentEvents::Counted(0) => ABSENT.to_owned(),
            FirstTime => time(facts.times_ms.map(|times| times.0)),
            LastTime => time(facts.times_ms.map(|times| times.1)),
            Health => return health_text(model, facts),
            Index if is_readable => facts.index_state.name().to_owned(),
            Bytes | Index => ABSENT.to_owned(),
            State if facts.sealed_at.is_some() => "sealed".to_owned(),
            State => "active".to_owned(),
        };
        let role = match self {
            FirstTime | LastTime | Index | Number => Role::Muted,
            _ => Role::Text,
        };
        (role, text)
    }

    fn of_gone(self, model: &Model, (start, end): (u64, u64), cause: GoneCause, events: Option<u64>) -> String {
        let word = match cause {
            GoneCause::Removed => "removed",
            GoneCause::Lost => "lost",
            GoneCause::Missing => "missing",
        };
        match self {
            Base => model.format_offset(start),
            Bytes => format_size(end - start),
            Events => events.map_or_else(|| ABSENT.to_owned(), format_number),
            Health => match cause {
                GoneCause::Removed => word.to_owned(),
                // A range that was given up is no damage any more.
                GoneCause::Lost => format!("▒ {word}"),
                GoneCause::Missing => format!("× {word}"),
            },
            State => word.to_owned(),
            Number | FirstTime | LastTime | Index => ABSENT.to_owned(),
        }
    }
}

fn health_text(model: &Model, facts: &SegmentFacts) -> (Role, String) {
    match model.segment_health(facts) {
        SegmentHealth::Unreadable => (Role::Damage, "× unreadable".to_owned()),
        SegmentHealth::Damaged(ranges) => (Role::Damage, format!("× {} damaged", format_number(ranges))),
        SegmentHealth::Good => (Role::Good, "no damage".to_owned()),
        SegmentHealth::NotRead => (Role::Muted, "not read".to_owned()),
    }
}

fn time_text(model: &Model, ms: u64) -> String {
    let time = format_time_of_day(ms, model.zone);
    format!("{} {}", format_date(ms, model.zone), time.get(..8).unwrap_or(&time))
}

/// Draws the Segments tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    let FindingAreas { rows, advice, advice_area } = areas.segment_areas(model);
    let columns = Columns::for_width(model, usize::from(rows.width));
    draw_note(frame, areas, vec![span(model, Role::Muted, note(model, &columns))]);
    for (line, text) in (0..).zip(advice) {
        draw_spans(frame, advice_area, line, vec![span(model, Role::Warning, text)]);
    }
    let pane = &model.segments;
    if pane.page.total == 0 {
        let area = text_area(rows);
        let lines = wrap_text(empty_message(model), usize::from(area.width).max(1));
        for (line, text) in (0..area.height).zip(lines) {
            draw_spans(frame, area, line, vec![span(model, Role::Muted, text)]);
        }
        return;
    }
    if areas.titles == PaneTitles::Shown {
        let heading = span(model, Role::Muted, columns.heading(model));
        draw_spans(frame, areas.inner(areas.main), 0, vec![heading]);
    }
    for line in 0..rows.height {
        let number = pane.cursor.top + usize::from(line);
        if number >= pane.page.total {
            break;
        }
        let is_selected = number == pane.cursor.line;
        let mut spans = vec![Span::raw(if is_selected { ">" } else { " " })];
        match pane.row(number) {
            Some(row) => spans.extend(columns.row(model, row)),
            None => spans.push(span(model, Role::Muted, format!(" {UNREAD}"))),
        }
        draw_spans(frame, rows, line, spans);
        if is_selected {
            highlight_selected_line(frame, rows, line, model, Pane::Main);
        }
    }
}

const fn empty_message(model: &Model) -> &'static str {
    if model.has_segments() {
        "Reading the segments…"
    } else {
        "A log that is a folder has segments, and this log is one file; docs/segments.md describes both."
    }
}

/// Returns the numbers of segments, the values of the selected one for which no column has room, and the keys of the table.
fn note(model: &Model, columns: &Columns) -> String {
    let key = |id| model.keys.hint(id);
    let (show, retain) = (key(ActionId::Activate), key(ActionId::Retain));
    let undo = if model.log_info.log_start > 0 { format!(", {} restores", key(ActionId::Undo)) } else { String::new() };
    let keys = format!("{show} shows its events, {retain} removes those before it{undo}");
    let parts = [model.segments_summary(), columns.left_out(model), keys];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}
