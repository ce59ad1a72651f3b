//! The differences of two copies of a log: their kinds and ranges, and what each copy has there.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::progress::Progress;
use crate::format::EventView;

/// Largest number of differences in a [`Comparison`]. Further differences are passed to the callback and counted.
pub const MAX_DIFFERENCES: usize = 10_000;
/// Largest number of characters of the type in an [`EventLabel`].
const MAX_TYPE_CHARS: usize = 200;
/// Number of event types whose text labels share. Further types have a text for each label.
const MAX_SHARED_NAMES: usize = 32;

/// A kind of difference between two copies in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DifferenceKind {
    /// The headers of the copies differ.
    Header,
    /// Both copies have a valid frame at this offset, and the frames differ.
    Frame,
    /// Only the first copy has a valid frame at this offset.
    OnlyInA,
    /// Only the second copy has a valid frame at this offset.
    OnlyInB,
    /// Neither copy has a valid frame in the range, and the bytes differ.
    Bytes,
    /// Neither copy has a valid frame in the range, and the device of one copy refuses to read the bytes.
    Unreadable,
    /// The first copy continues after the end of the second.
    AIsLonger,
    /// The second copy continues after the end of the first.
    BIsLonger,
}

impl DifferenceKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Header,
        Self::Frame,
        Self::OnlyInA,
        Self::OnlyInB,
        Self::Bytes,
        Self::Unreadable,
        Self::AIsLonger,
        Self::BIsLonger,
    ];

    /// Returns the name of the kind in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Frame => "frame",
            Self::OnlyInA => "only_in_a",
            Self::OnlyInB => "only_in_b",
            Self::Bytes => "bytes",
            Self::Unreadable => "unreadable",
            Self::AIsLonger => "only_a_goes_on",
            Self::BIsLonger => "only_b_goes_on",
        }
    }
}

/// A range in which two copies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogDifference {
    /// The kind of the difference.
    pub kind: DifferenceKind,
    /// File offset of the first byte.
    pub start: u64,
    /// File offset after the last byte; when two frames differ, after the longer one.
    pub end: u64,
    /// What the first copy has there.
    pub a: CopyContent,
    /// What the second copy has there.
    pub b: CopyContent,
}

/// What a copy has in the range of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyContent {
    /// A header.
    Header {
        /// The creation time in milliseconds since the Unix epoch; `None` when the header is damaged.
        created_at_ms: Option<u64>,
    },
    /// A valid event. It covers the start of the range, where it need not start.
    Event(EventLabel),
    /// A valid frame that is not a gap, and whose payload was not read, because the difference is not listed.
    UnreadFrame,
    /// A gap, which a repair has written.
    Gap,
    /// A valid frame whose payload is not an event.
    InvalidEvent,
    /// Bytes that are not a valid frame.
    Damage,
    /// Bytes that the device refuses to read.
    Unreadable,
    /// Everything after the end of the other copy.
    Rest(RestOfLog),
    /// Nothing: the copy ends before the range.
    End,
}

impl CopyContent {
    /// Returns whether the copy has a valid event, or a frame that can be one.
    pub(crate) const fn may_be_event(&self) -> bool {
        matches!(self, Self::Event(_) | Self::UnreadFrame)
    }

    /// Returns the name of the content in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Header { .. } => "header",
            Self::Event(_) => "event",
            Self::UnreadFrame => "frame",
            Self::Gap => "gap",
            Self::InvalidEvent => "invalid_event",
            Self::Damage => "damage",
            Self::Unreadable => "unreadable",
            Self::Rest(_) => "rest",
            Self::End => "end",
        }
    }
}

/// The fields by which a report names an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventLabel {
    /// `write_timestamp_ms`, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// Value of the event's `event_type`, cut at 200 characters.
    pub event_type: Arc<str>,
    /// Value of the event's `aggregate_id`; `None` for an event of no aggregate.
    pub aggregate_id: Option<u64>,
}

impl EventLabel {
    /// Copies the fields of an event.
    pub fn from_event(event: &EventView) -> Self {
        Self::with_names(event, &mut TypeNames::default())
    }

