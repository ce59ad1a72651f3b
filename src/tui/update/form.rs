//! Keys in the append form.

use ratatui_textarea::{Input, Key as EditorKey};

use super::{stop, writing};
use crate::file::Durability;
use crate::tui::actions::{Id, Place, by_key};
use crate::tui::effect::Lane;
use crate::tui::keys::Key;
use crate::tui::model::{Field, Layer, Model};

/// Takes a key while the form is open.
pub(super) fn key(model: &mut Model, key: Key) {
    match by_key(Place::Form, key) {
        // A sending under way is stopped first.
        Some(Id::LeaveForm) if model.form.sending => stop_sending(model),
        Some(Id::LeaveForm) => model.layers.retain(|layer| !matches!(layer, Layer::Form)),
        Some(Id::Send) => writing::send(model),
        Some(Id::NextField) => model.form.step(if key == Key::BackTab { -1 } else { 1 }),
        Some(Id::LineBreak) if model.form.field == Field::Payload => model.form.editor.insert_newline(),
        _ => in_field(model, key),
    }
}

fn stop_sending(model: &mut Model) {
    model.form.sending = false;
    stop(model, Lane::Write);
    model.form.outcome = vec!["stopped; what was appended by then is in the log".into()];
}

fn in_field(model: &mut Model, key: Key) {
    let form = &mut model.form;
    match form.field {
        Field::Durability => match key {
            Key::Left | Key::Right | Key::Char(' ') | Key::Up | Key::Down => {
                form.durability = match form.durability {
                    Durability::Buffered => Durability::Synced,
                    Durability::Synced => Durability::Buffered,
                };
            }
            _ => {}
        },
        Field::Payload => {
            if let Some(input) = input(key) {
                form.editor.input(input);
            }
        }
        _ => match (key, form.line_mut()) {
            (Key::Up, _) => form.step(-1),
            (Key::Down, _) => form.step(1),
            (_, Some(line)) => {
                line.key(key);
            }
            _ => {}
        },
    }
}

/// Takes pasted text.
pub(super) fn paste(model: &mut Model, text: &str) {
    if model.form.field == Field::Payload {
        model.form.editor.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
    } else if let Some(line) = model.form.line_mut() {
        line.paste(text);
    }
}

/// A key as the editor knows it.
fn input(key: Key) -> Option<Input> {
    let plain = |key| Some(Input { key, ctrl: false, alt: false, shift: false });
    match key {
        Key::Char(c) => plain(EditorKey::Char(c)),
        Key::Ctrl(c) => Some(Input { key: EditorKey::Char(c), ctrl: true, alt: false, shift: false }),
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
