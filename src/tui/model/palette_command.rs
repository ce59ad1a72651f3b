//! The words of the palette that take an argument: `theme NAME` and `screenshot FILE`.

use std::path::PathBuf;

use super::suggestion::Suggestion;
use crate::query::nearest_keyword;
use crate::tui::theme::Theme;

/// A line of the palette that is a word with its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PaletteCommand {
    /// Draws the screen in another theme.
    Theme(Theme),
    /// Writes a picture of the screen to a new file.
    Screenshot(PathBuf),
}

/// The word before the name of a theme.
pub(crate) const THEME_WORD: &str = "theme";
/// The word before the path of a picture.
pub(crate) const SCREENSHOT_WORD: &str = "screenshot";

impl PaletteCommand {
    /// Parses the text of the palette; `None` when it starts with no such word and an argument.
    ///
    /// # Errors
    /// The themes, with the nearest one, when the argument is none.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        let (word, argument) = text.trim().split_once(' ')?;
        let argument = argument.trim();
        match word {
            THEME_WORD => Some(parse_theme(argument).map(Self::Theme)),
            SCREENSHOT_WORD => Some(Ok(Self::Screenshot(argument.into()))),
            _ => None,
        }
    }
}

fn parse_theme(name: &str) -> Result<Theme, String> {
    Theme::ALL.into_iter().find(|theme| theme.name() == name).ok_or_else(|| {
        let names = Theme::ALL.map(Theme::name);
        let nearest = nearest_keyword(name, names).map(|name| format!("; the nearest is `{name}`"));
        format!("no theme `{name}`{}; the themes are {}", nearest.unwrap_or_default(), names.join(", "))
    })
}

/// Returns the arguments that complete a text of the palette; `None` when the text starts with no word that takes one.
pub(super) fn suggest_arguments(text: &str) -> Option<Vec<Suggestion>> {
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
        SCREENSHOT_WORD => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_parsed_and_a_wrong_theme_names_the_nearest() {
        assert_eq!(PaletteCommand::parse("theme light"), Some(Ok(PaletteCommand::Theme(Theme::Light))));
        let file = PathBuf::from("a b.svg");
        assert_eq!(PaletteCommand::parse(" screenshot  a b.svg "), Some(Ok(PaletteCommand::Screenshot(file))));
        assert!(PaletteCommand::parse("theme lihgt").unwrap().unwrap_err().contains("the nearest is `light`"));
        for text in ["theme", "scan go", "50%", "themes dark"] {
            assert_eq!(PaletteCommand::parse(text), None, "{text}");
        }
    }

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
