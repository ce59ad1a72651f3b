//! Bytes in hex, with the fields they belong to marked by style and named at the line they start on.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::detail::under_cursor;
use super::pane::span;
use super::text::{put, scrolled};
use crate::report::units::hex_offset;
use crate::tui::model::{Contents, Model};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
///
/// ```text
///     0x00000010  00 00 00 e9 7b 22 77 72 69 74 65 5f 74 69 6d 65  ....{"write_time  length, payload
/// ```
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &Contents) {
    let width = model.detail.hex_width.max(1) as u64;
    for line in 0..area.height {
        let number = model.detail.top + usize::from(line);
        let start = contents.row.start + number as u64 * width;
        if start >= contents.row.end {
            if number == 0 {
                put(frame, area, 0, vec![span(model, Role::Quiet, "no bytes: the log ends here")]);
            }
            break;
        }
        let end = (start + width).min(contents.row.end);
        let spans = self::line(model, contents, (start, end));
        put(frame, area, line, scrolled(spans, usize::from(model.detail.sideways)));
        under_cursor(frame, area, model, (line, number));
    }
}

fn line(model: &Model, contents: &Contents, (start, end): (u64, u64)) -> Vec<Span<'static>> {
    let mut spans = vec![span(model, Role::Quiet, format!("{}  ", hex_offset(start)))];
    let mut letters = Vec::new();
    for offset in start..end {
        let byte = offset.checked_sub(contents.base).and_then(|at| contents.bytes.get(at as usize)).copied();
        let style = style(model, contents, offset);
        let text = byte.map_or_else(|| "..".into(), |byte| format!("{byte:02x}"));
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
        let letter = byte.filter(|byte| (0x20..0x7f).contains(byte)).map_or('·', char::from);
        letters.push(Span::styled(letter.to_string(), style));
    }
    let missing = model.detail.hex_width as u64 - (end - start).min(model.detail.hex_width as u64);
    spans.push(Span::raw("   ".repeat(missing as usize) + " "));
    spans.extend(letters);
    let names: Vec<_> =
        contents.marks.iter().filter(|mark| (start..end).contains(&mark.range.start)).map(|mark| mark.name).collect();
    if !names.is_empty() {
        spans.push(Span::raw(" ".repeat(missing as usize + 2)));
        spans.push(span(model, Role::Title, names.join(", ")));
    }
    spans
}

/// The style of the field that a byte belongs to.
fn style(model: &Model, contents: &Contents, offset: u64) -> Style {
    let mark = contents.marks.iter().position(|mark| mark.range.contains(&offset));
    let name = mark.and_then(|at| contents.marks.get(at)).map(|mark| mark.name);
    let role = match (name, mark) {
        (Some("length"), _) => Role::Length,
        (Some("payload"), _) => Role::Payload,
        (Some("checksum"), _) => Role::Checksum,
        // Other structures: neighbours differ.
        (_, Some(at)) if at % 2 == 0 => Role::Length,
        (_, Some(_)) => Role::Checksum,
        _ => Role::Text,
    };
    model.theme.style(role)
}
