//! Passes keys and pasted text to the topmost overlay, or to the screen when there is none.

use super::dispatch::run_action;
use super::{columns, confirm, form, help, places, plan_dialog, prompt, session};
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::keys::Key;
use crate::tui::model::{Model, Overlay};
use crate::tui::session_time::SessionTime;

/// Handles a key press.
pub(super) fn handle_key(model: &mut Model, key: Key, typed_at: SessionTime) {
    session::note_input(model);
    // These actions work in every overlay, with keys that type no text.
    if !matches!(key, Key::Char(_)) {
        match model.keys.action_for_key(ActionScope::Main, key) {
            Some(id @ (ActionId::Suspend | ActionId::Redraw)) => return run_action(model, id),
            Some(ActionId::Interrupt) => {
                if model.overlays.pop().is_none() {
                    session::quit(model);
                }
                return;
            }
            _ => {}
        }
    }
    match model.overlays.last() {
        None => {
            model.notice = None;
            // The line with the next keys is for users who have pressed no key yet.
            model.has_suggested_keys = true;
            let own = model.keys.action_for_key(model.key_scope(), key);
            match own.or_else(|| model.keys.action_for_key(ActionScope::Main, key)) {
                Some(id) => run_action(model, id),
                None => report_unbound_key(model, key),
            }
        }
        Some(Overlay::Prompt(_)) => prompt::handle_key(model, key),
        Some(Overlay::Help(_)) => help::handle_key(model, key),
        Some(Overlay::CopyChord) => handle_copy_chord(model, key),
        Some(Overlay::MarkName(mark_use)) => places::handle_mark_key(model, key, *mark_use),
        Some(Overlay::Confirm(_)) => confirm::handle_key(model, key, typed_at),
        Some(Overlay::Plan(_)) => plan_dialog::handle_key(model, key, typed_at),
        Some(Overlay::Form) => form::handle_key(model, key),
        Some(Overlay::Columns(_)) => columns::handle_key(model, key),
    }
}

/// Reports that a key has no action, once for each key.
fn report_unbound_key(model: &mut Model, key: Key) {
    if !model.unbound_keys.contains(&key) {
        model.unbound_keys.push(key);
        let help = model.keys.hint(ActionId::Help);
        model.notify(format!("{key} has no action; {help} lists the keys"));
    }
}

/// Handles the key after `y`, which selects the part of the row to copy.
fn handle_copy_chord(model: &mut Model, key: Key) {
    model.overlays.pop();
    let is_back = key == Key::Esc || model.keys.action_for_key(ActionScope::Main, key) == Some(ActionId::Back);
    match model.keys.action_for_key(ActionScope::CopyChord, key) {
        Some(id) => run_action(model, id),
        None if is_back => {}
        None => {
            let keys = model.keys.footer_entries(ActionScope::CopyChord).map(|entry| entry.key.to_string());
            let (keys, copy) = (keys.collect::<Vec<_>>().join(", "), model.keys.hint(ActionId::Copy));
            model.notify(format!("Nothing copied: expected one of {keys} after {copy}, found {key}"));
        }
    }
}

/// Handles pasted text. It is only inserted into text fields, so that pasted text never runs an action.
pub(super) fn handle_paste(model: &mut Model, text: &str) {
    match model.overlays.last_mut() {
        Some(Overlay::Prompt(prompt)) => {
            prompt.input.paste(text);
            prompt.text_changed();
        }
        Some(Overlay::Help(help)) => help.input.paste(text),
        Some(Overlay::Form) => form::handle_paste(model, text),
        Some(Overlay::Columns(chooser)) => columns::handle_paste(chooser, text),
        Some(Overlay::CopyChord | Overlay::MarkName(_) | Overlay::Confirm(_) | Overlay::Plan(_)) | None => {}
    }
}
