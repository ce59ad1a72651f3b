//! Plans repairs and undos, shows the plans, and applies them as they were shown. Planning writes nothing.

use super::requests::start_job;
use super::{index, reload};
use crate::query::RowContent;
use crate::repair::{CandidateChoice, Plan, RepairOptions, RepairRecord};
use crate::report::Tone;
use crate::report::{record_line, safe_path_text};
use crate::tui::message::RepairResult;
use crate::tui::model::{
    ConfirmDialog, ConfirmedAction, EscBehavior, Model, Overlay, PlanPreview, RepairsPane, Tab, UndoEffect,
};
use crate::tui::request::{PlanRequest, Request, UndecidedFinding, WorkerKind};

/// A decision that the user makes in the dialog of a plan. Making it a second time revokes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanDecision {
    /// The candidate with this number, counted from 1, is used.
    UseCandidate(usize),
    /// Likely fixes are accepted.
    AcceptLikely,
    /// Damage that is still undecided is replaced with gaps.
    GapUndecided,
    /// A gap fills the lost end although it takes more than the log.
    AcceptLargeGap,
}

/// Plans the repair of the selected damage.
pub(super) fn plan_selected(model: &mut Model) {
    let Some(RowContent::Finding(finding)) = model.selected_row().map(|row| row.content) else { return };
    let fix = model.scan.fix_for(&finding).filter(|fix| fix.is_undecided());
    let undecided = fix.map(|fix| UndecidedFinding { start: finding.start, fix: fix.clone() });
    let options = RepairOptions::new().damage_offset(finding.start);
    request_plan(model, PlanRequest::Repair { options, undecided });
}

/// Plans the repair of all damage.
pub(super) fn plan_all(model: &mut Model) {
    request_plan(model, PlanRequest::Repair { options: RepairOptions::new(), undecided: None });
}

/// Plans the undo of the repair that is selected in the repairs tab, else of the last one.
pub(super) fn plan_undo(model: &mut Model) {
    let selected = model.repairs.selected_record().filter(|_| model.tab == Tab::Repairs);
    request_plan(model, PlanRequest::Undo(selected.map(|record| record.number)));
}

fn request_plan(model: &mut Model, request: PlanRequest) {
    start_job(model, WorkerKind::Write, format!("planning ({})", request.title()), Request::Plan(request));
}

/// Shows a plan in a dialog, unless another overlay was opened in the meantime.
pub(super) fn show_plan(model: &mut Model, preview: PlanPreview) {
    close_planning_dialog(model);
    if !model.overlays.is_empty() {
        model.notify(format!("{}: planned, but not shown over an open dialog; ask again", preview.request.title()));
        return;
    }
    let (title, label) = match preview.plan.undoes.map(|number| model.repairs.undo_effect(number)) {
        Some(UndoEffect::Undo(number)) => (format!("Undo repair {number}?"), "Undo"),
        Some(UndoEffect::Redo(number)) => (format!("Redo repair {number}?"), "Redo"),
        None => (preview.request.title() + "?", "Repair"),
    };
    let confirm_label = (!preview.plan.is_empty()).then_some(label);
    let lines = preview.dialog_lines(&model.log_info.journal_dir, &model.log_info.shell_path());
    let on_confirm = ConfirmedAction::ApplyPlan(Box::new(preview));
    model.overlays.push(Overlay::Confirm(ConfirmDialog::new(title, lines, confirm_label, on_confirm)));
}

/// Closes the dialog that waits for a plan.
pub(super) fn close_planning_dialog(model: &mut Model) {
    model.overlays.retain(|overlay| {
        !matches!(overlay, Overlay::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::AwaitPlan, .. }))
    });
}

/// Makes or revokes a decision, and plans again. The dialog of the earlier plan is closed.
pub(super) fn toggle_decision(model: &mut Model, decision: PlanDecision) {
    let Some(Overlay::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::ApplyPlan(preview), .. })) =
        model.overlays.last()
    else {
        return;
    };
    let PlanRequest::Repair { mut options, undecided } = preview.request.clone() else { return };
    match (decision, &undecided) {
        (PlanDecision::AcceptLikely, _) => options.accept_likely = !options.accept_likely,
        (PlanDecision::GapUndecided, _) => options.gap_undecided = !options.gap_undecided,
        (PlanDecision::AcceptLargeGap, _) => options.accept_large_gap = !options.accept_large_gap,
        (PlanDecision::UseCandidate(number), Some(UndecidedFinding { start, fix }))
            if (1..=fix.candidates.len()).contains(&number) =>
        {
            let choice = CandidateChoice::new(*start, number);
            let was_chosen = options.choices.contains(&choice);
            options.choices.clear();
            options.choices.extend((!was_chosen).then_some(choice));
        }
        _ => return,
    }
    model.overlays.pop();
    let request = PlanRequest::Repair { options, undecided };
    // A dialog without choices receives the keys that are typed until the plan arrives, so that they run no action.
    let lines = vec!["Planning again with this decision...".to_owned()];
    let dialog = ConfirmDialog::new(request.title() + "?", lines, None, ConfirmedAction::AwaitPlan);
    model.overlays.push(Overlay::Confirm(dialog));
    request_plan(model, request);
}

/// Applies a plan after the user has confirmed it. Esc stops the job only before it changes the log.
pub(super) fn apply_plan(model: &mut Model, plan: Plan) {
    let name = if plan.undoes.is_some() { "undoing" } else { "repairing" };
    start_job(model, WorkerKind::Write, name, Request::Apply(Box::new(plan)));
    if let Some(job) = model.jobs.last_mut() {
        job.on_esc = EscBehavior::AsksToStop;
    }
}

/// Reports the result of a repair or an undo, and reads the log again. `on_esc` is the state of its job.
pub(super) fn finish_repair(model: &mut Model, result: RepairResult, on_esc: Option<EscBehavior>) {
    let number = result.applied.number;
    let message = match result.undoes.map(|undone| model.repairs.undo_effect(undone)) {
        Some(UndoEffect::Undo(undone)) => format!("Repair {undone} undone (recorded as {number})"),
        Some(UndoEffect::Redo(redone)) => format!("Repair {redone} redone (recorded as {number})"),
        None => format!("Repair {number} done; u undoes it"),
    };
    let message = match on_esc {
        Some(EscBehavior::Asked) => format!("{message}. Esc did not stop it: it had begun to change the log"),
        _ => message,
    };
    model.log_info = result.log_info;
    reload::reload_log(model);
    model.notify(match result.recovery_note {
        Some(recovered) => format!("{message}; before that, {recovered}"),
        None => format!("{message}; journal {}", safe_path_text(&result.applied.journal)),
    });
    if result.applied.index_behind {
        index::catch_up_index(model);
    }
}

/// Stores the repair history, and reports a pending repair that was not reported before.
pub(super) fn set_repair_history(model: &mut Model, records: Vec<RepairRecord>, notices: Vec<String>) {
    let reported = model.repairs.pending_repair().map(|record| record.number);
    model.repairs = RepairsPane { records, notices, ..std::mem::take(&mut model.repairs) };
    model.repairs.move_by(0);
    if let Some(record) = model.repairs.pending_repair().filter(|record| Some(record.number) != reported) {
        let line = record_line(record);
        model.append_notice(format!("Repair {}", line.trim_start()), Tone::Bad);
    }
}
