//! Rows of a log, as they are listed: the header, an event, a finding or an unfinished last frame.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::payload_excerpt::{ExcerptRequest, PayloadExcerpt};
use crate::format::{EventView, Finding};

/// Largest number of characters of a name in a row; more than any column shows.
const MAX_NAME_CHARS: usize = 200;

/// One row of the log: a byte range and its content.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// File offset of the row's first byte.
    pub start: u64,
    /// File offset after the row's last byte.
    pub end: u64,
    /// The content of the byte range.
    pub content: RowContent,
}

/// The content of a row.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a page has few rows, and none of them is copied often")]
pub enum RowContent {
    /// The log's header, which is the first row.
    Header,
    /// A frame with a valid event.
    Event(EventSummary),
    /// Damage, a frame whose payload is not an event, or a gap.
    Finding(Finding),
    /// A last frame that a writer has not finished.
    InFlight,
}

/// The fields of an event that a list shows. Names are cut at 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventSummary {
    /// `write_timestamp_ms`, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// Value of the event's `event_type`.
    pub event_type: String,
    /// Value of the event's `namespace`.
    pub namespace: String,
    /// Value of the event's `schema_id`.
    pub schema_id: String,
    /// Value of the event's `schema_version`.
    pub schema_version: u32,
    /// Value of the event's `aggregate_id`; `None` for an event of no aggregate.
    pub aggregate_id: Option<u64>,
    /// The part of the payload that the request for a page asked for; `None` when it asked for none.
    pub excerpt: Option<PayloadExcerpt>,
    /// The number of the event in the log, counted from 1; `None` unless [`number_events`](super::number_events) found it.
    pub ordinal: Option<u64>,
}

/// Consecutive rows that a filter shows, ascending by offset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowPage {
    /// The rows, ascending by offset.
    pub rows: Vec<LogRow>,
    /// True when no row of the filter comes before the first row of the page.
    pub at_start: bool,
    /// True when no row of the filter comes after the last row of the page, in the log as it was read.
    pub at_end: bool,
}

/// The direction in which rows are read from an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Rows that start at or after the offset, and the row that contains it.
    Forward,
    /// Rows that end at or before the offset.
    Backward,
}

impl Direction {
    /// Returns the offset from which a read in this direction reaches the whole log.
    #[cfg(feature = "app")]
    pub(crate) const fn first_offset(self) -> u64 {
        match self {
            Self::Forward => 0,
            Self::Backward => u64::MAX,
        }
    }
}

/// The offset from which a read starts, and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadStart {
    /// The file offset. Any number is allowed. A forward read includes the row that contains it.
    pub from: u64,
    /// The direction of the read.
    pub direction: Direction,
}

impl ReadStart {
    /// Creates the start of a read in a given direction.
    pub const fn new(from: u64, direction: Direction) -> Self {
        Self { from, direction }
    }

    /// Creates the start of a read of rows at or after an offset, and of the row that contains it.
    pub const fn forward(from: u64) -> Self {
        Self::new(from, Direction::Forward)
    }

    /// Creates the start of a read of rows that end at or before an offset.
    pub const fn backward(from: u64) -> Self {
        Self::new(from, Direction::Backward)
    }
}

/// Rows of one read, ascending by offset, before they become a page.
#[derive(Debug, Default)]
pub(super) struct RowBatch {
    pub(super) rows: VecDeque<LogRow>,
    /// True when the log has no further rows in the direction of the read.
    pub(super) complete: bool,
}

impl RowContent {
    /// Returns the name of the content: `header`, `event`, `in_flight`, or the kind of the finding.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Event(_) => "event",
            Self::Finding(finding) => finding.kind.name(),
            Self::InFlight => "in_flight",
        }
    }
}

impl EventSummary {
    /// Copies the listed fields of an event, with names cut at 200 characters.
    pub fn from_event(event: &EventView) -> Self {
        let cut = |name: Cow<str>| name.chars().take(MAX_NAME_CHARS).collect();
        Self {
            time_ms: event.write_timestamp_ms(),
            event_type: cut(event.event_type()),
            namespace: cut(event.namespace()),
            schema_id: cut(event.schema_id()),
            schema_version: event.schema_version(),
            aggregate_id: event.aggregate_id(),
            excerpt: None,
            ordinal: None,
        }
    }

    /// Returns this summary with the requested part of the event's payload.
    pub(super) fn with_excerpt(self, event: &EventView, request: Option<&ExcerptRequest>) -> Self {
        Self { excerpt: request.and_then(|request| request.extract(event.payload())), ..self }
    }

    /// True when both summaries have the same fields of the event, whatever else was requested.
    pub(super) fn has_same_fields(&self, other: &Self) -> bool {
        let fields = |event: &Self| Self { excerpt: None, ordinal: None, ..event.clone() };
        fields(self) == fields(other)
    }
}
