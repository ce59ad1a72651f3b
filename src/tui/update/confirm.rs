//! Handles keys in a confirmation dialog. Keys that were typed before the dialog was drawn are ignored.

use ratatui::layout::Position;

use super::navigation::Movement;
use super::{append, index, segment_change};
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::dialog_layout;
use crate::tui::keys::Key;
use crate::tui::model::{ConfirmedAction, DialogButton, Model, Overlay};
use crate::tui::session_time::SessionTime;

/// Records that the screen was drawn with the topmost dialog.
pub(super) fn mark_drawn(model: &mut Model, drawn_at: SessionTime) {
    match model.overlays.last_mut() {
        Some(Overlay::Confirm(dialog)) => {
            dialog.first_drawn_at.get_or_insert(drawn_at);
        }
        Some(Overlay::Plan(dialog)) => {
            dialog.first_drawn_at.get_or_insert(drawn_at);
        }
        _ => {}
    }
}

/// Handles a key while a dialog is open.
pub(super) fn handle_key(model: &mut Model, key: Key, typed_at: SessionTime) {
    let Some(Overlay::Confirm(dialog)) = model.overlays.last_mut() else { return };
    if dialog.first_drawn_at.is_none_or(|drawn_at| typed_at <= drawn_at) {
        return;
    }
    match model.keys.action_for_key(ActionScope::Confirm, key) {
        Some(ActionId::Cancel) => {
            model.overlays.pop();
        }
        Some(ActionId::NextButton) if dialog.confirm_label.is_some() => {
            dialog.selected_button = match dialog.selected_button {
                DialogButton::Confirm => DialogButton::Cancel,
                DialogButton::Cancel => DialogButton::Confirm,
            };
        }
        Some(ActionId::ConfirmChoice) => {
            let pressed = dialog.selected_button;
            press_button(model, pressed);
        }
        Some(id @ (ActionId::ScrollDown | ActionId::ScrollUp)) => {
            dialog.scroll.scroll_by(scroll_movement(id, key).lines(dialog.scroll.height()));
        }
        _ => {}
    }
}

/// Closes the topmost dialog, and runs its action when the pressed button confirms it.
fn press_button(model: &mut Model, pressed: DialogButton) {
    let Some(Overlay::Confirm(dialog)) = model.overlays.last() else { return };
    let on_confirm = dialog.on_confirm.clone();
    model.overlays.pop();
    if pressed == DialogButton::Confirm {
        run_confirmed(model, on_confirm);
    }
}

/// Handles a click, which presses a button.
pub(super) fn handle_click(model: &mut Model, position: Position) {
    let Some(Overlay::Confirm(dialog)) = model.overlays.last() else { return };
    let area = dialog_layout::confirm_dialog_areas(model.size, dialog).buttons;
    let buttons = dialog_layout::place_buttons(area, dialog.confirm_label, None);
    let clicked = buttons.iter().find(|placed| placed.area.contains(position)).map(|placed| placed.button);
    if let Some(button) = clicked.filter(|_| dialog.first_drawn_at.is_some()) {
        press_button(model, button);
    }
}

/// Scrolls the text of the topmost dialog by a number of lines.
pub(super) fn scroll(model: &mut Model, lines: i64) {
    if let Some(Overlay::Confirm(dialog)) = model.overlays.last_mut() {
        dialog.scroll.scroll_by(lines);
    }
}

fn run_confirmed(model: &mut Model, action: ConfirmedAction) {
    match action {
        ConfirmedAction::Append => append::start_confirmed_append(model),
        ConfirmedAction::ChangeSegments(change) => segment_change::apply(model, change),
        ConfirmedAction::Nothing => {}
        ConfirmedAction::RebuildIndex => index::rebuild_index(model),
    }
}

/// Returns the movement of a key that scrolls the text of a dialog: by a page or to an end for keys such as Page Up and End, else by
/// a line in the direction of the action.
pub(super) const fn scroll_movement(action: ActionId, key: Key) -> Movement {
    match key {
        Key::PageDown => Movement::Pages(1),
        Key::PageUp => Movement::Pages(-1),
        Key::Home => Movement::ToFirst,
        Key::End => Movement::ToLast,
        _ if matches!(action, ActionId::ScrollUp) => Movement::Lines(-1),
        _ => Movement::Lines(1),
    }
}
