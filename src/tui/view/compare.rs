//! The Compare tab: the differences between the log and a backup, and the contents of both at the selected one.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cursor::highlight_selected_line;
use super::labelled_lines::tone_role;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title};
use super::text::{display_width, draw_spans, fit_safe, pad, style_line};
use crate::inspect::{CopyContent, EventLabel, LogDifference};
use crate::report::differences::copy_content_text;
use crate::report::sanitize;
use crate::report::units::{format_size, format_time_of_day, format_timestamp, format_zone_word};
use crate::tui::layout::{FindingAreas, LayoutAreas, PaneTitles};
use crate::tui::model::{CompareState, DifferenceMeaning, ListCursor, Model, Pane, SideTone};
use crate::tui::theme::Role;

/// Width of the column with the meaning of a difference.
const MEANING_COLUMNS: usize = 10;
/// Width of the column with the size, with the blanks before it.
const SIZE_COLUMNS: usize = 2 + 8;
/// Largest width of the column with the type of an event.
const MAX_TYPE_COLUMNS: usize = 16;
/// The heading of the column with the aggregates.
const AGGREGATE_HEADING: &str = "agg";
/// Width of a time of day, and of a time with its date.
const TIME_COLUMNS: usize = 12;
const DATED_TIME_COLUMNS: usize = 24;
/// Minimum width of a list that has a column with the size, and the dates of events.
const MIN_WIDE_COLUMNS: usize = 96;

/// Draws the Compare tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    draw_note(frame, areas, vec![span(model, Role::Muted, note(model))]);
    let FindingAreas { rows, advice, advice_area } = areas.comparison_areas(model);
    for (line, text) in (0..).zip(advice) {
        draw_spans(frame, advice_area, line, vec![span(model, Role::Warning, text)]);
    }
    let differences = model.compare.differences();
    if differences.is_empty() {
        for (line, text) in (0..rows.height).zip(model.comparison_message(usize::from(rows.width))) {
            draw_spans(frame, rows, line, vec![span(model, Role::Muted, text)]);
        }
        return;
    }
    let columns = DifferenceColumns::new(model, usize::from(rows.width));
    if areas.titles == PaneTitles::Shown {
        let heading = format!("  {}", columns.heading());
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, heading)]);
    }
    let cursor = &model.compare.cursor;
    for (line, (number, difference)) in (0..rows.height).zip(differences.iter().enumerate().skip(cursor.top)) {
        let is_selected = number == cursor.line;
        let mut spans = vec![Span::raw(if is_selected { ">" } else { " " })];
        spans.extend(row_spans(model, columns, difference, usize::from(rows.width).saturating_sub(1)));
        draw_spans(frame, rows, line, spans);
        if is_selected {
            highlight_selected_line(frame, rows, line, model, Pane::Main);
        }
    }
}

/// Returns the name of the backup, the numbers of differences, and when the copies were compared.
fn note(model: &Model) -> String {
    let summary = model.comparison_summary();
    match (&model.compare.state, &model.compare.result) {
        (CompareState::Done, Some(result)) => {
            let ms = result.read_at_ms;
            let (time, zone) = (format_time_of_day(ms, model.zone), format_zone_word(ms, model.zone));
            if ms == 0 { summary } else { format!("{summary}; compared at {time} {zone}") }
        }
        (CompareState::Running, _) => format!("comparing with {}", model.compare.backup_name()),
        _ if summary.is_empty() => "no backup".into(),
        _ => summary,
    }
}

/// The widths of the columns.
#[derive(Debug, Clone, Copy)]
struct DifferenceColumns {
    /// Width of the longest offset.
    offset: usize,
    /// Width of the longest type, up to a limit.
    kind: usize,
    /// Width of the longest aggregate.
    aggregate: usize,
    /// Whether there is a column with the size, and times have dates.
    is_wide: bool,
}

impl DifferenceColumns {
    fn new(model: &Model, width: usize) -> Self {
        let differences = model.compare.differences();
        let last = differences.last().map_or(0, |difference| difference.start);
        let labels = || differences.iter().filter_map(named_event);
        let longest_kind = labels().map(|label| display_width(&sanitize(&label.event_type))).max();
        let longest_id = labels().map(|label| aggregate_text(label).len()).max();
        Self {
            offset: model.format_offset(model.log_info.bytes.max(last)).len().max("offset".len()),
            kind: longest_kind.unwrap_or_default().clamp("type".len(), MAX_TYPE_COLUMNS),
            aggregate: longest_id.unwrap_or_default().max(AGGREGATE_HEADING.len()),
            is_wide: width >= MIN_WIDE_COLUMNS,
        }
    }

