//! Bytes in hex, with the fields they belong to marked by style and named at the line they start on.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::detail::highlight_cursor_line;
use super::pane::span;
use super::text::{draw_spans, skip_span_columns};
use crate::report::units::format_hex_offset;
use crate::tui::model::{Model, RowContents, fix_preview_lines};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
///
/// ```text
///     00000010  00 00 00 e9 7b 22 77 72 69 74 65 5f 74 69 6d 65 ....{"write_time length
///     00000020  73 74 61 6d 70 5f 6d 73 22 3a 31 37 36 36 37 31 stamp_ms":176671 payload
/// ```
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents) {
    let width = model.detail.hex_width.max(1) as u64;
    for line in 0..area.height {
        let number = model.detail.top + usize::from(line);
        let start = contents.details.row.start + number as u64 * width;
        if start >= contents.details.row.end {
            if number == 0 {
                draw_spans(frame, area, 0, vec![span(model, Role::Muted, "no bytes: the log ends here")]);
            }
            break;
        }
        let end = (start + width).min(contents.details.row.end);
        let spans = self::line_spans(model, contents, (start, end));
        draw_spans(frame, area, line, skip_span_columns(spans, usize::from(model.detail.scroll_columns)));
        highlight_cursor_line(frame, area, model, (line, number));
    }
}

/// Draws what a fix would change, above the bytes; the bytes themselves are marked where they stand.
pub(super) fn draw_fix(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents) {
    let Some(fix) = contents.fix.as_ref().filter(|_| area.height > 0) else { return };
    let lines = fix_preview_lines(fix, usize::from(area.width));
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    for (number, text) in lines.into_iter().take(usize::from(area.height)).enumerate() {
        let last = hidden > 0 && number + 1 == usize::from(area.height);
        let text = if last { format!("... and {} more lines; z gives the pane more room", hidden + 1) } else { text };
        let role = if number == 0 { Role::Title } else { Role::Warning };
        draw_spans(frame, area, number as u16, vec![span(model, role, text)]);
    }
}

/// True for a byte that a fix would change.
fn is_changed(contents: &RowContents, offset: u64) -> bool {
    let candidates = contents.fix.iter().flat_map(|fix| &fix.candidates);
    let mut changes = candidates.flat_map(|candidate| &candidate.changes);
    changes.any(|change| offset.checked_sub(change.offset).is_some_and(|at| at < change.after.len() as u64))
}

fn line_spans(model: &Model, contents: &RowContents, (start, end): (u64, u64)) -> Vec<Span<'static>> {
    let offset = format_hex_offset(start);
    let offset = offset.strip_prefix("0x").unwrap_or(&offset);
    let mut spans = vec![span(model, Role::Muted, format!("{offset}  "))];
    let mut letters = Vec::new();
    for offset in start..end {
        let byte = offset.checked_sub(contents.bytes_start).and_then(|at| contents.bytes.get(at as usize)).copied();
        let style = if is_changed(contents, offset) {
            model.theme.style(Role::Warning)
        } else {
            field_style(model, contents, offset)
        };
        let text = byte.map_or_else(|| "..".into(), crate::format::hex::encode_byte);
        spans.push(Span::styled(text, style));
        // Told by a glyph too, not by colour alone.
        let changed = is_changed(contents, offset);
        spans.push(if changed { span(model, Role::Warning, "*") } else { Span::raw(" ") });
        let letter = byte.filter(|byte| (0x20..0x7f).contains(byte)).map_or('·', char::from);
        letters.push(Span::styled(letter.to_string(), style));
    }
    let missing = model.detail.hex_width as u64 - (end - start).min(model.detail.hex_width as u64);
    spans.push(Span::raw("   ".repeat(missing as usize)));
    spans.extend(letters);
    let names = field_names(contents, (start, end));
    if !names.is_empty() {
        spans.push(Span::raw(" ".repeat(missing as usize + 1)));
        spans.push(span(model, Role::Title, names.join(", ")));
    }
    spans
}

/// The fields named on a line: those that start there, each but the first on the next line where it goes on.
fn field_names(contents: &RowContents, (start, end): (u64, u64)) -> Vec<&'static str> {
    let width = end - start;
    let here = |(from, to): (u64, u64)| {
        contents.details.fields.iter().filter(move |mark| (from..to).contains(&mark.range.start))
    };
    let goes_on = |mark: &&crate::query::FieldSpan, end: u64| mark.range.end > end;
    let put_off = here((start.saturating_sub(width), start)).skip(1).filter(|mark| goes_on(mark, start));
    let mut names: Vec<_> = put_off.map(|mark| mark.name).collect();
    let starting_here = here((start, end)).enumerate().filter(|(nth, mark)| *nth == 0 || !goes_on(mark, end));
    names.extend(starting_here.map(|(_, mark)| mark.name));
    names
}

/// The fields by name, each in its own style.
pub(super) fn legend(model: &Model, contents: &RowContents) -> Vec<Span<'static>> {
    let named = |mark: &crate::query::FieldSpan| {
        Span::styled(format!("{} ", mark.name), field_style(model, contents, mark.range.start))
    };
    contents.details.fields.iter().map(named).collect()
}

/// The style of the field that a byte belongs to.
fn field_style(model: &Model, contents: &RowContents, offset: u64) -> Style {
    let mark = contents.details.fields.iter().position(|mark| mark.range.contains(&offset));
    let name = mark.and_then(|at| contents.details.fields.get(at)).map(|mark| mark.name);
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
