//! JSON in lines, every token as stored.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::detail::under_cursor;
use super::pane::span;
use super::text::{head, put, scrolled};
use crate::report::safe;
use crate::report::units::size;
use crate::tui::model::{Contents, Model, Shown};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &Contents) {
    let doc = &contents.doc;
    let sideways = usize::from(model.detail.sideways);
    let room = usize::from(area.width) + sideways;
    let numbers: Vec<usize> = doc.visible().skip(model.detail.top).take(usize::from(area.height)).collect();
    for (line, number) in numbers.iter().enumerate() {
        if let Some(shown) = doc.line(*number) {
            put(frame, area, line as u16, scrolled(self::line(model, &shown, room), sideways));
        }
        under_cursor(frame, area, model, (line as u16, model.detail.top + line));
    }
    if doc.left_out > 0 && numbers.len() < usize::from(area.height) {
        let text = format!("… {} more are not laid out; Hex shows all", size(doc.left_out as u64));
        put(frame, area, numbers.len() as u16, vec![span(model, Role::Warning, text)]);
    }
}

fn line(model: &Model, line: &Shown, room: usize) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw("  ".repeat(line.depth))];
    // A token that the search is in.
    let found = |token: &str| model.search.as_ref().is_some_and(|(_, pattern)| pattern.is_in(token.as_bytes()));
    if let Some(key) = line.key {
        spans.push(span(
            model,
            if found(key) { Role::Match } else { Role::Length },
            safe(head(key, room)).into_owned(),
        ));
        spans.push(Span::raw(": "));
    }
    let role = match line.value.bytes().next() {
        _ if found(line.value) => Role::Match,
        Some(b'"') => Role::Payload,
        Some(b'{' | b'}' | b'[' | b']') => Role::Text,
        _ => Role::Checksum,
    };
    spans.push(span(model, role, safe(head(line.value, room)).into_owned()));
    if let Some((close, hidden)) = line.folded {
        spans.push(span(model, Role::Warning, format!(" … {hidden} lines ")));
        spans.push(Span::raw(close.to_owned()));
    }
    if line.comma {
        spans.push(Span::raw(","));
    }
    spans
}
