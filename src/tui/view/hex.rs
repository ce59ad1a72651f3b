//! The hex view of the detail pane: bytes with the fields that they belong to, and a preview of the changes
//! that a fix would make.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::cursor::highlight_detail_line;
use super::pane::span;
use super::text::{draw_spans, skip_span_columns};
use crate::format::hex;
use crate::query::FieldSpan;
use crate::tui::actions::ActionId;
use crate::tui::layout::HexHead;
use crate::tui::model::{Model, RowContents, line_field_names};
use crate::tui::theme::Role;

/// Where the fields are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamePlace {
    /// At the end of the line on which a field starts.
    LineEnd,
    /// In lines above the bytes.
    Above,
}

/// Draws the visible lines of bytes.
///
/// ```text
///     16  00 00 00 e9 7b 22 77 72 69 74 65 5f 74 69 6d 65 ....{"write_time length
///     32  73 74 61 6d 70 5f 6d 73 22 3a 31 37 36 36 37 31 stamp_ms":176671 payload
/// ```
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents, name_place: NamePlace) {
    let row = &contents.details.row;
    let width = model.hex_line_bytes() as u64;
    for line in 0..area.height {
        let number = model.detail.cursor.top + usize::from(line);
        let start = row.start + number as u64 * width;
        if start >= row.end {
            if number == 0 {
                draw_spans(frame, area, 0, vec![span(model, Role::Muted, "No bytes: the log ends here.")]);
            }
            break;
        }
        let spans = line_spans(model, contents, start..(start + width).min(row.end), name_place);
        draw_spans(frame, area, line, skip_span_columns(spans, model.detail.scroll_columns));
        highlight_detail_line(frame, area, line, model);
    }
}

/// Draws the fixed lines above the bytes in `area`. [`draw`] marks the bytes that a fix would change.
pub(super) fn draw_head(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents, head: HexHead) {
    let HexHead { fix_lines, field_lines } = head;
    let fields_height = area.height.min(field_lines.len() as u16);
    let preview = Rect { height: area.height - fields_height, ..area };
    let omitted = fix_lines.len().saturating_sub(usize::from(preview.height));
    for (line, text) in (0..preview.height).zip(fix_lines) {
        let is_last = line + 1 == preview.height;
        let text = if omitted > 0 && is_last {
            let zoom = model.keys.hint(ActionId::Zoom);
            format!("… and {} more lines; {zoom} enlarges the pane", omitted + 1)
        } else {
            text
        };
        let role = if line == 0 { Role::Title } else { Role::Warning };
        draw_spans(frame, preview, line, vec![span(model, role, text)]);
    }
    for (line, fields) in (0..fields_height).zip(field_lines) {
        let spans = fields.into_iter().map(|field| Span::styled(field.text, field_style(model, contents, field.start)));
        draw_spans(frame, area, preview.height + line, spans.collect());
    }
}

/// Returns true for a byte that a candidate of the fix would change.
fn is_changed(contents: &RowContents, offset: u64) -> bool {
    let candidates = contents.fix.iter().flat_map(|fix| &fix.candidates);
    let mut changes = candidates.flat_map(|candidate| &candidate.changes);
    changes.any(|change| offset.checked_sub(change.offset).is_some_and(|position| position < change.after.len() as u64))
}

fn line_spans(model: &Model, contents: &RowContents, bytes: Range<u64>, name_place: NamePlace) -> Vec<Span<'static>> {
    let offset = format!("{:>width$}", model.format_offset(bytes.start), width = model.offset_columns());
    let mut spans = vec![span(model, Role::Muted, format!("{offset}  "))];
    let mut letters = Vec::new();
    for offset in bytes.clone() {
        let byte = offset
            .checked_sub(contents.bytes_start)
            .and_then(|position| contents.bytes.get(position as usize))
            .copied();
        let is_changed = is_changed(contents, offset);
        let style = if is_changed { model.theme.style(Role::Warning) } else { field_style(model, contents, offset) };
        spans.push(Span::styled(byte.map_or_else(|| "..".into(), hex::encode_byte), style));
        // A glyph marks the byte as well, because colour alone is not enough on every terminal.
        spans.push(if is_changed { span(model, Role::Warning, "*") } else { Span::raw(" ") });
        let letter = byte.filter(|byte| (0x20..0x7f).contains(byte)).map_or('·', char::from);
        letters.push(Span::styled(letter.to_string(), style));
    }
    let missing = model.hex_line_bytes().saturating_sub((bytes.end - bytes.start) as usize);
    spans.push(Span::raw("   ".repeat(missing)));
    spans.extend(letters);
    let names = if name_place == NamePlace::LineEnd { line_field_names(contents, bytes) } else { String::new() };
    if !names.is_empty() {
        spans.push(Span::raw(" ".repeat(missing + 1)));
        spans.push(span(model, Role::Title, names));
    }
    spans
}

/// Returns the names of the fields, each in the style of its bytes.
pub(super) fn legend(model: &Model, contents: &RowContents) -> Vec<Span<'static>> {
    let name_span =
        |field: &FieldSpan| Span::styled(format!("{} ", field.name), field_style(model, contents, field.range.start));
    contents.details.fields.iter().map(name_span).collect()
}

/// Returns the style of the field to which a byte belongs.
fn field_style(model: &Model, contents: &RowContents, offset: u64) -> Style {
    let field = contents.details.fields.iter().enumerate().find(|(_, field)| field.range.contains(&offset));
    let role = match field.map(|(nth, field)| (nth, field.name)) {
        Some((_, "length")) => Role::Length,
        Some((_, "payload")) => Role::Payload,
        Some((_, "checksum")) => Role::Checksum,
        // The fields of the header alternate between two styles.
        Some((nth, _)) if nth % 2 == 0 => Role::Length,
        Some(_) => Role::Checksum,
        None => Role::Text,
    };
    model.theme.style(role)
}
