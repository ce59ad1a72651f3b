//! Copies parts of the selected row to the clipboard, and shows the start of the copied text.

use crate::format::hex;
use crate::query::{LogRow, RowContent};
use crate::report::sanitize;
use crate::report::units::format_size;
use crate::tui::actions::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::{Model, RowContents};

/// Size in bytes of the largest text that is copied. Terminals drop longer texts without an error.
const MAX_CLIPBOARD_BYTES: usize = 256 << 10;
/// Number of characters of a copied text that the footer shows.
const PREVIEW_CHARS: usize = 120;

/// Copies the part of the selected row that a copy action names.
pub(super) fn copy_selection(model: &mut Model, id: ActionId) {
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
        ActionId::CopyCommand => ("command", Some(cli_command(&model.log_info.shell_path(), &row))),
        _ => ("offset", Some(row.start.to_string())),
    };
    match text {
        None => model.warn(format!("Cannot copy {name}: not loaded, or too large")),
        Some(text) if text.len() > MAX_CLIPBOARD_BYTES => model.warn(format!(
            "Cannot copy {name}: {} exceeds the clipboard's {}; y c copies the command that shows it",
            format_size(text.len() as u64),
            format_size(MAX_CLIPBOARD_BYTES as u64)
        )),
        Some(text) => {
            let preview: String = sanitize(&text).chars().take(PREVIEW_CHARS).collect();
            model.notify(format!("Copied {name}: {preview}"));
            model.effects.push_back(Effect::CopyToClipboard(text));
        }
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
