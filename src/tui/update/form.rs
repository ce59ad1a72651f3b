//! Handles keys and pasted text in the append form.

use ratatui_textarea::{Input, Key as EditorKey};

use super::append;
use super::requests::stop_worker;
use crate::file::Durability;
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::keys::Key;
use crate::tui::model::{FormField, Model, Overlay};
use crate::tui::request::WorkerKind;

/// Handles a key while the form is open.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    match model.keys.action_for_key(ActionScope::Form, key) {
        // The first Esc stops a submission. The form stays open to show the result.
        Some(ActionId::CloseForm) if model.form.is_sending => stop_append(model),
        Some(ActionId::CloseForm) => model.overlays.retain(|overlay| !matches!(overlay, Overlay::Form)),
        Some(ActionId::SubmitForm) => append::submit_form(model),
        Some(ActionId::NextField) => model.form.cycle_field(if key == Key::BackTab { -1 } else { 1 }),
        Some(ActionId::LineBreak) if model.form.field == FormField::Payload => model.form.editor.insert_newline(),
        _ => handle_field_key(model, key),
    }
}

fn stop_append(model: &mut Model) {
    model.form.is_sending = false;
    stop_worker(model, WorkerKind::Write);
    model.form.outcome = vec!["Stopped. The events appended until then are in the log".into()];
}

fn handle_field_key(model: &mut Model, key: Key) {
    let form = &mut model.form;
    match form.field {
        FormField::Durability => match key {
            Key::Left | Key::Right | Key::Char(' ') | Key::Up | Key::Down => {
                form.durability = match form.durability {
                    Durability::Buffered => Durability::Synced,
                    Durability::Synced => Durability::Buffered,
                };
            }
            _ => {}
        },
        FormField::Payload => {
            if let Some(input) = editor_input(key) {
                form.editor.input(input);
            }
        }
        _ => match (key, form.focused_input()) {
            (Key::Up, _) => form.cycle_field(-1),
            (Key::Down, _) => form.cycle_field(1),
            (_, Some(input)) => {
                input.handle_key(key);
            }
            _ => {}
        },
    }
}

/// Inserts pasted text into the focused field.
pub(super) fn handle_paste(model: &mut Model, text: &str) {
    if model.form.field == FormField::Payload {
        model.form.editor.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
    } else if let Some(input) = model.form.focused_input() {
        input.paste(text);
    }
}

/// Converts a key for the payload editor; `None` for keys that the form handles itself.
fn editor_input(key: Key) -> Option<Input> {
    let plain = |key| Some(Input { key, ctrl: false, alt: false, shift: false });
    match key {
        Key::Char(c) => plain(EditorKey::Char(c)),
        Key::Ctrl(c) => Some(Input { key: EditorKey::Char(c), ctrl: true, alt: false, shift: false }),
        Key::Alt(c) => Some(Input { key: EditorKey::Char(c), ctrl: false, alt: true, shift: false }),
        Key::WordLeft => Some(Input { key: EditorKey::Left, ctrl: true, alt: false, shift: false }),
        Key::WordRight => Some(Input { key: EditorKey::Right, ctrl: true, alt: false, shift: false }),
        Key::Backspace => plain(EditorKey::Backspace),
        Key::Delete => plain(EditorKey::Delete),
        Key::Left => plain(EditorKey::Left),
        Key::Right => plain(EditorKey::Right),
        Key::Up => plain(EditorKey::Up),
        Key::Down => plain(EditorKey::Down),
        Key::Home => plain(EditorKey::Home),
        Key::End => plain(EditorKey::End),
        Key::PageUp => plain(EditorKey::PageUp),
        Key::PageDown => plain(EditorKey::PageDown),
        Key::Enter | Key::Esc | Key::Tab | Key::BackTab | Key::F(_) => None,
    }
}
