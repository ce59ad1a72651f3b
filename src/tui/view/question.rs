//! A question before something is written.

use ratatui::Frame;

use super::pane::{span, window};
use super::text::{fit, put};
use crate::tui::model::{Choice, Model, Question, pieces};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, question: &Question) {
    let width = 76.min(frame.area().width);
    let room = usize::from(width).saturating_sub(4).max(1);
    let lines: Vec<String> = question.lines.iter().flat_map(|line| pieces(line, room)).collect();
    let area = window(frame, model, &question.title, (width, lines.len() as u16 + 5));
    // The answers are always in sight, however small the screen is.
    let above = area.height.saturating_sub(2);
    for (line, text) in lines.iter().take(usize::from(above)).enumerate() {
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
    let spans = vec![answer(Choice::Cancel, "Cancel"), answer(Choice::Go, question.go)];
    put(frame, area, area.height.saturating_sub(1), spans);
}
