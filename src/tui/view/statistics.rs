//! The Statistics tab: one line for each group of events.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::cursor::highlight_selected_line;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title};
use super::text::{display_width, draw_spans, fit_safe, pad};
use crate::query::{GroupBy, GroupKey, Statistics, StatisticsGroup};
use crate::report::statistics::{group_label, group_spark_line, interval_text, share_text};
use crate::report::units::{format_count, format_number, format_size, format_time_of_day, format_timestamp};
use crate::tui::actions::ActionId;
use crate::tui::layout::{LayoutAreas, PaneTitles, text_area};
use crate::tui::model::{Model, Pane, ScanState, StatisticsProgress};
use crate::tui::theme::Role;

/// Width of the columns with the number of events and its share, with the blanks before them.
const COUNT_COLUMNS: usize = 12 + 2 + 8;
/// Width of the column with the bytes, with the blanks before it.
const BYTES_COLUMNS: usize = 2 + 8;
/// Width of the column with the distribution over time, with the blanks before it.
const SPARK_COLUMNS: usize = 2 + 32;
/// Width of each of the columns with the first and the last time, with the blanks before it.
const TIME_COLUMNS: usize = 2 + 24;
/// Smallest width of the column with the groups, with the cursor.
const MIN_KEY_COLUMNS: usize = 14;
/// Largest width of that column. Numbers far from their group are hard to read.
const MAX_KEY_COLUMNS: usize = 50;
/// Number of blanks between the longest group and the number of its events, at least.
const KEY_MARGIN: usize = 2;

/// The columns for which there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatisticsColumns {
    key: usize,
    bytes: ColumnVisibility,
    spark: ColumnVisibility,
    first: ColumnVisibility,
    last: ColumnVisibility,
}

/// Whether a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnVisibility {
    Shown,
    Hidden,
}

impl StatisticsColumns {
    /// Chooses the columns for a list of `width` columns. The group and its number of events are always shown.
    fn for_width(width: usize, statistics: &Statistics) -> Self {
        let mut key = width.saturating_sub(COUNT_COLUMNS);
        let was_read = statistics.counted_to == 0;
        let mut take = |columns: usize, is_known: bool| {
            if !is_known || key < MIN_KEY_COLUMNS + columns {
                return ColumnVisibility::Hidden;
            }
            key -= columns;
            ColumnVisibility::Shown
        };
        let spark = take(SPARK_COLUMNS, statistics.groups.iter().any(|group| group.histogram.is_some()));
        let bytes = take(BYTES_COLUMNS, was_read);
        let last = take(TIME_COLUMNS, was_read);
        let first = take(TIME_COLUMNS, was_read);
        let labels = statistics.groups.iter().map(|group| display_width(&group_label(&statistics.by, &group.key)));
        let longest = labels.max().unwrap_or_default().max(display_width(&statistics.by.to_string()));
        let needed = (2 + longest + KEY_MARGIN).clamp(MIN_KEY_COLUMNS, MAX_KEY_COLUMNS);
        Self { key: key.min(needed), bytes, spark, first, last }
    }

    fn heading(self, statistics: &Statistics) -> String {
        let mut text = pad(&format!("  {}", statistics.by), self.key) + &format!("{:>12}  {:>8}", "events", "share");
        if self.bytes == ColumnVisibility::Shown {
            text += "     bytes";
        }
        if self.spark == ColumnVisibility::Shown {
            text += "  ";
            text += &pad(&format!("per {}", interval_text(statistics.histogram.width_ms())), 32);
        }
        if self.first == ColumnVisibility::Shown {
            text += "  ";
            text += &pad("first", TIME_COLUMNS - 2);
        }
        if self.last == ColumnVisibility::Shown {
            text += "  last";
        }
        text
    }

