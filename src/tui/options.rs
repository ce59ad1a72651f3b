//! Options of the inspector. Nothing here is read from the terminal or the environment.

use std::path::PathBuf;

/// Options of the inspector.
#[derive(Debug, Clone)]
pub(crate) struct TuiOptions {
    /// Path of the log.
    pub path: PathBuf,
    /// Disables every action that writes.
    pub read_only: bool,
    /// Scans the log in the background.
    pub scan: bool,
    /// Limits background reads to this many bytes per second.
    pub max_read_rate: Option<u64>,
    /// Path of the index file, when it is not next to the log.
    pub index_path: Option<PathBuf>,
    /// Folder of the repair journals, when it is not next to the log.
    pub journal_dir: Option<PathBuf>,
    /// Choice of colours.
    pub color: ColorChoice,
    /// Captures the mouse.
    pub mouse: bool,
}

/// A choice of colours: the values of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ColorChoice {
    /// The terminal's own 16 colours, or none when `NO_COLOR` is set.
    #[default]
    Auto,
    /// The terminal's own 16 colours, even when `NO_COLOR` is set.
    Always,
    /// High contrast on black, with blue and orange.
    Dark,
    /// High contrast on white, with blue and orange.
    Light,
    /// No colours: bold, underlined and reversed text only.
    Mono,
}

#[cfg(test)]
impl TuiOptions {
    /// Returns the default options for a log: read and write, with scan and mouse, colours chosen automatically.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
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
