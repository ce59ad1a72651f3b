//! The table of actions: their keys, titles and help. Key dispatch, footer, help, palette, manual page and README use
//! it.
//!
//! The table only describes the actions; `update` runs them.

mod copy_table;
mod dialog_table;
mod groups;
mod keymap;
mod main_table;
mod table;

use super::keys::Key;
pub(crate) use groups::ActionGroup;
pub(crate) use keymap::{KeyMap, ReboundAction};
use table::TABLE;

/// Identifies an action of the screen. The table describes each action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    TabStatistics,
    TabCompare,
    TabSegments,
    Period,
    Timeline,
    TimelineEarlier,
    TimelineLater,
    TimelineSelect,
    TimelineFilter,
    Compare,
    NextView,
    PreviousView,
    ToggleState,
    ToggleBytes,
    ToggleFolds,
    ToggleWrap,
    LineStart,
    LineEnd,
    ToggleOffsetBase,
    Zoom,
    Activate,
    Sort,
    Palette,
    Search,
    SearchNext,
    SearchPrevious,
    Filter,
    FilterAggregate,
    FilterWithValue,
    FilterWithoutValue,
    FilterOnlyValue,
    FilterRemoveLast,
    FilterHelp,
    ToggleFindings,
    NextDamage,
    PreviousDamage,
    JumpBack,
    JumpForward,
    SetMark,
    GoToMark,
    Follow,
    Append,
    AppendLike,
    UpdateIndex,
    RebuildIndex,
    Repair,
    RepairAll,
    Undo,
    Erase,
    Purge,
    Retain,
    Compact,
    ScanStop,
    ScanResume,
    ReadAgain,
    Verify,
    Messages,
    ToggleMouse,
    ChooseTheme,
    Screenshot,
    Report,
    Copy,
    CopyOffset,
    CopyJson,
    CopyPayload,
    CopyValue,
    CopyPath,
    CopyHex,
    CopyCommand,
    SaveCopy,
    Export,
    Help,
    Back,
    Close,
    Interrupt,
    Suspend,
    Redraw,
    SubmitPrompt,
    Cancel,
    ConfirmChoice,
    SubmitForm,
    CloseForm,
    ClosePrompt,
    NextField,
    LineBreak,
    Complete,
    PreviousInput,
    NextInput,
    PromptHelp,
    ChangeValue,
    NextButton,
    ScrollDown,
    ScrollUp,
    ToggleRange,
    ShowBytes,
    ExplainPlan,
    CopyPlanCommand,
    ToggleCandidate,
    AcceptLikely,
    GapUndecided,
    AcceptLargeGap,
    Columns,
    ToggleZone,
    NextColumn,
    PreviousColumn,
    ToggleColumn,
    ColumnLeft,
    ColumnRight,
    WidenColumn,
    NarrowColumn,
    AddColumn,
    DefaultColumns,
    CloseColumns,
}

/// The state of the screen in which the keys of an action apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionScope {
    /// The screen without an overlay.
    Main,
    /// The timeline has the focus. The keys of the screen that it has no action for apply too.
    Timeline,
    /// The screen waits for the second key of a copy action, after `y`.
    CopyChord,
    /// The screen waits for the name of a mark.
    MarkName,
    /// A line of text: palette, search, filter or help.
    TextInput,
    /// The form that appends a test event.
    Form,
    /// A dialog that asks for confirmation.
    Confirm,
    /// The dialog that shows a plan. The keys of a confirmation dialog apply there too.
    Plan,
    /// The dialog in which the columns of the list are chosen.
    Columns,
}

impl ActionScope {
    /// All scopes, in the order of the enum.
    pub const ALL: [Self; 9] = [
        Self::Main,
        Self::Timeline,
        Self::CopyChord,
        Self::MarkName,
        Self::TextInput,
        Self::Form,
        Self::Confirm,
        Self::Plan,
        Self::Columns,
    ];
}

impl ActionScope {
    /// Returns the name of the scope in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "screen",
            Self::Timeline => "timeline",
            Self::CopyChord => "after the key of `copy`",
            Self::MarkName => "name of a mark",
            Self::TextInput => "line of text",
            Self::Form => "append form",
            Self::Confirm => "dialog",
            Self::Plan => "plan",
            Self::Columns => "columns",
        }
    }
}

/// A row of the table of actions.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// The action that the row describes.
    pub id: ActionId,
    /// Keys that run the action. An action without keys is run from the palette or the help.
    pub keys: &'static [Key],
    /// The scope in which the keys apply.
    pub scope: ActionScope,
    /// Title in the palette and in the help.
    pub title: &'static str,
    /// Description of the action, in one sentence without a period.
    pub help: &'static str,
    /// Label in the footer; `None` when the footer does not show the action.
    pub footer_label: Option<&'static str>,
    /// Whether the action writes to the log, the index or the journals.
    pub writes: bool,
    /// The equivalent command line, with LOG in place of the log's path.
    pub cli_equivalent: Option<&'static str>,
}

impl ActionSpec {
    const fn new(
        id: ActionId,
        scope: ActionScope,
        keys: &'static [Key],
        title: &'static str,
        help: &'static str,
    ) -> Self {
        Self { id, keys, scope, title, help, footer_label: None, writes: false, cli_equivalent: None }
    }

    const fn with_footer(self, label: &'static str) -> Self {
        Self { footer_label: Some(label), ..self }
    }

    /// Returns the name of the action in the configuration: its title with `-` for blanks.
    pub fn config_name(&self) -> String {
        self.title.to_lowercase().replace(' ', "-")
    }

    /// Returns whether the configuration can give the action other keys. The keys of candidates are part of the plan's
    /// text.
    pub fn is_rebindable(&self) -> bool {
        self.id != ActionId::ToggleCandidate
    }

    const fn writing(self) -> Self {
        Self { writes: true, ..self }
    }

    const fn with_cli_equivalent(self, command: &'static str) -> Self {
        Self { cli_equivalent: Some(command), ..self }
    }
}

/// Returns the table of actions, in the order of the help.
pub fn action_table() -> &'static [ActionSpec] {
    &TABLE
}

/// Returns the row of an action.
pub(crate) fn action_by_id(id: ActionId) -> Option<&'static ActionSpec> {
    TABLE.iter().find(|action| action.id == id)
}

/// Returns the keys of the candidates of a plan, in the order of the candidates.
pub(crate) fn candidate_keys() -> &'static [Key] {
    action_by_id(ActionId::ToggleCandidate).map_or(&[], |action| action.keys)
}

/// An action that the footer shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FooterEntry {
    /// The first key of the action.
    pub(crate) key: Key,
    /// Label of the action.
    pub(crate) label: &'static str,
    /// The action that the key runs.
    pub(crate) id: ActionId,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

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
    fn every_action_that_writes_has_an_equivalent_command() {
        assert!(TABLE.iter().filter(|row| row.writes).all(|row| row.cli_equivalent.is_some()));
    }

    #[test]
    fn the_footer_fits_80_columns() {
        for scope in ActionScope::ALL {
            let columns = |entry: FooterEntry| format!(" {} {} ", entry.key, entry.label).chars().count();
            let width: usize = KeyMap::default().footer_entries(scope).map(columns).sum();
            assert!(width <= 80, "{scope:?} takes {width}");
        }
    }
}
