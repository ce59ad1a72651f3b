//! One term of a filter, and how it is matched with an event and with a finding.

use super::filter_path::PathTerm;
use super::filter_terms::FilterTermKind;
use super::name_pattern::NamePattern;
use super::number_set::NumberSet;
use super::text_matcher::TextMatcher;
use crate::format::{DamageKind, EventView, Finding};
use crate::index::NameKind;

/// A condition on an event, or on a row that is not an event.
#[derive(Debug, Clone)]
pub(super) enum FilterTerm {
    /// The event belongs to no aggregate.
    NoAggregate,
    /// A number of the event is in the set. An event of no aggregate has no aggregate id.
    Number(NumberField, NumberSet),
    /// A name of the event satisfies the pattern.
    Name(NameKind, NamePattern),
    /// The row is not an event, and is of this kind.
    NonEvent(NonEventKind),
    Payload(Box<PathTerm>),
    Text(TextMatcher),
}

/// A number that every event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberField {
    Aggregate,
    SchemaVersion,
    /// The time of writing in milliseconds since the Unix epoch.
    Time,
    /// The offset in the file at which the event starts.
    Offset,
    /// The number of bytes of the stored JSON.
    Size,
}

/// A kind of rows that are not events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonEventKind {
    Damaged,
    Gap,
    Invalid,
}

impl NonEventKind {
    const ALL: [Self; 3] = [Self::Damaged, Self::Gap, Self::Invalid];

    const fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Gap => "gap",
            Self::Invalid => "invalid",
        }
    }

    /// Iterates over the names of the kinds, as a user types them.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Returns the kind with this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// True when findings of `kind` are rows of this kind.
    fn includes(self, kind: DamageKind) -> bool {
        match self {
            Self::Damaged => kind.is_damage(),
            Self::Gap => kind == DamageKind::Gap,
            Self::Invalid => kind == DamageKind::InvalidEvent,
        }
    }
}

impl FilterTermKind {
    /// Returns the name of an event that a term of this kind compares; `None` for other kinds.
    pub(super) const fn name_kind(self) -> Option<NameKind> {
        match self {
            Self::EventType => Some(NameKind::Type),
            Self::Namespace => Some(NameKind::Namespace),
            Self::Schema => Some(NameKind::Schema),
            _ => None,
        }
    }
}

impl FilterTerm {
    /// Returns the relative cost of matching one event. Cheap terms are tested first.
    pub(super) const fn cost(&self) -> u8 {
        match self {
            Self::NoAggregate | Self::Number(..) | Self::NonEvent(_) => 0,
            Self::Name(..) => 1,
            Self::Text(_) => 2,
            Self::Payload(_) => 3,
        }
    }

    /// True when the term matches the event at `offset`.
    pub(super) fn matches(&self, offset: u64, event: &EventView) -> bool {
        match self {
            Self::NoAggregate => event.aggregate_id().is_none(),
            Self::Number(field, set) => field.of_event(offset, event).is_some_and(|number| set.contains(number)),
            Self::Name(NameKind::Type, pattern) => pattern.matches(&event.event_type()),
            Self::Name(NameKind::Namespace, pattern) => pattern.matches(&event.namespace()),
            Self::Name(NameKind::Schema, pattern) => pattern.matches(&event.schema_id()),
            Self::NonEvent(_) => false,
            Self::Payload(path) => path.matches(event.payload()),
            Self::Text(matcher) => matcher.is_match(event.json().as_bytes()),
        }
    }

    /// Returns the aggregate's id when the term matches the events of exactly one aggregate.
    pub(super) fn aggregate_id(&self) -> Option<u64> {
        match self {
            Self::Number(NumberField::Aggregate, set) => set.single(),
            _ => None,
        }
    }

    /// True when the term compares the time of an event.
    pub(super) const fn is_about_time(&self) -> bool {
        matches!(self, Self::Number(NumberField::Time, _))
    }

    /// False for an `is:` term of another kind, and for an offset range that the finding does not overlap; otherwise true.
    pub(super) fn matches_finding(&self, finding: &Finding) -> bool {
        match self {
            Self::NonEvent(kind) => kind.includes(finding.kind),
            Self::Number(NumberField::Offset, set) => {
                set.overlaps(finding.start, finding.end.max(finding.start + 1) - 1)
            }
            _ => true,
        }
    }
}

impl NumberField {
    /// Returns the number of the event at `offset`; `None` for the aggregate id of an event of no aggregate.
    fn of_event(self, offset: u64, event: &EventView) -> Option<u64> {
        match self {
            Self::Aggregate => event.aggregate_id(),
            Self::SchemaVersion => Some(u64::from(event.schema_version())),
            Self::Time => Some(event.write_timestamp_ms()),
            Self::Offset => Some(offset),
            Self::Size => Some(event.json().len() as u64),
        }
    }
}
