//! Handles keys and clicks in the dialog of a plan. Keys that were typed before the dialog was drawn are ignored.

use ratatui::layout::{Position, Rect};

use super::confirm::scroll_movement;
use super::requests::{send_request, start_job, stop_worker};
use super::{copy, repair};
use crate::repair::{BytesPreview, CandidateChoice, FindingSelector};
use crate::report::PlanRowState;
use crate::tui::actions::{ActionId, ActionScope, KeyMap, candidate_keys};
use crate::tui::dialog_layout::{self, PlanDialogAreas};
use crate::tui::keys::Key;
use crate::tui::message::RequestFailure;
use crate::tui::model::{
    CopiedText, DialogButton, Model, Overlay, PlanBytes, PlanDialog, PlanFocus, PlanPage, PlanPreview, ScrollPosition,
};
use crate::tui::request::{PlanRequest, Request, WorkerKind};
use crate::tui::session_time::SessionTime;

/// Minimum height of a screen on which a plan can be read.
const MIN_PLAN_HEIGHT: u16 = 8;
/// Columns of the mark of the cursor and the checkbox of a row, in which a click toggles the row.
const CHECKBOX_COLUMNS: u16 = 4;

/// Handles a key while the dialog is open.
pub(super) fn handle_key(model: &mut Model, key: Key, typed_at: SessionTime) {
    let keys = &model.keys;
    let action = keys.action_for_key(ActionScope::Plan, key).or_else(|| keys.action_for_key(ActionScope::Confirm, key));
    let areas = areas_of_top(model);
    let Some(dialog) = top_dialog(model) else { return };
    if dialog.first_drawn_at.is_none_or(|drawn_at| typed_at <= drawn_at) {
        return;
    }
    dialog.message = None;
    if closes_page(&dialog.page, action) {
        return close_page(dialog);
    }
    match action {
        Some(ActionId::ShowBytes) => show_bytes(model),
        Some(ActionId::Cancel) => close(model),
        Some(ActionId::ConfirmChoice) => press_focused(model),
        Some(ActionId::NextButton) => move_focus(model, key),
        Some(id @ (ActionId::ScrollDown | ActionId::ScrollUp)) => {
            let Some(areas) = areas else { return };
            let movement = scroll_movement(id, key);
            let columns = usize::from(areas.body.width).max(1);
            if let Some(dialog) = top_dialog(model) {
                dialog.focus = if dialog.rows.is_empty() { dialog.focus } else { PlanFocus::Rows };
                dialog.move_by(|height| movement.lines(height), columns, areas.bytes_per_line());
            }
        }
        Some(ActionId::ToggleRange) => toggle_range(model),
        Some(ActionId::ExplainPlan) => {
            if let Some(dialog) = top_dialog(model) {
                dialog.page = PlanPage::Words(ScrollPosition::default());
            }
        }
        Some(ActionId::CopyPlanCommand) => copy_command(model),
        Some(id) => decide(model, id, key),
        None => {}
    }
}

/// Returns whether an action closes the page that is shown instead of the table.
const fn closes_page(page: &PlanPage, action: Option<ActionId>) -> bool {
    match page {
        PlanPage::Table => false,
        PlanPage::Bytes(_) => matches!(action, Some(ActionId::Cancel | ActionId::ConfirmChoice)),
        PlanPage::Words(_) => {
            matches!(action, Some(ActionId::Cancel | ActionId::ConfirmChoice | ActionId::ExplainPlan))
        }
    }
}

/// Shows the table instead of a page. The cursor is on the row of the page.
fn close_page(dialog: &mut PlanDialog) {
    if let PlanPage::Bytes(bytes) = &dialog.page {
        dialog.cursor.line = bytes.row;
    }
    dialog.page = PlanPage::Table;
}

/// Returns the topmost overlay when it is the dialog of a plan.
fn top_dialog(model: &mut Model) -> Option<&mut PlanDialog> {
    match model.overlays.last_mut() {
        Some(Overlay::Plan(dialog)) => Some(dialog),
        _ => None,
    }
}

fn areas_of_top(model: &Model) -> Option<PlanDialogAreas> {
    let dialog = model.plan_dialog()?;
    Some(dialog_layout::plan_dialog_areas(model, dialog))
}

fn close(model: &mut Model) {
    let awaits_plan = model.plan_dialog().is_some_and(|dialog| dialog.next_request.is_some());
    model.overlays.pop();
    if awaits_plan {
        stop_worker(model, WorkerKind::Write);
    }
}

