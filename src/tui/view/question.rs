//! A question before something is written.

use ratatui::Frame;

use super::pane::{span, window};
use super::text::{fit, put};
use crate::report::units::exact;
use crate::tui::model::{Choice, Model, Question};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, model: &Model, question: &Question) {
    let (lines, width) = question.laid_out(frame.area().width);
    let room = usize::from(width).saturating_sub(4).max(1);
    let area = window(frame, model, &question.title, (width, (lines.len() as u16).saturating_add(4)));
    // The answers are always in sight, however small the screen is.
    let above = usize::from(area.height.saturating_sub(1));
    let top = question.top.min(lines.len().saturating_sub(above));
    for (line, text) in lines.iter().skip(top).take(above).enumerate() {
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
    let mut spans = if question.go.is_empty() {
        vec![answer(Choice::Cancel, "Close")]
    } else {
        vec![answer(Choice::Cancel, "Cancel"), answer(Choice::Go, question.go)]
    };
    let below = lines.len().saturating_sub(top + above);
    if top > 0 || below > 0 {
        spans.push(span(model, Role::Warning, format!("{} more lines: up, down", exact((top + below) as u64))));
    }
    put(frame, area, area.height.saturating_sub(1), spans);
}
