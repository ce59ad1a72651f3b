//! Makes text safe, cuts it to a number of columns, and draws it. Views draw text only with these functions and with
//! widgets of ratatui.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::report::sanitize;

/// Largest number of characters that are expected in a column: a base character with combining ones.
const MAX_CHARS_PER_COLUMN: usize = 16;

/// Returns the number of columns that a text takes.
pub(in crate::tui) fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Returns the number of columns that a line of spans takes.
pub(super) fn spans_width(spans: &[Span<'static>]) -> usize {
    spans.iter().map(|span| display_width(&span.content)).sum()
}

/// Makes a text from a log safe for the terminal, and cuts it to `width` columns with an ellipsis.
pub(super) fn fit_safe(text: &str, width: usize) -> String {
    truncate(&sanitize(first_columns(text, width)), width)
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

/// Cuts a text that is already safe to `width` columns from its beginning, with an ellipsis in its place.
pub(in crate::tui) fn keep_end(text: &str, width: usize) -> String {
    let mut missing = display_width(text).saturating_sub(width);
    if missing == 0 {
        return text.to_owned();
    }
    // The ellipsis takes a column too.
    missing += 1;
    let mut skipped = 0;
    let start = text.char_indices().find(|(_, c)| {
        let is_skipped = skipped < missing;
        skipped += c.width().unwrap_or(0);
        !is_skipped
    });
    format!("…{}", start.and_then(|(at, _)| text.get(at..)).unwrap_or_default())
}

/// Makes a text safe as [`fit_safe`] does, and pads it with spaces to exactly `width` columns.
pub(in crate::tui) fn pad(text: &str, width: usize) -> String {
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

/// Removes the first columns of a line of spans. An ellipsis marks the cut.
pub(super) fn skip_span_columns(spans: Vec<Span<'static>>, columns: usize) -> Vec<Span<'static>> {
    let mut remaining = if columns > 0 { columns + 1 } else { 0 };
    let mut out = if columns > 0 && !spans.is_empty() { vec![Span::raw("…")] } else { Vec::new() };
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

/// Returns the start of a text that takes more than `width` columns, or the whole text when it takes no more. Combining
/// characters take no column, so their number says nothing about the width. Of a text with very many of them in each column,
/// fewer columns are returned, so that a hostile text costs no time.
pub(super) fn first_columns(text: &str, width: usize) -> &str {
    let max_chars = width.saturating_mul(MAX_CHARS_PER_COLUMN).saturating_add(1);
    let mut columns = 0_usize;
    let is_after = |(number, (_, c)): &(usize, (usize, char))| {
        let is_after = columns > width || *number >= max_chars;
        // A control character takes no column here, and one or more after it was made safe.
        columns += c.width().unwrap_or(1);
        is_after
    };
    let end = text.char_indices().enumerate().find(is_after).map_or(text.len(), |(_, (at, _))| at);
    text.get(..end).unwrap_or(text)
}

/// Returns the first `count` characters of a text.
pub(super) fn first_chars(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Draws spans on one line of an area. Text that does not fit is cut off, and an ellipsis marks the cut.
pub(in crate::tui) fn draw_spans(frame: &mut Frame, area: Rect, line: u16, spans: Vec<Span<'static>>) {
    let area = area.intersection(frame.area());
    if line < area.height && area.width > 0 {
        let spans = cut_spans(spans, usize::from(area.width));
        frame.buffer_mut().set_line(area.x, area.y + line, &Line::from(spans), area.width);
    }
}

/// Cuts a line of spans to `width` columns, with an ellipsis. Blanks at the end of the line need no mark.
pub(super) fn cut_spans(mut spans: Vec<Span<'static>>, width: usize) -> Vec<Span<'static>> {
    let total = spans_width(&spans);
    // In a single column, a character says more than the mark of a cut.
    if total <= width || width < 2 {
        return spans;
    }
    let has_text = |span: &Span| span.content.contains(|c| c != ' ');
    let text_spans = spans.iter().rposition(has_text).map_or(0, |last| last + 1);
    spans.truncate(text_spans);
    if let Some(last) = spans.last_mut() {
        last.content = last.content.trim_end_matches(' ').to_owned().into();
    }
    let text_columns: usize = spans.iter().map(|span| display_width(&span.content)).sum();
    if text_columns <= width {
        return spans;
    }
    let mut remaining = width;
    let mut out = Vec::new();
    for span in spans {
        let columns = display_width(&span.content);
        // The last column is kept for the ellipsis, which is drawn in the style of the text that is cut.
        if columns < remaining {
            remaining -= columns;
            out.push(span);
            continue;
        }
        let head = truncate(&format!("{}……", span.content), remaining);
        out.push(Span::styled(head, span.style));
        break;
    }
    out
}

/// Sets the style of a whole line of an area.
pub(in crate::tui) fn style_line(frame: &mut Frame, area: Rect, line: u16, style: Style) {
    let area = area.intersection(frame.area());
    if line < area.height && area.width > 0 {
        frame.buffer_mut().set_style(Rect::new(area.x, area.y + line, area.width, 1), style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_combining_characters_is_cut_with_a_mark_and_fills_its_columns() {
        // Two combining characters follow each base character.
        let text = "\u{e14}\u{e35}\u{e48}".repeat(50);
        for width in 2..30 {
            let cut = fit_safe(&text, width);
            assert_eq!((display_width(&cut), cut.ends_with('…')), (width, true), "{cut:?}");
        }
        assert_eq!(fit_safe(&text, 50), text);
        assert_eq!(first_columns("abc", 3), "abc");
        assert!(first_columns(&"\u{301}".repeat(100_000), 10).len() < 1000, "a hostile text is not read to its end");
    }

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

    fn text_of(spans: &[Span]) -> String {
        spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn no_text_is_cut_without_a_mark() {
        let spans = || vec![Span::raw("id "), Span::raw("1766718274106000001"), Span::raw("   ")];
        assert_eq!(text_of(&cut_spans(spans(), 22)), "id 1766718274106000001");
        assert_eq!(text_of(&cut_spans(spans(), 21)), "id 17667182741060000…");
        assert_eq!(text_of(&cut_spans(spans(), 3)), "id…");
        assert_eq!(text_of(&cut_spans(spans(), 2)), "i…");
        assert_eq!(text_of(&cut_spans(vec![Span::raw("日本")], 3)), "日…");
        assert_eq!(text_of(&skip_span_columns(spans(), 4)), "…66718274106000001   ");
        assert_eq!(text_of(&skip_span_columns(spans(), 0)), text_of(&spans()));
        assert_eq!((keep_end("accounts.log", 8), keep_end("a.log", 8)), ("…nts.log".into(), "a.log".into()));
        assert_eq!(keep_end("日本語.log", 8), "…語.log");
    }
}
