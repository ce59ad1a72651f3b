//! Goes back and forward through the places that jumps have left, and to marks.

use super::{following, rows};
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::keys::Key;
use crate::tui::model::{JumpPlace, MarkUse, Model};

/// Returns to the place before the last jump.
pub(super) fn go_back(model: &mut Model) {
    match model.jump_list.go_back(model.current_place()) {
        Some(place) => show_place(model, place),
        None => model.notify("No earlier place: no jump was made before this one"),
    }
}

/// Goes to the place from which the screen went back.
pub(super) fn go_forward(model: &mut Model) {
    if let Some(place) = model.jump_list.go_forward() {
        show_place(model, place);
    } else {
        let key = model.keys.hint(ActionId::JumpBack);
        model.notify(format!("No later place: {key} goes back first"));
    }
}

/// Shows a place: its tab, its filter and its row.
fn show_place(model: &mut Model, place: JumpPlace) {
    let JumpPlace { tab, focus, filter, offset } = place;
    following::stop_following(model);
    (model.tab, model.focus) = (tab, focus);
    let has_same_filter = filter.is_same(&model.list.filter);
    model.list.filter = filter;
    if !has_same_filter || !model.list.select_offset(offset) {
        rows::request_window(model, offset);
    }
}

/// Handles the key after the one that sets a mark or goes to one.
pub(super) fn handle_mark_key(model: &mut Model, key: Key, mark_use: MarkUse) {
    model.overlays.pop();
    let action = model.keys.action_for_key(ActionScope::Main, key);
    match (key, mark_use) {
        (Key::Esc, _) => {}
        (Key::Char(name), _) if name.is_alphanumeric() => use_mark(model, name, mark_use),
        (_, MarkUse::GoTo) if action == Some(ActionId::GoToMark) => go_back(model),
        _ if action == Some(ActionId::Back) => {}
        _ => model.notify(format!("A mark is a letter or a digit, found {key}")),
    }
}

/// Marks the present place with a letter or a digit, or goes to the place that it marks.
fn use_mark(model: &mut Model, name: char, mark_use: MarkUse) {
    match mark_use {
        MarkUse::Set => {
            let place = model.current_place();
            let offset = model.format_offset(place.offset);
            model.jump_list.marks.insert(name, place);
            let key = model.keys.hint(ActionId::GoToMark);
            model.notify(format!("Marked {offset} as {name}; {key} {name} returns to it"));
        }
        MarkUse::GoTo => {
            if let Some(place) = model.jump_list.marks.get(&name).cloned() {
                model.record_place();
                show_place(model, place);
            } else {
                let key = model.keys.hint(ActionId::SetMark);
                model.notify(format!("No mark {name}; {key} {name} sets it"));
            }
        }
    }
}
