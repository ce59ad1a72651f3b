//! The help: the actions in groups, those of the focused pane first, filtered by the typed text.

use super::detail::DetailView;
use super::modes::{Pane, Tab};
use super::tables::ListCursor;
use super::text_input::TextInput;
use super::{Model, Overlay};
use crate::tui::actions::{ActionGroup, ActionId, ActionScope, ActionSpec, KeyMap, action_by_id, action_table};
use ActionId as Id;

/// Number of lines of the legend.
const LEGEND_LINES: usize = 5;

/// Returns the height of the legend above the actions, on a screen of `height` lines. A lower screen has the legend after
/// the actions.
pub(crate) const fn help_legend_height(height: u16) -> u16 {
    // An empty line follows the legend.
    if height >= 24 { LEGEND_LINES as u16 + 1 } else { 0 }
}

/// The list of all actions, filtered by the typed text.
#[derive(Debug, Clone, Default)]
pub(crate) struct HelpOverlay {
    /// The text to filter by.
    pub(crate) input: TextInput,
    /// The cursor in the lines. It is never on a heading.
    pub(crate) cursor: ListCursor,
}

/// A line of the help.
#[derive(Debug, Clone)]
pub(crate) enum HelpLine {
    /// The name of the group that follows.
    Heading(String),
    /// An action.
    Action(&'static ActionSpec),
    /// A line of the legend, counted from 0.
    Legend(usize),
}

/// The part of the screen whose actions the help lists first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HelpPlace {
    Tab(Tab),
    FindingsPane,
    RepairDetails,
    CompareDetails,
    Detail(DetailView),
    /// A dialog or a line of text.
    Scope(ActionScope),
}

impl HelpPlace {
    fn of(model: &Model) -> Self {
        // The help is the last overlay.
        let below = model.overlays.iter().rev().find(|overlay| !matches!(overlay, Overlay::Help(_)));
        match (below, model.focus, model.tab) {
            (Some(overlay), _, _) => Self::Scope(overlay.scope()),
            (None, Pane::Detail, Tab::Repairs) => Self::RepairDetails,
            (None, Pane::Detail, Tab::Compare) => Self::CompareDetails,
            (None, Pane::Detail, _) => Self::Detail(model.detail.shown_view()),
            (None, Pane::Findings, _) => Self::FindingsPane,
            (None, Pane::Timeline, _) => Self::Scope(ActionScope::Timeline),
            (None, Pane::Main, tab) => Self::Tab(tab),
        }
    }

    fn title(self, model: &Model) -> String {
        match self {
            Self::Tab(Tab::Statistics) => "Here: statistics".into(),
            Self::Tab(tab) => format!("Here: {}", tab.name().to_lowercase()),
            Self::FindingsPane => "Here: findings".into(),
            Self::CompareDetails => "Here: both copies".into(),
            Self::RepairDetails => "Here: details of a repair".into(),
            Self::Detail(view) => {
                let name = model.detail.contents.as_ref().map(|contents| view.name(&contents.details.row.content));
                format!("Here: detail pane, {}", name.unwrap_or("no row"))
            }
            Self::Scope(scope) => format!("Here: {}", scope.name()),
        }
    }

