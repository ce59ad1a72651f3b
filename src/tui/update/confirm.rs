//! Keys in a question. None counts that was typed before the question was seen.

use super::{disabled_reason, repair, stop_worker, writing};
use crate::tui::actions::{ActionId, ActionScope, action_for_key};
use crate::tui::effect::WorkerKind;
use crate::tui::keys::Key;
use crate::tui::message::SessionTime;
use crate::tui::model::{ConfirmedAction, DialogButton, Model, Overlay};

/// Lines of a screen on which something of a plan is seen.
const MIN_PLAN_HEIGHT: u16 = 8;

/// The screen was drawn, and a question with it.
pub(super) fn mark_drawn(model: &mut Model, moment: SessionTime) {
    if let Some(Overlay::Confirm(question)) = model.overlays.last_mut() {
        question.first_drawn_at.get_or_insert(moment);
    }
}

/// Takes a key while a question is open.
pub(super) fn handle_key(model: &mut Model, key: Key, typed: SessionTime) {
    let height = model.size.1;
    let Some(Overlay::Confirm(question)) = model.overlays.last_mut() else { return };
    if question.first_drawn_at.is_none_or(|drawn| typed <= drawn) {
        return;
    }
    if let (ConfirmedAction::ApplyPlan(_), Some(id)) = (&question.on_confirm, action_for_key(ActionScope::Plan, key)) {
        if disabled_reason(model, id).is_none() {
            repair::toggle_decision(model, id, key);
        }
        return;
    }
    match action_for_key(ActionScope::Confirm, key) {
        Some(ActionId::Cancel) => {
            let planning = question.on_confirm == ConfirmedAction::AwaitPlan;
            model.overlays.pop();
            if planning {
                stop_worker(model, WorkerKind::Write);
            }
        }
        // It is gone when the plan has come.
        Some(ActionId::ConfirmChoice) if question.on_confirm == ConfirmedAction::AwaitPlan => {}
        // Nobody agrees to a plan that cannot be seen.
        Some(ActionId::NextButton)
            if matches!(question.on_confirm, ConfirmedAction::ApplyPlan(_)) && height < MIN_PLAN_HEIGHT =>
        {
            question.title = "enlarge the screen".into();
        }
        Some(ActionId::NextButton) if question.confirm_label.is_some() => {
            question.selected =
                if question.selected == DialogButton::Confirm { DialogButton::Cancel } else { DialogButton::Confirm };
        }
        Some(ActionId::ConfirmChoice) => {
            let (choice, then) = (question.selected, question.on_confirm.clone());
            model.overlays.pop();
            if choice == DialogButton::Confirm {
                writing::run_confirmed(model, then);
            }
        }
        Some(ActionId::ScrollDown) => question.top = question.top.saturating_add(scroll_step(key)),
        Some(ActionId::ScrollUp) => question.top = question.top.saturating_sub(scroll_step(key)),
        _ => {}
    }
}

/// Lines that a key scrolls.
const fn scroll_step(key: Key) -> usize {
    match key {
        Key::PageDown | Key::PageUp | Key::Char(' ') => 10,
        // As far as it goes.
        Key::End | Key::Home => usize::MAX,
        _ => 1,
    }
}
