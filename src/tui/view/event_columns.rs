//! The titles of the columns of the list of events, and the cells of an event.

use std::ops::Range;

use ratatui::text::Span;

use super::pane::span;
use super::text::{cut_spans, display_width, first_columns, fit_safe, pad, skip_span_columns};
use crate::query::{EventSummary, Highlighter, JsonTokens, LogRow};
use crate::report::sanitize;
use crate::report::units::format_size;
use crate::tui::layout::{
    Align, COLUMN_GAP, EventColumns, PREFIX_COLUMNS, SizedColumn, aggregate_text, schema_text, value_text,
};
use crate::tui::model::{EventColumn, Model};
use crate::tui::theme::Role;

/// Number of columns before a match that stay visible when the payload is scrolled to it.
const COLUMNS_BEFORE_MATCH: usize = 8;

impl EventColumns {
    /// Returns the titles of the columns. `time` is the title of the column with the times.
    pub(super) fn heading(&self, time: &str) -> String {
        let titles = self.cells.iter().map(|cell| {
            let title = match &cell.column {
                EventColumn::Time => time.to_owned(),
                EventColumn::Aggregate if cell.width < "aggregate".len() => "agg".to_owned(),
                EventColumn::Value(_) => cell.column.name().trim_start_matches("payload.").to_owned(),
                column => column.name().into_owned(),
            };
            fit_cell(&title, cell)
        });
        " ".repeat(PREFIX_COLUMNS) + &titles.collect::<Vec<_>>().join("  ")
    }

    /// Returns the cells of an event.
    pub(super) fn event_spans(
        &self,
        model: &Model,
        row: &LogRow,
        event: &EventSummary,
        time: &str,
    ) -> Vec<Span<'static>> {
        let highlighter = Highlighter::new(&model.list.filter, model.search.as_ref().map(|search| &search.pattern));
        let mut spans = Vec::new();
        for (position, cell) in self.cells.iter().enumerate() {
            if position > 0 {
                spans.push(Span::raw(" ".repeat(COLUMN_GAP)));
            }
            spans.extend(match &cell.column {
                EventColumn::Payload => payload_spans(model, cell, event, highlighter),
                column => {
                    let text = cell_text(model, column, row, event, time, cell.value);
                    let role = cell_role(column, event);
                    let is_data = matches!(
                        column,
                        EventColumn::Type | EventColumn::Namespace | EventColumn::Schema | EventColumn::Value(_)
                    );
                    let ranges = if is_data { highlighter.text_ranges(&text) } else { Vec::new() };
                    cell_spans(model, cell, &text, role, &ranges)
                }
            });
        }
        spans
    }

    /// Returns the part of a line before the text of a row that is not an event: its offset, in its column.
    pub(super) fn offset_text(&self, model: &Model, offset: u64) -> String {
        let position = self.cells.iter().position(|cell| cell.column == EventColumn::Offset);
        let before = self.cells.get(..position.unwrap_or_default()).unwrap_or_default();
        let indent: usize = before.iter().map(|cell| cell.width + COLUMN_GAP).sum();
        let width = self.width_of(&EventColumn::Offset).unwrap_or_default();
        format!("{}{:>width$}  ", " ".repeat(indent), model.format_offset(offset))
    }
}

fn cell_text(
    model: &Model,
    column: &EventColumn,
    row: &LogRow,
    event: &EventSummary,
    time: &str,
    value: Option<usize>,
) -> String {
    match column {
        EventColumn::Ordinal => event.ordinal.map_or_else(|| "…".into(), |ordinal| ordinal.to_string()),
        EventColumn::Offset => model.format_offset(row.start),
        EventColumn::Time => time.to_owned(),
        EventColumn::Type => event.event_type.clone(),
        EventColumn::Namespace => event.namespace.clone(),
        EventColumn::Schema => schema_text(event),
        EventColumn::Aggregate => aggregate_text(event),
        EventColumn::Size => format_size(row.end - row.start),
        EventColumn::Value(_) => value_text(event, value),
        EventColumn::Payload => String::new(),
    }
}

fn cell_role(column: &EventColumn, event: &EventSummary) -> Role {
    match column {
        EventColumn::Type => Role::of_event_type(&event.event_type),
        EventColumn::Time | EventColumn::Namespace | EventColumn::Schema | EventColumn::Size | EventColumn::Ordinal => {
            Role::Muted
        }
        EventColumn::Offset | EventColumn::Aggregate | EventColumn::Value(_) | EventColumn::Payload => Role::Text,
    }
}

