//! The table of filter terms: the key, value, operators, use of the index, help and example of each term.
//!
//! The parser, its error messages, completion and `cat --help` use this table, and a test compares it with the
//! documentation.

use super::time_input::TIME_EXAMPLES;

/// One entry of the table: a kind of term that a filter can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterTermSpec {
    /// The kind of the term.
    pub(super) kind: FilterTermKind,
    /// The word before the operator, such as `agg`; empty for plain text.
    pub key: &'static str,
    /// The form of the term, with a placeholder for the value: `agg:ID`.
    pub syntax: &'static str,
    /// The expected value, for messages: `an aggregate id or null`.
    pub value: &'static str,
    /// The operators between key and value; none for plain text.
    pub operators: &'static [&'static str],
    /// The use of the index in a search for the events that the term matches.
    pub index_use: IndexUse,
    /// The rows that the term matches, in one sentence without a full stop.
    pub help: &'static str,
    /// A complete term, as an example.
    pub example: &'static str,
}

/// The use of the index in a search for the events that a term matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// The index lists the offsets of the events; nothing else is read.
    Offsets,
    /// The index excludes whole blocks of the log; the others are read.
    Blocks,
    /// Every event is read.
    FullScan,
}

/// The property of an event, or of a row that is not an event, to which a term applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterTermKind {
    Aggregate,
    EventType,
    Namespace,
    Schema,
    SchemaVersion,
    After,
    Before,
    Offset,
    NonEvent,
    Payload,
    Text,
}

/// The operators between a payload path and a value. An operator comes before its own prefixes, because the first that
/// matches is used.
pub(super) const PAYLOAD_OPERATORS: &[&str] = &["~", "!=", ">=", "<=", "=", ">", "<"];
const COLON: &[&str] = &[":"];

/// Every kind of filter term, in the order in which help and documentation list them.
pub static FILTER_TERMS: [FilterTermSpec; 11] = [
    FilterTermSpec {
        kind: FilterTermKind::Aggregate,
        key: "agg",
        syntax: "agg:ID",
        value: "an aggregate id or null",
        operators: COLON,
        index_use: IndexUse::Offsets,
        help: "Events of this aggregate; `agg:null` matches events of no aggregate",
        example: "agg:42",
    },
    FilterTermSpec {
        kind: FilterTermKind::EventType,
        key: "type",
        syntax: "type:NAME",
        value: "an event type",
        operators: COLON,
        index_use: IndexUse::Blocks,
        help: "Events with this `event_type`",
        example: "type:Updated",
    },
    FilterTermSpec {
        kind: FilterTermKind::Namespace,
        key: "ns",
        syntax: "ns:NAME",
        value: "a namespace",
        operators: COLON,
        index_use: IndexUse::Blocks,
        help: "Events in this `namespace`",
        example: "ns:accounts",
    },
    FilterTermSpec {
        kind: FilterTermKind::Schema,
        key: "schema",
        syntax: "schema:NAME",
        value: "a schema id",
        operators: COLON,
        index_use: IndexUse::Blocks,
        help: "Events with this `schema_id`",
        example: "schema:Person",
    },
    FilterTermSpec {
        kind: FilterTermKind::SchemaVersion,
        key: "v",
        syntax: "v:N",
        value: "a schema version, a whole number",
        operators: COLON,
        index_use: IndexUse::FullScan,
        help: "Events with this `schema_version`",
        example: "v:2",
    },
    FilterTermSpec {
        kind: FilterTermKind::After,
        key: "after",
        syntax: "after:TIME",
        value: TIME_EXAMPLES,
        operators: COLON,
        index_use: IndexUse::Blocks,
        help: "Events written at this time or later",
        example: "after:-15m",
    },
    FilterTermSpec {
        kind: FilterTermKind::Before,
        key: "before",
        syntax: "before:TIME",
        value: TIME_EXAMPLES,
        operators: COLON,
        index_use: IndexUse::Blocks,
        help: "Events written before this time",
        example: "before:2026-11-20T09:14",
    },
    FilterTermSpec {
        kind: FilterTermKind::Offset,
        key: "offset",
        syntax: "offset:START..END",
        value: "a range such as 1000..2000, 0x3e8.. or 1000",
        operators: COLON,
        index_use: IndexUse::Blocks,
        help: "Events that start in this range of the file; the end is exclusive, and either side may be left out",
        example: "offset:1000..2000",
    },
    FilterTermSpec {
        kind: FilterTermKind::NonEvent,
        key: "is",
        syntax: "is:KIND",
        value: "damaged, gap or invalid",
        operators: COLON,
        index_use: IndexUse::FullScan,
        help: "Rows that are not events: is:damaged, is:gap, or is:invalid for a frame whose payload is not an event",
        example: "is:damaged",
    },
    FilterTermSpec {
        kind: FilterTermKind::Payload,
        key: "payload",
        syntax: "payload.PATH=VALUE",
        value: "a value after one of ~ != >= <= = > <",
        operators: PAYLOAD_OPERATORS,
        index_use: IndexUse::FullScan,
        help: "Events whose payload has such a value at the path; `~` takes a regular expression",
        example: "payload.amount>=100",
    },
    FilterTermSpec {
        kind: FilterTermKind::Text,
        key: "",
        syntax: "TEXT",
        value: "a text",
        operators: &[],
        index_use: IndexUse::FullScan,
        help: "Events whose stored JSON contains the text; a text all in lower case matches any case",
        example: "\"two words\"",
    },
];

impl FilterTermKind {
    /// Returns the entry of the table for this kind.
    pub(super) fn spec(self) -> &'static FilterTermSpec {
        FILTER_TERMS
            .iter()
            .find(|spec| spec.kind == self)
            .expect("the table has a row for every kind, as a test proves")
    }
}

impl FilterTermSpec {
    /// True for a term whose key is followed by a colon.
    pub(super) fn has_colon(&self) -> bool {
        self.operators == COLON
    }
}

/// Iterates over the keys that are followed by a colon.
pub(super) fn colon_keys() -> impl Iterator<Item = &'static str> {
    FILTER_TERMS.iter().filter(|spec| spec.has_colon()).map(|spec| spec.key)
}
