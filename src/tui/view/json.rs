//! The JSON view of the detail pane: the payload in foldable lines, with every token as stored.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::cursor::highlight_detail_line;
use super::pane::span;
use super::text::{draw_spans, first_chars, skip_span_columns};
use crate::report::sanitize;
use crate::report::units::format_size;
use crate::tui::model::{FoldedLines, JsonLineView, Model, RowContents};
use crate::tui::theme::Role;

/// Draws the visible lines of the document.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents) {
    let doc = &contents.doc;
    let scroll_columns = usize::from(model.detail.scroll_columns);
    let available = usize::from(area.width) + scroll_columns;
    let numbers: Vec<usize> =
        doc.visible_lines().skip(model.detail.cursor.top).take(usize::from(area.height)).collect();
    for (line, number) in (0..area.height).zip(&numbers) {
        if let Some(json_line) = doc.line(*number) {
            draw_spans(frame, area, line, skip_span_columns(line_spans(model, &json_line, available), scroll_columns));
        }
        highlight_detail_line(frame, area, line, model);
    }
    if doc.omitted_bytes > 0 && numbers.len() < usize::from(area.height) {
        let text = format!("… {} more; the Hex view shows all bytes", format_size(doc.omitted_bytes as u64));
        draw_spans(frame, area, numbers.len() as u16, vec![span(model, Role::Warning, text)]);
    }
}

fn line_spans(model: &Model, line: &JsonLineView, available: usize) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw("  ".repeat(line.depth))];
    let is_match = |token: &str| model.search.as_ref().is_some_and(|search| search.pattern.is_match(token.as_bytes()));
    let token_span = |role, token| span(model, role, sanitize(first_chars(token, available)).into_owned());
    if let Some(key) = line.key {
        spans.push(token_span(if is_match(key) { Role::Match } else { Role::Length }, key));
        spans.push(Span::raw(": "));
    }
    let role = match line.value.bytes().next() {
        _ if is_match(line.value) => Role::Match,
        Some(b'"') => Role::Payload,
        Some(b'{' | b'}' | b'[' | b']') => Role::Text,
        _ => Role::Checksum,
    };
    spans.push(token_span(role, line.value));
    if let Some(FoldedLines { closing, count }) = line.folded {
        spans.push(span(model, Role::Warning, format!(" … {count} lines ")));
        spans.push(Span::raw(closing.to_owned()));
    }
    if line.has_comma {
        spans.push(Span::raw(","));
    }
    spans
}
