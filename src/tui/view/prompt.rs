//! A line being typed at the bottom of the screen, with what is proposed above it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use super::pane::span;
use super::text::{display_width, draw_spans, first_chars, fit_safe, pad, style_line};
use crate::report::sanitize;
use crate::tui::model::{Model, Prompt, PromptPurpose, wrap_text};
use crate::tui::theme::Role;

/// Proposals shown at once.
const MAX_PROPOSALS: u16 = 8;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, prompt: &Prompt) {
    let screen = frame.area();
    if screen.height == 0 || screen.width == 0 {
        return;
    }
    let line = Rect::new(0, screen.height - 1, screen.width, 1);
    Clear.render(line, frame.buffer_mut());
    frame.buffer_mut().set_style(line, model.theme.base());
    let sign = match prompt.purpose {
        PromptPurpose::Palette => ":",
        PromptPurpose::Search => "/",
        PromptPurpose::Filter => "filter: ",
    };
    let typed = prompt.input.text();
    let before = display_width(&sanitize(first_chars(typed, prompt.input.cursor()))) + display_width(sign);
    let spans = vec![span(model, Role::Key, sign), span(model, Role::Text, sanitize(typed).into_owned())];
    // A long line is seen from where its cursor is.
    let shift = (before + 1).saturating_sub(usize::from(screen.width));
    draw_spans(frame, line, 0, super::text::skip_span_columns(spans, shift));
    frame.set_cursor_position(Position::new((before - shift) as u16, line.y));
    draw_proposals(frame, model, prompt, line.y);
    if let Some(error) = &prompt.error {
        // Above the line, which may be long itself.
        let text = format!("! {}", sanitize(error));
        let lines = wrap_text(&text, usize::from(screen.width));
        let height = (lines.len() as u16).min(line.y);
        let area = Rect::new(0, line.y - height, screen.width, height);
        Clear.render(area, frame.buffer_mut());
        frame.buffer_mut().set_style(area, model.theme.base());
        for (number, text) in lines.into_iter().take(usize::from(height)).enumerate() {
            draw_spans(frame, area, number as u16, vec![span(model, Role::Damage, text)]);
        }
    }
}

fn draw_proposals(frame: &mut Frame, model: &Model, prompt: &Prompt, bottom: u16) {
    let proposals = prompt.suggestions();
    let height = MAX_PROPOSALS.min(bottom).min(proposals.len() as u16);
    let top = prompt.selected.saturating_sub(usize::from(height).saturating_sub(1));
    let area = Rect::new(0, bottom - height, frame.area().width, height);
    Clear.render(area, frame.buffer_mut());
    frame.buffer_mut().set_style(area, model.theme.base());
    for (line, (number, suggestion)) in proposals.iter().enumerate().skip(top).take(usize::from(height)).enumerate() {
        let marker = if number == prompt.selected { ">" } else { " " };
        let room = usize::from(area.width).saturating_sub(39);
        let spans = vec![
            span(model, Role::Text, format!("{marker} {}", pad(&suggestion.label, 26))),
            span(model, Role::Key, pad(&suggestion.key, 10)),
            span(model, Role::Muted, fit_safe(suggestion.help, room)),
        ];
        draw_spans(frame, area, line as u16, spans);
        if number == prompt.selected {
            style_line(frame, area, line as u16, model.theme.style(Role::Cursor));
        }
    }
}
