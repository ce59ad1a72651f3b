//! The form that appends a test event, with the result of the last append and its latencies.

use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Widget;
use ratatui_textarea::{CursorMove, TextArea};

use super::pane::{draw_dialog, span};
use super::text::{display_width, draw_spans, first_chars, fit_safe, skip_span_columns};
use crate::file::Durability;
use crate::report::sanitize;
use crate::report::units::format_count;
use crate::tui::actions::ActionId;
use crate::tui::model::{FormField, Model, histogram_bars, wrap_text};
use crate::tui::theme::Role;

/// Width of a label in columns, without the marker before it and the space after it.
const LABEL_COLUMNS: u16 = 15;
/// Smallest number of lines of the payload editor on a screen that has room for them.
const MIN_EDITOR_LINES: u16 = 3;
/// Number of lines of the other fields, and of the message below the payload.
const FIELD_LINES: u16 = 8;
/// Number of lines that the payload leaves for the result of an append, with the empty line above it.
const RESULT_LINES: u16 = 5;
/// Lines that a border takes.
const BORDER_LINES: u16 = 2;
/// Largest size of the form, border included.
const MAX_FORM_SIZE: Size = Size { width: 86, height: 28 };

/// One field of the form, and whether it has the focus.
struct FieldRow {
    field: FormField,
    focus: FieldFocus,
}

/// Whether a field of the form receives the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FieldFocus {
    /// The field receives the keys.
    Focused,
    /// Another field receives the keys.
    Unfocused,
}

/// Draws the append form with its border.
///
/// ```text
///     event_type       Tested
///     ...
///     payload          {"note":"test"}
///                      valid JSON; Ctrl-j breaks the line, Enter appends
///     durability       (•) buffered  ( ) synced
///     count            1
///
///     1 event buffered, 187 bytes, at offset 155209
///     buffered: 1 append in this session   synced: 1 append in this session
///     ≤ 2 µs  1 ■■■■                       ≤ 128 µs 1 ■■■■
/// ```
pub(super) fn draw(frame: &mut Frame, model: &Model) {
    let form = &model.form;
    let screen = frame.area().as_size();
    let max_height = MAX_FORM_SIZE.height.min(screen.height.saturating_sub(1).max(1));
    let outcome_width = usize::from(screen.width.min(MAX_FORM_SIZE.width).saturating_sub(4)).max(1);
    let outcome_lines = outcome_lines(model, outcome_width);
    // The form is as high as its contents, and the payload takes as many lines as it has.
    let payload_lines = u16::try_from(form.editor.lines().len()).unwrap_or(u16::MAX).max(MIN_EDITOR_LINES);
    let other_lines = FIELD_LINES + outcome_lines.min(RESULT_LINES) + BORDER_LINES;
    let height =
        max_height.min((payload_lines.saturating_add(FIELD_LINES + BORDER_LINES)).saturating_add(outcome_lines));
    let area = draw_dialog(frame, model, "Append a test event", Size { height, ..MAX_FORM_SIZE });
    let editor_lines = payload_lines.min(max_height.saturating_sub(other_lines)).max(1);
    let field_height = |field| if field == FormField::Payload { editor_lines + 1 } else { 1 };
    let heights: Vec<u16> = FormField::ALL.iter().map(|field| field_height(*field)).collect();
    // On a small screen the form is scrolled so that the field with the focus is visible.
    let focused = FormField::ALL.iter().position(|field| *field == form.field).unwrap_or_default();
    let fits_from = |first: &usize| heights[*first..=focused].iter().sum::<u16>() <= area.height.max(1);
    let first = (0..=focused).find(fits_from).unwrap_or(focused);
    let mut line = 0;
    for (field, height) in FormField::ALL.into_iter().zip(heights).skip(first) {
        if line >= area.height {
            return;
        }
        let row_area = Rect { y: area.y + line, height: height.min(area.height - line), ..area };
        let focus = if form.field == field { FieldFocus::Focused } else { FieldFocus::Unfocused };
        draw_field(frame, model, row_area, &FieldRow { field, focus });
        line += height;
    }
    let outcome_height = area.height.saturating_sub(line + 1);
    if outcome_height > 0 {
        draw_outcome(frame, model, Rect { y: area.y + line + 1, height: outcome_height, ..area });
    }
}

fn draw_field(frame: &mut Frame, model: &Model, area: Rect, row: &FieldRow) {
    let (marker, role) = match row.focus {
        FieldFocus::Focused => (">", Role::Focus),
        FieldFocus::Unfocused => (" ", Role::Muted),
    };
    let label = format!("{marker}{:<width$} ", row.field.label(), width = usize::from(LABEL_COLUMNS));
    draw_spans(frame, area, 0, vec![span(model, role, label)]);
    let label_columns = LABEL_COLUMNS + 2;
    let value = Rect { x: area.x + label_columns, width: area.width.saturating_sub(label_columns), ..area };
    match row.field {
        FormField::Payload => draw_payload_field(frame, model, value, row.focus),
        FormField::Durability => draw_durability_field(frame, model, value),
        _ => draw_line_field(frame, model, value, row),
    }
}

fn draw_durability_field(frame: &mut Frame, model: &Model, area: Rect) {
    let chosen = model.form.durability;
    let choice = |durability, name: &str| {
        if chosen == durability {
            span(model, Role::Title, format!("(•) {name}"))
        } else {
            span(model, Role::Muted, format!("( ) {name}"))
        }
    };
    let guarantee = match chosen {
        Durability::Buffered => "survives a crash of the program",
        Durability::Synced => "survives a power cut",
    };
    let spans = vec![
        choice(Durability::Buffered, "buffered"),
        Span::raw("  "),
        choice(Durability::Synced, "synced"),
        span(model, Role::Muted, format!("   {guarantee}")),
    ];
    draw_spans(frame, area, 0, spans);
}

