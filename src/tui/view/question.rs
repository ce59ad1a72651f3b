//! A question before something is written.

use ratatui::Frame;

use super::pane::{span, window};
use super::text::{fit, put};
use crate::tui::layout::{self, QUESTION};
use crate::tui::model::{Choice, Model, Question};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, question: &Question) {
    let width = QUESTION.min(frame.area().width);
    let (room, shown) = layout::question(model.size, question);
    let lines = question.wrapped(room);
    let area =
        window(frame, model, &question.title, (width, lines.len().min(usize::from(frame.area().height)) as u16 + 5));
    // The answers are always in sight, however small the screen is.
    let above = area.height.saturating_sub(2);
    let hidden = lines.len().saturating_sub(question.top + shown);
    for (line, text) in lines.iter().skip(question.top).take(usize::from(above)).enumerate() {
        put(frame, area, line as u16, vec![span(model, Role::Text, fit(text, room))]);
    }
    let answer = |choice, name: &str| {
        let chosen = question.choice == choice;
        let text = match (chosen, area.width >= 30) {
            (true, true) => format!("[> {name} <]   "),
            (false, true) => format!("[  {name}  ]   "),
            (true, false) => format!(">{name}<"),
            (false, false) => format!(" {name} "),
        };
        span(model, if chosen { Role::Cursor } else { Role::Text }, text)
    };
    let cancel = if question.go.is_some() { "Cancel" } else { "Close" };
    let mut spans = vec![answer(Choice::Cancel, cancel)];
    spans.extend(question.go.map(|go| answer(Choice::Go, go)));
    if hidden > 0 {
        spans.push(span(model, Role::Warning, format!("j: {hidden} more")));
    } else if question.top > 0 {
        spans.push(span(model, Role::Quiet, "k: back"));
    }
    put(frame, area, area.height.saturating_sub(1), spans);
}
