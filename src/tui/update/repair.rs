//! Plans repairs and undos, shows the plans, and applies them as they were shown. Planning writes nothing.

use super::requests::start_job;
use super::{index, reload, segment_change};
use crate::query::RowContent;
use crate::repair::{Plan, RepairOptions, RepairRecord};
use crate::report::units::format_number;
use crate::report::{PlanWords, Tone, record_line, safe_path_text};
use crate::tui::actions::ActionId;
use crate::tui::message::RepairResult;
use crate::tui::model::{EscBehavior, Model, Overlay, PlanDialog, PlanPreview, RepairsPane, Tab, UndoEffect};
use crate::tui::request::{PlanRequest, Request, SegmentChangeRequest, UndecidedFinding, WorkerKind};

/// Plans the repair of the damage at an offset, with the events of the backup whose differences are shown.
pub(super) fn plan_at(model: &mut Model, offset: u64) {
    let options = with_shown_backup(model, RepairOptions::new().damage_offset(offset));
    request_plan(model, PlanRequest::Repair { options, undecided: Vec::new() });
}

/// Adds the backup whose differences are shown, as a donor.
fn with_shown_backup(model: &Model, options: RepairOptions) -> RepairOptions {
    match model.shown_backup() {
        Some(backup) => options.donor(backup),
        None => options,
    }
}

/// Plans the repair of the selected damage.
pub(super) fn plan_selected(model: &mut Model) {
    let Some(RowContent::Finding(finding)) = model.selected_row().map(|row| row.content) else { return };
    let fix = model.scan.fix_for(&finding).filter(|fix| fix.is_undecided());
    let undecided = fix.map(|fix| UndecidedFinding { start: finding.start, fix: fix.clone() }).into_iter().collect();
    let options = with_shown_backup(model, RepairOptions::new().damage_offset(finding.start));
    request_plan(model, PlanRequest::Repair { options, undecided });
}

/// Plans the repair of all damage.
pub(super) fn plan_all(model: &mut Model) {
    let options = with_shown_backup(model, RepairOptions::new());
    request_plan(model, PlanRequest::Repair { options, undecided: Vec::new() });
}

/// Plans the undo of the repair or removal that is selected in the repairs tab, of the last removal in the segments tab, else of
/// the last change. Removed segments are restored in the reverse order of their removal.
pub(super) fn plan_undo(model: &mut Model) {
    let removal = model.repairs.selected_removal().filter(|_| model.tab == Tab::Repairs);
    if let Some(removal) = removal
        && let Some(last) = model.repairs.removals.last().filter(|last| last.new_start != removal.new_start)
    {
        let start = format_number(last.new_start);
        return model.warn(format!("undo: the segments that were removed up to {start} are restored before these"));
    }
    if model.tab == Tab::Segments || removal.is_some() {
        return segment_change::request_plan(model, SegmentChangeRequest::Restore);
    }
    let selected = model.repairs.selected_record().filter(|_| model.tab == Tab::Repairs);
    request_plan(model, PlanRequest::Undo(selected.map(|record| record.number)));
}

/// Plans to erase the selected event, or all events of the selected aggregate.
pub(super) fn plan_erase(model: &mut Model, reason: Option<String>) {
    if let Some(reason) = model.disabled_reason(ActionId::Erase) {
        return model.warn(format!("erase: {reason}"));
    }
    if let Some(target) = model.erase_target() {
        request_plan(model, PlanRequest::Erase { target, reason });
    }
}

/// Plans to make the erasure that is selected in the repairs tab final, else all of them; in the segments tab, and where there
/// is no erasure, plans to delete the removed segments.
pub(super) fn plan_purge(model: &mut Model) {
    if model.purges_segments() {
        return segment_change::request_plan(model, SegmentChangeRequest::Delete);
    }
    let selected = model.repairs.selected_record().filter(|_| model.tab == Tab::Repairs);
    request_plan(model, PlanRequest::Purge(selected.map(|record| record.number)));
}

fn request_plan(model: &mut Model, request: PlanRequest) {
    start_job(model, WorkerKind::Write, format!("planning ({})", request.title()), Request::Plan(request));
}

/// Shows a plan in a dialog, unless another overlay was opened in the meantime.
pub(super) fn show_plan(model: &mut Model, preview: PlanPreview) {
    if !model.overlays.is_empty() {
        model.notify(format!("{}: planned, but not shown over an open dialog; ask again", preview.request.title()));
        return;
    }
    let (title, label) = match preview.plan.undoes.map(|number| model.repairs.undo_effect(number)) {
        Some(UndoEffect::Undo(number)) => (format!("Undo repair {number}?"), "Undo"),
        Some(UndoEffect::Redo(number)) => (format!("Redo repair {number}?"), "Redo"),
        None => {
            let label = match preview.request {
                PlanRequest::Erase { .. } => "Erase",
                PlanRequest::Purge(_) => "Destroy",
                PlanRequest::Repair { .. } | PlanRequest::Undo(_) => "Repair",
            };
            (preview.request.title() + "?", label)
        }
    };
    let dialog = PlanDialog::new(title, label, preview, &model.log_info.journal_dir);
    model.overlays.push(Overlay::Plan(Box::new(dialog)));
}

/// Applies a plan after the user has confirmed it. Esc stops the job only before it changes the log.
pub(super) fn apply_plan(model: &mut Model, plan: Plan) {
    let name = PlanWords::of(&plan).running;
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
        None => match result.words {
            PlanWords::PURGE if !model.repairs.has_restorable_segments() => {
                format!("Purge {number} done: nothing brings the erased events back")
            }
            PlanWords::PURGE => format!("Purge {number} done; `:purge` again deletes the removed segments"),
            PlanWords::ERASURE => {
                format!("Erasure {number} done; {} undoes it until a purge", model.keys.hint(ActionId::Undo))
            }
            _ => format!("Repair {number} done; {} undoes it", model.keys.hint(ActionId::Undo)),
        },
    };
    let message = match on_esc {
        Some(EscBehavior::Asked) => {
            let key = model.keys.hint(ActionId::Back);
            format!("{message}. {key} did not stop it: it had begun to change the log")
        }
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
