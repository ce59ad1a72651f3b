//! Repairs: planned first, shown as a question, carried out as shown, told afterwards. Nothing is written by planning.

use super::copy::shell_log_path;
use super::{navigation, refresh, send_request, start_job};
use crate::query::RowContent;
use crate::repair::{Fix, Plan, RepairOptions};
use crate::report::{record_line, safe_path_text};
use crate::tui::actions::{ActionId, candidate_keys};
use crate::tui::effect::{Effect, Request, WorkerKind};
use crate::tui::keys::Key;
use crate::tui::message::RepairResult;
use crate::tui::model::{
    AggregateLoadState, ConfirmDialog, ConfirmedAction, EscBehavior, Model, Overlay, PlanPreview, PlanRequest,
    RepairsPane, ScanProgress, ScanState, Tab, Tone, UndecidedFinding,
};

/// Plans the repair of the damage under the cursor.
pub(super) fn plan_at_cursor(model: &mut Model) {
    let Some(RowContent::Finding(finding)) = refresh::selected_row(model).map(|row| row.content) else { return };
    let fix = model.scan.fix_for(&finding).filter(|fix| fix.is_undecided());
    let undecided = fix.map(|fix| UndecidedFinding { start: finding.start, fix: fix.clone() });
    request_plan(
        model,
        PlanRequest::Repair {
            options: RepairOptions { damage_offset: Some(finding.start), ..RepairOptions::default() },
            undecided,
        },
    );
}

/// Plans the repair of everything.
pub(super) fn plan_all(model: &mut Model) {
    request_plan(model, PlanRequest::Repair { options: RepairOptions::default(), undecided: None });
}

/// Plans to take back the last repair, or the one under the cursor among the repairs.
pub(super) fn plan_undo(model: &mut Model) {
    let chosen = model.repairs.selected_record().filter(|_| model.tab == Tab::Repairs);
    request_plan(model, PlanRequest::Undo(chosen.map(|record| record.number)));
}

fn request_plan(model: &mut Model, wanted: PlanRequest) {
    start_job(model, WorkerKind::Write, format!("planning: {}", wanted.title()), Request::Plan(wanted));
}

/// A plan has come: it is shown, unless somebody does something else by now.
pub(super) fn show_plan(model: &mut Model, offer: PlanPreview) {
    close_planning_dialog(model);
    if !model.overlays.is_empty() {
        model.notify(format!("{}: planned, and not shown over what is open here; ask again", offer.request.title()));
        return;
    }
    let log = shell_log_path(model);
    let go = match &offer.request {
        _ if offer.plan.is_empty() => None,
        PlanRequest::Repair { .. } => Some("Repair"),
        PlanRequest::Undo(_) => Some("Undo"),
    };
    let title = match offer.plan.undoes {
        Some(number) => format!("undo repair {number}"),
        None => offer.request.title(),
    };
    let lines = offer.dialog_lines(&model.log_info.journal_dir, &log);
    model.overlays.push(Overlay::Confirm(ConfirmDialog::new(
        title + "?",
        lines,
        go,
        ConfirmedAction::ApplyPlan(Box::new(offer)),
    )));
}

/// Takes away the question that waits for a plan.
pub(super) fn close_planning_dialog(model: &mut Model) {
    model.overlays.retain(|layer| {
        !matches!(layer, Overlay::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::AwaitPlan, .. }))
    });
}

