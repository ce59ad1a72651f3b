//! The rows of the table of actions for the keys after `y`.

use super::{ActionId, ActionScope, ActionSpec};
use crate::tui::keys::Key;
use ActionScope::CopyChord;
use Key::Char;

/// The actions that copy a part of the selected row, in the order in which the help and the footer show them.
pub(super) const COPY_ACTIONS: &[ActionSpec] = &[
    ActionSpec::new(ActionId::CopyOffset, CopyChord, &[Char('o')], "copy offset", "Copy the offset")
        .with_footer("offset"),
    ActionSpec::new(ActionId::CopyJson, CopyChord, &[Char('j')], "copy JSON", "Copy the event as stored")
        .with_footer("JSON"),
    ActionSpec::new(ActionId::CopyPayload, CopyChord, &[Char('p')], "copy payload", "Copy the payload as stored")
        .with_footer("payload"),
    ActionSpec::new(
        ActionId::CopyValue,
        CopyChord,
        &[Char('v')],
        "copy value",
        "Copy the value under the cursor of the detail pane as stored",
    )
    .with_footer("value"),
    ActionSpec::new(
        ActionId::CopyPath,
        CopyChord,
        &[Char('a')],
        "copy path",
        "Copy the path of the value under the cursor of the detail pane, as a filter reads it",
    )
    .with_footer("path"),
    ActionSpec::new(ActionId::CopyHex, CopyChord, &[Char('h')], "copy hex", "Copy the bytes as hex digits")
        .with_footer("hex"),
    ActionSpec::new(
        ActionId::CopyCommand,
        CopyChord,
        &[Char('c')],
        "copy command",
        "Copy the command that shows this row",
    )
    .with_footer("command"),
    ActionSpec::new(
        ActionId::SaveCopy,
        CopyChord,
        &[Char('f')],
        "write copy to a file",
        "Write the text that was copied last to a file, for terminals that have no clipboard",
    )
    .with_footer("to file"),
];
