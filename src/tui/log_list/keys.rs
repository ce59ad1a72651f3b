//! The keys of the list of logs. The loop, the last line and the documents use this table.

use crate::tui::keys::Key;
use Key::{Char, Ctrl};

/// What a key of the list does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListCommand {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Rescan,
    Redraw,
    Suspend,
    Help,
    Quit,
}

/// A row of the table of keys.
#[derive(Debug, Clone, Copy)]
pub struct ListKeySpec {
    /// The keys.
    pub keys: &'static [Key],
    /// What they do, in one sentence without a period.
    pub help: &'static str,
    pub(super) command: ListCommand,
    /// The label in the last line; `None` when it does not show the key.
    pub(super) label: Option<&'static str>,
}

impl ListKeySpec {
    const fn new(command: ListCommand, keys: &'static [Key], help: &'static str) -> Self {
        Self { keys, help, command, label: None }
    }

    const fn with_label(self, label: &'static str) -> Self {
        Self { label: Some(label), ..self }
    }
}

/// The keys of the list of logs, in the order of the documents.
pub const LOG_LIST_KEYS: [ListKeySpec; 12] = [
    ListKeySpec::new(
        ListCommand::Open,
        &[Key::Enter, Char('l'), Key::Right],
        "Open the selected log; quitting its screen comes back to the list",
    )
    .with_label("open"),
    ListKeySpec::new(ListCommand::Down, &[Char('j'), Key::Down], "Move down one line").with_label("down"),
    ListKeySpec::new(ListCommand::Up, &[Char('k'), Key::Up], "Move up one line").with_label("up"),
    ListKeySpec::new(ListCommand::PageDown, &[Key::PageDown, Char(' '), Ctrl('f'), Ctrl('d')], "Move down one page"),
    ListKeySpec::new(ListCommand::PageUp, &[Key::PageUp, Ctrl('b'), Ctrl('u')], "Move up one page"),
    ListKeySpec::new(ListCommand::First, &[Char('g'), Key::Home], "Go to the first log"),
    ListKeySpec::new(ListCommand::Last, &[Char('G'), Key::End], "Go to the last log"),
    ListKeySpec::new(ListCommand::Rescan, &[Char('r')], "Read all logs again").with_label("read again"),
    ListKeySpec::new(ListCommand::Redraw, &[Ctrl('l')], "Clear the terminal and draw everything again"),
    ListKeySpec::new(ListCommand::Suspend, &[Ctrl('z')], "Suspend to the shell; `fg` returns"),
    ListKeySpec::new(ListCommand::Help, &[Char('?'), Key::F(1)], "Show what the keys do").with_label("help"),
    ListKeySpec::new(ListCommand::Quit, &[Char('q'), Ctrl('c')], "Quit").with_label("quit"),
];

/// Returns what a key does; `None` when it has no effect.
pub(super) fn command_of(key: Key) -> Option<ListCommand> {
    LOG_LIST_KEYS.iter().find(|spec| spec.keys.contains(&key)).map(|spec| spec.command)
}

/// Returns the keys with a label, for the line of messages: `Enter open  j down`.
pub(super) fn keys_text() -> String {
    let labelled = LOG_LIST_KEYS.iter().filter_map(|spec| Some((spec.keys.first()?, spec.label?)));
    labelled.map(|(key, label)| format!("{key} {label}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_the_list_has_two_effects() {
        let keys: Vec<Key> = LOG_LIST_KEYS.iter().flat_map(|spec| spec.keys).copied().collect();
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
