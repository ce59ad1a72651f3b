//! One term of a filter, and how it is matched with an event, with a block of the index and with a finding.

use std::ops::Range;

use super::filter_path::PathTerm;
use super::filter_terms::{FilterTermKind, IndexUse};
use super::text_matcher::TextMatcher;
use crate::format::{DamageKind, EventView, Finding};
use crate::index::{Block, NameCounts, NameKind};

/// A condition on an event, or on a row that is not an event.
#[derive(Debug, Clone)]
pub(super) enum FilterTerm {
    /// The aggregate's id; `None` matches events of no aggregate.
    Aggregate(Option<u64>),
    EventType(String),
    Namespace(String),
    Schema(String),
    SchemaVersion(u32),
    /// Written at this time or later, in milliseconds since the Unix epoch.
    After(u64),
    /// Written before this time, in milliseconds since the Unix epoch.
    Before(u64),
    /// The event starts in this range of file offsets.
    Offset(Range<u64>),
    /// The row is not an event, and is of this kind.
    NonEvent(NonEventKind),
    Payload(Box<PathTerm>),
    Text(TextMatcher),
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

impl FilterTerm {
    /// Returns the kind of the term, which identifies its entry in [`FILTER_TERMS`](super::filter_terms::FILTER_TERMS).
    pub(super) const fn kind(&self) -> FilterTermKind {
        match self {
            Self::Aggregate(_) => FilterTermKind::Aggregate,
            Self::EventType(_) => FilterTermKind::EventType,
            Self::Namespace(_) => FilterTermKind::Namespace,
            Self::Schema(_) => FilterTermKind::Schema,
            Self::SchemaVersion(_) => FilterTermKind::SchemaVersion,
            Self::After(_) => FilterTermKind::After,
            Self::Before(_) => FilterTermKind::Before,
            Self::Offset(_) => FilterTermKind::Offset,
            Self::NonEvent(_) => FilterTermKind::NonEvent,
            Self::Payload(_) => FilterTermKind::Payload,
            Self::Text(_) => FilterTermKind::Text,
        }
    }

    /// True when the two terms are alternatives: an event has to match only one of them.
    ///
    /// Terms with one key are alternatives. Payload terms are alternatives only with the same path and operator, and plain
    /// texts never are.
    pub(super) fn is_alternative_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(_), Self::Text(_)) => false,
            (Self::Payload(a), Self::Payload(b)) => a.has_same_path_and_operator(b),
            _ => self.kind() == other.kind(),
        }
    }

    /// Returns the relative cost of matching one event. Cheap terms are tested first.
    pub(super) const fn cost(&self) -> u8 {
        match self {
            Self::EventType(_) | Self::Namespace(_) | Self::Schema(_) => 1,
            Self::Text(_) => 2,
            Self::Payload(_) => 3,
            _ => 0,
        }
    }

    /// True when the term matches the event at `offset`.
    pub(super) fn matches(&self, offset: u64, event: &EventView) -> bool {
        match self {
            Self::Aggregate(id) => event.aggregate_id() == *id,
            Self::EventType(name) => event.event_type() == name.as_str(),
            Self::Namespace(name) => event.namespace() == name.as_str(),
            Self::Schema(name) => event.schema_id() == name.as_str(),
            Self::SchemaVersion(version) => event.schema_version() == *version,
            Self::After(time) => event.write_timestamp_ms() >= *time,
            Self::Before(time) => event.write_timestamp_ms() < *time,
            Self::Offset(range) => range.contains(&offset),
            Self::NonEvent(_) => false,
            Self::Payload(path) => path.matches(event.payload()),
            Self::Text(matcher) => matcher.is_match(event.json().as_bytes()),
        }
    }

    /// True when [`FilterTerm::may_match_block`] can exclude blocks for this term.
    pub(super) fn can_prune_blocks(&self) -> bool {
        self.kind().spec().index_use == IndexUse::Blocks
    }

    /// False when the index shows that no event of the block at `block_range` matches the term.
    pub(super) fn may_match_block(&self, block_range: &Range<u64>, block: &Block, names: &NameCounts) -> bool {
        let has = |kind, name| names.find_slot(kind, name).is_some_and(|slot| block.has_name(slot));
        match self {
            Self::EventType(name) => has(NameKind::Type, name),
            Self::Namespace(name) => has(NameKind::Namespace, name),
            Self::Schema(name) => has(NameKind::Schema, name),
            Self::After(time) => block.time_range.1 >= *time,
            Self::Before(time) => block.time_range.0 < *time,
            Self::Offset(range) => range.start < block_range.end && block_range.start < range.end,
            Self::Aggregate(_) | Self::SchemaVersion(_) | Self::NonEvent(_) | Self::Payload(_) | Self::Text(_) => true,
        }
    }

    /// False for an `is:` term of another kind, and for an offset range that the finding does not overlap; otherwise true.
    pub(super) fn matches_finding(&self, finding: &Finding) -> bool {
        match self {
            Self::NonEvent(kind) => kind.includes(finding.kind),
            Self::Offset(range) => finding.start < range.end && range.start < finding.end.max(finding.start + 1),
            _ => true,
        }
    }
}
