//! Options of the inspector, as the command line passes them.

use std::path::PathBuf;

use super::actions::KeyMap;
use super::model::{Bell, ColumnLayout, Follow, Glyphs, ZoneOnStart};
use super::theme::{ColorChoice, Theme};
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
    /// Whether the screen has colours.
    pub(crate) color: ColorChoice,
    /// The theme of a screen with colours.
    pub(crate) theme: Theme,
    /// The keys of the actions.
    pub(crate) keys: KeyMap,
    /// The columns of the list of events; `None` for the default ones.
    pub(crate) columns: Option<ColumnLayout>,
    /// Whether the terminal's bell rings when new damage is found.
    pub(crate) bell: Bell,
    /// The characters that the screen draws.
    pub(crate) glyphs: Glyphs,
    /// Whether the screen follows the end of the log at first.
    pub(crate) follow: Follow,
    /// The zone in which times are shown at first; `None` for UTC.
    pub(crate) zone: Option<DisplayZone>,
    /// Whether the screen receives mouse events.
    pub(crate) mouse: bool,
    /// How the state of the screen is kept between runs; `None` when it is not kept.
    pub(crate) session: Option<SessionOptions>,
}

/// How the state of the screen is kept between runs.
#[derive(Debug, Clone)]
pub(crate) struct SessionOptions {
    /// The folder of the state, which need not exist.
    pub(crate) folder: PathBuf,
    /// Whether the zone of the last run is restored.
    pub(crate) zone: ZoneOnStart,
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
            theme: Theme::default(),
            keys: KeyMap::default(),
            columns: None,
            bell: Bell::Off,
            glyphs: Glyphs::Unicode,
            follow: Follow::No,
            zone: None,
            mouse: true,
            session: None,
        }
    }
}
