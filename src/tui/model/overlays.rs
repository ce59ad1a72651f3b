//! Overlays on top of the panes: prompts, the help, dialogs and the append form. The topmost overlay receives the keys.

use super::ListCursor;
use super::column_chooser::ColumnChooser;
use super::labelled_lines::wrap_text;
use super::plan_preview::PlanPreview;
use super::scroll::ScrollPosition;
use super::suggestion::{Suggestion, suggest_actions, suggest_filter_terms};
use super::text_input::TextInput;
use crate::tui::actions::{self, ActionScope, ActionSpec};
use crate::tui::session_time::SessionTime;

/// An overlay on top of the panes.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    /// A line of text for the palette, the search or the filter.
    Prompt(Prompt),
    /// The help: the list of all actions.
    Help(HelpOverlay),
    /// The screen waits for the second key of a copy action.
    CopyChord,
    /// A dialog that asks for confirmation.
    Confirm(ConfirmDialog),
    /// The form that appends a test event.
    Form,
    /// The dialog in which the columns of the list are chosen.
    Columns(ColumnChooser),
}

impl Overlay {
    /// Returns the scope in which the keys of this overlay are looked up.
    pub(crate) const fn scope(&self) -> ActionScope {
        match self {
            Self::Columns(chooser) => chooser.scope(),
            Self::Prompt(_) | Self::Help(_) => ActionScope::TextInput,
            Self::CopyChord => ActionScope::CopyChord,
            Self::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::ApplyPlan(_), .. }) => ActionScope::Plan,
            Self::Confirm(_) => ActionScope::Confirm,
            Self::Form => ActionScope::Form,
        }
    }
}

/// The purpose of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptPurpose {
    /// The text is a jump or the name of an action.
    Palette,
    /// The text is a search.
    Search,
    /// The text is a filter.
    Filter,
}

/// A line of text that the user is typing.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    /// The purpose of the text.
    pub(crate) purpose: PromptPurpose,
    /// The text that was typed.
    pub(crate) input: TextInput,
    /// Why the submitted text was not accepted.
    pub(crate) error: Option<String>,
    /// Position of the selected suggestion.
    pub(crate) selected_suggestion: usize,
}

impl Prompt {
    /// Creates a prompt that holds a text.
    pub(crate) fn new(purpose: PromptPurpose, text: &str) -> Self {
        Self { purpose, input: TextInput::new(text), error: None, selected_suggestion: 0 }
    }

    /// Returns the suggestions for the text: actions in the palette, filter terms in a filter, none in a search.
    pub(crate) fn suggestions(&self) -> Vec<Suggestion> {
        match self.purpose {
            PromptPurpose::Palette => suggest_actions(self.input.text()),
            PromptPurpose::Filter if self.input.is_cursor_at_end() => suggest_filter_terms(self.input.text()),
            PromptPurpose::Filter | PromptPurpose::Search => Vec::new(),
        }
    }
}

/// The list of all actions, filtered by the typed text.
#[derive(Debug, Clone, Default)]
pub(crate) struct HelpOverlay {
    /// The text to filter by.
    pub(crate) input: TextInput,
    /// The cursor in the filtered list.
    pub(crate) cursor: ListCursor,
}

impl HelpOverlay {
    /// Returns the actions with this key, or with this text in their title or help.
    pub(crate) fn matching_actions(&self) -> Vec<&'static ActionSpec> {
        let text = self.input.text().to_lowercase();
        let matches = |row: &&ActionSpec| {
            let keys: Vec<_> = row.keys.iter().map(ToString::to_string).collect();
            let has_key = keys.contains(&self.input.text().to_owned());
            has_key || row.title.to_lowercase().contains(&text) || row.help.to_lowercase().contains(&text)
        };
        actions::action_table().iter().filter(matches).collect()
    }
}

/// A dialog that asks for confirmation. It opens on Cancel, and ignores keys that were typed before it was drawn.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmDialog {
    /// The title, which names the operation to confirm.
    pub(crate) title: String,
    /// The text, which describes the consequences.
    pub(crate) lines: Vec<String>,
    /// Label of the button that confirms; `None` when there is nothing to confirm.
    pub(crate) confirm_label: Option<&'static str>,
    /// The action that confirmation runs.
    pub(crate) on_confirm: ConfirmedAction,
    /// The button that is selected.
    pub(crate) selected_button: DialogButton,
    /// The time at which the dialog was first drawn; `None` until then.
    pub(crate) first_drawn_at: Option<SessionTime>,
    /// The scroll position of the text.
    pub(crate) scroll: ScrollPosition,
}

impl ConfirmDialog {
    /// Creates a dialog that has not been drawn yet.
    pub(crate) fn new(
        title: impl Into<String>,
        lines: Vec<String>,
        confirm_label: Option<&'static str>,
        on_confirm: ConfirmedAction,
    ) -> Self {
        Self {
            title: title.into(),
            lines,
            confirm_label,
            on_confirm,
            selected_button: DialogButton::Cancel,
            first_drawn_at: None,
            scroll: ScrollPosition::default(),
        }
    }

    /// Returns the text in lines of at most `columns` columns.
    pub(crate) fn wrapped_lines(&self, columns: usize) -> Vec<String> {
        self.lines.iter().flat_map(|line| wrap_text(line, columns.max(1))).collect()
    }
}

/// The action that runs when the user confirms a dialog.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConfirmedAction {
    /// Appends the event of the form.
    Append,
    /// Builds the index from the whole log and saves it.
    RebuildIndex,
    /// Applies the plan that the dialog shows.
    ApplyPlan(Box<PlanPreview>),
    /// Does nothing, because the dialog only shows a text.
    Nothing,
    /// Does nothing, because the plan is being made again with another decision.
    AwaitPlan,
}

/// The buttons of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialogButton {
    /// Closes the dialog and changes nothing.
    Cancel,
    /// Runs the action of the dialog.
    Confirm,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Key;

    #[test]
    fn titles_that_start_with_the_text_are_suggested_first() {
        let suggestions = Prompt::new(PromptPurpose::Palette, "scan").suggestions();
        let titles: Vec<_> = suggestions.iter().map(|suggestion| suggestion.label.as_str()).collect();
        assert_eq!(titles, ["scan stop", "scan go"]);
        assert!(Prompt::new(PromptPurpose::Palette, "12").suggestions().is_empty());
        assert!(Prompt::new(PromptPurpose::Search, "scan").suggestions().is_empty());
    }

    #[test]
    fn a_filter_suggests_terms_while_the_cursor_is_at_its_end() {
        let mut prompt = Prompt::new(PromptPurpose::Filter, "agg:1 ty");
        let suggestions = prompt.suggestions();
        let [suggestion] = suggestions.as_slice() else { panic!("{suggestions:?}") };
        assert_eq!((suggestion.text.as_str(), suggestion.label.as_str()), ("agg:1 type:", "type:NAME"));
        assert!(prompt.input.handle_key(Key::Left));
        assert_eq!(prompt.suggestions(), []);
    }

    #[test]
    fn help_is_filtered_by_key_and_by_text() {
        let find = |text: &str| {
            let help = HelpOverlay { input: TextInput::new(text), ..HelpOverlay::default() };
            help.matching_actions().iter().map(|row| row.title).collect::<Vec<_>>()
        };
        assert!(find("Ctrl-z").contains(&"suspend"));
        assert!(find("rebuild").contains(&"rebuild index"));
        assert_eq!(find("").len(), actions::action_table().len());
    }
}