/// Plans again with another decision; the plan that was shown goes.
pub(super) fn toggle_decision(model: &mut Model, id: ActionId, key: Key) {
    let candidate = candidate_keys().iter().position(|own| *own == key).map(|before| before + 1);
    let Some(Overlay::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::ApplyPlan(offer), .. })) =
        model.overlays.last()
    else {
        return;
    };
    let PlanRequest::Repair { options: mut wishes, undecided } = offer.request.clone() else { return };
    match (id, candidate, &undecided) {
        (ActionId::AcceptLikely, ..) => wishes.accept_likely = !wishes.accept_likely,
        (ActionId::GapUndecided, ..) => wishes.gap_undecided = !wishes.gap_undecided,
        (_, Some(nth), Some(UndecidedFinding { start, fix })) if (1..=fix.candidates.len()).contains(&nth) => {
            let chosen = (*start, nth);
            let again = wishes.choices.contains(&chosen);
            wishes.choices.clear();
            wishes.choices.extend((!again).then_some(chosen));
        }
        _ => return,
    }
    // A question in its place takes the keys meanwhile: none of them is meant for what lies behind.
    model.overlays.pop();
    let lines = vec!["planning again with that decision...".to_owned()];
    let wanted = PlanRequest::Repair { options: wishes, undecided };
    model.overlays.push(Overlay::Confirm(ConfirmDialog::new(
        wanted.title() + "?",
        lines,
        None,
        ConfirmedAction::AwaitPlan,
    )));
    request_plan(model, wanted);
}

/// Somebody has agreed to the plan that was shown.
pub(super) fn apply_plan(model: &mut Model, plan: Plan) {
    let name = if plan.undoes.is_some() { "undoing" } else { "repairing" };
    start_job(model, WorkerKind::Write, name, Request::Apply(Box::new(plan)));
    if let Some(job) = model.jobs.last_mut() {
        job.on_esc = EscBehavior::Ignored;
    }
}

/// Tells what was done, and looks at everything anew: what was known of the log no longer holds.
pub(super) fn finish_repair(model: &mut Model, done: RepairResult) {
    model.log_info = done.log_info;
    reload_log(model);
    let number = done.applied.number;
    let did = match done.undoes {
        Some(undone) => format!("repair {undone} is undone, which is repair {number}"),
        None => format!("repair {number} is done, u takes it back"),
    };
    let journal = safe_path_text(&done.applied.journal);
    model.notify(match done.recovery_note {
        Some(recovered) => format!("{did}; before it, {recovered}"),
        None => format!("{did}; its journal: {journal}"),
    });
    if done.applied.index_behind {
        super::writing::catch_up_index(model);
    }
}

/// Looks at everything anew that was known of the log, at the same place.
pub(super) fn reload_log(model: &mut Model) {
    let place = model.list.selected_offset().min(model.log_info.bytes);
    let state = if model.scan.state == ScanState::Running || model.scan.is_done() {
        ScanState::Running
    } else {
        model.scan.state
    };
    model.scan = ScanProgress::new(state);
    model.effects.push_back(Effect::RestartScan);
    super::hit_counter::clear_counters(model);
    model.detail.requested = None;
    model.detail.contents = None;
    model.aggregates.load_state = AggregateLoadState::NotRequested;
    navigation::request_window(model, place);
    request_repair_history(model);
}

/// Asks for the medical record.
pub(super) fn request_repair_history(model: &mut Model) {
    send_request(model, WorkerKind::Repairs, Request::RepairHistory);
}

/// The medical record has come.
pub(super) fn set_repair_history(model: &mut Model, records: Vec<crate::repair::RepairRecord>, notices: Vec<String>) {
    let before = model.repairs.pending_repair().map(|record| record.number);
    model.repairs = RepairsPane { records, notices, ..std::mem::take(&mut model.repairs) };
    model.repairs.move_by(0);
    if let Some(record) = model.repairs.pending_repair().filter(|record| Some(record.number) != before) {
        let line = record_line(record);
        model.append_notice(format!("repair {}", line.trim_start()), Tone::Bad);
    }
}

/// What can be done about what the detail pane shows, and where the bytes of a gap are kept.
pub(super) fn update_detail_fix(model: &mut Model) {
    let Some(contents) = &mut model.detail.contents else { return };
    let RowContent::Finding(finding) = &contents.details.row.content else { return };
    let fix: Option<&Fix> = model.scan.fix_for(finding);
    if contents.fix.as_ref() != fix {
        contents.fix = fix.cloned();
    }
    let keeper = model.repairs.backup_journal(finding.kind, finding.range());
    if contents.backup_journal.as_deref() != keeper {
        contents.backup_journal = keeper.map(std::path::Path::to_owned);
    }
}
