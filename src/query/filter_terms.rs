//! The table of filter terms: the key, value, operators, use of the index, help and example of each term.
//!
//! The parser, its error messages, completion, help and `cat --help` use this table, and a test compares it with the
//! documentation.

use super::filter_operators::{ALL_SIGNS, COLON_SIGNS, EQUALITY_SIGNS, NUMBER_SIGNS, TEXT_SIGNS};
use super::time_input::TIME_EXAMPLES;

/// One entry of the table: a kind of term that a filter can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterTermSpec {
    /// The kind of the term.
    pub(super) kind: FilterTermKind,
    /// The word before the operator, such as `agg`; empty for plain text.
    pub key: &'static str,
    /// The name of the event's field, which is accepted in place of the key; empty where there is none.
    pub field: &'static str,
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
    Time,
    After,
    Before,
    Offset,
    Size,
    NonEvent,
    Payload,
    Text,
    Regex,
}

/// Every kind of filter term, in the order in which help and documentation list them.
pub static FILTER_TERMS: [FilterTermSpec; 14] = [
    FilterTermSpec {
        kind: FilterTermKind::Aggregate,
        key: "agg",
        field: "aggregate_id",
        syntax: "agg:ID",
        value: "an aggregate id or null",
        operators: NUMBER_SIGNS,
        index_use: IndexUse::Offsets,
        help: "Events of this aggregate; `agg:null` matches events of no aggregate; a comparison or a range reads everything",
        example: "agg:42",
    },
    FilterTermSpec {
        kind: FilterTermKind::EventType,
        key: "type",
        field: "event_type",
        syntax: "type:NAME",
        value: "an event type",
        operators: TEXT_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events with this `event_type`",
        example: "type:Updated",
    },
    FilterTermSpec {
        kind: FilterTermKind::Namespace,
        key: "ns",
        field: "namespace",
        syntax: "ns:NAME",
        value: "a namespace",
        operators: TEXT_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events in this `namespace`",
        example: "ns:acc*",
    },
    FilterTermSpec {
        kind: FilterTermKind::Schema,
        key: "schema",
        field: "schema_id",
        syntax: "schema:NAME",
        value: "a schema id",
        operators: TEXT_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events with this `schema_id`",
        example: "schema:Person",
    },
    FilterTermSpec {
        kind: FilterTermKind::SchemaVersion,
        key: "v",
        field: "schema_version",
        syntax: "v:N",
        value: "a schema version, a whole number",
        operators: NUMBER_SIGNS,
        index_use: IndexUse::FullScan,
        help: "Events with this `schema_version`",
        example: "v>=2",
    },
    FilterTermSpec {
        kind: FilterTermKind::Time,
        key: "time",
        field: "write_timestamp_ms",
        syntax: "time:TIME",
        value: TIME_EXAMPLES,
        operators: NUMBER_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events written in this time; `time:2026-11-20` is the whole day, and a range includes both ends",
        example: "time:2026-11-20..2026-11-21",
    },
    FilterTermSpec {
        kind: FilterTermKind::After,
        key: "after",
        field: "",
        syntax: "after:TIME",
        value: TIME_EXAMPLES,
        operators: COLON_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events written at this time or later",
        example: "after:-15m",
    },
    FilterTermSpec {
        kind: FilterTermKind::Before,
        key: "before",
        field: "",
        syntax: "before:TIME",
        value: TIME_EXAMPLES,
        operators: COLON_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events written before this time",
        example: "before:2026-11-20T09:14",
    },
    FilterTermSpec {
        kind: FilterTermKind::Offset,
        key: "offset",
        field: "",
        syntax: "offset:START..END",
        value: "an offset such as 1000 or 0x3e8, or a range such as 1000..2000 or 1000..",
        operators: NUMBER_SIGNS,
        index_use: IndexUse::Blocks,
        help: "Events that start in this range of the file; the end is exclusive, and either side may be left out",
        example: "offset:1000..2000",
    },
    FilterTermSpec {
        kind: FilterTermKind::Size,
        key: "size",
        field: "",
        syntax: "size:BYTES",
        value: "a number of bytes such as 500, 16KiB or 2MB",
        operators: NUMBER_SIGNS,
        index_use: IndexUse::FullScan,
        help: "Events whose stored JSON has this many bytes",
        example: "size>16KiB",
    },
    FilterTermSpec {
        kind: FilterTermKind::NonEvent,
        key: "is",
        field: "",
        syntax: "is:KIND",
        value: "damaged, gap or invalid",
        operators: EQUALITY_SIGNS,
        index_use: IndexUse::FullScan,
        help: "Rows that are not events: is:damaged, is:gap, or is:invalid for a frame whose payload is not an event",
        example: "is:damaged",
    },
    FilterTermSpec {
        kind: FilterTermKind::Payload,
        key: "payload",
        field: "",
        syntax: "payload.PATH=VALUE",
        value: "a value after one of : = != ~ !~ < <= > >=",
        operators: ALL_SIGNS,
        index_use: IndexUse::FullScan,
        help: "Events whose payload has such a value at the path",
        example: "payload.amount>=100",
    },
    FilterTermSpec {
        kind: FilterTermKind::Text,
        key: "",
        field: "",
        syntax: "TEXT",
        value: "a text",
        operators: &[],
        index_use: IndexUse::FullScan,
        help: "Events whose stored JSON contains the text; a text all in lower case matches any case, and `*` matches any characters within a string",
        example: "\"two words\"",
    },
    FilterTermSpec {
        kind: FilterTermKind::Regex,
        key: "",
        field: "",
        syntax: "/REGEX/",
        value: "a regular expression between slashes",
        operators: &[],
        index_use: IndexUse::FullScan,
        help: "Events whose stored JSON matches the regular expression; `/x/i` matches any case, and so does an expression all in lower case",
        example: "/am.unt/",
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
    /// True for a term that consists of a key, an operator and a value, which is every term but plain text.
    pub(super) const fn has_key(&self) -> bool {
        !self.key.is_empty()
    }
}

/// Returns the entry whose key or field has this name.
pub(super) fn term_with_key(name: &str) -> Option<&'static FilterTermSpec> {
    FILTER_TERMS.iter().find(|spec| spec.has_key() && (spec.key == name || spec.field == name))
}

/// Iterates over the keys, and the names of fields that are accepted in place of keys.
pub(super) fn term_keys() -> impl Iterator<Item = &'static str> {
    let keys = FILTER_TERMS.iter().map(|spec| spec.key);
    keys.chain(FILTER_TERMS.iter().map(|spec| spec.field)).filter(|name| !name.is_empty())
}