    /// Returns the actions of the screen that are about this place, the most useful first.
    const fn actions(self) -> &'static [ActionId] {
        match self {
            Self::Tab(Tab::Events) => &[
                Id::Activate,
                Id::NextDamage,
                Id::Search,
                Id::Filter,
                Id::FilterAggregate,
                Id::FilterRemoveLast,
                Id::ToggleFindings,
                Id::Timeline,
                Id::Palette,
                Id::SetMark,
                Id::GoToMark,
                Id::Columns,
                Id::Follow,
                Id::Repair,
                Id::Copy,
                Id::Export,
            ],
            Self::Tab(Tab::Aggregates) => &[Id::Activate, Id::Sort, Id::UpdateIndex],
            Self::Tab(Tab::Findings) | Self::FindingsPane => {
                &[Id::Activate, Id::NextDamage, Id::PreviousDamage, Id::Repair, Id::RepairAll, Id::Copy, Id::Verify]
            }
            Self::Tab(Tab::Index) => &[Id::Activate, Id::UpdateIndex, Id::RebuildIndex],
            Self::Tab(Tab::Repairs) => &[Id::Activate, Id::Undo, Id::RepairAll, Id::NextPane],
            Self::Tab(Tab::Statistics) => &[Id::Activate, Id::Sort, Id::Period, Id::Filter, Id::ReadAgain],
            Self::Tab(Tab::Compare) => {
                &[Id::Activate, Id::Repair, Id::RepairAll, Id::Compare, Id::ReadAgain, Id::Undo, Id::NextPane]
            }
            Self::Tab(Tab::Segments) => {
                &[Id::Activate, Id::Retain, Id::Undo, Id::Purge, Id::UpdateIndex, Id::ReadAgain, Id::Copy]
            }
            Self::CompareDetails => &[Id::Activate, Id::Repair, Id::RepairAll, Id::PreviousPane, Id::Zoom],
            Self::RepairDetails => &[Id::Activate, Id::Undo, Id::PreviousPane],
            Self::Detail(DetailView::Json) => &[
                Id::Activate,
                Id::NextView,
                Id::PreviousView,
                Id::FilterWithValue,
                Id::FilterWithoutValue,
                Id::FilterOnlyValue,
                Id::ToggleFolds,
                Id::ToggleWrap,
                Id::ToggleBytes,
                Id::LineStart,
                Id::LineEnd,
                Id::Copy,
                Id::Zoom,
            ],
            Self::Detail(DetailView::Hex) => {
                &[Id::NextView, Id::PreviousView, Id::ToggleBytes, Id::ToggleOffsetBase, Id::Repair, Id::Copy, Id::Zoom]
            }
            Self::Detail(DetailView::Frame) => {
                &[Id::NextView, Id::PreviousView, Id::ToggleOffsetBase, Id::Repair, Id::Copy, Id::Zoom]
            }
            Self::Detail(DetailView::Backup) => {
                &[Id::NextView, Id::PreviousView, Id::Repair, Id::TabCompare, Id::JumpBack, Id::Zoom]
            }
            Self::Detail(DetailView::Aggregate) => &[
                Id::Activate,
                Id::NextView,
                Id::PreviousView,
                Id::ToggleState,
                Id::FilterAggregate,
                Id::FilterWithValue,
                Id::FilterWithoutValue,
                Id::FilterOnlyValue,
                Id::ToggleFolds,
                Id::ToggleWrap,
                Id::Copy,
                Id::Zoom,
            ],
            Self::Scope(_) => &[],
        }
    }

    /// Returns the actions that are listed first.
    fn first_actions(self) -> Vec<&'static ActionSpec> {
        match self {
            Self::Scope(scope) => action_table().iter().filter(|action| action.scope == scope).collect(),
            _ => self.actions().iter().filter_map(|id| action_by_id(*id)).collect(),
        }
    }
}

impl Model {
    /// Returns the lines of the help: the actions of the focused pane, the others in their groups, and the legend where
    /// the screen has no room to show it all the time.
    pub(crate) fn help_lines(&self, help: &HelpOverlay) -> Vec<HelpLine> {
        let place = HelpPlace::of(self);
        let first = place.first_actions();
        let is_first = |action: &ActionSpec| first.iter().any(|other| other.id == action.id);
        let of_group = |group: ActionGroup| {
            let actions = action_table().iter().filter(|action| action.group() == group && !is_first(action));
            (group.title().to_owned(), actions.collect::<Vec<_>>())
        };
        let groups = ActionGroup::all().map(of_group);
        let all_groups = std::iter::once((place.title(self), first.clone())).chain(groups);
        let mut lines = Vec::new();
        for (title, actions) in all_groups {
            let mut matching = actions.into_iter().filter(|action| help.matches(action, &self.keys)).peekable();
            if matching.peek().is_some() {
                lines.push(HelpLine::Heading(title));
            }
            lines.extend(matching.map(HelpLine::Action));
        }
        let legend_has_lines = help_legend_height(self.size.height) > 0;
        if help.input.text().is_empty() && !legend_has_lines {
            lines.push(HelpLine::Heading("Glyphs and colours".into()));
            lines.extend((0..LEGEND_LINES).map(HelpLine::Legend));
        }
        lines
    }
}

impl HelpOverlay {
    /// Returns whether an action has the typed text as a key, or in its title or help.
    fn matches(&self, action: &ActionSpec, keys: &KeyMap) -> bool {
        let typed = self.input.text();
        let text = typed.to_lowercase();
        keys.keys(action).iter().any(|key| key.to_string() == typed)
            || action.title.to_lowercase().contains(&text)
            || action.help.to_lowercase().contains(&text)
    }

    /// Moves the cursor by a number of lines, past headings, and scrolls to it and to the heading before it.
    pub(crate) fn move_by(&mut self, lines: i64, all: &[HelpLine]) {
        let is_heading = |line: usize| matches!(all.get(line), Some(HelpLine::Heading(_)));
        self.cursor.move_by(lines, all.len());
        if is_heading(self.cursor.line) {
            // The first line is a heading, so there may be no line before it.
            let step = if lines < 0 && self.cursor.line > 0 { -1 } else { 1 };
            self.cursor.move_by(step, all.len());
        }
        let before = self.cursor.line.saturating_sub(1);
        if self.cursor.top == self.cursor.line && self.cursor.height > 1 && is_heading(before) {
            self.cursor.top = before;
        }
    }
}
