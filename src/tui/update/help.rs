//! Handles keys while the help is open.

use super::dispatch::run_action;
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::keys::Key;
use crate::tui::layout;
use crate::tui::model::{HelpLine, ListCursor, Model, Overlay, Pane};

/// Handles a key while the help is open.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    match (model.keys.action_for_key(ActionScope::TextInput, key), key) {
        (Some(ActionId::ClosePrompt | ActionId::PromptHelp), _) => {
            model.overlays.pop();
        }
        (Some(ActionId::NextInput), _) | (_, Key::Tab) => move_by(model, |_| 1),
        (Some(ActionId::PreviousInput), _) | (_, Key::BackTab) => move_by(model, |_| -1),
        (_, Key::PageDown) => move_by(model, |height| height),
        (_, Key::PageUp) => move_by(model, |height| -height),
        (Some(ActionId::SubmitPrompt), _) => run_selected(model),
        _ => {
            if let Some(Overlay::Help(help)) = model.overlays.last_mut()
                && help.input.handle_key(key)
            {
                help.cursor = ListCursor { line: 0, top: 0, ..help.cursor };
            }
        }
    }
}

/// Moves the cursor by the lines that `movement` computes from the height of the list, and scrolls to it.
pub(super) fn move_by(model: &mut Model, movement: impl Fn(i64) -> i64) {
    let height = layout::help_list_height(model.size.height);
    let Some(Overlay::Help(help)) = model.overlays.last() else { return };
    let lines = model.help_lines(help);
    if let Some(Overlay::Help(help)) = model.overlays.last_mut() {
        help.cursor.height = usize::from(height);
        help.move_by(movement(i64::from(height.max(1))), &lines);
    }
}

/// Closes the help, and the prompt that it was opened from, and runs the selected action.
fn run_selected(model: &mut Model) {
    let Some(Overlay::Help(help)) = model.overlays.last() else { return };
    let selected = model.help_lines(help).get(help.cursor.line).cloned();
    // Actions of the other scopes can run only in their overlay.
    let runnable = match selected {
        Some(HelpLine::Action(action)) => {
            let is_in_scope = action.scope == ActionScope::Timeline && model.focus == Pane::Timeline;
            let is_of_screen = matches!(action.scope, ActionScope::Main | ActionScope::CopyChord);
            (is_in_scope || is_of_screen).then_some(action.id)
        }
        _ => None,
    };
    model.overlays.pop();
    if let Some(id) = runnable {
        model.overlays.clear();
        run_action(model, id);
    }
}
