//! Bytes in hex, with the fields they belong to marked by style and named at the line they start on.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::detail::under_cursor;
use super::pane::span;
use super::text::{put, scrolled};
use crate::report::units::hex_offset;
use crate::tui::model::{Contents, Model, fix_lines};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
///
/// ```text
///     00000010  00 00 00 e9 7b 22 77 72 69 74 65 5f 74 69 6d 65 ....{"write_time length
///     00000020  73 74 61 6d 70 5f 6d 73 22 3a 31 37 36 36 37 31 stamp_ms":176671 payload
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

/// Draws what a fix would change, above the bytes; the bytes themselves are marked where they stand.
pub(super) fn draw_fix(frame: &mut Frame, area: Rect, model: &Model, contents: &Contents) {
    let Some(fix) = contents.fix.as_ref().filter(|_| area.height > 0) else { return };
    let lines = fix_lines(fix, usize::from(area.width));
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    for (number, text) in lines.into_iter().take(usize::from(area.height)).enumerate() {
        let last = hidden > 0 && number + 1 == usize::from(area.height);
        let text = if last { format!("... and {} more lines; z gives the pane more room", hidden + 1) } else { text };
        let role = if number == 0 { Role::Title } else { Role::Warning };
        put(frame, area, number as u16, vec![span(model, role, text)]);
    }
}

/// True for a byte that a fix would change.
fn is_changed(contents: &Contents, offset: u64) -> bool {
    let candidates = contents.fix.iter().flat_map(|fix| &fix.candidates);
    let mut changes = candidates.flat_map(|candidate| &candidate.changes);
    changes.any(|change| offset.checked_sub(change.offset).is_some_and(|at| at < change.after.len() as u64))
}

fn line(model: &Model, contents: &Contents, (start, end): (u64, u64)) -> Vec<Span<'static>> {
    let offset = hex_offset(start);
    let offset = offset.strip_prefix("0x").unwrap_or(&offset);
    let mut spans = vec![span(model, Role::Quiet, format!("{offset}  "))];
    let mut letters = Vec::new();
    for offset in start..end {
        let byte = offset.checked_sub(contents.base).and_then(|at| contents.bytes.get(at as usize)).copied();
        let style = if is_changed(contents, offset) {
            model.theme.style(Role::Warning)
        } else {
            style(model, contents, offset)
        };
        let text = byte.map_or_else(|| "..".into(), |byte| format!("{byte:02x}"));
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
    let names = names(contents, (start, end));
    if !names.is_empty() {
        spans.push(Span::raw(" ".repeat(missing as usize + 1)));
        spans.push(span(model, Role::Title, names.join(", ")));
    }
    spans
}

/// The fields named on a line: those that start there, each but the first on the next line where it goes on.
fn names(contents: &Contents, (start, end): (u64, u64)) -> Vec<&'static str> {
    let width = end - start;
    let here =
        |(from, to): (u64, u64)| contents.marks.iter().filter(move |mark| (from..to).contains(&mark.range.start));
    let goes_on = |mark: &&crate::tui::model::Mark, end: u64| mark.range.end > end;
    let put_off = here((start.saturating_sub(width), start)).skip(1).filter(|mark| goes_on(mark, start));
    let mut names: Vec<_> = put_off.map(|mark| mark.name).collect();
    let own = here((start, end)).enumerate().filter(|(nth, mark)| *nth == 0 || !goes_on(mark, end));
    names.extend(own.map(|(_, mark)| mark.name));
    names
}

/// The fields by name, each in its own style.
pub(super) fn legend(model: &Model, contents: &Contents) -> Vec<Span<'static>> {
    let named = |mark: &crate::tui::model::Mark| {
        Span::styled(format!("{} ", mark.name), style(model, contents, mark.range.start))
    };
    contents.marks.iter().map(named).collect()
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
