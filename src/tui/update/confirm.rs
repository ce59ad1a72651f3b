//! Handles keys in a confirmation dialog. Keys that were typed before the dialog was drawn are ignored.

use super::navigation::Movement;
use super::repair::PlanDecision;
use super::requests::stop_worker;
use super::{append, index, repair};
use crate::tui::actions::{ActionId, ActionScope, candidate_keys};
use crate::tui::keys::Key;
use crate::tui::model::{ConfirmedAction, DialogButton, Model, Overlay};
use crate::tui::request::WorkerKind;
use crate::tui::session_time::SessionTime;

/// Minimum height of a screen on which a plan can be read.
const MIN_PLAN_HEIGHT: u16 = 8;

/// Records that the screen was drawn with the topmost dialog.
pub(super) fn mark_drawn(model: &mut Model, drawn_at: SessionTime) {
    if let Some(Overlay::Confirm(dialog)) = model.overlays.last_mut() {
        dialog.first_drawn_at.get_or_insert(drawn_at);
    }
}

/// Handles a key while a dialog is open.
pub(super) fn handle_key(model: &mut Model, key: Key, typed_at: SessionTime) {
    let height = model.size.height;
    let Some(Overlay::Confirm(dialog)) = model.overlays.last_mut() else { return };
    if dialog.first_drawn_at.is_none_or(|drawn_at| typed_at <= drawn_at) {
        return;
    }
    let shows_plan = matches!(dialog.on_confirm, ConfirmedAction::ApplyPlan(_));
    if shows_plan && let Some(id) = model.keys.action_for_key(ActionScope::Plan, key) {
        make_decision(model, id, key);
        return;
    }
    let awaits_plan = dialog.on_confirm == ConfirmedAction::AwaitPlan;
    match model.keys.action_for_key(ActionScope::Confirm, key) {
        Some(ActionId::Cancel) => {
            model.overlays.pop();
            if awaits_plan {
                stop_worker(model, WorkerKind::Write);
            }
        }
        // The dialog closes itself when the plan arrives.
        Some(ActionId::ConfirmChoice) if awaits_plan => {}
        // A plan that cannot be read cannot be confirmed.
        Some(ActionId::NextButton) if shows_plan && height < MIN_PLAN_HEIGHT => {
            dialog.title = "Enlarge the screen".into();
        }
        Some(ActionId::NextButton) if dialog.confirm_label.is_some() => {
            dialog.selected_button = match dialog.selected_button {
                DialogButton::Confirm => DialogButton::Cancel,
                DialogButton::Cancel => DialogButton::Confirm,
            };
        }
        Some(ActionId::ConfirmChoice) => {
            let (selected, on_confirm) = (dialog.selected_button, dialog.on_confirm.clone());
            model.overlays.pop();
            if selected == DialogButton::Confirm {
                run_confirmed(model, on_confirm);
            }
        }
        Some(ActionId::ScrollDown | ActionId::ScrollUp) => {
            dialog.scroll.scroll_by(scroll_movement(key).lines(dialog.scroll.height()));
        }
        _ => {}
    }
}

fn make_decision(model: &mut Model, id: ActionId, key: Key) {
    if model.disabled_reason(id).is_some() {
        return;
    }
    let decision = match id {
        ActionId::AcceptLikely => PlanDecision::AcceptLikely,
        ActionId::GapUndecided => PlanDecision::GapUndecided,
        ActionId::AcceptLargeGap => PlanDecision::AcceptLargeGap,
        _ => match candidate_keys().iter().position(|candidate| *candidate == key) {
            Some(position) => PlanDecision::UseCandidate(position + 1),
            None => return,
        },
    };
    repair::toggle_decision(model, decision);
}

fn run_confirmed(model: &mut Model, action: ConfirmedAction) {
    match action {
        ConfirmedAction::Append => append::start_confirmed_append(model),
        ConfirmedAction::ApplyPlan(preview) => repair::apply_plan(model, preview.plan),
        ConfirmedAction::AwaitPlan | ConfirmedAction::Nothing => {}
        ConfirmedAction::RebuildIndex => index::rebuild_index(model),
    }
}

/// Returns the movement of a key that scrolls the text of a dialog.
const fn scroll_movement(key: Key) -> Movement {
    match key {
        Key::PageDown | Key::Char(' ') => Movement::Pages(1),
        Key::PageUp => Movement::Pages(-1),
        Key::Home => Movement::ToFirst,
        Key::End => Movement::ToLast,
        Key::Up | Key::Char('k') => Movement::Lines(-1),
        _ => Movement::Lines(1),
    }
}
