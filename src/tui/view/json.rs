//! Draws a JSON document in foldable lines, with every token as stored.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::cursor::highlight_detail_line;
use super::pane::span;
use super::text::{cut_spans, display_width, draw_spans, first_columns, skip_span_columns};
use crate::report::sanitize;
use crate::report::units::{format_size, format_time_of_day, format_timestamp};
use crate::tui::model::{FoldedLines, INDENT_COLUMNS, JsonDoc, JsonRowView, LineWrap, Model};
use crate::tui::theme::Role;

/// Minimum width of a pane in which a value that is cut shows its size.
const MIN_SIZE_MARK_WIDTH: usize = 24;
/// Length of the hours and minutes of a time.
const MINUTE_LEN: usize = 5;
/// The key of the time at which an event was written, as it is stored.
const TIME_KEY: &str = "\"write_timestamp_ms\"";

/// Draws the visible rows of a document.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, doc: &JsonDoc) {
    let width = usize::from(area.width);
    let scroll_columns = model.detail.scroll_columns;
    let first = model.detail.cursor.top;
    for line in 0..area.height {
        let Some(row) = doc.row(first + usize::from(line)) else { break };
        let spans = skip_span_columns(row_spans(model, doc, &row, width + scroll_columns), scroll_columns);
        draw_spans(frame, area, line, mark_size(model, spans, &row, width));
        highlight_detail_line(frame, area, line, model);
    }
    let shown = doc.row_count().saturating_sub(first);
    if doc.omitted_bytes > 0 && shown < usize::from(area.height) {
        let text = format!("… {} more; the Hex view shows all bytes", format_size(doc.omitted_bytes as u64));
        draw_spans(frame, area, shown as u16, vec![span(model, Role::Warning, text)]);
        highlight_detail_line(frame, area, shown as u16, model);
    }
}

/// Cuts a row that is wider than the pane, and appends the size of its value.
fn mark_size(model: &Model, spans: Vec<Span<'static>>, row: &JsonRowView, width: usize) -> Vec<Span<'static>> {
    let columns: usize = spans.iter().map(|span| display_width(&span.content)).sum();
    let is_cut = columns > width && width >= MIN_SIZE_MARK_WIDTH && row.token.starts_with('"');
    if !is_cut || model.detail.wrap == LineWrap::On {
        return spans;
    }
    let mark = format!(" {}", format_size(row.token.len() as u64));
    let mut spans = cut_spans(spans, width - display_width(&mark));
    spans.push(span(model, Role::Muted, mark));
    spans
}

fn row_spans(model: &Model, doc: &JsonDoc, row: &JsonRowView, available: usize) -> Vec<Span<'static>> {
    let levels = row.depth + usize::from(!row.is_first);
    let mut spans = vec![Span::raw(" ".repeat(levels * INDENT_COLUMNS))];
    if let Some(key) = row.key {
        spans.extend(token_spans(model, doc, Role::Length, key, row.key_start..row.key_start + key.len()));
        spans.push(Span::raw(": "));
    }
    let role = match row.token.bytes().next() {
        Some(b'"') => Role::Payload,
        Some(b'{' | b'}' | b'[' | b']') => Role::Text,
        _ => Role::Checksum,
    };
    let value = first_columns(row.value, available);
    spans.extend(token_spans(model, doc, role, value, row.value_start..row.value_start + value.len()));
    if !row.is_last {
        return spans;
    }
    if let Some(FoldedLines { closing, count }) = row.folded {
        spans.push(span(model, Role::Warning, format!(" … {count} lines ")));
        spans.push(Span::raw(closing.to_owned()));
    }
    if row.has_comma {
        spans.push(Span::raw(","));
    }
    if row.depth == 1
        && row.key == Some(TIME_KEY)
        && doc.is_event()
        && let Ok(ms) = row.token.parse()
    {
        spans.push(span(model, Role::Muted, time_note(model, ms, &spans, available)));
    }
    spans
}

/// Returns a time as a note after `spans`: as much of it as fits into `available` columns.
fn time_note(model: &Model, ms: u64, spans: &[Span<'static>], available: usize) -> String {
    let used: usize = spans.iter().map(|span| display_width(&span.content)).sum();
    let time = format_time_of_day(ms, model.zone);
    // The ellipsis marks the time as cut.
    let minute = format!(" {}…", time.get(..MINUTE_LEN).unwrap_or_default());
    let notes = [format!("  {}", format_timestamp(ms, model.zone)), format!(" {time}")];
    notes.into_iter().find(|note| used + display_width(note) <= available).unwrap_or(minute)
}

/// Returns a token with the parts that the search matches, and the bad bytes, in their own styles. `range` is the place
/// of the token in the text of the document.
fn token_spans(model: &Model, doc: &JsonDoc, role: Role, token: &str, range: Range<usize>) -> Vec<Span<'static>> {
    let matches = match_ranges(model, token);
    let bad = doc.bad_ranges().iter().filter(|bad| bad.start < range.end && bad.end > range.start);
    let bad: Vec<Range<usize>> =
        bad.map(|bad| bad.start.saturating_sub(range.start)..bad.end.min(range.end) - range.start).collect();
    if matches.is_empty() && bad.is_empty() {
        return vec![span(model, role, sanitize(token).into_owned())];
    }
    let mut borders: Vec<usize> = matches.iter().chain(&bad).flat_map(|range| [range.start, range.end]).collect();
    borders.extend([0, token.len()]);
    borders.sort_unstable();
    borders.dedup();
    let style_at = |at: usize| -> Style {
        let is_in = |ranges: &[Range<usize>]| ranges.iter().any(|range| range.contains(&at));
        let style = model.theme.style(if is_in(&matches) { Role::Match } else { role });
        // Reversed as well, because colour alone is not enough on every terminal.
        if is_in(&bad) {
            model.theme.style(Role::Damage).add_modifier(ratatui::style::Modifier::REVERSED)
        } else {
            style
        }
    };
    let parts = borders.iter().zip(borders.iter().skip(1));
    parts
        .filter_map(|(start, end)| {
            let part = token.get(*start..*end).filter(|part| !part.is_empty())?;
            Some(Span::styled(sanitize(part).into_owned(), style_at(*start)))
        })
        .collect()
}

/// Returns the parts of a token that the search matches: all of it when it matches only with its escapes resolved.
fn match_ranges(model: &Model, token: &str) -> Vec<Range<usize>> {
    let Some(search) = &model.search else { return Vec::new() };
    let ranges = search.pattern.match_ranges(token);
    let matches_resolved = ranges.is_empty() && search.pattern.is_match(token.as_bytes());
    if matches_resolved { std::iter::once(0..token.len()).collect() } else { ranges }
}
