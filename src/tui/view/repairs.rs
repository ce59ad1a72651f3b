//! The repairs tab: the medical record of the log, and what the chosen repair did.

use ratatui::Frame;
use ratatui::text::Line;

use super::pane::{border, span, tabs};
use super::text::{fit, put, tint};
use crate::repair::RecordState;
use crate::report::{path_text, plan_lines, record_line};
use crate::tui::layout::Areas;
use crate::tui::model::{Model, Pane, Source, pieces};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &Areas, model: &Model) {
    border(frame, model, areas, (Pane::Main, areas.main), (tabs(model), Line::default()));
    let (list, said) = areas.repairs();
    let repairs = &model.repairs;
    let room = usize::from(list.width);
    if repairs.records.is_empty() {
        let folder = path_text(&model.facts.journals);
        let text = match repairs.source {
            Source::There => format!("this log was never repaired; journals would stand in {folder}"),
            _ => "reading the journals...".into(),
        };
        let lines = pieces(&text, room.max(1)).into_iter().chain(repairs.notices.iter().cloned());
        for (line, text) in lines.take(usize::from(list.height)).enumerate() {
            put(frame, list, line as u16, vec![span(model, Role::Quiet, fit(&text, room))]);
        }
        return;
    }
    for line in 0..usize::from(list.height) {
        let number = repairs.cursor.top + line;
        let Some(record) = repairs.at(number) else { break };
        let chosen = number == repairs.cursor.at;
        let role = match (record.state, record.undone_by) {
            (RecordState::Applied, None) => Role::Text,
            (RecordState::Pending, _) => Role::Warning,
            _ => Role::Quiet,
        };
        let marker = if chosen { ">" } else { " " };
        put(frame, list, line as u16, vec![span(model, role, fit(&format!("{marker}{}", record_line(record)), room))]);
        if chosen {
            let role = if model.focus == Pane::Main { Role::Cursor } else { Role::CursorAway };
            tint(frame, list, line as u16, model.theme.style(role));
        }
    }
    let Some(record) = repairs.at(repairs.cursor.at) else { return };
    let about = plan_lines(&record.plan, &model.facts.journals);
    let journal = format!("its journal is {}", path_text(&record.journal));
    let lines = about.into_iter().filter(|line| !line.starts_with("the writer's lock")).chain([journal]);
    let lines = lines.chain(repairs.notices.iter().cloned()).flat_map(|line| pieces(&line, room.max(1)));
    // A blank line keeps the two apart.
    for (line, text) in (1..).zip(lines).take(usize::from(said.height).saturating_sub(1)) {
        put(frame, said, line, vec![span(model, Role::Text, fit(&text, room))]);
    }
}
