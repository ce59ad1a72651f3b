//! The dialog in which the columns of the list of events are chosen.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::pane::{draw_dialog_in, span};
use super::text::{display_width, draw_spans, first_chars, fit_safe, pad, skip_span_columns, style_line};
use crate::report::sanitize;
use crate::tui::layout;
use crate::tui::model::{ColumnChooser, Model, TextInput};
use crate::tui::theme::Role;

/// Width of the column with the names.
const NAME_COLUMNS: usize = 18;

/// Draws the dialog at the right side of the screen, so that the list stays visible.
pub(super) fn draw(frame: &mut Frame, model: &Model, chooser: &ColumnChooser) {
    let choices = model.list.columns.choices();
    let area = draw_dialog_in(frame, model, "Columns", layout::column_chooser_area(model.size, choices.len()));
    let list_height = layout::column_chooser_lines(model.size, choices.len());
    let areas = layout::compute_areas(model);
    let fitting = layout::EventColumns::for_width(model, usize::from(areas.table_body(areas.main).width));
    for (line, (number, choice)) in (0..list_height).zip(choices.iter().enumerate().skip(chooser.cursor.top)) {
        let fits = !choice.is_shown || fitting.width_of(&choice.column).is_some();
        let adjustment =
            if choice.adjustment == 0 { String::new() } else { format!("width {:+}  ", choice.adjustment) };
        let spans = vec![
            span(model, Role::Key, if choice.is_shown { "[x] " } else { "[ ] " }),
            span(model, Role::Text, pad(&choice.column.name(), NAME_COLUMNS) + " "),
            span(model, Role::Warning, adjustment),
            span(model, Role::Warning, if fits { "" } else { "no room now  " }),
            span(model, Role::Muted, choice.column.description()),
        ];
        draw_spans(frame, area, line, spans);
        if number == chooser.cursor.line {
            style_line(frame, area, line, model.theme.style(Role::Cursor));
        }
    }
    if let Some(input) = &chooser.path_input {
        draw_path(frame, model, Rect { y: area.y + list_height.min(area.height.saturating_sub(1)), ..area }, input);
    }
    let error_line = (list_height + 1).min(area.height.saturating_sub(1));
    if let Some(error) = &chooser.error {
        let text = fit_safe(&format!("! {error}"), usize::from(area.width));
        draw_spans(frame, area, error_line, vec![span(model, Role::Damage, text)]);
    }
}

fn draw_path(frame: &mut Frame, model: &Model, area: Rect, input: &TextInput) {
    let label = "payload.";
    let cursor = display_width(label) + display_width(&sanitize(first_chars(input.text(), input.cursor())));
    let spans = vec![span(model, Role::Key, label), span(model, Role::Text, sanitize(input.text()).into_owned())];
    let scroll_columns = (cursor + 1).saturating_sub(usize::from(area.width));
    draw_spans(frame, area, 0, skip_span_columns(spans, scroll_columns));
    frame.set_cursor_position(Position::new(area.x + (cursor - scroll_columns) as u16, area.y));
}
