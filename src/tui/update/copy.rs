//! Copying what is under the cursor: for the clipboard, and shown as well.

use super::{refresh, run_action};
use crate::format::hex;
use crate::query::RowContent;
use crate::report::units::format_size;
use crate::report::{safe_path_text, sanitize};
use crate::tui::actions::{ActionId, ActionScope, action_for_key};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::model::{Model, RowContents};

/// Bytes that are copied at most: terminals drop longer texts without a word.
const MAX_CLIPBOARD_BYTES: usize = 256 << 10;
/// Characters of a copy that are shown.
const PREVIEW_CHARS: usize = 120;

/// Takes the letter that says what is copied.
pub(super) fn handle_key(model: &mut Model, key: Key) {
    model.overlays.pop();
    match action_for_key(ActionScope::CopyChord, key) {
        Some(id) => run_action(model, id),
        None if key == Key::Esc => {}
        None => model.notify("nothing copied: o, j, p, h or c after y"),
    }
}

/// Copies.
pub(super) fn copy_selection(model: &mut Model, id: ActionId) {
    let Some(row) = refresh::selected_row(model) else { return };
    let contents = model.detail.contents.as_ref().filter(|contents| contents.details.row.start == row.start);
    let (what, text) = match id {
        ActionId::CopyJson => ("JSON", contents.and_then(|contents| contents.details.payload_text.clone())),
        ActionId::CopyPayload => {
            ("payload", contents.and_then(|contents| contents.details.event_payload()).map(str::to_owned))
        }
        ActionId::CopyHex => {
            ("hex", contents.filter(|contents| has_all_bytes(contents)).map(|contents| hex::encode(&contents.bytes)))
        }
        ActionId::CopyCommand => ("command", Some(cli_command(model, &row.content, row.start))),
        _ => ("offset", Some(row.start.to_string())),
    };
    match text {
        None => model.warn(format!("{what}: not there yet, or too much to copy")),
        Some(text) if text.len() > MAX_CLIPBOARD_BYTES => model.warn(format!(
            "{what}: {} is too much for a clipboard behind a terminal; y c copies the command that shows it",
            format_size(text.len() as u64)
        )),
        Some(text) => {
            let short: String = sanitize(&text).chars().take(PREVIEW_CHARS).collect();
            model.notify(format!("copied {what}: {short}"));
            model.effects.push_back(Effect::CopyToClipboard(text));
        }
    }
}

fn has_all_bytes(contents: &RowContents) -> bool {
    contents.bytes_start == contents.details.row.start
        && contents.bytes.len() as u64 == contents.details.row.end - contents.details.row.start
}

/// The command that shows what is under the cursor without a screen.
fn cli_command(model: &Model, what: &RowContent, offset: u64) -> String {
    let log = shell_log_path(model);
    match what {
        RowContent::Header => format!("chronicle info {log}"),
        RowContent::Event(_) | RowContent::Finding(_) | RowContent::InFlight => {
            format!("chronicle show {log} {offset}")
        }
    }
}

/// The log as a shell takes it.
pub(super) fn shell_log_path(model: &Model) -> String {
    shell_quote(&safe_path_text(&model.log_info.path))
}

/// A word as a shell takes it.
fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(shell_quote("/tmp/a.log"), "/tmp/a.log");
        assert_eq!(shell_quote("it's here"), "'it'\\''s here'");
    }
}
