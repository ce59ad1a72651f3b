//! The prompt: the line that the user types for the palette, a search or a filter, with completion and history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::path_completion::{FolderListing, suggest_paths};
use super::suggestion::{Suggestion, suggest_actions, suggest_filter_terms};
use super::text_input::TextInput;
use crate::query::KnownNames;

/// Largest number of earlier texts that are kept for each purpose.
const MAX_HISTORY: usize = 100;
/// Largest size of the texts of a purpose that are kept between runs, in bytes.
const MAX_KEPT_BYTES: usize = 16 << 10;

/// The purpose of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PromptPurpose {
    /// The text is a jump or the name of an action.
    Palette,
    /// The text is a search.
    Search,
    /// The text is a filter.
    Filter,
    /// The text is the path of the file that an export writes.
    ExportPath,
    /// The text is the start of the ids in the table of aggregates, which follows it while it is typed.
    AggregateId,
}

/// Why a text was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PromptError {
    /// The message.
    pub(crate) text: String,
    /// Position of the fault in the text, in bytes, when there is one place.
    pub(crate) at: Option<usize>,
}

/// A line of text that the user is typing.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    /// The purpose of the text.
    pub(crate) purpose: PromptPurpose,
    /// The text that was typed.
    pub(crate) input: TextInput,
    /// Why the submitted text was not accepted.
    pub(crate) error: Option<PromptError>,
    /// Position of the selected suggestion.
    pub(crate) selected_suggestion: usize,
    /// The suggestions that Tab goes through. Any other key ends this.
    completions: Option<Vec<Suggestion>>,
    /// The number of steps back in the history, and the text that was typed before the first one.
    recalled: Option<(usize, String)>,
}

/// The names that complete the text of a prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompletionSources<'a> {
    /// The names that the events have.
    pub(crate) names: &'a KnownNames,
    /// The names in the folder of a path that is being typed, once they were read.
    pub(crate) folder: Option<&'a FolderListing>,
}

/// The direction in which a key goes through suggestions or earlier texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptStep {
    /// To the suggestion below, or to the text that was submitted later.
    Next,
    /// To the suggestion above, or to the text that was submitted earlier.
    Previous,
}

impl Prompt {
    /// Creates a prompt that holds a text.
    pub(crate) fn new(purpose: PromptPurpose, text: &str) -> Self {
        Self {
            purpose,
            input: TextInput::new(text),
            error: None,
            selected_suggestion: 0,
            completions: None,
            recalled: None,
        }
    }

    /// Returns the suggestions for the text: actions and paths in the palette, terms and values in a filter, folders for a
    /// path, none in a search.
    pub(crate) fn suggestions(&self, sources: CompletionSources) -> Vec<Suggestion> {
        if let Some(completions) = &self.completions {
            return completions.clone();
        }
        if let Some(typed) = self.typed_path() {
            return if self.input.is_cursor_at_end() { suggest_paths(&typed, sources.folder) } else { Vec::new() };
        }
        let names = sources.names;
        match self.purpose {
            PromptPurpose::Palette => suggest_actions(self.input.text()),
            PromptPurpose::Filter if self.input.is_cursor_at_end() => suggest_filter_terms(self.input.text(), names),
            PromptPurpose::Filter | PromptPurpose::Search | PromptPurpose::ExportPath | PromptPurpose::AggregateId => {
                Vec::new()
            }
        }
    }

    /// Records that the text has changed, so that errors and suggestions of the earlier text do not apply.
    pub(crate) fn text_changed(&mut self) {
        (self.error, self.completions, self.selected_suggestion, self.recalled) = (None, None, 0, None);
    }

    /// Inserts the first suggestion, or else the one after or before that which was inserted last.
    pub(crate) fn complete(&mut self, step: PromptStep, sources: CompletionSources) {
        let suggestions = self.suggestions(sources);
        let last = suggestions.len().saturating_sub(1);
        let is_first = self.completions.is_none();
        let position = match step {
            PromptStep::Next if is_first || self.selected_suggestion >= last => 0,
            PromptStep::Next => self.selected_suggestion + 1,
            PromptStep::Previous if is_first || self.selected_suggestion == 0 => last,
            PromptStep::Previous => self.selected_suggestion - 1,
        };
        let Some(selected) = suggestions.get(position) else { return };
        self.input = TextInput::new(&selected.text);
        self.text_changed();
        if last > 0 {
            (self.completions, self.selected_suggestion) = (Some(suggestions), position);
        }
    }

    /// Replaces the text by the one that was submitted before or after it; after the last one, by the typed text.
    pub(crate) fn recall(&mut self, step: PromptStep, history: &PromptHistory) {
        let entries = history.entries(self.purpose);
        let (steps, typed) = self.recalled.take().unwrap_or_else(|| (0, self.input.text().to_owned()));
        let current = self.input.text().to_owned();
        // The text of the prompt itself, such as the filter in effect, is no earlier text.
        let is_other = |steps: &usize| history_entry(entries, *steps).is_none_or(|entry| *entry != current);
        let steps = match step {
            PromptStep::Previous => (steps + 1..=entries.len()).find(is_other).unwrap_or(steps),
            PromptStep::Next => steps.saturating_sub(1),
        };
        let text = history_entry(entries, steps).cloned().unwrap_or_else(|| typed.clone());
        self.input = TextInput::new(text);
        self.text_changed();
        self.recalled = (steps > 0).then_some((steps, typed));
    }
}

/// Returns the text that was submitted this many submissions ago; `None` for 0.
fn history_entry(entries: &[String], steps: usize) -> Option<&String> {
    entries.len().checked_sub(steps).filter(|_| steps > 0).and_then(|at| entries.get(at))
}

/// The texts that were submitted, for each purpose of a prompt, the last one at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PromptHistory(BTreeMap<PromptPurpose, Vec<String>>);