    fn heading(self) -> String {
        let Self { offset, kind, .. } = self;
        let size = if self.is_wide { format!("{:>SIZE_COLUMNS$}", "size") } else { String::new() };
        let time = if self.is_wide { DATED_TIME_COLUMNS } else { TIME_COLUMNS };
        let (what, time, kind) = (pad("what", MEANING_COLUMNS), pad("time", time), pad("type", kind));
        format!("  {:>offset$}{size}  {what}  {time}  {kind}  {AGGREGATE_HEADING}", "offset")
    }
}

fn aggregate_text(label: &EventLabel) -> String {
    label.aggregate_id.map_or_else(|| "-".to_owned(), |id| id.to_string())
}

/// Returns the event by which a difference is listed: that of the copy that has one, or else of the log.
fn named_event(difference: &LogDifference) -> Option<&EventLabel> {
    match (&difference.a, &difference.b) {
        (CopyContent::Event(label), _) if DifferenceMeaning::of(difference) != DifferenceMeaning::Lost => Some(label),
        (_, CopyContent::Event(label)) => Some(label),
        _ => None,
    }
}

/// Returns the text of a difference, at most `width` columns wide, without the cursor.
fn row_spans(
    model: &Model,
    columns: DifferenceColumns,
    difference: &LogDifference,
    width: usize,
) -> Vec<Span<'static>> {
    let meaning = DifferenceMeaning::of(difference);
    let offset = model.format_offset(difference.start);
    let size = format!("{:>SIZE_COLUMNS$}", format_size(difference.end - difference.start));
    let size = if columns.is_wide { size } else { String::new() };
    let place = format!("{} {offset:>columns$}{size}", meaning.glyph(), columns = columns.offset);
    let kind = format!("  {}", pad(meaning.name(), MEANING_COLUMNS));
    let text = |content: &CopyContent| copy_content_text(content, model.zone);
    let (here, there) = (text(&difference.a), text(&difference.b));
    let label = named_event(difference);
    let event = match label {
        Some(label) => {
            let format = if columns.is_wide { format_timestamp } else { format_time_of_day };
            let name = pad(&fit_safe(&label.event_type, columns.kind), columns.kind);
            let aggregate = pad(&aggregate_text(label), columns.aggregate);
            format!("  {}  {name}  {aggregate}", format(label.time_ms, model.zone))
        }
        None if meaning == DifferenceMeaning::BackupContinues => format!("  {there}"),
        None => format!("  {here}"),
    };
    let other = match (meaning, label) {
        (DifferenceMeaning::Lost, _) => format!("  here: {here}"),
        (DifferenceMeaning::BackupContinues, _) => String::new(),
        (DifferenceMeaning::Differs, Some(_)) if here == there => "  other values".into(),
        _ => format!("  backup: {there}"),
    };
    let available = width.saturating_sub(display_width(&place) + display_width(&kind));
    let event = fit_safe(&event, available);
    let rest = available.saturating_sub(display_width(&event));
    vec![
        Span::raw(place),
        span(model, meaning_role(meaning), kind),
        span(model, Role::Text, event),
        span(model, Role::Muted, fit_safe(&other, rest)),
    ]
}

const fn meaning_role(meaning: DifferenceMeaning) -> Role {
    match meaning {
        DifferenceMeaning::Lost => Role::Damage,
        DifferenceMeaning::Differs | DifferenceMeaning::BackupContinues => Role::Warning,
        DifferenceMeaning::OnlyHere | DifferenceMeaning::InNeither => Role::Muted,
    }
}

/// Draws the contents of both copies at the selected difference, with the title of the detail pane.
pub(super) fn draw_detail(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = Line::from(span(model, Role::Title, " both copies "));
    draw_title(
        frame,
        model,
        areas,
        PaneTitle { pane: Pane::Detail, area: areas.detail, title, right: Line::default() },
    );
    draw_sides(frame, areas.inner(areas.detail), model, &model.compare.detail_cursor);
}

/// Draws the lines about a difference at the scroll position of `cursor`.
pub(super) fn draw_sides(frame: &mut Frame, area: Rect, model: &Model, cursor: &ListCursor) {
    let lines = model.side_lines(usize::from(area.width));
    if lines.is_empty() && !model.compare.differences().is_empty() {
        return draw_spans(frame, area, 0, vec![span(model, Role::Muted, "Reading…")]);
    }
    for (line, (number, side_line)) in (0..area.height).zip(lines.into_iter().enumerate().skip(cursor.top)) {
        let role = match side_line.tone {
            SideTone::Heading => Role::Title,
            SideTone::Text(tone) => tone_role(tone),
            SideTone::Note => Role::Muted,
        };
        draw_spans(frame, area, line, vec![span(model, role, side_line.text)]);
        if model.focus == Pane::Detail && number == cursor.line {
            style_line(frame, area, line, model.theme.style(Role::Cursor));
        }
    }
}
