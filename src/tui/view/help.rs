//! The help screen: all actions with their keys, those of the focused pane first, filtered by the text that the user types.

use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};

use super::legend;
use super::pane::{draw_dialog, span};
use super::text::{display_width, draw_spans, first_chars, fit_safe, pad, style_line};
use crate::report::sanitize;
use crate::tui::actions::{ActionId, ActionScope, ActionSpec};
use crate::tui::layout::help_description_height;
use crate::tui::model::{HelpLine, HelpOverlay, Model, TextInput, help_legend_height, wrap_text};
use crate::tui::theme::Role;

/// Width of the column with the keys.
const KEY_COLUMNS: usize = 14;
/// Width of the column with the keys on a narrow screen.
const NARROW_KEY_COLUMNS: usize = 6;
/// Minimum width of a help whose keys have their full column.
const MIN_FULL_WIDTH: u16 = 44;
/// Width of the column with the titles.
const TITLE_COLUMNS: usize = 22;

/// Draws the help screen.
pub(super) fn draw(frame: &mut Frame, model: &Model, help: &HelpOverlay) {
    let screen = frame.area();
    let (run, close) = (model.keys.hint(ActionId::SubmitPrompt), model.keys.hint(ActionId::ClosePrompt));
    let title = format!("Help: type to filter, {run} runs the action, {close} closes");
    let area = draw_dialog(frame, model, &title, Size::new(screen.width, screen.height));
    if area.is_empty() {
        return;
    }
    draw_input(frame, model, area, &help.input);
    let legend_height = help_legend_height(screen.height);
    legend::draw(
        frame,
        Rect { y: area.y + 1, height: legend_height.min(area.height.saturating_sub(1)), ..area },
        model,
    );
    let lines = model.help_lines(help);
    if lines.is_empty() {
        let text = format!("no action has this key or text; {close} closes the help");
        draw_spans(frame, area, 1 + legend_height, vec![span(model, Role::Muted, text)]);
    }
    let visible = lines.iter().enumerate().skip(help.cursor.top).take(help.cursor.height);
    for (line, (number, content)) in (1 + legend_height..).zip(visible) {
        match content {
            HelpLine::Heading(title) => draw_spans(frame, area, line, vec![span(model, Role::Title, title.clone())]),
            HelpLine::Action(action) => draw_action(frame, model, area, line, action),
            HelpLine::Legend(number) => legend::draw_line(frame, area, line, (model, *number)),
        }
        if number == help.cursor.line {
            style_line(frame, area, line, model.theme.style(Role::Cursor));
        }
    }
    if let Some(HelpLine::Action(action)) = lines.get(help.cursor.line)
        && help_description_height(screen.height) > 0
    {
        draw_description(frame, model, area, action);
    }
}

fn draw_input(frame: &mut Frame, model: &Model, area: Rect, input: &TextInput) {
    let prompt = "> ";
    let text = sanitize(input.text()).into_owned();
    let cursor_column = display_width(prompt) + display_width(&sanitize(first_chars(input.text(), input.cursor())));
    draw_spans(frame, area, 0, vec![span(model, Role::Key, prompt), span(model, Role::Text, text)]);
    let x = (area.x + cursor_column as u16).min(area.right().saturating_sub(1));
    frame.set_cursor_position(Position::new(x, area.y));
}

fn draw_action(frame: &mut Frame, model: &Model, area: Rect, line: u16, action: &ActionSpec) {
    let keys: Vec<String> = model.keys.keys(action).iter().map(ToString::to_string).collect();
    let keys = match action.scope {
        ActionScope::CopyChord => format!("{} {}", model.keys.hint(ActionId::Copy), keys.join(" ")),
        _ if keys.is_empty() => format!(":{}", action.title),
        _ => keys.join(" "),
    };
    // Actions of other scopes are enabled depending on a dialog or form that is not open here.
    let has_state = matches!(action.scope, ActionScope::Main | ActionScope::CopyChord);
    let text = match model.disabled_reason(action.id).filter(|_| has_state) {
        Some(reason) => format!("{} (unavailable: {reason})", action.help),
        None => action.help.to_owned(),
    };
    let key_columns = if area.width < MIN_FULL_WIDTH { NARROW_KEY_COLUMNS } else { KEY_COLUMNS };
    let available = usize::from(area.width).saturating_sub(key_columns + TITLE_COLUMNS + 2);
    let spans = vec![
        span(model, Role::Key, pad(&keys, key_columns) + " "),
        span(model, Role::Title, pad(action.title, TITLE_COLUMNS) + " "),
        span(model, Role::Text, fit_safe(&text, available)),
    ];
    draw_spans(frame, area, line, spans);
}

/// Draws the full help text of the selected action, and its equivalent on the command line.
fn draw_description(frame: &mut Frame, model: &Model, area: Rect, action: &ActionSpec) {
    let width = usize::from(area.width).max(1);
    let help = wrap_text(action.help, width).into_iter().take(2).map(|text| (Role::Text, text));
    let command = action.cli_equivalent.map(|command| (Role::Muted, format!("On the command line: {command}")));
    for (line, (role, text)) in (area.height.saturating_sub(3)..).zip(help.chain(command)) {
        draw_spans(frame, area, line, vec![span(model, role, fit_safe(&text, width))]);
    }
}
