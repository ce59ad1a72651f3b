//! Handles keys while the help is open.

use super::dispatch::run_action;
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::keys::Key;
use crate::tui::model::{ListCursor, Model, Overlay};

/// Handles a key while the help is open.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    let Some(Overlay::Help(help)) = model.overlays.last_mut() else { return };
    let actions = help.matching_actions(&model.keys);
    let page = help.cursor.height.max(1) as i64;
    match (model.keys.action_for_key(ActionScope::TextInput, key), key) {
        (Some(ActionId::ClosePrompt | ActionId::PromptHelp), _) => {
            model.overlays.pop();
        }
        (Some(ActionId::NextInput), _) | (_, Key::Tab) => help.cursor.move_by(1, actions.len()),
        (Some(ActionId::PreviousInput), _) | (_, Key::BackTab) => help.cursor.move_by(-1, actions.len()),
        (_, Key::PageDown) => help.cursor.move_by(page, actions.len()),
        (_, Key::PageUp) => help.cursor.move_by(-page, actions.len()),
        (Some(ActionId::SubmitPrompt), _) => {
            let selected = actions.get(help.cursor.line).copied();
            model.overlays.pop();
            // Actions of the other scopes can run only in their overlay.
            if let Some(action) =
                selected.filter(|action| matches!(action.scope, ActionScope::Main | ActionScope::CopyChord))
            {
                run_action(model, action.id);
            }
        }
        _ => {
            if help.input.handle_key(key) {
                help.cursor = ListCursor { line: 0, top: 0, ..help.cursor };
            }
        }
    }
}
