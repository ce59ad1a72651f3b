//! The Repairs tab: the repairs of the log and the removals of its segments, newest first, with the details of the selected one.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::cursor::highlight_selected_line;
use super::labelled_lines;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title, title_role};
use super::text::{draw_spans, fit_safe, pad};
use crate::SegmentRemoval;
use crate::format::DamageKind;
use crate::repair::{ChangesInLog, RepairRecord, RepairState};
use crate::report::units::{DisplayZone, format_count, format_minute};
use crate::report::{record_summary, removal_summary, safe_path_text};
use crate::tui::actions::ActionId;
use crate::tui::layout::{LayoutAreas, PaneTitles, text_area};
use crate::tui::model::{LoggedChange, Model, Pane, wrap_text};
use crate::tui::theme::Role;

/// Width of the column with the states of repairs.
const STATE_COLUMNS: usize = 13;

/// Draws the Repairs tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let repairs = &model.repairs;
    let entries = repairs.entries();
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    let key = model.keys.hint(ActionId::Undo);
    let removals = match repairs.removals.len() as u64 {
        0 => String::new(),
        removals => format!(", {}", format_count(removals, "removal")),
    };
    let count = format_count(repairs.records.len() as u64, "repair");
    let note = format!("{count}{removals}; {key} undoes the selected one");
    draw_note(frame, areas, vec![span(model, Role::Muted, note)]);
    let lines = areas.table_body(areas.main);
    if entries.is_empty() {
        return draw_empty_message(frame, text_area(lines), model);
    }
    if areas.titles == PaneTitles::Shown {
        let heading = "  state           no.  when               what";
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, heading)]);
    }
    for line in 0..lines.height {
        let number = repairs.cursor.top + usize::from(line);
        let Some(entry) = entries.get(number) else { break };
        let is_selected = number == repairs.cursor.line;
        let (role, text) = match entry {
            LoggedChange::Repair(record) => (record_role(record), record_text(record, model.zone)),
            LoggedChange::Removal(removal) => (removal_role(removal), removal_text(removal, model.zone)),
        };
        let marker = if is_selected { "> " } else { "  " };
        let text = fit_safe(&text, usize::from(lines.width).saturating_sub(2));
        draw_spans(frame, lines, line, vec![span(model, Role::Text, marker), span(model, role, text)]);
        if is_selected {
            highlight_selected_line(frame, lines, line, model, Pane::Main);
        }
    }
}

fn record_role(record: &RepairRecord) -> Role {
    match record.state {
        RepairState::Pending => Role::Damage,
        RepairState::Applied if record.undone_by.is_none() && record.in_log != ChangesInLog::None => Role::Text,
        RepairState::Applied | RepairState::RolledBack | RepairState::Purged | RepairState::Unfinished => Role::Muted,
    }
}

const fn removal_role(removal: &SegmentRemoval) -> Role {
    if removal.purged_at_ms.is_none() { Role::Text } else { Role::Muted }
}

fn draw_empty_message(frame: &mut Frame, area: Rect, model: &Model) {
    let folder = safe_path_text(&model.log_info.journal_dir);
    let gaps = model.finding_counts().count_of(DamageKind::Gap);
    let text = if gaps == 0 {
        format!("No repairs yet. Journals are kept in {folder}.")
    } else {
        let (gaps, tab) = (format_count(gaps, "gap"), model.keys.hint(ActionId::TabFindings));
        format!(
            "No journal of a repair is in {folder}. The log has {gaps}, which earlier repairs left; tab {tab} lists them."
        )
    };
    for (line, text) in (0..area.height).zip(wrap_text(&text, usize::from(area.width).max(1))) {
        draw_spans(frame, area, line, vec![span(model, Role::Muted, text)]);
    }
}

/// Returns the columns of a repair: state, number, time and summary.
fn record_text(record: &RepairRecord, zone: DisplayZone) -> String {
    let state = pad(&state_text(record), STATE_COLUMNS);
    let begun = format_minute(record.begun_ms, zone);
    format!("{state} {:>4}  {begun}  {}", record.number, record_summary(record))
}

/// Returns the columns of a removal, which has no number.
fn removal_text(removal: &SegmentRemoval, zone: DisplayZone) -> String {
    let state = pad(if removal.purged_at_ms.is_none() { "removed" } else { "deleted" }, STATE_COLUMNS);
    let removed = format_minute(removal.removed_at_ms, zone);
    format!("{state} {:>4}  {removed}  {}", "-", removal_summary(removal))
}

/// Returns the state of a repair, short enough for its column.
fn state_text(record: &RepairRecord) -> String {
    match (record.state, record.undone_by) {
        (RepairState::Applied, Some(undo)) => format!("undone by {undo}"),
        (RepairState::Applied, None) => match record.in_log {
            ChangesInLog::All => "applied".into(),
            ChangesInLog::Some => "partly in log".into(),
            ChangesInLog::None => "not in log".into(),
        },
        (RepairState::Pending, _) => "PENDING".into(),
        (RepairState::RolledBack, _) => "rolled back".into(),
        (RepairState::Purged, _) => "final".into(),
        (RepairState::Unfinished, _) => "unfinished".into(),
    }
}

/// Draws the details of the selected repair or removal.
pub(super) fn draw_detail(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let repairs = &model.repairs;
    let title = match repairs.selected_entry() {
        Some(LoggedChange::Repair(record)) => format!(" repair {} ", record.number),
        Some(LoggedChange::Removal(_)) => " removal ".into(),
        None => String::new(),
    };
    let title = Line::from(span(model, title_role(model, Pane::Detail), title));
    draw_title(
        frame,
        model,
        areas,
        PaneTitle { pane: Pane::Detail, area: areas.detail, title, right: Line::default() },
    );
    let area = areas.inner(areas.detail);
    let lines = repairs.detail_lines(usize::from(area.width), model.zone);
    labelled_lines::draw_with_cursor(frame, area, model, &lines, &repairs.detail_cursor);
}
