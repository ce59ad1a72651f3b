//! JSON in lines, every token as stored.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::detail::highlight_cursor_line;
use super::pane::span;
use super::text::{draw_spans, first_chars, skip_span_columns};
use crate::report::sanitize;
use crate::report::units::format_size;
use crate::tui::model::{FoldedLines, JsonLineView, Model, RowContents};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents) {
    let doc = &contents.doc;
    let sideways = usize::from(model.detail.scroll_columns);
    let room = usize::from(area.width) + sideways;
    let numbers: Vec<usize> = doc.visible_lines().skip(model.detail.top).take(usize::from(area.height)).collect();
    for (line, number) in numbers.iter().enumerate() {
        if let Some(shown) = doc.line(*number) {
            draw_spans(frame, area, line as u16, skip_span_columns(self::line_spans(model, &shown, room), sideways));
        }
        highlight_cursor_line(frame, area, model, (line as u16, model.detail.top + line));
    }
    if doc.omitted_bytes > 0 && numbers.len() < usize::from(area.height) {
        let text = format!("… {} more are not laid out; Hex shows all", format_size(doc.omitted_bytes as u64));
        draw_spans(frame, area, numbers.len() as u16, vec![span(model, Role::Warning, text)]);
    }
}

fn line_spans(model: &Model, line: &JsonLineView, room: usize) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw("  ".repeat(line.depth))];
    // A token that the search is in.
    let found = |token: &str| model.search.as_ref().is_some_and(|search| search.pattern.is_match(token.as_bytes()));
    if let Some(key) = line.key {
        spans.push(span(
            model,
            if found(key) { Role::Match } else { Role::Length },
            sanitize(first_chars(key, room)).into_owned(),
        ));
        spans.push(Span::raw(": "));
    }
    let role = match line.value.bytes().next() {
        _ if found(line.value) => Role::Match,
        Some(b'"') => Role::Payload,
        Some(b'{' | b'}' | b'[' | b']') => Role::Text,
        _ => Role::Checksum,
    };
    spans.push(span(model, role, sanitize(first_chars(line.value, room)).into_owned()));
    if let Some(FoldedLines { closing, count }) = line.folded {
        spans.push(span(model, Role::Warning, format!(" … {count} lines ")));
        spans.push(Span::raw(closing.to_owned()));
    }
    if line.comma {
        spans.push(Span::raw(","));
    }
    spans
}