impl PromptHistory {
    /// Returns the texts that were submitted for a purpose, the last one at the end.
    fn entries(&self, purpose: PromptPurpose) -> &[String] {
        self.0.get(&purpose).map_or(&[], Vec::as_slice)
    }

    /// Adds a submitted text as the last one.
    pub(crate) fn push(&mut self, purpose: PromptPurpose, text: &str) {
        if text.is_empty() {
            return;
        }
        let entries = self.0.entry(purpose).or_default();
        entries.retain(|entry| entry != text);
        if entries.len() >= MAX_HISTORY {
            entries.remove(0);
        }
        entries.push(text.to_owned());
    }

    /// Puts the texts of an earlier run before those of this one.
    pub(crate) fn prepend(&mut self, earlier: Self) {
        let current = std::mem::replace(self, earlier);
        for (purpose, entries) in current.0 {
            for text in entries {
                self.push(purpose, &text);
            }
        }
    }

    /// Returns the texts that are kept between runs: of each purpose the last ones, with at most [`MAX_KEPT_BYTES`] bytes.
    pub(crate) fn kept(&self) -> Self {
        let kept = self.0.iter().map(|(purpose, entries)| {
            let mut bytes = 0;
            let fits = |text: &&String| {
                bytes += text.len();
                bytes <= MAX_KEPT_BYTES
            };
            let mut kept: Vec<String> = entries.iter().rev().take_while(fits).cloned().collect();
            kept.reverse();
            (*purpose, kept)
        });
        Self(kept.collect())
    }

    /// Returns why texts from a file cannot be used, or `None` when they can.
    pub(crate) fn invalid_reason(&self) -> Option<String> {
        let lists = || self.0.values();
        if let Some(list) = lists().find(|list| list.len() > MAX_HISTORY) {
            return Some(format!("expected at most {MAX_HISTORY} submitted texts, found {}", list.len()));
        }
        let is_too_long = |list: &&Vec<String>| list.iter().map(String::len).sum::<usize>() > MAX_KEPT_BYTES;
        if lists().any(|list| is_too_long(&list)) {
            return Some(format!("expected at most {MAX_KEPT_BYTES} bytes of submitted texts"));
        }
        let has_control = lists().flatten().any(|text| text.chars().any(char::is_control));
        has_control.then(|| "expected submitted texts of one line".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::NameKind;
    use crate::tui::keys::Key;

    fn names() -> KnownNames {
        KnownNames::of([(NameKind::Type, "Updated", 1204), (NameKind::Type, "Created", 7)])
    }

    fn sources(names: &KnownNames) -> CompletionSources<'_> {
        CompletionSources { names, folder: None }
    }

    #[test]
    fn titles_that_start_with_the_text_are_suggested_first() {
        let suggestions = Prompt::new(PromptPurpose::Palette, "scan").suggestions(sources(&names()));
        let titles: Vec<_> = suggestions.iter().map(|suggestion| suggestion.label.as_str()).collect();
        assert_eq!(titles, ["scan stop", "scan go"]);
        assert!(Prompt::new(PromptPurpose::Palette, "12").suggestions(sources(&names())).is_empty());
        assert!(Prompt::new(PromptPurpose::Search, "scan").suggestions(sources(&names())).is_empty());
    }

    #[test]
    fn a_filter_suggests_terms_while_the_cursor_is_at_its_end() {
        let mut prompt = Prompt::new(PromptPurpose::Filter, "agg:1 ty");
        let suggestions = prompt.suggestions(sources(&names()));
        let [suggestion] = suggestions.as_slice() else { panic!("{suggestions:?}") };
        assert_eq!((suggestion.text.as_str(), suggestion.label.as_str()), ("agg:1 type:", "type:NAME"));
        assert!(prompt.input.handle_key(Key::Left));
        assert_eq!(prompt.suggestions(sources(&names())), []);
    }

    #[test]
    fn tab_goes_through_the_values_with_their_counts() {
        let mut prompt = Prompt::new(PromptPurpose::Filter, "ty");
        prompt.complete(PromptStep::Next, sources(&names()));
        assert_eq!(prompt.input.text(), "type:");
        let help: Vec<String> =
            prompt.suggestions(sources(&names())).into_iter().map(|suggestion| suggestion.help.into()).collect();
        assert_eq!(help, ["1 204 events", "7 events"]);
        for expected in ["type:Updated", "type:Created", "type:Updated"] {
            prompt.complete(PromptStep::Next, sources(&names()));
            assert_eq!(prompt.input.text(), expected);
        }
        prompt.complete(PromptStep::Previous, sources(&names()));
        assert_eq!(prompt.input.text(), "type:Created");
        prompt.text_changed();
        assert!(prompt.suggestions(sources(&names())).is_empty(), "another key ends the completion");
    }

    #[test]
    fn earlier_texts_are_recalled_for_each_purpose() {
        let mut history = PromptHistory::default();
        for text in ["type:A", "type:B", "", "type:A"] {
            history.push(PromptPurpose::Filter, text);
        }
        history.push(PromptPurpose::Search, "silva");
        let mut prompt = Prompt::new(PromptPurpose::Filter, "x");
        let mut recall = |step| {
            prompt.recall(step, &history);
            prompt.input.text().to_owned()
        };
        assert_eq!([PromptStep::Previous; 3].map(&mut recall), ["type:A", "type:B", "type:B"]);
        assert_eq!([PromptStep::Next; 3].map(&mut recall), ["type:A", "x", "x"]);
        let mut prompt = Prompt::new(PromptPurpose::Filter, "type:A");
        prompt.recall(PromptStep::Previous, &history);
        assert_eq!(prompt.input.text(), "type:B", "the filter in effect is skipped");
    }
}
