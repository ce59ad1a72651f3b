//! The append form.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::pane::{draw_dialog, span};
use super::text::{display_width, draw_spans, first_chars, fit_safe};
use crate::file::Durability;
use crate::report::sanitize;
use crate::tui::model::{AppendForm, FormField, Model, histogram_bars, wrap_text};
use crate::tui::theme::Role;

/// Columns of a label.
const LABEL_COLUMNS: u16 = 16;
/// Lines of the editor at most.
const MAX_EDITOR_LINES: u16 = 6;

/// Draws it.
///
/// ```text
///     event_type       Tested
///     ...
///     payload          {"note":"test"}
///                      good JSON
///     durability       (buffered)  synced
///     how many         1
///
///     1 event buffered, 187 bytes, at offset 155209
///     buffered                        synced
///     ≤ 2 µs  1 ■■■■                   ≤ 128 µs 1 ■■■■
/// ```
pub(super) fn draw(frame: &mut Frame, model: &Model) {
    let screen = frame.area();
    let form = &model.form;
    let area = draw_dialog(frame, model, "Append a test event", (86, 28.min(screen.height.saturating_sub(1).max(1))));
    let editor = MAX_EDITOR_LINES.min(area.height.saturating_sub(12).max(1));
    let heights: Vec<u16> =
        FormField::ALL.iter().map(|(field, _)| if *field == FormField::Payload { editor + 1 } else { 1 }).collect();
    // On a small screen the field that has the keys is the one in sight.
    let at = FormField::ALL.iter().position(|(field, _)| *field == form.field).unwrap_or_default();
    let first = (0..=at).find(|first| heights[*first..=at].iter().sum::<u16>() <= area.height.max(1)).unwrap_or(at);
    let mut line = 0;
    for ((field, label), height) in FormField::ALL.into_iter().zip(heights).skip(first) {
        if line >= area.height {
            return;
        }
        let row = Rect { y: area.y + line, height: height.min(area.height - line), ..area };
        draw_field(frame, model, row, (field, label));
        line += height;
    }
    let left = area.height.saturating_sub(line + 1);
    if left > 0 {
        draw_outcome(frame, model, Rect { y: area.y + line + 1, height: left, ..area });
    }
}

fn draw_field(frame: &mut Frame, model: &Model, area: Rect, (field, label): (FormField, &str)) {
    let form = &model.form;
    let has_keys = form.field == field;
    let role = if has_keys { Role::Focus } else { Role::Muted };
    let marker = if has_keys { ">" } else { " " };
    draw_spans(frame, area, 0, vec![span(model, role, format!("{marker}{label:<15} "))]);
    let value = Rect { x: area.x + LABEL_COLUMNS + 1, width: area.width.saturating_sub(LABEL_COLUMNS + 1), ..area };
    match field {
        FormField::Payload => draw_payload_field(frame, model, value, has_keys),
        FormField::Durability => {
            let choice = |durability, name: &str| {
                let chosen = form.durability == durability;
                let text = if chosen { format!("(•) {name}") } else { format!("( ) {name}") };
                span(model, if chosen { Role::Title } else { Role::Muted }, text)
            };
            let spans = vec![
                choice(Durability::Buffered, "buffered: survives this process"),
                Span::raw("  "),
                choice(Durability::Synced, "synced"),
            ];
            draw_spans(frame, value, 0, spans);
        }
        _ => draw_line_field(frame, model, value, (field, has_keys)),
    }
}

fn draw_line_field(frame: &mut Frame, model: &Model, area: Rect, (field, has_keys): (FormField, bool)) {
    let Some(line) = model.form.input(field) else { return };
    let before = display_width(&sanitize(first_chars(line.text(), line.cursor())));
    let shift = (before + 1).saturating_sub(usize::from(area.width));
    let mut spans = vec![span(model, Role::Text, sanitize(line.text()).into_owned())];
    if let Some(wrong) = model.form.field_error(field) {
        spans.push(span(model, Role::Damage, format!("  ! {wrong}")));
    } else if field == FormField::Aggregate && line.text().is_empty() {
        spans.push(span(model, Role::Muted, " none"));
    }
    draw_spans(frame, area, 0, super::text::skip_span_columns(spans, if has_keys { shift } else { 0 }));
    let visible = area.intersection(frame.area());
    if has_keys && !visible.is_empty() && model.overlays.len() == 1 {
        frame.set_cursor_position(Position::new(area.x + (before - shift) as u16, area.y));
    }
}

fn draw_payload_field(frame: &mut Frame, model: &Model, area: Rect, has_keys: bool) {
    let form = &model.form;
    let editor = Rect { height: area.height.saturating_sub(1), ..area }.intersection(frame.area());
    let mut text = form.editor.clone();
    // What was pasted may hold anything: it is drawn safe, and kept as it is.
    let safe_lines: Vec<String> = text.lines().iter().map(|line| sanitize(line).into_owned()).collect();
    if safe_lines != text.lines() {
        let cursor = text.cursor();
        text = ratatui_textarea::TextArea::new(safe_lines);
        text.move_cursor(ratatui_textarea::CursorMove::Jump(cursor.0 as u16, cursor.1 as u16));
    }
    text.set_cursor_line_style(Style::new());
    text.set_cursor_style(if has_keys { model.theme.style(Role::Cursor) } else { Style::new() });
    if !editor.is_empty() {
        (&text).render(editor, frame.buffer_mut());
    }
    let (role, said) = match form.field_error(FormField::Payload) {
        Some(wrong) => (Role::Damage, format!("! {wrong}")),
        None => (Role::Good, "good JSON; Ctrl-j breaks the line, Enter sends".into()),
    };
    draw_spans(
        frame,
        area,
        area.height.saturating_sub(1),
        vec![span(model, role, fit_safe(&said, usize::from(area.width)))],
    );
}

fn draw_outcome(frame: &mut Frame, model: &Model, area: Rect) {
    let form = &model.form;
    let room = usize::from(area.width);
    let mut line = 0;
    for text in form.outcome.iter().flat_map(|text| wrap_text(text, room)) {
        draw_spans(frame, area, line, vec![span(model, Role::Title, fit_safe(&text, room))]);
        line += 1;
    }
    let half = area.width / 2;
    for (nth, (durability, name)) in
        [(Durability::Buffered, "buffered"), (Durability::Synced, "synced")].iter().enumerate()
    {
        let times = form.latencies_for(*durability);
        if times.is_empty() {
            continue;
        }
        let column = Rect { x: area.x + half * nth as u16, width: half, ..area };
        draw_spans(frame, column, line, vec![span(model, Role::Muted, format!("{name}, {} in this run", times.len()))]);
        for (number, bar) in latency_bars(form, *durability, usize::from(half)).into_iter().enumerate() {
            draw_spans(frame, column, line + 1 + number as u16, vec![span(model, Role::Good, bar)]);
        }
    }
}

fn latency_bars(form: &AppendForm, durability: Durability, room: usize) -> Vec<String> {
    histogram_bars(form.latencies_for(durability), room)
}
