//! The timeline: the number of events over time as bars, with the damage, the cursor of the list and the selected span.
//!
//! ```text
//! ━ Timeline  120 events, 1 s a column ━━━━━━━━━━━━━━━━ ▲ 09:00:13: 2 events, 1 damaged ━
//!      ▂▂ ▃█▇▂▂
//!   ▃▅▇██▇████████▂    ▂▂
//! ──────×──▲─────────────────
//! 2026-11-20 09:00:01Z   09:00:24
//! ```

use std::ops::RangeInclusive;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::{PaneTitle, draw_title, span, title_role};
use super::text::{display_width, draw_spans, fit_safe, pad};
use crate::query::readable_width;
use crate::report::bar_rows;
use crate::report::statistics::interval_text;
use crate::report::units::{DisplayZone, format_count, format_date, format_number, format_time_of_day, format_zone};
use crate::tui::actions::ActionId;
use crate::tui::layout::{LayoutAreas, PaneTitles};
use crate::tui::model::{Model, Pane, TimelineColumns, TimelineProgress};
use crate::tui::theme::Role;

/// The name in the title.
const NAME: &str = " Timeline ";
/// Smallest height of a timeline with an axis.
const MIN_AXIS_HEIGHT: u16 = 3;
/// Smallest height of a timeline with times below its axis.
const MIN_TIMES_HEIGHT: u16 = 5;
/// Number of blanks between two times below the axis.
const TIME_GAP: usize = 4;
/// Milliseconds in a day.
const DAY_MS: u64 = 86_400_000;

/// Draws the timeline with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let area = areas.timeline;
    if area.is_empty() {
        return;
    }
    let columns = model.timeline.columns().unwrap_or_default();
    let has_title = area.height > 1 && areas.titles == PaneTitles::Shown;
    // The text about the cursor gets its space first, and the title the rest.
    let width = usize::from(area.width).saturating_sub(4);
    let own = fit_safe(&selection_text(model, &columns), width.saturating_sub(NAME.len()));
    let available = width.saturating_sub(display_width(&own));
    let title = Line::from(title(model, &columns, available));
    let right = Line::from(span(model, Role::Text, own));
    draw_title(frame, model, areas, PaneTitle { pane: Pane::Timeline, area, title, right });
    let has_axis = area.height >= MIN_AXIS_HEIGHT;
    let has_times = area.height >= MIN_TIMES_HEIGHT;
    let bars = area.height - u16::from(has_title) - u16::from(has_axis) - u16::from(has_times);
    let marks = TimelineMarks::new(model, &columns, if has_axis { DamageMark::OnAxis } else { DamageMark::OnBars });
    let first_line = u16::from(has_title);
    draw_bars(frame, Rect { y: area.y + first_line, height: bars, ..area }, model, &columns, &marks);
    if has_axis {
        draw_spans(frame, area, first_line + bars, marks.axis(model, &columns));
    }
    if has_times {
        let times = times(model, &columns, usize::from(area.width));
        draw_spans(frame, area, first_line + bars + 1, vec![span(model, Role::Muted, times)]);
    }
}

/// The line in which damage is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DamageMark {
    /// On the line below the bars.
    OnAxis,
    /// At the foot of the bars, because there is no axis.
    OnBars,
}

/// The columns that are marked.
struct TimelineMarks {
    /// The column of the selected row of the list.
    cursor: Option<usize>,
    /// The first and the last selected column; empty while no span is selected.
    span: Option<RangeInclusive<usize>>,
    /// The line in which damage is marked.
    damage: DamageMark,
}

impl TimelineMarks {
    fn new(model: &Model, columns: &TimelineColumns, damage: DamageMark) -> Self {
        let pane = &model.timeline;
        Self {
            cursor: pane.cursor_ms.and_then(|time| columns.position_of(time)),
            span: pane.anchor_ms.and_then(|_| pane.selection(columns)),
            damage,
        }
    }

    /// Returns whether a column is under the cursor or in the selected span.
    fn contains(&self, position: usize) -> bool {
        self.cursor == Some(position) || self.span.as_ref().is_some_and(|span| span.contains(&position))
    }

    /// Returns the line below the bars: damage, and the cursor.
    fn axis(&self, model: &Model, columns: &TimelineColumns) -> Vec<Span<'static>> {
        let step_ms = tick_ms(columns);
        columns
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let is_tick = position > 0 && is_tick(column.start_ms, columns, step_ms);
                let is_cursor = self.cursor == Some(position);
                let (glyph, role) = if column.damage > 0 {
                    ("×", if is_cursor { Role::Cursor } else { Role::Damage })
                } else if is_cursor {
                    ("▲", Role::Focus)
                } else if self.contains(position) {
                    ("━", Role::Focus)
                } else {
                    (if is_tick { "┬" } else { "─" }, Role::Muted)
                };
                span(model, role, glyph)
            })
            .collect()
    }
}

