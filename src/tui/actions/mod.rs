//! The one table of actions: dispatch, footer, help and palette read it, and so do manual page and README.
//!
//! Here never lives what an action does.

mod table;

use super::keys::Key;
use table::TABLE;

/// What a user can wish for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each has its row in the table, with a title and a help text")]
pub enum Id {
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
    Enter,
    Sort,
    Palette,
    Search,
    SearchNext,
    SearchPrevious,
    Filter,
    FilterAggregate,
    FilterDrop,
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
    ScanGo,
    Mouse,
    Copy,
    CopyOffset,
    CopyJson,
    CopyPayload,
    CopyHex,
    CopyCommand,
    Help,
    Back,
    Close,
    Leave,
    Suspend,
    Submit,
    Cancel,
    Answer,
    Send,
    LeaveForm,
    LeaveLine,
    NextField,
    LineBreak,
    Complete,
    Change,
    Choose,
    Read,
    ReadBack,
    Candidate,
    AcceptLikely,
    FenceUndecided,
}

/// Where a key means an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// On the screen itself.
    Main,
    /// After `y`.
    AfterY,
    /// In a line of text: palette, search, filter, help.
    Line,
    /// In the append form.
    Form,
    /// In a question.
    Question,
    /// In a plan, beside what a question takes.
    Plan,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 6] = [Self::Main, Self::AfterY, Self::Line, Self::Form, Self::Question, Self::Plan];
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Which.
    pub id: Id,
    /// Its keys; none for what only palette and help run.
    pub keys: &'static [Key],
    /// Where they mean it.
    pub place: Place,
    /// What palette and help call it.
    pub title: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// What the footer calls it, where it has a place there.
    pub footer: Option<&'static str>,
    /// It writes to the log or beside it.
    pub writes: bool,
    /// The command that does the same without a screen; LOG stands for the log.
    pub twin: Option<&'static str>,
}

impl Action {
    const fn new(id: Id, place: Place, keys: &'static [Key], title: &'static str, help: &'static str) -> Self {
        Self { id, keys, place, title, help, footer: None, writes: false, twin: None }
    }

    const fn footer(self, label: &'static str) -> Self {
        Self { footer: Some(label), ..self }
    }

    const fn writes(self) -> Self {
        Self { writes: true, ..self }
    }

    const fn twin(self, command: &'static str) -> Self {
        Self { twin: Some(command), ..self }
    }
}

/// The table.
pub fn table() -> &'static [Action] {
    TABLE
}

/// The row of an action.
pub(crate) fn of(id: Id) -> Option<&'static Action> {
    TABLE.iter().find(|action| action.id == id)
}

/// The keys of the candidates in a plan, the first candidate's first.
pub(crate) fn candidate_keys() -> &'static [Key] {
    of(Id::Candidate).map_or(&[], |action| action.keys)
}

/// What a key means in a place.
pub(crate) fn by_key(place: Place, key: Key) -> Option<Id> {
    TABLE.iter().find(|action| action.place == place && action.keys.contains(&key)).map(|action| action.id)
}

/// The footer of a place: keys and labels, in the table's order.
pub(crate) fn footer(place: Place) -> impl Iterator<Item = (Key, &'static str, Id)> {
    TABLE.iter().filter(move |action| action.place == place).filter_map(|action| {
        let label = action.footer?;
        Some((*action.keys.first()?, label, action.id))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let keys: Vec<_> =
                TABLE.iter().filter(|row| row.place == place).flat_map(|row| row.keys.iter().copied()).collect();
            let different: HashSet<_> = keys.iter().copied().collect();
            assert_eq!(keys.len(), different.len(), "{place:?}: {keys:?}");
        }
    }

    #[test]
    fn every_action_has_one_row_with_a_title_and_help() {
        let ids: HashSet<_> = TABLE.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), TABLE.len());
        for row in table() {
            assert!(!row.title.is_empty() && row.help.len() > row.title.len() / 2, "{row:?}");
            assert!(row.help.starts_with(char::is_uppercase) && !row.help.ends_with('.'), "{row:?}");
        }
    }

    #[test]
    fn every_action_that_writes_has_a_command_that_does_the_same() {
        assert!(TABLE.iter().filter(|row| row.writes).all(|row| row.twin.is_some()));
    }

    #[test]
    fn the_footer_fits_80_columns() {
        for place in Place::ALL {
            let width: usize = footer(place).map(|(key, label, _)| format!(" {key} {label} ").chars().count()).sum();
            assert!(width <= 80, "{place:?} takes {width}");
        }
    }
}
