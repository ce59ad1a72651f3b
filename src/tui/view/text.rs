//! Text for the screen: made safe, cut to columns, put where it belongs. Nothing is drawn but through here and widgets.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::report::sanitize;

/// Columns a text takes.
pub(super) fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A text from a log, safe and cut to `room` columns, with an ellipsis where it was cut.
pub(super) fn fit_safe(text: &str, room: usize) -> String {
    // A character takes a column or more: what lies beyond is not even looked at.
    let head = first_chars(text, room.saturating_mul(2) + 1);
    truncate(&sanitize(head), room)
}

/// The same for a text that is safe already.
pub(super) fn truncate(text: &str, room: usize) -> String {
    if display_width(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns + 1 > room {
            break;
        }
        out.push(c);
        used += columns;
    }
    if room > 0 {
        out.push('…');
    }
    out
}

/// The same, filled with blanks to `room` columns.
pub(super) fn pad(text: &str, room: usize) -> String {
    let text = fit_safe(text, room);
    let blanks = room.saturating_sub(display_width(&text));
    text + &" ".repeat(blanks)
}

/// A safe text without its first columns.
pub(super) fn skip_columns(text: &str, column: usize) -> Cow<'_, str> {
    if column == 0 {
        return Cow::Borrowed(text);
    }
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= column {
            return Cow::Borrowed(text.get(at..).unwrap_or_default());
        }
        passed += c.width().unwrap_or(0);
    }
    Cow::Borrowed("")
}

/// Drops the first columns of a line of pieces.
pub(super) fn skip_span_columns(spans: Vec<Span<'static>>, column: usize) -> Vec<Span<'static>> {
    let mut left = column;
    let mut out = Vec::new();
    for span in spans {
        let columns = display_width(&span.content);
        if left >= columns {
            left -= columns;
            continue;
        }
        let content = skip_columns(&span.content, left).into_owned();
        left = 0;
        out.push(Span::styled(content, span.style));
    }
    out
}

/// The first characters of a text.
pub(super) fn first_chars(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Puts a line of pieces at a line of an area; what has no room there is left out.
pub(super) fn draw_spans(frame: &mut Frame, area: Rect, line: u16, spans: Vec<Span<'static>>) {
    let area = area.intersection(frame.area());
    if line < area.height && area.width > 0 {
        frame.buffer_mut().set_line(area.x, area.y + line, &Line::from(spans), area.width);
    }
}

/// Styles a whole line of an area.
pub(super) fn style_line(frame: &mut Frame, area: Rect, line: u16, style: Style) {
    let area = area.intersection(frame.area());
    if line < area.height && area.width > 0 {
        frame.buffer_mut().set_style(Rect::new(area.x, area.y + line, area.width, 1), style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_cut_after_it_was_made_safe() {
        let text = "a\u{1b}[31m\u{202e}b";
        for room in 0..30 {
            let cut = fit_safe(text, room);
            assert!(display_width(&cut) <= room, "{cut}");
            assert!(!cut.contains(['\u{1b}', '\u{202e}']), "{cut}");
        }
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit_safe("日本語", 6), "日本語");
        assert_eq!(fit_safe("日本語", 5), "日本…");
        assert_eq!(pad("日", 4), "日  ");
        assert_eq!(skip_columns("日本", 2), "本");
    }
}
