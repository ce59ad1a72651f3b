//! Makes text safe, cuts it to a number of columns, and draws it. Views draw text only with these functions and with
//! widgets of ratatui.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::report::sanitize;

/// Returns the number of columns that a text takes.
pub(super) fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Makes a text from a log safe for the terminal, and cuts it to `width` columns with an ellipsis.
pub(super) fn fit_safe(text: &str, width: usize) -> String {
    // A safe character takes at least one column, so characters beyond this number cannot be visible.
    let head = first_chars(text, width.saturating_mul(2) + 1);
    truncate(&sanitize(head), width)
}

/// Cuts a text that is already safe to `width` columns, with an ellipsis.
fn truncate(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        out.push(c);
        used += columns;
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Makes a text safe as [`fit_safe`] does, and pads it with spaces to exactly `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    let text = fit_safe(text, width);
    let missing = width.saturating_sub(display_width(&text));
    text + &" ".repeat(missing)
}

/// Removes the first columns of a text that is already safe for the terminal.
fn skip_columns(text: &str, columns: usize) -> Cow<'_, str> {
    if columns == 0 {
        return Cow::Borrowed(text);
    }
    let mut skipped = 0;
    for (start, c) in text.char_indices() {
        if skipped >= columns {
            return Cow::Borrowed(text.get(start..).unwrap_or_default());
        }
        skipped += c.width().unwrap_or(0);
    }
    Cow::Borrowed("")
}

/// Removes the first columns of a line of spans.
pub(super) fn skip_span_columns(spans: Vec<Span<'static>>, columns: usize) -> Vec<Span<'static>> {
    let mut remaining = columns;
    let mut out = Vec::new();
    for span in spans {
        let width = display_width(&span.content);
        if remaining >= width {
            remaining -= width;
            continue;
        }
        let content = skip_columns(&span.content, remaining).into_owned();
        remaining = 0;
        out.push(Span::styled(content, span.style));
    }
    out
}

/// Returns the first `count` characters of a text.
pub(super) fn first_chars(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Draws spans on one line of an area. Text that does not fit is cut off.
pub(super) fn draw_spans(frame: &mut Frame, area: Rect, line: u16, spans: Vec<Span<'static>>) {
    let area = area.intersection(frame.area());
    if line < area.height && area.width > 0 {
        frame.buffer_mut().set_line(area.x, area.y + line, &Line::from(spans), area.width);
    }
}

/// Sets the style of a whole line of an area.
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
    fn text_is_cut_after_it_was_made_safe() {
        let text = "a\u{1b}[31m\u{202e}b";
        for width in 0..30 {
            let cut = fit_safe(text, width);
            assert!(display_width(&cut) <= width, "{cut}");
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