/// Moves the focus to the next part of the dialog, or with the arrow keys to a button.
fn move_focus(model: &mut Model, key: Key) {
    let is_readable = model.size.height >= MIN_PLAN_HEIGHT;
    let Some(dialog) = top_dialog(model) else { return };
    let has_rows = !dialog.rows.is_empty();
    let has_confirm = !dialog.preview.plan.is_empty();
    let order = [(PlanFocus::Rows, has_rows), (PlanFocus::Cancel, true), (PlanFocus::Confirm, has_confirm)];
    let parts: Vec<PlanFocus> = order.into_iter().filter(|(_, exists)| *exists).map(|(focus, _)| focus).collect();
    let position = parts.iter().position(|focus| *focus == dialog.focus).unwrap_or_default();
    let next = match key {
        Key::BackTab => (position + parts.len() - 1) % parts.len().max(1),
        _ => (position + 1) % parts.len().max(1),
    };
    let focus = match (key, parts.get(next)) {
        (Key::Right, _) if has_confirm => PlanFocus::Confirm,
        (Key::Left | Key::Right, _) => PlanFocus::Cancel,
        (_, Some(focus)) => *focus,
        (_, None) => return,
    };
    // A plan that cannot be read cannot be confirmed.
    if focus == PlanFocus::Confirm && !is_readable {
        dialog.title = "Enlarge the screen".into();
        return;
    }
    dialog.focus = focus;
}

/// Runs what Enter does for the part of the dialog that has the focus.
fn press_focused(model: &mut Model) {
    let Some(dialog) = top_dialog(model) else { return };
    match dialog.focus {
        PlanFocus::Rows => show_bytes(model),
        PlanFocus::Cancel => close(model),
        PlanFocus::Confirm => confirm(model),
    }
}

fn confirm(model: &mut Model) {
    let is_readable = model.size.height >= MIN_PLAN_HEIGHT;
    let Some(dialog) = top_dialog(model) else { return };
    if !is_readable {
        dialog.title = "Enlarge the screen".into();
    } else if dialog.can_confirm() {
        let plan = dialog.preview.plan.clone();
        model.overlays.pop();
        repair::apply_plan(model, plan);
    } else {
        dialog.message = Some("The plan for these decisions is not ready yet".into());
    }
}

/// Requests the bytes of the selected row, and shows their page.
fn show_bytes(model: &mut Model) {
    let Some(dialog) = top_dialog(model) else { return };
    let row = dialog.cursor.line;
    let Some(source) = dialog.rows.get(row).map(|row| row.source) else { return };
    if dialog.next_request.is_some() {
        dialog.message = Some("The plan for these decisions is not ready yet".into());
        return;
    }
    dialog.page = PlanPage::Bytes(PlanBytes { row, parts: None, scroll: ScrollPosition::default() });
    let plan = Box::new(dialog.preview.plan.clone());
    send_request(model, WorkerKind::Prompt, Request::PlanBytes { plan, source });
}

/// Shows the bytes that were read, when their page is still open.
pub(super) fn set_bytes(model: &mut Model, read: Result<Vec<BytesPreview>, String>) {
    if let Some(PlanDialog { page: PlanPage::Bytes(PlanBytes { parts, .. }), .. }) = top_dialog(model) {
        *parts = Some(read);
    }
}

/// Excludes the selected row from the plan, or includes it again.
fn toggle_range(model: &mut Model) {
    let keys = model.keys.clone();
    let Some(dialog) = top_dialog(model) else { return };
    let Some(row) = dialog.selected_row().cloned() else { return };
    let PlanRequest::Repair { mut options, undecided } = dialog.request().clone() else {
        let message = match dialog.request() {
            PlanRequest::Undo(_) => "An undo reverses a repair as a whole",
            _ => "Only the ranges of a repair can be left out",
        };
        dialog.message = Some(message.into());
        return;
    };
    let is_of_row = |start: &u64| row.finding_starts.contains(start);
    match dialog.row_state(&row) {
        PlanRowState::Planned => {
            options.except.extend(row.finding_starts.iter().map(|start| FindingSelector::Start(*start)));
            // A choice for a range that is left is an error of the plan.
            options.choices.retain(|choice| !is_of_row(&choice.finding_start));
        }
        PlanRowState::Excluded => {
            options.except.retain(|selector| !matches!(selector, FindingSelector::Start(start) if is_of_row(start)));
        }
        PlanRowState::Unrepaired => {
            dialog.message = Some(unrepaired_message(dialog, &row.finding_starts, &keys));
            return;
        }
    }
    plan_again(model, PlanRequest::Repair { options, undecided });
}

/// Returns what the user can do about a row that the plan leaves because no fix is certain enough.
fn unrepaired_message(dialog: &PlanDialog, starts: &[u64], keys: &KeyMap) -> String {
    let has_candidates = starts.iter().any(|start| dialog.request().undecided_at(*start).is_some());
    let bytes = keys.hint(ActionId::ConfirmChoice);
    if has_candidates {
        let (likely, gap) = (keys.hint(ActionId::AcceptLikely), keys.hint(ActionId::GapUndecided));
        format!(
            "No fix is proven: {bytes} shows the candidates and their keys, {likely} accepts likely fixes, {gap} writes a gap"
        )
    } else {
        format!("No repair in place is possible for this range; {bytes} shows its bytes")
    }
}

