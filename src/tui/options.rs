//! What the screen is started with. Nothing here is read from the terminal or the environment.

use std::path::PathBuf;

/// How the inspector is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log.
    pub path: PathBuf,
    /// Every action that writes is taken away.
    pub read_only: bool,
    /// The scan runs behind the screen.
    pub scan: bool,
    /// Bytes a second that are read behind the screen at most.
    pub rate: Option<u64>,
    /// Where the index stands, instead of beside the log.
    pub index: Option<PathBuf>,
    /// Where journals stand, instead of beside the log.
    pub journal: Option<PathBuf>,
    /// The colours.
    pub color: Color,
    /// The mouse is listened to.
    pub mouse: bool,
}

/// A choice of colours, as `--color` gives it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// The terminal's own 16 colours, or none where `NO_COLOR` says so.
    #[default]
    Auto,
    /// The terminal's own 16 colours, whatever `NO_COLOR` says.
    Always,
    /// High contrast on black: blue and orange.
    Dark,
    /// High contrast on white: blue and orange.
    Light,
    /// None: bold, underlined and reversed only.
    Mono,
}

impl Options {
    /// Everything as it is unless somebody says otherwise.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            read_only: false,
            scan: true,
            rate: None,
            index: None,
            journal: None,
            color: Color::Auto,
            mouse: true,
        }
    }
}

impl Color {
    /// Every choice with its word on the command line.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Auto, "auto"),
        (Self::Always, "always"),
        (Self::Dark, "dark"),
        (Self::Light, "light"),
        (Self::Mono, "mono"),
    ];

    /// The choice of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(color, _)| *color)
    }
}
