//! Options of the inspector, as the command line passes them.

use std::path::PathBuf;

use crate::report::units::DisplayZone;

/// Options of the inspector.
#[derive(Debug, Clone)]
pub(crate) struct TuiOptions {
    /// Path of the log.
    pub(crate) path: PathBuf,
    /// Whether every action that writes is disabled.
    pub(crate) read_only: bool,
    /// Whether the log is scanned in the background.
    pub(crate) scan: bool,
    /// Maximum rate of background reads in bytes per second; `None` for no limit.
    pub(crate) max_read_rate: Option<u64>,
    /// Path of the index file, when it is not next to the log.
    pub(crate) index_path: Option<PathBuf>,
    /// Folder of the repair journals, when it is not next to the log.
    pub(crate) journal_dir: Option<PathBuf>,
    /// The choice of colours.
    pub(crate) color: ColorChoice,
    /// The zone in which times are shown at first; `None` for UTC.
    pub(crate) zone: Option<DisplayZone>,
    /// Whether the screen receives mouse events.
    pub(crate) mouse: bool,
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
    /// No colours, only text attributes such as bold and reversed.
    Mono,
}

#[cfg(any(test, fuzzing))]
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
            zone: None,
            mouse: true,
        }
    }
}
