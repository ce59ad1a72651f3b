//! The repairs: the medical record of the log, newest first, and all that is known of the chosen one.

use ratatui::Frame;
use ratatui::text::Line;

use super::detail::draw_labelled_lines;
use super::pane::{draw_border, span, tab_title};
use super::text::{draw_spans, fit_safe, pad, style_line};
use crate::repair::{RepairRecord, RepairState};
use crate::report::units::format_count;
use crate::report::{record_line, safe_path_text};
use crate::tui::layout::{Border, LayoutAreas};
use crate::tui::model::{Model, Pane, wrap_text};
use crate::tui::theme::Role;

/// Draws the tab.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let repairs = &model.repairs;
    let (made, cursor) = (repairs.records.len(), &repairs.cursor);
    let below = if made == 0 {
        String::new()
    } else {
        format!(" {}; u undoes the chosen one ", format_count(made as u64, "repair"))
    };
    draw_border(
        frame,
        model,
        areas,
        (Pane::Main, areas.main),
        (tab_title(model), Line::from(span(model, Role::Muted, below))),
    );
    let lines = areas.table_body(areas.main);
    if made == 0 {
        let folder = safe_path_text(&model.log_info.journal_dir);
        let text = format!("this log was never repaired; the journals of its repairs would stand in {folder}");
        for (line, text) in wrap_text(&text, usize::from(lines.width).max(1)).into_iter().enumerate() {
            draw_spans(frame, lines, line as u16, vec![span(model, Role::Muted, text)]);
        }
        return;
    }
    if areas.border == Border::Around {
        let heading = vec![span(model, Role::Muted, "  state           no.  when               what")];
        draw_spans(frame, areas.inner(areas.main), 0, heading);
    }
    for line in 0..lines.height {
        let number = cursor.top + usize::from(line);
        let Some(record) = repairs.record_at(number) else { break };
        let chosen = number == cursor.line;
        let role = match record.state {
            RepairState::Pending => Role::Damage,
            RepairState::Applied if record.undone_by.is_none() => Role::Text,
            _ => Role::Muted,
        };
        let marker = if chosen { "> " } else { "  " };
        let text = format!("{} {}", pad(&state_word(record), 13), record_line(record));
        let text = fit_safe(&text, usize::from(lines.width).saturating_sub(2));
        draw_spans(frame, lines, line, vec![span(model, Role::Text, marker), span(model, role, text)]);
        if chosen {
            let role = if model.focus == Pane::Main { Role::Cursor } else { Role::CursorUnfocused };
            style_line(frame, lines, line, model.theme.style(role));
        }
    }
}

/// How a repair stands, in a word that a narrow line has room for.
fn state_word(record: &RepairRecord) -> String {
    match (record.state, record.undone_by) {
        (RepairState::Applied, Some(by)) => format!("undone by {by}"),
        (RepairState::Applied, None) => "applied".into(),
        (RepairState::Pending, _) => "PENDING".into(),
        (RepairState::RolledBack, _) => "rolled back".into(),
        (RepairState::Unfinished, _) => "unfinished".into(),
    }
}

/// Draws what is known of the chosen one.
pub(super) fn draw_detail(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let repairs = &model.repairs;
    let title = repairs.selected_record().map(|record| format!(" repair {} ", record.number)).unwrap_or_default();
    let title = Line::from(span(model, Role::Title, title));
    draw_border(frame, model, areas, (Pane::Detail, areas.detail), (title, Line::default()));
    let area = areas.inner(areas.detail);
    draw_labelled_lines(frame, area, model, (repairs.detail_lines(usize::from(area.width)), &repairs.detail_cursor));
}
