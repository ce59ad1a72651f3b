//! The Statistics tab: one line for each group of events.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::cursor::highlight_selected_line;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title};
use super::text::{draw_spans, fit_safe, pad};
use crate::query::{Statistics, StatisticsGroup};
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
/// Width of the column with the last time, with the blanks before it.
const LAST_COLUMNS: usize = 2 + 24;
/// Smallest width of the column with the groups, with the cursor.
const MIN_KEY_COLUMNS: usize = 14;

/// The columns for which there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatisticsColumns {
    key: usize,
    bytes: ColumnVisibility,
    spark: ColumnVisibility,
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
        let last = take(LAST_COLUMNS, was_read);
        Self { key: key.min(50), bytes, spark, last }
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
        let mut spans = vec![span(model, Role::Text, key + &events), span(model, Role::Muted, share)];
        if self.bytes == ColumnVisibility::Shown {
            spans.push(span(model, Role::Muted, format!("  {:>8}", format_size(tally.bytes))));
        }
        if self.spark == ColumnVisibility::Shown {
            spans.push(span(model, Role::Text, format!("  {}", pad(&group_spark_line(statistics, group), 32))));
        }
        if self.last == ColumnVisibility::Shown {
            let last = tally.times.map_or_else(String::new, |times| format_timestamp(times.1, model.zone));
            spans.push(span(model, Role::Muted, format!("  {last}")));
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
