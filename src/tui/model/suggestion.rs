//! Suggestions below a prompt: actions for the palette, terms for a filter.

use std::borrow::Cow;

use super::palette_command::{THEME_WORD, path_word};
use crate::query::{FilterCompletion, KnownNames, complete_filter};
use crate::report::units::format_count;
use crate::tui::actions::{self, ActionId, ActionScope};
use crate::tui::theme::Theme;

/// One suggestion for the text in a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    /// The text that Tab puts into the prompt.
    pub(crate) text: String,
    /// The name of the action, or the term with its placeholder.
    pub(crate) label: String,
    /// What the action does or the term shows, or the number of events with the name.
    pub(crate) help: Cow<'static, str>,
    /// The action that Enter runs; `None` for a filter term.
    pub(crate) action: Option<ActionId>,
}

/// Returns the actions whose titles contain `text`, best match first; none while `text` is a jump.
pub(super) fn suggest_actions(text: &str) -> Vec<Suggestion> {
    let text = text.to_lowercase();
    if let Some(arguments) = suggest_arguments(&text) {
        return arguments;
    }
    let text = text.trim();
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '#') {
        return Vec::new();
    }
    let mut matching: Vec<_> = actions::action_table()
        .iter()
        .filter(|row| row.scope == ActionScope::Main && row.title.contains(text))
        .collect();
    matching.sort_by_key(|row| !row.title.starts_with(text));
    let suggestion = |row: &'static actions::ActionSpec| Suggestion {
        text: row.title.to_owned(),
        label: row.title.to_owned(),
        help: row.help.into(),
        action: Some(row.id),
    };
    matching.into_iter().map(suggestion).collect()
}

/// Returns the arguments that complete a text of the palette; `None` when the text starts with no word that takes one.
fn suggest_arguments(text: &str) -> Option<Vec<Suggestion>> {
    let (word, argument) = text.trim_start().split_once(' ')?;
    let suggestion = |theme: Theme| Suggestion {
        text: format!("{THEME_WORD} {}", theme.name()),
        label: theme.name().to_owned(),
        help: theme.description().into(),
        action: None,
    };
    match word {
        THEME_WORD => {
            let matches = |theme: &Theme| theme.name().contains(argument.trim());
            let mut themes: Vec<_> = Theme::ALL.into_iter().filter(matches).collect();
            themes.sort_by_key(|theme| !theme.name().starts_with(argument.trim()));
            Some(themes.into_iter().map(suggestion).collect())
        }
        _ => path_word(text).map(|_| Vec::new()),
    }
}

/// Returns the filter terms and values that complete the last word of `text`.
pub(super) fn suggest_filter_terms(text: &str, names: &KnownNames) -> Vec<Suggestion> {
    let suggestion = |completion: FilterCompletion| Suggestion {
        text: completion.text,
        label: completion.label,
        help: completion.events.map_or(completion.help.into(), |events| format_count(events, "event").into()),
        action: None,
    };
    complete_filter(text, names).into_iter().map(suggestion).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_are_suggested_after_their_word() {
        let labels = |text: &str| -> Vec<String> {
            suggest_arguments(text).into_iter().flatten().map(|suggestion| suggestion.label).collect()
        };
        assert_eq!(labels("theme ").len(), Theme::ALL.len());
        assert_eq!(labels("theme dark"), ["dark", "high-contrast-dark"]);
        assert_eq!(suggest_arguments("theme"), None);
    }
}
