//! The repairs: the medical record of the log, newest first, and all that is known of the chosen one.

use ratatui::Frame;
use ratatui::text::Line;

use super::detail::draw_lines;
use super::pane::{border, span, tabs};
use super::text::{fit, pad, put, tint};
use crate::repair::{Record, RecordState};
use crate::report::units::count;
use crate::report::{path_text, record_line};
use crate::tui::layout::{Areas, Border};
use crate::tui::model::{Model, Pane, pieces};
use crate::tui::theme::Role;

/// Draws the tab.
pub(super) fn draw(frame: &mut Frame, areas: &Areas, model: &Model) {
    let repairs = &model.repairs;
    let (made, cursor) = (repairs.records.len(), &repairs.cursor);
    let below =
        if made == 0 { String::new() } else { format!(" {}; u undoes the chosen one ", count(made as u64, "repair")) };
    border(frame, model, areas, (Pane::Main, areas.main), (tabs(model), Line::from(span(model, Role::Quiet, below))));
    let lines = areas.lines(areas.main);
    if made == 0 {
        let folder = path_text(&model.facts.journals);
        let text = format!("this log was never repaired; the journals of its repairs would stand in {folder}");
        for (line, text) in pieces(&text, usize::from(lines.width).max(1)).into_iter().enumerate() {
            put(frame, lines, line as u16, vec![span(model, Role::Quiet, text)]);
        }
        return;
    }
    if areas.border == Border::Around {
        let heading = vec![span(model, Role::Quiet, "  state           no.  when               what")];
        put(frame, areas.inner(areas.main), 0, heading);
    }
    for line in 0..lines.height {
        let number = cursor.top + usize::from(line);
        let Some(record) = repairs.at(number) else { break };
        let chosen = number == cursor.at;
        let role = match record.state {
            RecordState::Pending => Role::Damage,
            RecordState::Applied if record.undone_by.is_none() => Role::Text,
            _ => Role::Quiet,
        };
        let marker = if chosen { "> " } else { "  " };
        let text = format!("{} {}", pad(&state(record), 13), record_line(record));
        let text = fit(&text, usize::from(lines.width).saturating_sub(2));
        put(frame, lines, line, vec![span(model, Role::Text, marker), span(model, role, text)]);
        if chosen {
            let role = if model.focus == Pane::Main { Role::Cursor } else { Role::CursorAway };
            tint(frame, lines, line, model.theme.style(role));
        }
    }
}

/// How a repair stands, in a word that a narrow line has room for.
fn state(record: &Record) -> String {
    match (record.state, record.undone_by) {
        (RecordState::Applied, Some(by)) => format!("undone by {by}"),
        (RecordState::Applied, None) => "applied".into(),
        (RecordState::Pending, _) => "PENDING".into(),
        (RecordState::RolledBack, _) => "rolled back".into(),
        (RecordState::Unfinished, _) => "unfinished".into(),
    }
}

/// Draws what is known of the chosen one.
pub(super) fn draw_detail(frame: &mut Frame, areas: &Areas, model: &Model) {
    let repairs = &model.repairs;
    let title = repairs.chosen().map(|record| format!(" repair {} ", record.number)).unwrap_or_default();
    let title = Line::from(span(model, Role::Title, title));
    border(frame, model, areas, (Pane::Detail, areas.detail), (title, Line::default()));
    let area = areas.inner(areas.detail);
    draw_lines(frame, area, model, (repairs.sheet(usize::from(area.width)), &repairs.about));
}