/// Fits a text into a cell, aligned.
fn fit_cell(text: &str, cell: &SizedColumn) -> String {
    match cell.align {
        Align::Left => pad(text, cell.width),
        Align::Right => {
            let text = fit_safe(text, cell.width);
            " ".repeat(cell.width.saturating_sub(display_width(&text))) + &text
        }
    }
}

/// Returns a text in a cell, with the given ranges of it highlighted.
fn cell_spans(
    model: &Model,
    cell: &SizedColumn,
    text: &str,
    role: Role,
    ranges: &[Range<usize>],
) -> Vec<Span<'static>> {
    if ranges.is_empty() {
        return vec![span(model, role, fit_cell(text, cell))];
    }
    let spans = cut_spans(styled_spans(model, text, ranges, &[], |_| role), cell.width);
    let blank = " ".repeat(cell.width.saturating_sub(width_of(&spans)));
    match cell.align {
        Align::Left => spans.into_iter().chain([Span::raw(blank)]).collect(),
        Align::Right => [Span::raw(blank)].into_iter().chain(spans).collect(),
    }
}

/// Returns the summary of a payload, with its keys muted and what a filter or a search matched highlighted.
///
/// Where the first match would be out of view, the text starts shortly before it.
fn payload_spans(
    model: &Model,
    cell: &SizedColumn,
    event: &EventSummary,
    highlighter: Highlighter,
) -> Vec<Span<'static>> {
    let Some(excerpt) = &event.excerpt else { return Vec::new() };
    let ranges = highlighter.payload_ranges(&excerpt.summary);
    // Without a match, characters beyond the cell are not visible, so they need no style.
    let columns = if ranges.is_empty() { cell.width } else { usize::MAX };
    let shown = first_columns(&excerpt.summary, columns);
    let muted = muted_ranges(shown);
    let is_muted = |position: usize| muted.iter().any(|range| range.contains(&position));
    let mut spans =
        styled_spans(
            model,
            shown,
            &ranges,
            &muted,
            |position| {
                if is_muted(position) { Role::Muted } else { Role::Text }
            },
        );
    if excerpt.is_cut || shown.len() < excerpt.summary.len() {
        spans.push(span(model, Role::Muted, "…"));
    }
    if let Some(start) = ranges.first().map(|range| range.start) {
        let before = display_width(&sanitize(shown.get(..start).unwrap_or_default()));
        let length = ranges.first().map_or(0, |range| display_width(shown.get(range.clone()).unwrap_or_default()));
        let is_visible = before + length < cell.width;
        if !is_visible && model.list.scroll_columns == 0 {
            spans = skip_span_columns(spans, before.saturating_sub(COLUMNS_BEFORE_MATCH));
        }
    }
    let mut spans = cut_spans(spans, cell.width);
    if cell.is_padded {
        spans.push(Span::raw(" ".repeat(cell.width.saturating_sub(width_of(&spans)))));
    }
    spans
}

/// Returns the ranges of a JSON text that are keys or punctuation.
fn muted_ranges(json: &str) -> Vec<Range<usize>> {
    let mut muted: Vec<Range<usize>> = Vec::new();
    let mut tokens = JsonTokens::new(json).peekable();
    while let Some((first, range)) = tokens.next() {
        let is_key = first == b'"' && tokens.peek().is_some_and(|(next, _)| *next == b':');
        if !is_key && !matches!(first, b'{' | b'}' | b'[' | b']' | b':' | b',') {
            continue;
        }
        match muted.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => muted.push(range),
        }
    }
    muted
}

/// Splits a text at the ends of `highlighted` and `parts`, makes it safe, and styles each piece: highlighted, or with the
/// role at its first byte.
fn styled_spans(
    model: &Model,
    text: &str,
    highlighted: &[Range<usize>],
    parts: &[Range<usize>],
    role_at: impl Fn(usize) -> Role,
) -> Vec<Span<'static>> {
    let mut ends: Vec<usize> =
        highlighted.iter().chain(parts).flat_map(|range| [range.start, range.end]).chain([text.len()]).collect();
    ends.sort_unstable();
    let mut start = 0;
    let mut spans = Vec::new();
    for end in ends.into_iter().map(|end| end.min(text.len())) {
        let piece = text.get(start..end).unwrap_or_default();
        if piece.is_empty() {
            continue;
        }
        let is_match = highlighted.iter().any(|range| range.contains(&start));
        let role = if is_match { Role::Match } else { role_at(start) };
        spans.push(span(model, role, sanitize(piece).into_owned()));
        start = end;
    }
    spans
}

fn width_of(spans: &[Span]) -> usize {
    spans.iter().map(|span| display_width(&span.content)).sum()
}
