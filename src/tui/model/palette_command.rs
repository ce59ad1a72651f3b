//! The words of the palette that take an argument: `theme NAME`, `compare FILE`, `screenshot FILE`, `report FILE`,
//! `compact FILE`, `erase REASON` and `retain LIMITS`.

use std::path::PathBuf;

use crate::file::ExistingFile;
use crate::query::nearest_keyword;
use crate::tui::theme::Theme;

/// A line of the palette that is a word with its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PaletteCommand {
    /// Draws the screen in another theme.
    Theme(Theme),
    /// Compares the log with another copy.
    Compare(PathBuf),
    /// Writes a picture of the screen to a new file.
    Screenshot(PathBuf),
    /// Writes the report about the log.
    Report {
        /// The path of the page.
        path: PathBuf,
        /// Whether a file with this name is replaced.
        existing: ExistingFile,
    },
    /// Plans to erase the selected events for this reason.
    Erase(String),
    /// Copies the latest events into a new log.
    Compact(PathBuf),
    /// Plans to remove the segments that the limits in the text allow to remove.
    Retain(String),
}

/// The files that complete a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathUse {
    /// The path of a file that exists: files and folders complete it.
    ExistingFile,
    /// The path of a new file: folders complete it.
    NewFile,
}

/// The word before the name of a theme.
pub(crate) const THEME_WORD: &str = "theme";
/// The word before the path of another copy of the log.
pub(crate) const COMPARE_WORD: &str = "compare";
/// The word before the path of a picture.
pub(crate) const SCREENSHOT_WORD: &str = "screenshot";
/// The word before the path of a report that replaces no file.
pub(crate) const REPORT_WORD: &str = "report";
/// The word before the reason of an erasure.
const ERASE_WORD: &str = "erase";
/// The word before the limits of a retention.
const RETAIN_WORD: &str = "retain";
/// The word before the path of a new log with the latest events.
pub(crate) const COMPACT_WORD: &str = "compact";
/// The word before the path of a report that may replace a file.
pub(crate) const REPLACING_REPORT_WORD: &str = "report!";

impl PaletteCommand {
    /// Parses the text of the palette; `None` when it starts with no such word and an argument.
    ///
    /// # Errors
    /// The argument is not the name of a theme. The message lists the themes and the nearest one.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        let (word, argument) = text.trim().split_once(' ')?;
        let argument = argument.trim();
        match word {
            THEME_WORD => Some(parse_theme(argument).map(Self::Theme)),
            ERASE_WORD => Some(Ok(Self::Erase(argument.into()))),
            RETAIN_WORD => Some(Ok(Self::Retain(argument.into()))),
            COMPACT_WORD => Some(Ok(Self::Compact(argument.into()))),
            COMPARE_WORD => Some(Ok(Self::Compare(argument.into()))),
            SCREENSHOT_WORD => Some(Ok(Self::Screenshot(argument.into()))),
            REPORT_WORD => Some(Ok(Self::Report { path: argument.into(), existing: ExistingFile::Keep })),
            REPLACING_REPORT_WORD => Some(Ok(Self::Report { path: argument.into(), existing: ExistingFile::Replace })),
            _ => None,
        }
    }
}

/// Returns how the path after the first word of a text is used; `None` when the text starts with no word that takes a path.
pub(super) fn path_word(text: &str) -> Option<PathUse> {
    match text.trim_start().split_once(' ')?.0 {
        COMPARE_WORD => Some(PathUse::ExistingFile),
        SCREENSHOT_WORD | COMPACT_WORD | REPORT_WORD | REPLACING_REPORT_WORD => Some(PathUse::NewFile),
        _ => None,
    }
}

fn parse_theme(name: &str) -> Result<Theme, String> {
    Theme::ALL.into_iter().find(|theme| theme.name() == name).ok_or_else(|| {
        let names = Theme::ALL.map(Theme::name);
        let nearest = nearest_keyword(name, names).map(|name| format!("; the nearest is `{name}`"));
        format!("no theme `{name}`{}; the themes are {}", nearest.unwrap_or_default(), names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_parsed_and_a_wrong_theme_names_the_nearest() {
        assert_eq!(PaletteCommand::parse("theme light"), Some(Ok(PaletteCommand::Theme(Theme::Light))));
        let file = PathBuf::from("a b.svg");
        assert_eq!(PaletteCommand::parse(" screenshot  a b.svg "), Some(Ok(PaletteCommand::Screenshot(file))));
        assert_eq!(PaletteCommand::parse("erase request 17"), Some(Ok(PaletteCommand::Erase("request 17".into()))));
        let file = PathBuf::from("new.log");
        assert_eq!(PaletteCommand::parse("compact new.log"), Some(Ok(PaletteCommand::Compact(file))));
        let file = PathBuf::from("old/a.log");
        assert_eq!(PaletteCommand::parse("compare old/a.log"), Some(Ok(PaletteCommand::Compare(file))));
        assert!(PaletteCommand::parse("theme lihgt").unwrap().unwrap_err().contains("the nearest is `light`"));
        for text in ["theme", "scan go", "50%", "themes dark"] {
            assert_eq!(PaletteCommand::parse(text), None, "{text}");
        }
    }
}