fn draw_line_field(frame: &mut Frame, model: &Model, area: Rect, row: &FieldRow) {
    let Some(input) = model.form.input(row.field) else { return };
    let cursor_column = display_width(&sanitize(first_chars(input.text(), input.cursor())));
    // A field with the focus is scrolled so that the cursor is visible.
    let scroll_columns = match row.focus {
        FieldFocus::Focused => (cursor_column + 1).saturating_sub(usize::from(area.width)),
        FieldFocus::Unfocused => 0,
    };
    let mut spans = vec![span(model, Role::Text, sanitize(input.text()).into_owned())];
    if let Some(error) = model.form.field_error(row.field) {
        spans.push(span(model, Role::Damage, format!("  ! {error}")));
    } else if row.field == FormField::Aggregate && input.text().is_empty() {
        spans.push(span(model, Role::Muted, " none"));
    }
    draw_spans(frame, area, 0, skip_span_columns(spans, scroll_columns));
    let is_visible = !area.intersection(frame.area()).is_empty();
    if row.focus == FieldFocus::Focused && is_visible && model.overlays.len() == 1 {
        frame.set_cursor_position(Position::new(area.x + (cursor_column - scroll_columns) as u16, area.y));
    }
}

fn draw_payload_field(frame: &mut Frame, model: &Model, area: Rect, focus: FieldFocus) {
    let form = &model.form;
    let editor_area = Rect { height: area.height.saturating_sub(1), ..area }.intersection(frame.area());
    let mut editor = form.editor.clone();
    // Pasted text may contain control characters. The drawn text is sanitized; the appended payload is not.
    let safe_lines: Vec<String> = editor.lines().iter().map(|line| sanitize(line).into_owned()).collect();
    if safe_lines != editor.lines() {
        let cursor = editor.cursor();
        editor = TextArea::new(safe_lines);
        editor.move_cursor(CursorMove::Jump(cursor.0 as u16, cursor.1 as u16));
    }
    editor.set_cursor_line_style(Style::new());
    let cursor_style = if focus == FieldFocus::Focused { model.theme.style(Role::Cursor) } else { Style::new() };
    editor.set_cursor_style(cursor_style);
    if !editor_area.is_empty() {
        (&editor).render(editor_area, frame.buffer_mut());
        mark_fault(frame, model, editor_area, &editor);
    }
    let (role, text) = if let Some(error) = form.field_error(FormField::Payload) {
        (Role::Damage, format!("! {error}"))
    } else {
        let (line_break, append) = (model.keys.hint(ActionId::LineBreak), model.keys.hint(ActionId::SubmitForm));
        (Role::Good, format!("valid JSON; {line_break} breaks the line, {append} appends"))
    };
    let status = span(model, role, fit_safe(&text, usize::from(area.width)));
    draw_spans(frame, area, area.height.saturating_sub(1), vec![status]);
}

/// Marks the character of the payload at which it is not valid JSON, when it is visible.
fn mark_fault(frame: &mut Frame, model: &Model, area: Rect, editor: &TextArea) {
    let Some((line, character)) = model.form.payload_fault() else { return };
    let (top, left) = editor.scroll_offset();
    let text = model.form.editor.lines().get(line).map(String::as_str).unwrap_or_default();
    let column = display_width(&sanitize(first_chars(text, character)));
    let (Some(y), Some(x)) = (line.checked_sub(usize::from(top)), column.checked_sub(usize::from(left))) else {
        return;
    };
    if y < usize::from(area.height) && x < usize::from(area.width) {
        let cell = Rect::new(area.x + x as u16, area.y + y as u16, 1, 1);
        let style = model.theme.style(Role::Damage).add_modifier(Modifier::UNDERLINED | Modifier::REVERSED);
        frame.buffer_mut().set_style(cell, style);
    }
}

/// Returns the number of lines of the result of the last append, with the empty line above it; 0 when there is no result.
fn outcome_lines(model: &Model, width: usize) -> u16 {
    let form = &model.form;
    if !form.has_result() {
        return 0;
    }
    let texts: usize = form.outcome.iter().map(|text| wrap_text(text, width).len()).sum();
    let bars = [Durability::Buffered, Durability::Synced]
        .map(|durability| histogram_bars(form.latencies_for(durability), width / 2).len());
    let highest = bars.into_iter().max().unwrap_or_default();
    // The bars have a title.
    let histogram = if highest > 0 { highest + 1 } else { 0 };
    u16::try_from(1 + texts + histogram).unwrap_or(u16::MAX)
}

/// Draws the result of the last append, and below it a latency histogram for each durability.
fn draw_outcome(frame: &mut Frame, model: &Model, area: Rect) {
    let form = &model.form;
    let width = usize::from(area.width);
    let mut line = 0;
    for text in form.outcome.iter().flat_map(|text| wrap_text(text, width)) {
        draw_spans(frame, area, line, vec![span(model, Role::Title, fit_safe(&text, width))]);
        line += 1;
    }
    let half_width = area.width / 2;
    for (nth, (durability, name)) in (0..).zip([(Durability::Buffered, "buffered"), (Durability::Synced, "synced")]) {
        let latencies = form.latencies_for(durability);
        if latencies.is_empty() {
            continue;
        }
        let column = Rect { x: area.x + half_width * nth, width: half_width, ..area };
        let title = format!("{name}: {} in this session", format_count(latencies.len() as u64, "append"));
        draw_spans(frame, column, line, vec![span(model, Role::Muted, title)]);
        for (bar_line, bar) in (line + 1..).zip(histogram_bars(latencies, usize::from(half_width))) {
            draw_spans(frame, column, bar_line, vec![span(model, Role::Good, bar)]);
        }
    }
}