    fn row(self, model: &Model, statistics: &Statistics, group: &StatisticsGroup, marker: &str) -> Vec<Span<'static>> {
        let tally = &group.tally;
        let key = pad(&format!("{marker} {}", group_label(&statistics.by, &group.key)), self.key);
        let events = format!("{:>12}", format_number(tally.events));
        let share = format!("  {:>8}", share_text(tally.events, statistics.total.events));
        // A type has the same colour in every list.
        let (key_role, spark_role) = match (&statistics.by, &group.key) {
            (GroupBy::Type, GroupKey::Text(name)) => (Role::of_event_type(name), Role::of_event_type(name)),
            _ => (Role::Text, Role::Good),
        };
        let mut spans =
            vec![span(model, key_role, key), span(model, Role::Text, events), span(model, Role::Muted, share)];
        if self.bytes == ColumnVisibility::Shown {
            spans.push(span(model, Role::Muted, format!("  {:>8}", format_size(tally.bytes))));
        }
        if self.spark == ColumnVisibility::Shown {
            spans.push(span(model, spark_role, format!("  {}", pad(&group_spark_line(statistics, group), 32))));
        }
        for (visibility, time) in
            [(self.first, tally.times.map(|times| times.0)), (self.last, tally.times.map(|times| times.1))]
        {
            if visibility == ColumnVisibility::Shown {
                let time = time.map_or_else(String::new, |ms| format_timestamp(ms, model.zone));
                spans.push(span(model, Role::Muted, format!("  {time:<24}")));
            }
        }
        spans
    }
}

/// Draws the Statistics tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    let note = fit_safe(&summary(model), usize::from(areas.note.width).saturating_sub(1));
    draw_note(frame, areas, vec![span(model, Role::Muted, note)]);
    let lines = areas.table_body(areas.main);
    let pane = &model.statistics;
    let Some(statistics) = pane.result.as_ref().map(|result| &result.statistics).filter(|found| found.total.events > 0)
    else {
        draw_spans(frame, text_area(lines), 0, vec![span(model, Role::Muted, empty_message(model))]);
        return;
    };
    let columns = StatisticsColumns::for_width(usize::from(lines.width), statistics);
    if areas.titles == PaneTitles::Shown {
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, columns.heading(statistics))]);
    }
    for (line, (number, group)) in (0..lines.height).zip(statistics.groups.iter().enumerate().skip(pane.cursor.top)) {
        let is_selected = number == pane.cursor.line;
        draw_spans(frame, lines, line, columns.row(model, statistics, group, if is_selected { ">" } else { " " }));
        if is_selected {
            highlight_selected_line(frame, lines, line, model, Pane::Main);
        }
    }
}

fn empty_message(model: &Model) -> String {
    let pane = &model.statistics;
    let key = |id| model.keys.hint(id);
    match pane.progress {
        StatisticsProgress::Counting | StatisticsProgress::Reading => {
            format!("Counting events… {} stops", key(ActionId::Back))
        }
        StatisticsProgress::Idle if pane.result.is_none() => {
            format!("Stopped; {} counts again", key(ActionId::ReadAgain))
        }
        StatisticsProgress::Idle if model.list.filter.is_empty() => "No events".into(),
        StatisticsProgress::Idle => {
            let (filter, drop_last) = (model.list.filter.text(), key(ActionId::FilterRemoveLast));
            format!("No event matches {filter}; {drop_last} drops its last term")
        }
    }
}

/// Returns the period, the filter and the sum of the numbers, and the keys that change them.
fn summary(model: &Model) -> String {
    let pane = &model.statistics;
    let [sort, period, filter] =
        [ActionId::Sort, ActionId::Period, ActionId::Activate].map(|action| model.keys.hint(action));
    let keys = format!("{sort} by {}, {period} period, {filter} filters", pane.next_property());
    let Some(result) = &pane.result else { return format!("{}; {keys}", pane.period.name()) };
    let statistics = &result.statistics;
    let filter = model.list.filter.text();
    let filter = if filter.is_empty() { String::new() } else { format!(" of {filter}") };
    let state = match pane.progress {
        StatisticsProgress::Reading if statistics.counted_to > 0 => "from the index, reading the log".into(),
        StatisticsProgress::Counting | StatisticsProgress::Reading => "counting again".into(),
        // While the log is read again, its damage is not known, as in the other panes.
        StatisticsProgress::Idle if statistics.damage > 0 && model.scan.state != ScanState::Running => {
            format!("without {}", format_count(statistics.damage, "damaged range"))
        }
        StatisticsProgress::Idle => format!("read {}", format_time_of_day(result.read_at_ms, model.zone)),
    };
    let groups = statistics.groups.len() as u64 + statistics.other_groups;
    let events = format_count(statistics.total.events, "event");
    format!("{}{filter}: {events} in {}, {state}; {keys}", pane.period.name(), format_count(groups, "group"))
}