    /// Copies the fields of an event. The text of the type is shared with earlier events of the same type.
    pub(super) fn with_names(event: &EventView, names: &mut TypeNames) -> Self {
        let name = event.event_type();
        let end = if name.len() <= MAX_TYPE_CHARS { None } else { name.char_indices().nth(MAX_TYPE_CHARS) };
        let name = end.and_then(|(end, _)| name.get(..end)).unwrap_or(&name);
        Self { time_ms: event.write_timestamp_ms(), event_type: names.shared(name), aggregate_id: event.aggregate_id() }
    }
}

/// Names of event types that were read, so that the labels of many events share their text.
#[derive(Debug, Default)]
pub(super) struct TypeNames(Vec<Arc<str>>);

impl TypeNames {
    /// Returns the shared text of a name.
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let text: Arc<str> = name.into();
        if self.0.len() < MAX_SHARED_NAMES {
            self.0.push(Arc::clone(&text));
        }
        text
    }
}

/// The part of a copy after the end of the other copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestOfLog {
    /// The number of valid events.
    pub events: u64,
    /// The number of ranges without a valid event: damage, gaps and frames whose payload is not an event.
    pub other_ranges: u64,
    /// The first event.
    pub first: Option<EventLabel>,
    /// The last event; `None` when there is only one.
    pub last: Option<EventLabel>,
}

/// The differences that a comparison lists: those whose events it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffListing {
    /// The first [`MAX_DIFFERENCES`], but of a range in which no frame is the same in both only the first thousand, which show
    /// that the copies have diverged; and the rest of the longer copy. The payloads at other differences are not read, so
    /// counting them costs a third of listing them.
    First,
    /// All of them.
    All,
}

/// A report of a running comparison.
#[derive(Debug)]
#[non_exhaustive]
pub enum DiffUpdate<'a> {
    /// The comparison has read up to a position of the longer log.
    Progress(Progress),
    /// A difference was found.
    Difference(&'a LogDifference),
    /// A difference was found that is counted and not listed: [`DiffListing::First`]. Payloads at it were not read.
    Unlisted(&'a LogDifference),
}

/// The callback of a comparison. `Break` cancels the comparison, which then fails with
/// [`StorageError::Cancelled`](crate::StorageError::Cancelled).
pub type OnDiffUpdate<'a> = dyn FnMut(DiffUpdate) -> ControlFlow<()> + 'a;

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// The size of the first log in bytes, at the start of the comparison.
    pub a_bytes: u64,
    /// The size of the second log in bytes, at the start of the comparison.
    pub b_bytes: u64,
    /// The file offset up to which the copies are equal.
    pub identical_to: u64,
    /// The listed differences ([`DiffListing`]), by ascending offset: at most [`MAX_DIFFERENCES`], and the rest of the longer
    /// copy.
    pub differences: Vec<LogDifference>,
    /// The number of differences of each kind, in the order of [`DifferenceKind::ALL`].
    pub counts: [u64; DifferenceKind::ALL.len()],
    /// The offset from which the copies diverge: after it no frame is the same in both, although both have events there.
    /// `None` when they agree again after every difference.
    pub diverged_at: Option<u64>,
    /// The starts of both logs, when these are not copies of one log. No difference is listed then.
    pub unrelated: Option<UnrelatedLogs>,
}

impl Comparison {
    /// True when the copies are equal, byte for byte.
    pub fn is_identical(&self) -> bool {
        self.unrelated.is_none() && self.total() == 0
    }

    /// Returns the number of all differences.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the number of differences of a kind.
    pub fn count_of(&self, kind: DifferenceKind) -> u64 {
        self.counts.iter().zip(DifferenceKind::ALL).find(|(_, counted)| *counted == kind).map_or(0, |(count, _)| *count)
    }

    /// Counts a difference.
    pub(super) fn count(&mut self, kind: DifferenceKind) {
        for (count, counted) in self.counts.iter_mut().zip(DifferenceKind::ALL) {
            *count += u64::from(counted == kind);
        }
    }
}

/// The starts of two logs that are not copies of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnrelatedLogs {
    /// The start of the first log.
    pub a: LogStart,
    /// The start of the second log.
    pub b: LogStart,
}

/// The creation time and the first event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogStart {
    /// The creation time in the header, in milliseconds since the Unix epoch; `None` in version 0 and when the header is
    /// damaged.
    pub created_at_ms: Option<u64>,
    /// The first valid event that was compared.
    pub first_event: Option<EventLabel>,
}
