//! What the screen is started with. Nothing here is read from the terminal or the environment.

use std::path::PathBuf;

/// How the inspector is started.
#[derive(Debug, Clone)]
pub struct TuiOptions {
    /// The log.
    pub path: PathBuf,
    /// Every action that writes is taken away.
    pub read_only: bool,
    /// The scan runs behind the screen.
    pub scan: bool,
    /// Bytes a second that are read behind the screen at most.
    pub max_read_rate: Option<u64>,
    /// Where the index stands, instead of beside the log.
    pub index_path: Option<PathBuf>,
    /// Where journals stand, instead of beside the log.
    pub journal_dir: Option<PathBuf>,
    /// The colours.
    pub color: ColorChoice,
    /// The mouse is listened to.
    pub mouse: bool,
}

/// A choice of colours, as `--color` gives it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
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

#[cfg(test)]
impl TuiOptions {
    /// Everything as it is unless somebody says otherwise.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            read_only: false,
            scan: true,
            max_read_rate: None,
            index_path: None,
            journal_dir: None,
            color: ColorChoice::Auto,
            mouse: true,
        }
    }
}
