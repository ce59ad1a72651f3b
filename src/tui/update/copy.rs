//! Copying what is under the cursor: for the clipboard, and shown as well.

use super::{act, settle};
use crate::query::What;
use crate::report::units::size;
use crate::report::{path_text, safe};
use crate::tui::actions::{Id, Place, by_key};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::model::{Contents, Model};

/// Bytes that are copied at most: terminals drop longer texts without a word.
const MAX: usize = 256 << 10;
/// Characters of a copy that are shown.
const SHOWN: usize = 120;

/// Takes the letter that says what is copied.
pub(super) fn key(model: &mut Model, key: Key) {
    model.layers.pop();
    match by_key(Place::AfterY, key) {
        Some(id) => act(model, id),
        None if key == Key::Esc => {}
        None => model.tell("nothing copied: o, j, p, h or c after y"),
    }
}

/// Copies.
pub(super) fn copy(model: &mut Model, id: Id) {
    let Some(row) = settle::chosen(model) else { return };
    let contents = model.detail.contents.as_ref().filter(|contents| contents.row.start == row.start);
    let (what, text) = match id {
        Id::CopyJson => ("JSON", contents.and_then(|contents| contents.json.clone())),
        Id::CopyPayload => ("payload", contents.and_then(Contents::payload).map(str::to_owned)),
        Id::CopyHex => ("hex", contents.filter(|contents| whole(contents)).map(|contents| hex(&contents.bytes))),
        Id::CopyCommand => ("command", Some(command(model, &row.what, row.start))),
        _ => ("offset", Some(row.start.to_string())),
    };
    match text {
        None => model.warn(format!("{what}: not there yet, or too much to copy")),
        Some(text) if text.len() > MAX => model.warn(format!(
            "{what}: {} is too much for a clipboard behind a terminal; y c copies the command that shows it",
            size(text.len() as u64)
        )),
        Some(text) => {
            let short: String = safe(&text).chars().take(SHOWN).collect();
            model.tell(format!("copied {what}: {short}"));
            model.effects.push_back(Effect::Copy(text));
        }
    }
}

fn whole(contents: &Contents) -> bool {
    contents.base == contents.row.start && contents.bytes.len() as u64 == contents.row.end - contents.row.start
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The command that shows what is under the cursor without a screen.
fn command(model: &Model, what: &What, offset: u64) -> String {
    let log = log_word(model);
    match what {
        What::Header => format!("chronicle info {log}"),
        What::Event(_) => format!("chronicle cat {log} --from {offset} --limit 1"),
        What::Finding(_) | What::InFlight => {
            format!("chronicle verify {log} --from {offset} --until {} --json", offset + 1)
        }
    }
}

/// The log as a shell takes it.
pub(super) fn log_word(model: &Model) -> String {
    quoted(&path_text(&model.facts.path))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("/tmp/a.log"), "/tmp/a.log");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
    }
}
