//! The widths of the columns of the list of events: which fit into a line, and how wide its rows are.

use unicode_width::UnicodeWidthChar;

use crate::query::{EventSummary, LogRow, RowContent};
use crate::report::units::format_size;
use crate::report::{finding_sentence, sanitize};
use crate::tui::model::{EventColumn, Model};

/// Width of the mark of the cursor and the glyph before the first column.
pub(crate) const PREFIX_COLUMNS: usize = 3;
/// Number of columns between two columns of the list.
pub(crate) const COLUMN_GAP: usize = 2;
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

/// The columns that fit, with their widths. All rows have the same ones.
pub(crate) struct EventColumns {
    pub(crate) cells: Vec<SizedColumn>,
    /// Width of the line.
    pub(crate) line: usize,
}

/// A column that fits, with its width.
pub(crate) struct SizedColumn {
    pub(crate) column: EventColumn,
    pub(crate) width: usize,
    pub(crate) align: Align,
    /// Position of the column's value in the excerpt of an event; `None` for other columns.
    pub(crate) value: Option<usize>,
    /// Whether the cell is padded to its width, because another one follows.
    pub(crate) is_padded: bool,
}

/// The side on which the text of a column starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

impl EventColumns {
    /// Computes the columns from the rows of the window and the width of the line.
    pub(crate) fn for_width(model: &Model, width: usize) -> Self {
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
        let gaps = COLUMN_GAP * cells.len().saturating_sub(1);
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
    pub(crate) fn width_of(&self, column: &EventColumn) -> Option<usize> {
        self.cells.iter().find(|cell| cell.column == *column).map(|cell| cell.width)
    }

    /// Returns the number of columns of the screen that a row takes, without the mark of the cursor, when nothing of it is
    /// scrolled out of view.
    pub(crate) fn row_columns(&self, model: &Model, row: &LogRow) -> usize {
        let offset_end = || {
            let position = self.cells.iter().position(|cell| cell.column == EventColumn::Offset);
            let until_offset = position.map_or(0, |position| position + 1);
            let cells: usize = self.cells.iter().take(until_offset).map(|cell| cell.width + COLUMN_GAP).sum();
            let missing = if position.is_none() { model.format_offset(row.start).len() + COLUMN_GAP } else { 0 };
            PREFIX_COLUMNS + cells + missing
        };
        match &row.content {
            RowContent::Event(event) => {
                let Some((last, others)) = self.cells.split_last() else { return PREFIX_COLUMNS };
                let others: usize = others.iter().map(|cell| cell.width + COLUMN_GAP).sum();
                let last = match (&last.column, &event.excerpt) {
                    (EventColumn::Payload, Some(excerpt)) => {
                        display_width(&sanitize(&excerpt.summary)) + usize::from(excerpt.is_cut)
                    }
                    _ => last.width,
                };
                PREFIX_COLUMNS + others + last
            }
            RowContent::Finding(finding) => {
                let (kind, end) = (finding.kind.name(), model.format_offset(finding.end));
                let fix = model.fix_text(finding);
                let fix = if fix.is_empty() { 0 } else { COLUMN_GAP + display_width(&fix) };
                let sentence = display_width(&sanitize(&finding_sentence(finding)));
                offset_end() + kind.len() + " to ".len() + end.len() + fix + COLUMN_GAP + sentence
            }
            RowContent::Header => offset_end(),
            RowContent::InFlight => {
                let size = format_size(row.end - row.start);
                offset_end() + "being written,  so far".len() + size.len()
            }
        }
    }
    /// Returns the width of the line, with the columns that are scrolled out of view.
    pub(crate) const fn line_width(&self) -> usize {
        self.line
    }
}

/// Leaves out columns, and shortens names, until the others fit into the line.
/// Namespace and schema are left out until the payload has a comfortable width.
fn drop_columns(cells: &mut Vec<SizedColumn>, line: usize) {
    let needed = |cells: &[SizedColumn], min_payload: usize| {
        let width = |cell: &SizedColumn| if cell.column == EventColumn::Payload { min_payload } else { cell.width };
        PREFIX_COLUMNS + cells.iter().map(width).sum::<usize>() + COLUMN_GAP * cells.len().saturating_sub(1)
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
    // The first of these goes first. The offset and the last column left always stay: a narrow row still names the event by its
    // type and shows a part of its payload.
    let droppable: [fn(&EventColumn) -> bool; 7] = [
        |column| *column == EventColumn::Size,
        |column| *column == EventColumn::Ordinal,
        |column| matches!(column, EventColumn::Value(_)),
        |column| *column == EventColumn::Time,
        |column| *column == EventColumn::Aggregate,
        |column| *column == EventColumn::Payload,
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

pub(crate) fn schema_text(event: &EventSummary) -> String {
    format!("{} v{}", event.schema_id, event.schema_version)
}

pub(crate) fn aggregate_text(event: &EventSummary) -> String {
    event.aggregate_id.map_or_else(|| "-".into(), |id| id.to_string())
}

/// Returns the value of a column with values; `-` where the payload has none.
pub(crate) fn value_text(event: &EventSummary, value: Option<usize>) -> String {
    let values = event.excerpt.as_ref().map(|excerpt| excerpt.values.as_slice()).unwrap_or_default();
    value.and_then(|position| values.get(position)?.clone()).unwrap_or_else(|| "-".into())
}

/// Returns the number of columns of a text that is safe for the terminal.
fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}
