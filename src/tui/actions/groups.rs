//! The groups in which the help lists the actions.

use super::{ActionId, ActionScope, ActionSpec};

/// A group of actions in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionGroup {
    /// Searches, filters and jumps.
    Find,
    /// Movement of the cursor, and between panes.
    Move,
    /// The tabs, and how rows and values are shown.
    Show,
    /// Reading, verifying and following the log.
    Read,
    /// Index, repair and append.
    Change,
    /// Copies and files.
    Output,
    /// The program and its screen.
    Program,
    /// The keys of a scope other than the screen.
    Scope(ActionScope),
}

impl ActionGroup {
    /// The groups of the screen, in the order of the help.
    const OF_SCREEN: [Self; 7] =
        [Self::Find, Self::Move, Self::Show, Self::Read, Self::Change, Self::Output, Self::Program];

    /// Iterates over all groups, in the order of the help.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let scopes = ActionScope::ALL.into_iter().filter(|scope| *scope != ActionScope::Main);
        Self::OF_SCREEN.into_iter().chain(scopes.map(Self::Scope))
    }

    /// Returns the heading of the group.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Find => "Find and filter",
            Self::Move => "Move",
            Self::Show => "Tabs and views",
            Self::Read => "Read and verify",
            Self::Change => "Index, repair and append",
            Self::Output => "Copy and write to files",
            Self::Program => "Program",
            Self::Scope(ActionScope::Main) => "Screen",
            Self::Scope(ActionScope::Timeline) => "In the timeline",
            Self::Scope(ActionScope::CopyChord) => "Copy a part of the row",
            Self::Scope(ActionScope::MarkName) => "Name of a mark",
            Self::Scope(ActionScope::TextInput) => "In a line of text",
            Self::Scope(ActionScope::Form) => "In the append form",
            Self::Scope(ActionScope::Confirm) => "In a dialog",
            Self::Scope(ActionScope::Plan) => "In the dialog of a plan",
            Self::Scope(ActionScope::Columns) => "In the dialog of the columns",
        }
    }
}

impl ActionSpec {
    /// Returns the group in which the help lists the action.
    pub(crate) fn group(&self) -> ActionGroup {
        use ActionId as Id;
        match self.id {
            _ if self.scope != ActionScope::Main => ActionGroup::Scope(self.scope),
            Id::Down
            | Id::Up
            | Id::HalfDown
            | Id::HalfUp
            | Id::PageDown
            | Id::PageUp
            | Id::First
            | Id::Last
            | Id::Left
            | Id::Right
            | Id::LineStart
            | Id::LineEnd
            | Id::NextPane
            | Id::PreviousPane
            | Id::Activate => ActionGroup::Move,
            Id::TabEvents
            | Id::TabAggregates
            | Id::TabFindings
            | Id::TabIndex
            | Id::TabRepairs
            | Id::TabStatistics
            | Id::TabCompare
            | Id::TabSegments
            | Id::Compare
            | Id::Period
            | Id::Sort
            | Id::NextView
            | Id::PreviousView
            | Id::ToggleState
            | Id::ToggleBytes
            | Id::ToggleFolds
            | Id::ToggleWrap
            | Id::ToggleOffsetBase
            | Id::ToggleZone
            | Id::Columns
            | Id::Timeline
            | Id::Zoom => ActionGroup::Show,
            Id::Follow | Id::ReadAgain | Id::Verify | Id::ScanStop | Id::ScanResume => ActionGroup::Read,
            Id::Append
            | Id::AppendLike
            | Id::UpdateIndex
            | Id::RebuildIndex
            | Id::Repair
            | Id::RepairAll
            | Id::Undo
            | Id::Erase
            | Id::Purge
            | Id::Retain => ActionGroup::Change,
            Id::Copy | Id::Export | Id::Report | Id::Compact | Id::Screenshot => ActionGroup::Output,
            Id::Help
            | Id::Messages
            | Id::ToggleMouse
            | Id::ChooseTheme
            | Id::Back
            | Id::Close
            | Id::Interrupt
            | Id::Suspend
            | Id::Redraw => ActionGroup::Program,
            _ => ActionGroup::Find,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::actions::action_table;

    #[test]
    fn every_action_is_in_a_group_of_the_help() {
        let groups: Vec<_> = ActionGroup::all().collect();
        assert!(action_table().iter().all(|action| groups.contains(&action.group())));
        for group in groups {
            let has_actions = action_table().iter().any(|action| action.group() == group);
            // The names of marks are typed, and have no rows in the table.
            assert_eq!(has_actions, group != ActionGroup::Scope(ActionScope::MarkName), "{group:?}");
        }
    }
}
