//! Keys in the help.

use super::act;
use crate::tui::actions::Place;
use crate::tui::keys::Key;
use crate::tui::model::{Cursor, Layer, Model};

/// Takes a key while help is open.
pub(super) fn key(model: &mut Model, key: Key) {
    let Some(Layer::Help(help)) = model.layers.last_mut() else { return };
    let actions = help.actions();
    let page = help.cursor.height.max(1) as i64;
    match key {
        Key::Esc | Key::F(1) => {
            model.layers.pop();
        }
        Key::Down | Key::Tab => help.cursor.move_by(1, actions.len()),
        Key::Up | Key::BackTab => help.cursor.move_by(-1, actions.len()),
        Key::PageDown => help.cursor.move_by(page, actions.len()),
        Key::PageUp => help.cursor.move_by(-page, actions.len()),
        Key::Enter => {
            let chosen = actions.get(help.cursor.at).copied();
            model.layers.pop();
            if let Some(action) = chosen.filter(|action| matches!(action.place, Place::Main | Place::AfterY)) {
                act(model, action.id);
            }
        }
        _ => {
            if help.line.key(key) {
                help.cursor = Cursor { at: 0, top: 0, ..help.cursor };
            }
        }
    }
}
