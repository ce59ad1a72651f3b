//! Handles keys in the dialog in which the columns of the list are chosen.

use super::rows;
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::keys::Key;
use crate::tui::model::{ColumnChooser, ColumnLayout, Model, Overlay, TextInput};

/// Number of columns of the screen by which one key makes a column wider or narrower.
const WIDTH_STEP: i16 = 2;

/// Opens the dialog.
pub(super) fn open(model: &mut Model) {
    model.overlays.push(Overlay::Columns(ColumnChooser::default()));
}

/// Handles a key while the dialog is open.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    let Some(Overlay::Columns(chooser)) = model.overlays.last_mut() else { return };
    if chooser.path_input.is_some() {
        return handle_path_key(model, key);
    }
    let layout = &mut model.list.columns;
    let requested = layout.page_columns();
    let selected = chooser.selected(layout);
    let total = layout.choices().len();
    match (model.keys.action_for_key(ActionScope::Columns, key), selected) {
        (Some(ActionId::NextColumn), _) => chooser.cursor.move_by(1, total),
        (Some(ActionId::PreviousColumn), _) => chooser.cursor.move_by(-1, total),
        (Some(ActionId::AddColumn), _) => chooser.path_input = Some(TextInput::default()),
        (Some(ActionId::DefaultColumns), _) => *layout = ColumnLayout::default(),
        (Some(ActionId::CloseColumns), _) => {
            model.overlays.pop();
            return;
        }
        (Some(action), Some(column)) => {
            match action {
                ActionId::ToggleColumn => layout.toggle(&column),
                ActionId::ColumnLeft => layout.move_column(&column, -1),
                ActionId::ColumnRight => layout.move_column(&column, 1),
                ActionId::WidenColumn => layout.widen(&column, WIDTH_STEP),
                ActionId::NarrowColumn => layout.widen(&column, -WIDTH_STEP),
                _ => {}
            }
            chooser.select(layout, &column);
        }
        _ => {}
    }
    if layout.page_columns() != requested {
        read_rows(model);
    }
}

/// Handles a key while a path is typed.
fn handle_path_key(model: &mut Model, key: Key) {
    let Some(Overlay::Columns(chooser)) = model.overlays.last_mut() else { return };
    let Some(input) = &mut chooser.path_input else { return };
    match model.keys.action_for_key(ActionScope::TextInput, key) {
        Some(ActionId::ClosePrompt) => (chooser.path_input, chooser.error) = (None, None),
        Some(ActionId::SubmitPrompt) => match model.list.columns.add_value(input.text()) {
            Ok(column) => {
                (chooser.path_input, chooser.error) = (None, None);
                chooser.select(&model.list.columns, &column);
                read_rows(model);
            }
            Err(error) => chooser.error = Some(error),
        },
        _ => {
            if input.handle_key(key) {
                chooser.error = None;
            }
        }
    }
}

/// Inserts pasted text into the path that is being typed.
pub(super) fn handle_paste(chooser: &mut ColumnChooser, text: &str) {
    if let Some(input) = &mut chooser.path_input {
        input.paste(text);
    }
}

/// Reads the rows again, with the values of the shown columns.
fn read_rows(model: &mut Model) {
    let offset = model.list.selected_offset();
    rows::request_window(model, offset);
}
