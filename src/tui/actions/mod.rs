//! The one table of actions: dispatch, footer, help and palette read it, and so do manual page and README.
//!
//! Here never lives what an action does.

mod table;

use super::keys::Key;
use table::TABLE;

/// What a user can wish for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each has its row in the table, with a title and a help text")]
pub enum ActionId {
    Down,
    Up,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    First,
    Last,
    Left,
    Right,
    NextPane,
    PreviousPane,
    TabEvents,
    TabAggregates,
    TabFindings,
    TabIndex,
    TabRepairs,
    NextView,
    PreviousView,
    Zoom,
    Activate,
    Sort,
    Palette,
    Search,
    SearchNext,
    SearchPrevious,
    Filter,
    FilterAggregate,
    FilterRemoveLast,
    NextDamage,
    PreviousDamage,
    Follow,
    Append,
    UpdateIndex,
    RebuildIndex,
    Repair,
    RepairAll,
    Undo,
    ScanStop,
    ScanResume,
    ToggleMouse,
    Copy,
    CopyOffset,
    CopyJson,
    CopyPayload,
    CopyHex,
    CopyCommand,
    Help,
    Back,
    Close,
    Interrupt,
    Suspend,
    SubmitPrompt,
    Cancel,
    ConfirmChoice,
    SubmitForm,
    CloseForm,
    ClosePrompt,
    NextField,
    LineBreak,
    Complete,
    ChangeValue,
    NextButton,
    ScrollDown,
    ScrollUp,
    ToggleCandidate,
    AcceptLikely,
    GapUndecided,
}

/// Where a key means an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionScope {
    /// On the screen itself.
    Main,
    /// After `y`.
    CopyChord,
    /// In a line of text: palette, search, filter, help.
    TextInput,
    /// In the append form.
    Form,
    /// In a question.
    Confirm,
    /// In a plan, beside what a question takes.
    Plan,
}

impl ActionScope {
    /// Every place.
    pub const ALL: [Self; 6] = [Self::Main, Self::CopyChord, Self::TextInput, Self::Form, Self::Confirm, Self::Plan];
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// Which.
    pub id: ActionId,
    /// Its keys; none for what only palette and help run.
    pub keys: &'static [Key],
    /// Where they mean it.
    pub scope: ActionScope,
    /// What palette and help call it.
    pub title: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// What the footer calls it, where it has a place there.
    pub footer_label: Option<&'static str>,
    /// It writes to the log or beside it.
    pub writes: bool,
    /// The command that does the same without a screen; LOG stands for the log.
    pub cli_equivalent: Option<&'static str>,
}

impl ActionSpec {
    const fn new(
        id: ActionId,
        place: ActionScope,
        keys: &'static [Key],
        title: &'static str,
        help: &'static str,
    ) -> Self {
        Self { id, keys, scope: place, title, help, footer_label: None, writes: false, cli_equivalent: None }
    }

    const fn with_footer(self, label: &'static str) -> Self {
        Self { footer_label: Some(label), ..self }
    }

    const fn writing(self) -> Self {
        Self { writes: true, ..self }
    }

    const fn with_cli_equivalent(self, command: &'static str) -> Self {
        Self { cli_equivalent: Some(command), ..self }
    }
}

/// The table.
pub fn action_table() -> &'static [ActionSpec] {
    TABLE
}

/// The row of an action.
pub(crate) fn action_by_id(id: ActionId) -> Option<&'static ActionSpec> {
    TABLE.iter().find(|action| action.id == id)
}

/// The keys of the candidates in a plan, the first candidate's first.
pub(crate) fn candidate_keys() -> &'static [Key] {
    action_by_id(ActionId::ToggleCandidate).map_or(&[], |action| action.keys)
}

/// What a key means in a place.
pub(crate) fn action_for_key(place: ActionScope, key: Key) -> Option<ActionId> {
    TABLE.iter().find(|action| action.scope == place && action.keys.contains(&key)).map(|action| action.id)
}

/// The footer of a place: keys and labels, in the table's order.
pub(crate) fn footer_entries(place: ActionScope) -> impl Iterator<Item = (Key, &'static str, ActionId)> {
    TABLE.iter().filter(move |action| action.scope == place).filter_map(|action| {
        let label = action.footer_label?;
        Some((*action.keys.first()?, label, action.id))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in ActionScope::ALL {
            let keys: Vec<_> =
                TABLE.iter().filter(|row| row.scope == place).flat_map(|row| row.keys.iter().copied()).collect();
            let different: HashSet<_> = keys.iter().copied().collect();
            assert_eq!(keys.len(), different.len(), "{place:?}: {keys:?}");
        }
    }

    #[test]
    fn every_action_has_one_row_with_a_title_and_help() {
        let ids: HashSet<_> = TABLE.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), TABLE.len());
        for row in action_table() {
            assert!(!row.title.is_empty() && row.help.len() > row.title.len() / 2, "{row:?}");
            assert!(row.help.starts_with(char::is_uppercase) && !row.help.ends_with('.'), "{row:?}");
        }
    }

    #[test]
    fn every_action_that_writes_has_a_command_that_does_the_same() {
        assert!(TABLE.iter().filter(|row| row.writes).all(|row| row.cli_equivalent.is_some()));
    }

    #[test]
    fn the_footer_fits_80_columns() {
        for place in ActionScope::ALL {
            let width: usize =
                footer_entries(place).map(|(key, label, _)| format!(" {key} {label} ").chars().count()).sum();
            assert!(width <= 80, "{place:?} takes {width}");
        }
    }
}
