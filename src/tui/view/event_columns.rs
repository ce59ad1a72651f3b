//! The widths of the columns of the list of events, and the cells of an event.

use std::ops::Range;

use ratatui::text::Span;

use super::pane::span;
use super::text::{cut_spans, display_width, first_chars, fit_safe, pad, skip_span_columns};
use crate::query::{EventSummary, Highlighter, JsonTokens, LogRow, RowContent};
use crate::report::sanitize;
use crate::report::units::format_size;
use crate::tui::model::{EventColumn, Model};
use crate::tui::theme::Role;

/// Width of the mark of the cursor and the glyph before the first column.
const PREFIX_COLUMNS: usize = 3;
/// Number of columns between two columns of the list.
const GAP: usize = 2;
/// Width of a time.
const TIME_COLUMNS: usize = 12;
/// Smallest width of a column that the user has made narrower.
const MIN_COLUMN_WIDTH: usize = 3;
/// Width that the payload has before namespace and schema are shown.
const COMFORTABLE_PAYLOAD_COLUMNS: usize = 32;
/// Smallest width of the payload.
const MIN_PAYLOAD_COLUMNS: usize = 12;
/// Width to which names are shortened before a column is left out.
const SHORT_NAME_COLUMNS: usize = 8;
/// Number of columns before a match that stay visible when the payload is scrolled to it.
const COLUMNS_BEFORE_MATCH: usize = 8;

/// The columns that fit, with their widths. All rows have the same ones.
pub(super) struct EventColumns {
    cells: Vec<SizedColumn>,
    /// Width of the line.
    line: usize,
}

/// A column that fits, with its width.
struct SizedColumn {
    column: EventColumn,
    width: usize,
    align: Align,
    /// Position of the column's value in the excerpt of an event; `None` for other columns.
    value: Option<usize>,
    /// Whether the cell is padded to its width, because another one follows.
    is_padded: bool,
}

/// The side on which the text of a column starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

impl EventColumns {
    /// Computes the columns from the rows of the window and the width of the line.
    pub(super) fn for_width(model: &Model, width: usize) -> Self {
        let layout = &model.list.columns;
        let mut value_count = 0;
        let mut cells: Vec<SizedColumn> = Vec::new();
        for choice in layout.shown() {
            let value = matches!(choice.column, EventColumn::Value(_)).then_some(value_count);
            value_count += usize::from(value.is_some());
            let natural = natural_width(model, &choice.column, value);
            let width = natural.saturating_add_signed(choice.adjustment.into()).max(MIN_COLUMN_WIDTH);
            let align = alignment(model, &choice.column, value);
            cells.push(SizedColumn { column: choice.column.clone(), width, align, value, is_padded: true });
        }
        drop_columns(&mut cells, width);
        let others: usize =
            cells.iter().filter(|cell| cell.column != EventColumn::Payload).map(|cell| cell.width).sum();
        let gaps = GAP * cells.len().saturating_sub(1);
        let payload_width = width.saturating_sub(PREFIX_COLUMNS + others + gaps);
        // As the last column, the payload continues to the right when the pane is scrolled sideways.
        let scroll_columns = usize::from(model.list.scroll_columns);
        let last = cells.len().saturating_sub(1);
        for (position, cell) in cells.iter_mut().enumerate() {
            cell.is_padded = position < last;
            if cell.column == EventColumn::Payload {
                cell.width = payload_width.max(1) + if cell.is_padded { 0 } else { scroll_columns };
            }
        }
        Self { cells, line: width + scroll_columns }
    }

    /// Returns the width of a column, when it fits.
    pub(super) fn width_of(&self, column: &EventColumn) -> Option<usize> {
        self.cells.iter().find(|cell| cell.column == *column).map(|cell| cell.width)
    }

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
                spans.push(Span::raw(" ".repeat(GAP)));
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
        let indent: usize = before.iter().map(|cell| cell.width + GAP).sum();
        let width = self.width_of(&EventColumn::Offset).unwrap_or_default();
        format!("{}{:>width$}  ", " ".repeat(indent), model.format_offset(offset))
    }

    /// Returns the width of the line, with the columns that are scrolled out of view.
    pub(super) const fn line_width(&self) -> usize {
        self.line
    }
}