/// Makes or revokes a decision.
fn decide(model: &mut Model, id: ActionId, key: Key) {
    if let Some(reason) = model.disabled_reason(id) {
        if let Some(dialog) = top_dialog(model) {
            dialog.message = Some(format!("{key}: {reason}"));
        }
        return;
    }
    let Some(dialog) = top_dialog(model) else { return };
    let offered = dialog.offered_finding();
    let request = dialog.request().clone();
    let candidates =
        offered.and_then(|start| request.undecided_at(start)).map_or(0, |finding| finding.fix.candidates.len());
    let PlanRequest::Repair { mut options, undecided } = request else { return };
    match id {
        ActionId::AcceptLikely => options.accept_likely = !options.accept_likely,
        ActionId::GapUndecided => options.gap_undecided = !options.gap_undecided,
        ActionId::AcceptLargeGap => options.accept_large_gap = !options.accept_large_gap,
        ActionId::ToggleCandidate => {
            let Some(start) = offered else { return };
            let number = candidate_keys().iter().position(|candidate| *candidate == key).map_or(0, |nth| nth + 1);
            if !(1..=candidates).contains(&number) {
                dialog.message = Some(format!("{key}: the damage at {start} has {candidates} candidates"));
                return;
            }
            let choice = CandidateChoice::new(start, number);
            let was_chosen = options.choices.contains(&choice);
            options.choices.retain(|choice| choice.finding_start != start);
            options.choices.extend((!was_chosen).then_some(choice));
            options.except.retain(|selector| *selector != FindingSelector::Start(start));
        }
        _ => return,
    }
    plan_again(model, PlanRequest::Repair { options, undecided });
}

/// Requests the plan of other decisions. The dialog shows the decisions at once, and the plan when it arrives.
fn plan_again(model: &mut Model, request: PlanRequest) {
    let Some(dialog) = top_dialog(model) else { return };
    dialog.next_request = Some(request.clone());
    start_job(model, WorkerKind::Write, format!("planning ({})", request.title()), Request::Plan(request));
}

/// Shows the plan that was made for the decisions in the dialog. Returns it when no dialog waits for a plan.
pub(super) fn take_plan(model: &mut Model, preview: PlanPreview) -> Option<PlanPreview> {
    let journal_dir = model.log_info.journal_dir.clone();
    let Some(dialog) = top_dialog(model).filter(|dialog| dialog.next_request.is_some()) else { return Some(preview) };
    dialog.replace_plan(preview, &journal_dir);
    let row = match &dialog.page {
        PlanPage::Bytes(bytes) => dialog.rows.iter().position(|row| dialog.rows.get(bytes.row) == Some(row)),
        _ => None,
    };
    if let Some(row) = row {
        dialog.cursor.line = row;
        show_bytes(model);
    }
    None
}

/// Shows in the dialog why the plan of its decisions could not be made. The decisions are revoked. Returns the failure
/// when no dialog waits for a plan.
pub(super) fn take_failure(model: &mut Model, failure: RequestFailure) -> Option<RequestFailure> {
    let Some(dialog) = top_dialog(model).filter(|dialog| dialog.next_request.is_some()) else { return Some(failure) };
    dialog.next_request = None;
    if let RequestFailure::Error(message) = failure {
        dialog.message = Some(message);
    }
    None
}

fn copy_command(model: &mut Model) {
    let Some(text) = model.plan_dialog().map(|dialog| model.plan_command(dialog)) else { return };
    copy::send_to_clipboard(model, CopiedText { name: "command", text });
    let message = model.notice.take().map(|notice| notice.text);
    if let Some(dialog) = top_dialog(model) {
        dialog.message = message;
    }
}

/// Handles a click: presses a button, selects a row, or toggles the checkbox of a row.
pub(super) fn handle_click(model: &mut Model, position: Position) {
    let Some(areas) = areas_of_top(model) else { return };
    let Some(dialog) = top_dialog(model).filter(|dialog| dialog.first_drawn_at.is_some()) else { return };
    dialog.message = None;
    if !matches!(dialog.page, PlanPage::Table) {
        return;
    }
    let label = (!dialog.preview.plan.is_empty()).then_some(dialog.confirm_label);
    let buttons = dialog_layout::place_buttons(areas.buttons, label, None);
    if let Some(placed) = buttons.iter().find(|placed| placed.area.contains(position)) {
        return match placed.button {
            DialogButton::Confirm => confirm(model),
            DialogButton::Cancel => close(model),
        };
    }
    if areas.body.contains(position) {
        let line = dialog.cursor.top + usize::from(position.y - areas.body.y);
        if line < dialog.rows.len() {
            (dialog.cursor.line, dialog.focus) = (line, PlanFocus::Rows);
            let checkbox = Rect { width: CHECKBOX_COLUMNS, ..areas.body };
            if checkbox.contains(position) {
                toggle_range(model);
            }
        }
    }
}

/// Scrolls the page by a number of lines.
pub(super) fn scroll(model: &mut Model, lines: i64) {
    let Some(areas) = areas_of_top(model) else { return };
    let columns = usize::from(areas.body.width).max(1);
    if let Some(dialog) = top_dialog(model) {
        dialog.move_by(|_| lines, columns, areas.bytes_per_line());
    }
}
