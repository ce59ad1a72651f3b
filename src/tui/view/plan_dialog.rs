//! The dialog of a plan: the table of its ranges with a total, the decisions, the command, and the buttons.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::confirm_dialog::{draw_buttons, scroll_hint};
use super::pane::{draw_dialog_in, span};
use super::text::{display_width, draw_spans, fit_safe, pad, style_line};
use crate::format::hex;
use crate::report::units::format_progress;
use crate::report::{PLAN_COLUMN_COUNT, PLAN_COLUMNS, PlanRow, PlanRowState, plan_total};
use crate::tui::actions::ActionId;
use crate::tui::dialog_layout::{self, PLAN_DECISION_GAP, PlanDialogAreas};
use crate::tui::model::{
    ByteLine, DialogButton, LineChange, MARK_COLUMNS, Model, PlanDialog, PlanFocus, PlanLine, PlanPage,
    PlanTableColumns, wrap_text,
};
use crate::tui::request::WorkerKind;
use crate::tui::theme::Role;

/// Columns of a byte in hexadecimal with its mark.
const BYTE_COLUMNS: usize = 3;

/// Draws the dialog.
///
/// ```text
///           range        damage    certainty  restored  given up  action
///     >[x]  646..856     checksum  proven            1         -  correct bits: 1 byte at offset 686, 23 → 22
///      [ ]  2960..3382   zeros     -                 -         -  left as it is: not selected
///           total: 1 of 2                            1         -  1 byte changed
///     chronicle repair /logs/accounts.log --except 2960 --yes
///
///     [  Cancel  ]   [  Repair  ]
/// ```
pub(super) fn draw(frame: &mut Frame, model: &Model, dialog: &PlanDialog) {
    let command = model.plan_command(dialog);
    let areas = dialog_layout::plan_dialog_areas(model, dialog);
    draw_dialog_in(frame, model, &page_title(dialog), areas.outer);
    let lines = dialog.page_lines(usize::from(areas.body.width).max(1), areas.bytes_per_line());
    let columns = dialog.table_columns(usize::from(areas.body.width));
    let headings = columns.headings.map(str::to_owned);
    draw_spans(frame, areas.headings, 0, vec![span(model, Role::Muted, table_line("", &headings, &columns))]);
    for (line, (number, content)) in (0..areas.body.height).zip(lines.iter().enumerate().skip(dialog.top_line())) {
        let spans = match content {
            PlanLine::Total if areas.total.height == 0 => total_spans(model, dialog, &columns),
            content => line_spans(model, dialog, content, &columns, areas.bytes_per_line()),
        };
        draw_spans(frame, areas.body, line, spans);
        let has_cursor = matches!(dialog.page, PlanPage::Table) && number == dialog.cursor.line;
        if has_cursor && !lines.is_empty() {
            let role = if dialog.focus == PlanFocus::Rows { Role::Cursor } else { Role::CursorUnfocused };
            style_line(frame, areas.body, line, model.theme.style(role));
        }
    }
    draw_spans(frame, areas.total, 0, total_spans(model, dialog, &columns));
    draw_foot(frame, model, dialog, &areas, &command);
    let hidden = lines.len().saturating_sub(dialog.top_line() + usize::from(areas.body.height));
    let hint = scroll_hint(model, dialog.top_line(), hidden);
    let selected = match dialog.focus {
        PlanFocus::Rows => None,
        PlanFocus::Confirm => Some(DialogButton::Confirm),
        PlanFocus::Cancel => Some(DialogButton::Cancel),
    };
    if !matches!(dialog.page, PlanPage::Table) {
        let key = model.keys.hint(ActionId::Cancel);
        let back = span(model, Role::Key, format!("{key}: back to the plan   "));
        return draw_spans(frame, areas.buttons, 0, std::iter::once(back).chain(hint).collect());
    }
    let label = (!dialog.preview.plan.is_empty()).then_some(dialog.confirm_label);
    draw_buttons(frame, model, areas.buttons, &dialog_layout::place_buttons(areas.buttons, label, selected), hint);
}

fn page_title(dialog: &PlanDialog) -> String {
    match &dialog.page {
        PlanPage::Table => dialog.title.clone(),
        PlanPage::Words(_) => "Words of the plan".into(),
        PlanPage::Bytes(_) => dialog.selected_row().map_or_else(String::new, |row| {
            let [range, kinds, ..] = &row.cells;
            format!("{range} {kinds}: bytes before and after")
        }),
    }
}

fn table_line(mark: &str, cells: &[String; PLAN_COLUMN_COUNT], columns: &PlanTableColumns) -> String {
    let mut line = pad(mark, MARK_COLUMNS);
    let cells = cells.iter().zip(&columns.widths).zip(PLAN_COLUMNS);
    for ((cell, width), column) in cells.filter(|((_, width), _)| **width > 0) {
        let cell = fit_safe(cell, *width);
        let missing = " ".repeat(width.saturating_sub(display_width(&cell)));
        line += &if column.is_number { missing + &cell } else { cell + &missing };
        line += "  ";
    }
    line.trim_end().to_owned()
}

