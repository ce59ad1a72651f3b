//! Help: every action with its keys, filtered as one types.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::pane::{draw_dialog, span};
use super::text::{display_width, draw_spans, first_chars, fit_safe, pad, style_line};
use crate::report::sanitize;
use crate::tui::actions::{ActionScope, ActionSpec};
use crate::tui::layout::help_description_height;
use crate::tui::model::{HelpOverlay, Model, wrap_text};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, help: &HelpOverlay) {
    let screen = frame.area();
    let area = draw_dialog(frame, model, "Help: type to filter, Enter runs, Esc leaves", (screen.width, screen.height));
    if area.height == 0 || area.width == 0 {
        return;
    }
    let typed = sanitize(help.input.text()).into_owned();
    let before = display_width(&sanitize(first_chars(help.input.text(), help.input.cursor()))) as u16;
    draw_spans(frame, area, 0, vec![span(model, Role::Key, "> "), span(model, Role::Text, typed)]);
    frame.set_cursor_position(Position::new((area.x + 2 + before).min(area.right().saturating_sub(1)), area.y));
    let actions = help.matching_actions();
    let room = usize::from(area.width);
    let shown = actions.iter().enumerate().skip(help.cursor.top).take(help.cursor.height);
    for (line, (number, action)) in shown.enumerate() {
        let line = line as u16 + 1;
        let keys: Vec<String> = action.keys.iter().map(ToString::to_string).collect();
        let keys = match action.scope {
            ActionScope::CopyChord => format!("y {}", keys.join(" ")),
            _ if keys.is_empty() => format!(":{}", action.title),
            _ => keys.join(" "),
        };
        let why = model
            .disabled_reason(action.id)
            .filter(|_| matches!(action.scope, ActionScope::Main | ActionScope::CopyChord));
        let text = why.map_or_else(|| action.help.to_owned(), |why| format!("{} (not now: {why})", action.help));
        let spans = vec![
            span(model, Role::Key, pad(&keys, 14) + " "),
            span(model, Role::Title, pad(action.title, 22) + " "),
            span(model, Role::Text, fit_safe(&text, room.saturating_sub(38))),
        ];
        draw_spans(frame, area, line, spans);
        if number == help.cursor.line {
            style_line(frame, area, line, model.theme.style(Role::Cursor));
        }
    }
    if let Some(action) = actions.get(help.cursor.line)
        && help_description_height(screen.height) > 0
    {
        draw_description(frame, model, area, action);
    }
}

/// What is said of the chosen action, whole, and the command that does the same.
fn draw_description(frame: &mut Frame, model: &Model, area: Rect, action: &ActionSpec) {
    let room = usize::from(area.width).max(1);
    let command = action.cli_equivalent.map(|twin| format!("without a screen: {twin}"));
    let lines = wrap_text(action.help, room).into_iter().take(2).map(|text| (Role::Text, text));
    let lines = lines.chain(command.map(|text| (Role::Muted, text)));
    for (line, (role, text)) in lines.enumerate() {
        draw_spans(
            frame,
            area,
            area.height.saturating_sub(3) + line as u16,
            vec![span(model, role, fit_safe(&text, room))],
        );
    }
}
