//! Copies parts of the selected row: through the terminal to its clipboard, or on request into a file.
//!
//! No terminal confirms that it has put a text on the clipboard, and many do not, so the footer reports what was sent
//! and offers the file.

use crate::format::hex;
use crate::query::{LogRow, RowContent};
use crate::report::units::format_size;
use crate::report::{safe_path_text, sanitize};
use crate::tui::actions::ActionId;
use crate::tui::effect::Effect;
use crate::tui::message::CopySaveResult;
use crate::tui::model::{CopiedText, Model, RowContents};

/// Size in bytes of the largest text that is sent to the terminal. Terminals drop longer texts without an error.
const MAX_CLIPBOARD_BYTES: usize = 256 << 10;
/// Number of characters of a copied text that the footer shows.
const PREVIEW_CHARS: usize = 60;

/// Copies the part of the selected row or line that a copy action names.
pub(super) fn copy_selection(model: &mut Model, id: ActionId) {
    if !model.lists_rows() {
        return match model.line_copy(id) {
            Ok(copied) => send_to_clipboard(model, copied),
            Err(reason) => model.warn(format!("Cannot copy this: {reason}")),
        };
    }
    let Some(row) = model.selected_row() else { return };
    let contents = model.detail.contents.as_ref().filter(|contents| contents.details.row.start == row.start);
    let (name, text) = match id {
        ActionId::CopyJson => ("JSON", contents.and_then(|contents| contents.details.payload_text.clone())),
        ActionId::CopyPayload => {
            ("payload", contents.and_then(|contents| contents.details.event_payload()).map(str::to_owned))
        }
        ActionId::CopyHex => {
            ("hex", contents.filter(|contents| has_all_bytes(contents)).map(|contents| hex::encode(&contents.bytes)))
        }
        ActionId::CopyValue => ("value", model.detail.value_under_cursor().map(|value| value.token)),
        ActionId::CopyPath => ("path", model.detail.value_under_cursor().map(|value| value.path())),
        ActionId::CopyCommand => ("command", Some(cli_command(&model.log_info.shell_path(), &row))),
        _ => ("offset", Some(row.start.to_string())),
    };
    match text {
        None => {
            let key = model.keys.hint(ActionId::CopyCommand);
            model.warn(format!("Cannot copy {name}: not loaded, or too large; {key} copies the command that shows it"));
        }
        Some(text) => send_to_clipboard(model, CopiedText { name, text }),
    }
}

/// Sends a text to the terminal for its clipboard, and reports it.
pub(super) fn send_to_clipboard(model: &mut Model, copied: CopiedText) {
    let CopiedText { name, text } = &copied;
    let size = format_size(text.len() as u64);
    let save = model.keys.hint(ActionId::SaveCopy);
    if text.len() > MAX_CLIPBOARD_BYTES {
        let limit = format_size(MAX_CLIPBOARD_BYTES as u64);
        model.warn(format!("Cannot copy {name}: {size} exceeds the clipboard's {limit}; {save} writes it to a file"));
    } else {
        let shown = sanitize(text);
        let mut preview: String = shown.chars().take(PREVIEW_CHARS).collect();
        if preview.len() < shown.len() {
            preview.push('…');
        }
        let message =
            format!("Sent {name} ({size}) to the terminal for its clipboard; {save} writes it to a file: {preview}");
        model.notify(message);
        model.effects.push_back(Effect::CopyToClipboard(text.clone()));
    }
    model.copied = Some(copied);
}

/// Writes the text that was copied last to a file in the folder for temporary files.
pub(super) fn save_copy(model: &mut Model) {
    if let Some(copied) = &model.copied {
        model.effects.push_back(Effect::SaveCopy(copied.text.clone()));
    }
}

/// Reports the file that holds the copied text.
pub(super) fn report_saved_copy(model: &mut Model, result: CopySaveResult) {
    let name = model.copied.as_ref().map_or("text", |copied| copied.name);
    match result {
        CopySaveResult::Saved(path) => model.notify(format!("Wrote {name} to {}", safe_path_text(&path))),
        CopySaveResult::Failed(reason) => model.warn(format!("Cannot write {name} to a temporary file: {reason}")),
    }
}

fn has_all_bytes(contents: &RowContents) -> bool {
    let row = &contents.details.row;
    contents.bytes_start == row.start && contents.bytes.len() as u64 == row.end - row.start
}

/// Returns the command line that prints a row. `log` is the log's path, quoted for a shell.
fn cli_command(log: &str, row: &LogRow) -> String {
    let start = row.start;
    match row.content {
        RowContent::Header => format!("chronicle info {log}"),
        RowContent::Event(_) | RowContent::Finding(_) | RowContent::InFlight => {
            format!("chronicle show {log} {start}")
        }
    }
}