/// Leaves out columns, and shortens names, until the others fit into the line.
/// Namespace and schema are left out until the payload has a comfortable width.
fn drop_columns(cells: &mut Vec<SizedColumn>, line: usize) {
    let needed = |cells: &[SizedColumn], min_payload: usize| {
        let width = |cell: &SizedColumn| if cell.column == EventColumn::Payload { min_payload } else { cell.width };
        PREFIX_COLUMNS + cells.iter().map(width).sum::<usize>() + GAP * cells.len().saturating_sub(1)
    };
    let optional: [fn(&EventColumn) -> bool; 2] =
        [|column| *column == EventColumn::Namespace, |column| *column == EventColumn::Schema];
    for is_optional in optional {
        if needed(cells, COMFORTABLE_PAYLOAD_COLUMNS) > line {
            cells.retain(|cell| !is_optional(&cell.column));
        }
    }
    let is_name = |column: &EventColumn| matches!(column, EventColumn::Type | EventColumn::Value(_));
    if needed(cells, MIN_PAYLOAD_COLUMNS) > line {
        for cell in cells.iter_mut().filter(|cell| is_name(&cell.column)) {
            cell.width = cell.width.min(SHORT_NAME_COLUMNS);
        }
    }
    // The first of these goes first. Offset, time and the last column left always stay.
    let droppable: [fn(&EventColumn) -> bool; 6] = [
        |column| *column == EventColumn::Size,
        |column| *column == EventColumn::Ordinal,
        |column| matches!(column, EventColumn::Value(_)),
        |column| *column == EventColumn::Payload,
        |column| *column == EventColumn::Aggregate,
        |column| *column == EventColumn::Type,
    ];
    for is_droppable in droppable {
        while needed(cells, MIN_PAYLOAD_COLUMNS) > line && cells.len() > 1 {
            let Some(last) = cells.iter().rposition(|cell| is_droppable(&cell.column)) else { break };
            cells.remove(last);
        }
    }
}

/// Returns the width that a column needs for the rows of the window, within limits.
fn natural_width(model: &Model, column: &EventColumn, value: Option<usize>) -> usize {
    let widest = |text: &dyn Fn(&EventSummary) -> String| {
        let events = model.list.rows.iter().filter_map(event_of);
        events.map(|event| display_width(&sanitize(&text(event)))).max().unwrap_or_default()
    };
    match column {
        EventColumn::Ordinal => model.event_count().unwrap_or_default().to_string().len().max("ordinal".len()),
        EventColumn::Offset => model.offset_columns().max("offset".len()),
        EventColumn::Time => TIME_COLUMNS,
        EventColumn::Type => widest(&|event| event.event_type.clone()).clamp(4, 24),
        EventColumn::Namespace => widest(&|event| event.namespace.clone()).clamp("namespace".len(), 20),
        EventColumn::Schema => widest(&schema_text).clamp("schema".len(), 24),
        // An id is never cut: ids that differ only in their last digits would look the same.
        EventColumn::Aggregate => widest(&aggregate_text).max("agg".len()),
        EventColumn::Size => "1023 KiB".len(),
        EventColumn::Payload => MIN_PAYLOAD_COLUMNS,
        EventColumn::Value(_) => {
            let title = display_width(&sanitize(column.name().trim_start_matches("payload.")));
            widest(&|event| value_text(event, value)).max(title.min(SHORT_NAME_COLUMNS)).clamp(4, 24)
        }
    }
}

/// Returns the alignment of a column: numbers are aligned at their last digit.
fn alignment(model: &Model, column: &EventColumn, value: Option<usize>) -> Align {
    let is_number = match column {
        EventColumn::Ordinal | EventColumn::Offset | EventColumn::Aggregate | EventColumn::Size => true,
        EventColumn::Value(_) => {
            let mut values = model.list.rows.iter().filter_map(event_of).map(|event| value_text(event, value));
            values.all(|text| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')))
        }
        _ => false,
    };
    if is_number { Align::Right } else { Align::Left }
}

const fn event_of(row: &LogRow) -> Option<&EventSummary> {
    match &row.content {
        RowContent::Event(event) => Some(event),
        RowContent::Header | RowContent::Finding(_) | RowContent::InFlight => None,
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

fn schema_text(event: &EventSummary) -> String {
    format!("{} v{}", event.schema_id, event.schema_version)
}

fn aggregate_text(event: &EventSummary) -> String {
    event.aggregate_id.map_or_else(|| "-".into(), |id| id.to_string())
}

/// Returns the value of a column with values; `-` where the payload has none.
fn value_text(event: &EventSummary, value: Option<usize>) -> String {
    let values = event.excerpt.as_ref().map(|excerpt| excerpt.values.as_slice()).unwrap_or_default();
    value.and_then(|position| values.get(position)?.clone()).unwrap_or_else(|| "-".into())
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
    let chars = if ranges.is_empty() { cell.width + 1 } else { usize::MAX };
    let shown = first_chars(&excerpt.summary, chars);
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
    if excerpt.is_cut {
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
