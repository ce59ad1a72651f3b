//! Help: every action with its keys, filtered as one types.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::pane::{span, window};
use super::text::{fit, head, pad, put, tint, width};
use crate::report::safe;
use crate::tui::actions::{Action, Place};
use crate::tui::layout::help_about;
use crate::tui::model::{Help, Model, pieces};
use crate::tui::theme::Role;
use crate::tui::update::why_not;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, help: &Help) {
    let screen = frame.area();
    let area = window(frame, model, "Help: type to filter, Enter runs, Esc leaves", (screen.width, screen.height));
    if area.height == 0 || area.width == 0 {
        return;
    }
    let typed = safe(help.line.text()).into_owned();
    let before = width(&safe(head(help.line.text(), help.line.cursor()))) as u16;
    put(frame, area, 0, vec![span(model, Role::Key, "> "), span(model, Role::Text, typed)]);
    frame.set_cursor_position(Position::new((area.x + 2 + before).min(area.right().saturating_sub(1)), area.y));
    let actions = help.actions();
    let room = usize::from(area.width);
    let shown = actions.iter().enumerate().skip(help.cursor.top).take(help.cursor.height);
    for (line, (number, action)) in shown.enumerate() {
        let line = line as u16 + 1;
        let keys: Vec<String> = action.keys.iter().map(ToString::to_string).collect();
        let keys = match action.place {
            Place::AfterY => format!("y {}", keys.join(" ")),
            _ if keys.is_empty() => format!(":{}", action.title),
            _ => keys.join(" "),
        };
        let why = why_not(model, action.id).filter(|_| matches!(action.place, Place::Main | Place::AfterY));
        let text = why.map_or_else(|| action.help.to_owned(), |why| format!("{} (not now: {why})", action.help));
        let spans = vec![
            span(model, Role::Key, pad(&keys, 14) + " "),
            span(model, Role::Title, pad(action.title, 22) + " "),
            span(model, Role::Text, fit(&text, room.saturating_sub(38))),
        ];
        put(frame, area, line, spans);
        if number == help.cursor.at {
            tint(frame, area, line, model.theme.style(Role::Cursor));
        }
    }
    if let Some(action) = actions.get(help.cursor.at)
        && help_about(screen.height) > 0
    {
        about(frame, model, area, action);
    }
}

/// What is said of the chosen action, whole, and the command that does the same.
fn about(frame: &mut Frame, model: &Model, area: Rect, action: &Action) {
    let room = usize::from(area.width).max(1);
    let twin = action.twin.map(|twin| format!("without a screen: {twin}"));
    let lines = pieces(action.help, room).into_iter().take(2).map(|text| (Role::Text, text));
    let lines = lines.chain(twin.map(|text| (Role::Quiet, text)));
    for (line, (role, text)) in lines.enumerate() {
        put(frame, area, area.height.saturating_sub(3) + line as u16, vec![span(model, role, fit(&text, room))]);
    }
}
