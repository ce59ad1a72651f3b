//! The prompt at the bottom of the screen: the line that the user types, with suggestions or an error above it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::widgets::{Clear, Widget};

use super::pane::span;
use super::text::{display_width, draw_spans, first_chars, fit_safe, pad, skip_span_columns, style_line};
use crate::report::{Tone, sanitize};
use crate::tui::actions::action_by_id;
use crate::tui::model::{Model, Prompt, PromptFeedback, PromptPurpose, wrap_text};
use crate::tui::theme::Role;

/// Largest number of suggestions that are visible.
const MAX_SUGGESTIONS: u16 = 8;
/// Width of the column with the labels of suggestions.
const LABEL_COLUMNS: usize = 26;
/// Width of the column with the keys of suggestions.
const KEY_COLUMNS: usize = 10;

/// Draws the prompt with its suggestions and its error.
pub(super) fn draw(frame: &mut Frame, model: &Model, prompt: &Prompt) {
    let screen = frame.area();
    if screen.is_empty() {
        return;
    }
    let area = Rect::new(0, screen.height - 1, screen.width, 1);
    let feedback = model.prompt_feedback(prompt);
    draw_input(frame, model, prompt, feedback.as_ref().and_then(|feedback| feedback.at), area);
    draw_suggestions(frame, model, prompt, area.y);
    if let Some(feedback) = &feedback {
        draw_feedback(frame, model, feedback, area.y);
    }
}

/// Draws the typed text. The word with the fault at position `fault` is marked from there on.
fn draw_input(frame: &mut Frame, model: &Model, prompt: &Prompt, fault: Option<usize>, area: Rect) {
    clear(frame, model, area);
    let label = match prompt.purpose {
        PromptPurpose::Palette => ":",
        PromptPurpose::Search => "/",
        PromptPurpose::Filter => "filter: ",
        PromptPurpose::ExportPath => "write to file: ",
        PromptPurpose::AggregateId => "aggregate id: ",
    };
    let text = prompt.input.text();
    let cursor_column = display_width(label) + display_width(&sanitize(first_chars(text, prompt.input.cursor())));
    let (before, rest) = fault.and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
    let (faulty, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    let piece = |role, text: &str| span(model, role, sanitize(text).into_owned());
    let mut marked = piece(Role::Damage, faulty);
    marked.style = marked.style.add_modifier(Modifier::UNDERLINED);
    let spans = vec![span(model, Role::Key, label), piece(Role::Text, before), marked, piece(Role::Text, after)];
    // A long line is scrolled so that the cursor is visible.
    let scroll_columns = (cursor_column + 1).saturating_sub(usize::from(area.width));
    draw_spans(frame, area, 0, skip_span_columns(spans, scroll_columns));
    frame.set_cursor_position(Position::new((cursor_column - scroll_columns) as u16, area.y));
}

/// Draws the message about the text above the prompt, wrapped to the width of the screen.
fn draw_feedback(frame: &mut Frame, model: &Model, feedback: &PromptFeedback, bottom: u16) {
    let (glyph, role) = match feedback.tone {
        Tone::Bad => ("! ", Role::Damage),
        Tone::Warning => ("! ", Role::Warning),
        Tone::Plain | Tone::Good => ("", Role::Muted),
    };
    let width = frame.area().width;
    let lines = wrap_text(&format!("{glyph}{}", sanitize(&feedback.text)), usize::from(width));
    let height = (lines.len() as u16).min(bottom);
    let area = Rect::new(0, bottom - height, width, height);
    clear(frame, model, area);
    for (line, text) in (0..height).zip(lines) {
        draw_spans(frame, area, line, vec![span(model, role, text)]);
    }
}

fn draw_suggestions(frame: &mut Frame, model: &Model, prompt: &Prompt, bottom: u16) {
    let suggestions = prompt.suggestions(model.completion_sources());
    let height = MAX_SUGGESTIONS.min(bottom).min(suggestions.len() as u16);
    let top = prompt.selected_suggestion.saturating_sub(usize::from(height).saturating_sub(1));
    let area = Rect::new(0, bottom - height, frame.area().width, height);
    clear(frame, model, area);
    for (line, (number, suggestion)) in (0..height).zip(suggestions.iter().enumerate().skip(top)) {
        let marker = if number == prompt.selected_suggestion { ">" } else { " " };
        let action = suggestion.action.and_then(action_by_id);
        let key = action.and_then(|action| model.keys.keys(action).first()).map(ToString::to_string);
        let available = usize::from(area.width).saturating_sub(LABEL_COLUMNS + KEY_COLUMNS + 3);
        let spans = vec![
            span(model, Role::Text, format!("{marker} {}", pad(&suggestion.label, LABEL_COLUMNS))),
            span(model, Role::Key, pad(&key.unwrap_or_default(), KEY_COLUMNS)),
            span(model, Role::Muted, fit_safe(&suggestion.help, available)),
        ];
        draw_spans(frame, area, line, spans);
        if number == prompt.selected_suggestion {
            style_line(frame, area, line, model.theme.style(Role::Cursor));
        }
    }
}

/// Clears an area, so that the panes below it are not visible there.
fn clear(frame: &mut Frame, model: &Model, area: Rect) {
    Clear.render(area, frame.buffer_mut());
    frame.buffer_mut().set_style(area, model.theme.base());
}
