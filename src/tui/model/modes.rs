//! The modes of the screen: tab, focused pane, zoom, follow mode, access and consent to write.

use serde::{Deserialize, Serialize};

/// The tabs of the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tab {
    /// The rows of the log.
    #[default]
    Events,
    /// The table of aggregates.
    Aggregates,
    /// The findings of the scan.
    Findings,
    /// The state of the index.
    Index,
    /// The repair history of the log.
    Repairs,
    /// The number of events in groups.
    Statistics,
    /// The differences from a backup.
    Compare,
    /// The segments of a log that is a folder.
    Segments,
}

impl Tab {
    /// All tabs, in the order of their keys.
    pub(crate) const ALL: [Self; 8] = [
        Self::Events,
        Self::Aggregates,
        Self::Findings,
        Self::Index,
        Self::Repairs,
        Self::Statistics,
        Self::Compare,
        Self::Segments,
    ];

    /// Returns the name of the tab.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Events => "Events",
            Self::Aggregates => "Aggregates",
            Self::Findings => "Findings",
            Self::Index => "Index",
            Self::Repairs => "Repairs",
            // The whole word would not fit beside the others on a screen of 120 columns.
            Self::Statistics => "Stats",
            Self::Compare => "Compare",
            Self::Segments => "Segments",
        }
    }

    /// Returns the name of the tab where the names of all tabs do not fit.
    pub(crate) const fn short_name(self) -> &'static str {
        match self {
            Self::Aggregates => "Agg",
            _ => self.name(),
        }
    }

    /// Returns the name of the tab where the short names of all tabs do not fit either.
    pub(crate) const fn shortest_name(self) -> &'static str {
        match self {
            Self::Findings => "Finds",
            Self::Compare => "Comp",
            Self::Segments => "Segs",
            _ => self.short_name(),
        }
    }
}

/// The panes that can have the focus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pane {
    /// The main pane, which shows the tab.
    #[default]
    Main,
    /// The detail pane, which shows the selected row.
    Detail,
    /// The findings below the events, where there is room for them.
    Findings,
    /// The number of events over time above the events.
    Timeline,
}

/// Whether the focused pane fills the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Zoom {
    /// All panes are shown.
    #[default]
    Out,
    /// Only the focused pane is shown.
    In,
}

/// Whether the cursor stays on the last row as the log grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Follow {
    /// The cursor stays where it is.
    #[default]
    No,
    /// The cursor moves to each new last row.
    Yes,
    /// The cursor stays where it is until the user goes back to the end.
    Paused(FollowPause),
}

/// The end of the log when the user left it in follow mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FollowPause {
    /// Size of the log in bytes.
    pub(crate) log_bytes: u64,
    /// Number of events in the log; `None` when the scan had not counted all of them.
    pub(crate) events: Option<u64>,
}

/// Whether the screen may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Writing actions are enabled.
    ReadWrite,
    /// The screen was opened with `--read-only`.
    ReadOnly,
}

/// Whether the user has confirmed that this session writes to the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WriteConsent {
    /// The user has not confirmed yet.
    #[default]
    NotAsked,
    /// The user has confirmed.
    Granted,
}

/// The source of the zone in which times are shown at first, when the state of the last run is restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ZoneOnStart {
    /// The zone of the last run is shown.
    #[default]
    Restored,
    /// The command line names the zone, whatever the last run has shown.
    Given,
}

/// Whether the terminal's bell rings when new damage is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Bell {
    /// The screen makes no sound.
    #[default]
    Off,
    /// The bell rings when damage is found in appended bytes, or when the log is changed.
    OnNewDamage,
}

/// The characters that the screen draws.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Glyphs {
    /// Every character that the font of the terminal has.
    #[default]
    Unicode,
    /// The characters of ASCII.
    Ascii,
}