fn draw_bars(frame: &mut Frame, area: Rect, model: &Model, columns: &TimelineColumns, marks: &TimelineMarks) {
    if columns.columns.is_empty() {
        draw_spans(frame, area, 0, vec![span(model, Role::Muted, empty_message(model))]);
        return;
    }
    let (rows, largest) = (usize::from(area.height), columns.largest());
    let mut lines: Vec<Vec<Span>> = vec![Vec::new(); rows];
    let plain = if model.is_timeline_current() { Role::Good } else { Role::Muted };
    for (position, column) in columns.columns.iter().enumerate() {
        let is_damaged = column.damage > 0 && marks.damage == DamageMark::OnBars;
        let role = if marks.contains(position) { Role::Focus } else { plain };
        for (line, part) in (1..).zip(bar_rows(column.events, largest, rows)) {
            let cell = if is_damaged && line == rows {
                span(model, Role::Damage, "×")
            } else {
                span(model, role, part.to_string())
            };
            if let Some(line) = lines.get_mut(line - 1) {
                line.push(cell);
            }
        }
    }
    for (line, spans) in (0..area.height).zip(lines) {
        draw_spans(frame, area, line, spans);
    }
}

fn empty_message(model: &Model) -> String {
    match model.timeline.progress {
        TimelineProgress::Counting => format!("Counting events… {} stops", model.keys.hint(ActionId::Back)),
        TimelineProgress::Stopped => {
            let key = model.keys.hint(ActionId::Timeline);
            format!("Stopped; {key} counts again")
        }
        TimelineProgress::Idle => "No events".into(),
    }
}

/// Returns the title: the number of events, the span of a column, and the state of the count.
fn title(model: &Model, columns: &TimelineColumns, width: usize) -> Vec<Span<'static>> {
    let name = span(model, title_role(model, Pane::Timeline), NAME);
    let Some(timeline) = &model.timeline.timeline else { return vec![name] };
    let state = match model.timeline.progress {
        TimelineProgress::Counting if !model.is_timeline_current() => ", counting".to_owned(),
        TimelineProgress::Stopped => format!(", stopped: {} counts again", model.keys.hint(ActionId::Timeline)),
        _ => String::new(),
    };
    let count = format_count(timeline.events(), "event");
    let text = format!(" {count}, {} a column{state} ", interval_text(columns.width_ms));
    vec![name, span(model, Role::Muted, fit_safe(&text, width.saturating_sub(NAME.len())))]
}

/// Returns the time and the numbers of the column under the cursor, or of the selected span.
fn selection_text(model: &Model, columns: &TimelineColumns) -> String {
    let pane = &model.timeline;
    let Some(selected) = pane.selection(columns) else { return String::new() };
    let inside = columns.columns.get(selected.clone()).unwrap_or_default();
    let events = inside.iter().map(|column| column.events).sum();
    let damage: u64 = inside.iter().map(|column| column.damage).sum();
    let damaged = if damage > 0 { format!(", {} damaged", format_number(damage)) } else { String::new() };
    let time = |ms| time_text(columns, ms, model.zone);
    let start = inside.first().map_or(0, |column| column.start_ms);
    let place = match pane.anchor_ms {
        Some(_) => format!("span {} to {}", time(start), time(columns.end_ms(*selected.end()))),
        None => format!("▲ {}", time(start)),
    };
    format!(" {place}: {}{damaged} ", format_count(events, "event"))
}

/// Returns a time as precise as the columns are, with the date where the timeline is longer than a day.
fn time_text(columns: &TimelineColumns, ms: u64, zone: DisplayZone) -> String {
    let first = columns.columns.first().map_or(0, |column| column.start_ms);
    let last = columns.columns.last().map_or(0, |column| column.start_ms);
    let date = format_date(ms, zone);
    if columns.width_ms >= DAY_MS {
        return date;
    }
    let time = format_time_of_day(ms, zone);
    let length = match columns.width_ms {
        60_000.. => "09:14".len(),
        1000.. => "09:14:02".len(),
        _ => time.len(),
    };
    let time = time.get(..length).unwrap_or(&time);
    if last - first < DAY_MS { time.to_owned() } else { format!("{} {time}", date.get(5..).unwrap_or(&date)) }
}

/// Returns the time between two times below the axis, in milliseconds: a readable one for which there is room.
fn tick_ms(columns: &TimelineColumns) -> u64 {
    let least = columns.width_ms.saturating_mul("11-20 09:14:02.113".len() as u64);
    readable_width(|width| width >= least)
}

/// Returns whether a column is the first one at or after a multiple of `step_ms`.
const fn is_tick(start_ms: u64, columns: &TimelineColumns, step_ms: u64) -> bool {
    start_ms % step_ms < columns.width_ms
}

/// Returns the line with the times of some columns, each at its column. The first has its date and the zone.
fn times(model: &Model, columns: &TimelineColumns, width: usize) -> String {
    let mut line = String::new();
    let step_ms = tick_ms(columns);
    for (position, column) in columns.columns.iter().enumerate() {
        let used = display_width(&line);
        let text = match position {
            0 if columns.width_ms >= DAY_MS => format_date(column.start_ms, model.zone),
            0 => {
                let date = format_date(column.start_ms, model.zone);
                let time = format_time_of_day(column.start_ms, model.zone);
                let time = time.trim_end_matches(".000");
                format!("{date} {time}{}", format_zone(column.start_ms, model.zone))
            }
            _ if !is_tick(column.start_ms, columns, step_ms) || position < used + TIME_GAP => continue,
            _ => time_text(columns, column.start_ms, model.zone),
        };
        if position + display_width(&text) > width {
            break;
        }
        line = pad(&line, position) + &text;
    }
    line
}
