//! What lies over the screen: lines of text, help, questions, the append form. The top one has the keys.

use super::super::actions::{self, ActionScope, ActionSpec};
use super::super::message::SessionTime;
use super::text_input::TextInput;
use super::{PlanPreview, wrap_text};

/// A layer.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    /// A line being typed: palette, search or filter.
    Prompt(Prompt),
    /// Every action.
    Help(HelpOverlay),
    /// A letter is waited for that says what is copied.
    CopyChord,
    /// A question before something is written.
    Confirm(ConfirmDialog),
    /// The append form.
    Form,
}

impl Overlay {
    /// Where its keys are looked up.
    pub(crate) const fn scope(&self) -> ActionScope {
        match self {
            Self::Prompt(_) | Self::Help(_) => ActionScope::TextInput,
            Self::CopyChord => ActionScope::CopyChord,
            Self::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::ApplyPlan(_), .. }) => ActionScope::Plan,
            Self::Confirm(_) => ActionScope::Confirm,
            Self::Form => ActionScope::Form,
        }
    }
}

/// What a line is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptPurpose {
    /// Go somewhere, or run an action.
    Palette,
    /// Search.
    Search,
    /// Filter.
    Filter,
}

/// A line being typed.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    /// What for.
    pub(crate) purpose: PromptPurpose,
    /// The line.
    pub(crate) input: TextInput,
    /// Why it could not be taken.
    pub(crate) error: Option<String>,
    /// The proposal that is chosen.
    pub(crate) selected: usize,
}

impl Prompt {
    /// An empty line.
    pub(crate) fn new(purpose: PromptPurpose, text: &str) -> Self {
        Self { purpose, input: TextInput::new(text), error: None, selected: 0 }
    }

    /// The actions whose names hold what was typed; for the palette only, and not while it is a place to go to.
    pub(crate) fn suggestions(&self) -> Vec<&'static ActionSpec> {
        let typed = self.input.text().trim().to_lowercase();
        if self.purpose != PromptPurpose::Palette || typed.starts_with(|c: char| c.is_ascii_digit() || c == '#') {
            return Vec::new();
        }
        let mut found: Vec<_> = actions::action_table()
            .iter()
            .filter(|row| row.scope == ActionScope::Main && row.title.contains(&typed))
            .collect();
        found.sort_by_key(|row| !row.title.starts_with(&typed));
        found
    }
}

/// Help, filtered as one types.
#[derive(Debug, Clone, Default)]
pub(crate) struct HelpOverlay {
    /// What is looked for.
    pub(crate) input: TextInput,
    /// The line under the cursor.
    pub(crate) cursor: super::ListCursor,
}

impl HelpOverlay {
    /// The actions that match what was typed.
    pub(crate) fn matching_actions(&self) -> Vec<&'static ActionSpec> {
        let typed = self.input.text().to_lowercase();
        let matches = |row: &&ActionSpec| {
            let keys: Vec<_> = row.keys.iter().map(ToString::to_string).collect();
            let key = keys.contains(&self.input.text().to_owned());
            key || row.title.to_lowercase().contains(&typed) || row.help.to_lowercase().contains(&typed)
        };
        actions::action_table().iter().filter(matches).collect()
    }
}

/// A question. It opens on Cancel, and takes no key that was typed before it was drawn.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmDialog {
    /// What is about to happen.
    pub(crate) title: String,
    /// What follows from it, in lines.
    pub(crate) lines: Vec<String>,
    /// What the answer that goes on is called; `None` where there is nothing to go on with.
    pub(crate) confirm_label: Option<&'static str>,
    /// What happens then.
    pub(crate) on_confirm: ConfirmedAction,
    /// Which answer is chosen.
    pub(crate) selected: DialogButton,
    /// When it was drawn first.
    pub(crate) first_drawn_at: Option<SessionTime>,
    /// The first line on the screen.
    pub(crate) top: usize,
}

impl ConfirmDialog {
    /// A question that nobody has seen yet.
    pub(crate) fn new(
        title: impl Into<String>,
        lines: Vec<String>,
        go: Option<&'static str>,
        then: ConfirmedAction,
    ) -> Self {
        Self {
            title: title.into(),
            lines,
            confirm_label: go,
            on_confirm: then,
            selected: DialogButton::Cancel,
            first_drawn_at: None,
            top: 0,
        }
    }

    /// What follows, in lines of so many columns.
    pub(crate) fn wrapped_lines(&self, columns: usize) -> Vec<String> {
        self.lines.iter().flat_map(|line| wrap_text(line, columns.max(1))).collect()
    }
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConfirmedAction {
    /// Append what the form holds.
    Append,
    /// Build the whole index and save it.
    RebuildIndex,
    /// Carry out the plan that is shown.
    ApplyPlan(Box<PlanPreview>),
    /// Nothing yet: the plan is being made again.
    AwaitPlan,
}

/// The answers to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialogButton {
    /// Change nothing.
    Cancel,
    /// Go on.
    Confirm,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_proposes_what_starts_so_first() {
        let proposals = Prompt::new(PromptPurpose::Palette, "scan").suggestions();
        let titles: Vec<_> = proposals.iter().map(|row| row.title).collect();
        assert_eq!(titles, ["scan stop", "scan go"]);
        assert!(Prompt::new(PromptPurpose::Palette, "12").suggestions().is_empty());
        assert!(Prompt::new(PromptPurpose::Filter, "scan").suggestions().is_empty());
    }

    #[test]
    fn help_finds_by_key_and_by_word() {
        let find = |text: &str| {
            let help = HelpOverlay { input: TextInput::new(text), ..HelpOverlay::default() };
            help.matching_actions().iter().map(|row| row.title).collect::<Vec<_>>()
        };
        assert!(find("Ctrl-z").contains(&"suspend"));
        assert!(find("rebuild").contains(&"rebuild index"));
        assert_eq!(find("").len(), actions::action_table().len());
    }
}