/// Returns the line with the totals of the newest plan.
fn total_spans(model: &Model, dialog: &PlanDialog, columns: &PlanTableColumns) -> Vec<Span<'static>> {
    let [ranges, _, _, restored, lost, changed] = plan_total(&dialog.preview.plan);
    let merged = pad(&ranges, columns.columns_before_numbers());
    let cells = [String::new(), String::new(), String::new(), restored, lost, changed];
    let skipped = MARK_COLUMNS + columns.columns_before_numbers();
    let numbers: String = table_line("", &cells, columns).chars().skip(skipped).collect();
    vec![span(model, Role::Title, " ".repeat(MARK_COLUMNS) + &merged + &numbers)]
}

fn line_spans(
    model: &Model,
    dialog: &PlanDialog,
    line: &PlanLine,
    columns: &PlanTableColumns,
    bytes_per_line: usize,
) -> Vec<Span<'static>> {
    match line {
        PlanLine::Row(number) => dialog.rows.get(*number).map_or_else(Vec::new, |row| {
            let (mark, role) = row_mark(dialog, row);
            let cursor = if *number == dialog.cursor.line { '>' } else { ' ' };
            vec![span(model, role, table_line(&format!("{cursor}{mark}"), &columns.cells(row), columns))]
        }),
        PlanLine::Total => Vec::new(),
        PlanLine::Text(text) => vec![span(model, Role::Text, fit_safe(text, usize::MAX / 4))],
        PlanLine::Bytes(bytes) => byte_spans(model, bytes, bytes_per_line),
    }
}

/// Returns the checkbox of a row, which shows the newest decisions, and the role of its text.
fn row_mark(dialog: &PlanDialog, row: &PlanRow) -> (&'static str, Role) {
    match dialog.row_state(row) {
        PlanRowState::Planned => ("[x]", Role::Text),
        PlanRowState::Excluded => ("[ ]", Role::Muted),
        PlanRowState::Unrepaired => (" ! ", Role::Warning),
    }
}

fn byte_spans(model: &Model, line: &ByteLine, bytes_per_line: usize) -> Vec<Span<'static>> {
    let (sign, role) = match line.change {
        LineChange::Kept => (" ", Role::Muted),
        LineChange::Before => ("-", Role::Damage),
        LineChange::After => ("+", Role::Good),
    };
    let mut spans =
        vec![span(model, Role::Muted, format!("{:>10} ", line.offset)), span(model, role, format!("{sign} "))];
    let mut letters = Vec::new();
    for byte in &line.bytes {
        let role = if byte.is_changed { role } else { Role::Muted };
        // A glyph marks the byte as well, because colour alone is not enough on every terminal.
        let mark = if byte.is_changed { "*" } else { " " };
        spans.push(span(model, role, hex::encode_byte(byte.value) + mark));
        let letter = if (0x20..0x7f).contains(&byte.value) { char::from(byte.value) } else { '·' };
        letters.push(span(model, role, letter.to_string()));
    }
    // The letters of the last line, which can be short, are below those of the others.
    let missing = bytes_per_line.saturating_sub(line.bytes.len()) * BYTE_COLUMNS;
    spans.push(Span::raw(" ".repeat(missing + 1)));
    spans.extend(letters);
    spans
}

fn draw_foot(frame: &mut Frame, model: &Model, dialog: &PlanDialog, areas: &PlanDialogAreas, command: &str) {
    let width = usize::from(areas.body.width).max(1);
    let decisions = wrap_text(&dialog.decision_texts(&model.keys).join(PLAN_DECISION_GAP), width);
    for (line, text) in (0..areas.decisions.height).zip(decisions) {
        draw_spans(frame, areas.decisions, line, vec![span(model, Role::Key, text)]);
    }
    draw_command(frame, model, areas.command, command);
    let message = match (&dialog.message, &dialog.next_request, model.job(WorkerKind::Write)) {
        (Some(message), _, _) => Some(span(model, Role::Warning, fit_safe(message, width))),
        (None, Some(_), Some(job)) => {
            let elapsed = model.now.0.saturating_sub(job.started.0);
            let progress = format!("planning again: {}", format_progress(job.done, job.total, elapsed));
            Some(span(model, Role::Warning, fit_safe(&progress, width)))
        }
        _ => None,
    };
    draw_spans(frame, areas.message, 0, message.into_iter().collect());
}

/// Draws the command. The end of one that is too long names the key that copies it.
fn draw_command(frame: &mut Frame, model: &Model, area: Rect, command: &str) {
    let mut lines = wrap_text(command, usize::from(area.width).max(1));
    if lines.len() > usize::from(area.height) {
        lines.truncate(usize::from(area.height));
        if let Some(last) = lines.last_mut() {
            let hint = format!("…  {}: copy", model.keys.hint(ActionId::CopyPlanCommand));
            *last = fit_safe(last, usize::from(area.width).saturating_sub(display_width(&hint)))
                .trim_end_matches('…')
                .to_owned()
                + &hint;
        }
    }
    for (line, text) in (0..area.height).zip(lines) {
        draw_spans(frame, area, line, vec![span(model, Role::Muted, fit_safe(&text, usize::from(area.width)))]);
    }
}
