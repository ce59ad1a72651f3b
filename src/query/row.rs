//! A row of the log as it is shown: the header, an event, or what stands where no event is.

use crate::format::{EventView, Finding};

/// Characters of a name that a row carries; more than any column shows.
const MAX_NAME: usize = 200;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// File offset of its first byte.
    pub start: u64,
    /// File offset behind its last byte.
    pub end: u64,
    /// What stands there.
    pub content: RowContent,
}

/// What stands at a row's place.
#[derive(Debug, Clone, PartialEq)]
pub enum RowContent {
    /// The log's header: row 0.
    Header,
    /// An event.
    Event(EventSummary),
    /// Damage, a frame that is no event, or a gap, as judged.
    Finding(Finding),
    /// A last frame that is being written.
    InFlight,
}

/// The fields of an event that a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSummary {
    /// When it was accepted, milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// `event_type`, cut at 200 characters, as is what follows.
    pub event_type: String,
    /// `namespace`
    pub namespace: String,
    /// `schema_id`
    pub schema_id: String,
    /// `schema_version`
    pub schema_version: u32,
    /// `aggregate_id`
    pub aggregate_id: Option<u64>,
}

/// Some adjacent rows under a filter, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<LogRow>,
    /// No row comes before the first.
    pub at_start: bool,
    /// No row comes behind the last, as the log stands.
    pub at_end: bool,
}

impl EventSummary {
    /// What a list shows of an event.
    pub fn from_event(event: &EventView) -> Self {
        let cut = |name: std::borrow::Cow<str>| name.chars().take(MAX_NAME).collect();
        Self {
            time_ms: event.write_timestamp_ms(),
            event_type: cut(event.event_type()),
            namespace: cut(event.namespace()),
            schema_id: cut(event.schema_id()),
            schema_version: event.schema_version(),
            aggregate_id: event.aggregate_id(),
        }
    }
}
