//! Draws the events of one aggregate in order, each with the changes that it made, and marks where events may be missing.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::cursor::highlight_detail_line;
use super::pane::span;
use super::text::{draw_spans, fit_safe, skip_span_columns};
use crate::query::{HistoryEntry, PayloadDifference, RowContent};
use crate::report::possible_loss;
use crate::report::units::{format_date, format_duration, format_time_of_day, format_timestamp};
use crate::tui::model::{DifferenceText, HistoryLine, Model, RowContents, ShownHistory, ShownValue, VALUE_SEPARATOR};
use crate::tui::theme::Role;

/// Draws the visible lines of the history.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents, history: &ShownHistory) {
    let lines = history.lines().iter().enumerate().skip(model.detail.cursor.top);
    for (line, (number, history_line)) in (0..area.height).zip(lines) {
        let spans = line_spans(model, contents, history, number, history_line);
        draw_spans(frame, area, line, skip_span_columns(spans, model.detail.scroll_columns));
        highlight_detail_line(frame, area, line, model);
    }
}

fn line_spans(
    model: &Model,
    contents: &RowContents,
    history: &ShownHistory,
    number: usize,
    line: &HistoryLine,
) -> Vec<Span<'static>> {
    match line {
        HistoryLine::MoreBefore => {
            vec![span(model, Role::Muted, "  … earlier events; go to the first one to list them")]
        }
        HistoryLine::MoreAfter => vec![span(model, Role::Muted, "  … later events; go to the last one to list them")],
        HistoryLine::PossibleLoss { damaged_ranges, gaps } => {
            let text = possible_loss(*damaged_ranges, *gaps).unwrap_or_default();
            vec![span(model, Role::Damage, format!("× {text}"))]
        }
        HistoryLine::OmittedChanges(_) => {
            let count = history.entry_at(number).map_or(0, |entry| entry.omitted_changes);
            vec![span(model, Role::Muted, format!("      and {count} more"))]
        }
        HistoryLine::Event(_) => {
            history.entry_at(number).map(|entry| entry_spans(model, contents, entry)).unwrap_or_default()
        }
        HistoryLine::Change(..) => {
            history.change_at(number).map(|change| difference_spans(model, change)).unwrap_or_default()
        }
    }
}

fn entry_spans(model: &Model, contents: &RowContents, entry: &HistoryEntry) -> Vec<Span<'static>> {
    let RowContent::Event(event) = &entry.row.content else { return Vec::new() };
    let is_chosen = entry.row.start == contents.details.row.start;
    let (glyph, role) = if is_chosen { ("> ", Role::Title) } else { ("  ", Role::Text) };
    let width = model.offset_columns();
    // The date is shown where it changes, as in the list of events.
    let is_same_day = entry
        .previous_time_ms
        .is_some_and(|previous| format_date(previous, model.zone) == format_date(event.time_ms, model.zone));
    let format_time = if is_same_day { format_time_of_day } else { format_timestamp };
    let mut spans = vec![
        span(model, role, format!("{glyph}{:>width$}  ", model.format_offset(entry.row.start))),
        span(model, Role::Muted, format!("{}  ", format_time(event.time_ms, model.zone))),
    ];
    if let Some(previous) = entry.previous_time_ms {
        let (sign, ms) =
            if previous > event.time_ms { ('-', previous - event.time_ms) } else { ('+', event.time_ms - previous) };
        spans.push(span(model, Role::Muted, format!("{sign}{}  ", format_duration(Duration::from_millis(ms)))));
    }
    spans.push(span(model, Role::of_event_type(&event.event_type), fit_safe(&event.event_type, 40)));
    if entry.is_first {
        spans.push(span(model, Role::Muted, "  first"));
    } else if entry.changes.is_empty() {
        spans.push(span(model, Role::Muted, "  unchanged"));
    }
    spans
}

fn difference_spans(model: &Model, change: &PayloadDifference) -> Vec<Span<'static>> {
    let DifferenceText { label, before, after } =
        DifferenceText::new(change, model.search.as_ref().map(|search| &search.pattern));
    let role = match (&change.before, &change.after) {
        (Some(_), Some(_)) => Role::Warning,
        (None, _) => Role::Good,
        (Some(_), None) => Role::Muted,
    };
    let mut spans = vec![span(model, role, label)];
    let is_sent = after.is_some();
    for (number, ShownValue { head, matched, tail }) in [before, after].into_iter().flatten().enumerate() {
        if number > 0 {
            spans.push(Span::raw(VALUE_SEPARATOR));
        }
        let parts = [(Role::Text, head), (Role::Match, matched), (Role::Text, tail)];
        spans
            .extend(parts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(role, text)| span(model, role, text)));
    }
    if !is_sent {
        // The event did not send the value: that removes it only where events carry the whole payload.
        spans.push(span(model, Role::Muted, "  not sent"));
    }
    spans
}
