//! The properties by which statistics group events, and the values of a group.

use std::borrow::Cow;
use std::fmt;

use super::nearest_keyword::nearest_keyword;
use super::payload_path::PayloadPath;
use super::quotes::quote;
use crate::format::EventView;
use crate::format::json::unescape;

/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;
/// Milliseconds in a day.
const DAY_MS: u64 = 24 * HOUR_MS;
/// The largest length of a value that is a group of its own, in bytes. Longer values are counted together.
const MAX_VALUE_BYTES: usize = 1024;

/// The property by which events are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GroupBy {
    /// The field `event_type`.
    #[default]
    Type,
    /// The field `namespace`.
    Namespace,
    /// The field `schema_id`.
    Schema,
    /// The field `schema_version`.
    SchemaVersion,
    /// The field `aggregate_id`.
    Aggregate,
    /// The hour of the write time, in UTC.
    Hour,
    /// The day of the write time, in UTC.
    Day,
    /// The value at a path of the payload.
    Payload(PayloadPath),
}

/// The value of the property that the events of a group share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GroupKey {
    /// A text: a name, or a string of the payload.
    Text(Box<str>),
    /// A whole number: an aggregate, or the version of a schema.
    Number(u64),
    /// The start of an interval of time, in milliseconds since the Unix epoch.
    Time(u64),
    /// A value of the payload that is not a string, as stored.
    Json(Box<str>),
    /// The events have no such property.
    Missing,
    /// The values are longer than 1 KiB, or the index has counted their names together, because they are too many or too
    /// long.
    Others,
}

/// The value of an event before it is converted to a [`GroupKey`]. Strings are compared as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventValue<'a> {
    /// A JSON token as stored.
    Token(&'a str),
    Number(u64),
    Missing,
}

impl GroupBy {
    /// The names of the properties, as a user types them; `payload.PATH` is any path into the payload.
    pub const NAMES: [&'static str; 8] = ["type", "ns", "schema", "v", "agg", "hour", "day", "payload.PATH"];

    /// Parses the name of a property, such as `type` or `payload.amount`.
    ///
    /// # Errors
    /// The reason, with the name that is most similar.
    ///
    /// # Examples
    /// ```
    /// use chronicle::query::GroupBy;
    ///
    /// assert_eq!(GroupBy::parse("ns"), Ok(GroupBy::Namespace));
    /// assert!(GroupBy::parse("typ").unwrap_err().contains("the nearest is `type`"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "type" => Self::Type,
            "ns" => Self::Namespace,
            "schema" => Self::Schema,
            "v" => Self::SchemaVersion,
            "agg" => Self::Aggregate,
            "hour" => Self::Hour,
            "day" => Self::Day,
            _ => Self::Payload(PayloadPath::parse(text)?.ok_or_else(|| unknown_property(text))?),
        })
    }

    /// True when the groups are intervals of time, which are listed in the order of time.
    pub const fn is_time(&self) -> bool {
        matches!(self, Self::Hour | Self::Day)
    }

    /// Returns the value of an event.
    #[inline]
    pub(super) fn value_of<'a>(&self, event: &EventView<'a>) -> EventValue<'a> {
        match self {
            Self::Type => EventValue::Token(event.event_type_token()),
            Self::Namespace => EventValue::Token(event.namespace_token()),
            Self::Schema => EventValue::Token(event.schema_id_token()),
            Self::SchemaVersion => EventValue::Number(event.schema_version().into()),
            Self::Aggregate => event.aggregate_id().map_or(EventValue::Missing, EventValue::Number),
            Self::Hour => EventValue::Number(round_down(event.write_timestamp_ms(), HOUR_MS)),
            Self::Day => EventValue::Number(round_down(event.write_timestamp_ms(), DAY_MS)),
            Self::Payload(path) => path.find(event.payload()).map_or(EventValue::Missing, EventValue::Token),
        }
    }

    /// Returns the group of a value.
    pub(super) fn key_of(&self, value: EventValue) -> GroupKey {
        match value {
            EventValue::Missing => GroupKey::Missing,
            EventValue::Number(number) if self.is_time() => GroupKey::Time(number),
            EventValue::Number(number) => GroupKey::Number(number),
            EventValue::Token(token) if token.len() > MAX_VALUE_BYTES => GroupKey::Others,
            EventValue::Token(token) if token.starts_with('"') => GroupKey::Text(unescape(token).into()),
            EventValue::Token(token) => GroupKey::Json(token.into()),
        }
    }

    /// Returns the filter words that select the events of a group; `None` when no words do.
    ///
    /// # Examples
    /// ```
    /// use chronicle::query::{GroupBy, GroupKey};
    ///
    /// let words = GroupBy::Hour.filter_words(&GroupKey::Time(1_795_165_200_000));
    /// assert_eq!(words.as_deref(), Some("after:2026-11-20T09:00Z before:2026-11-20T10:00Z"));
    /// ```
    pub fn filter_words(&self, key: &GroupKey) -> Option<String> {
        let span = if *self == Self::Hour { HOUR_MS } else { DAY_MS };
        Some(match (self, key) {
            (Self::Type, GroupKey::Text(name)) => format!("type:{}", value_word(name)),
            (Self::Namespace, GroupKey::Text(name)) => format!("ns:{}", value_word(name)),
            (Self::Schema, GroupKey::Text(name)) => format!("schema:{}", value_word(name)),
            (Self::SchemaVersion, GroupKey::Number(version)) => format!("v:{version}"),
            (Self::Aggregate, GroupKey::Number(id)) => format!("agg:{id}"),
            (Self::Aggregate, GroupKey::Missing) => "agg:null".into(),
            (_, GroupKey::Time(start)) => time_span_words(*start, start.saturating_add(span))?,
            (Self::Payload(path), GroupKey::Text(value) | GroupKey::Json(value)) => {
                format!("{path}={}", value_word(value))
            }
            _ => return None,
        })
    }
}

/// Returns the message for a text that is not the name of a property.
fn unknown_property(text: &str) -> String {
    let nearest = nearest_keyword(text, GroupBy::NAMES).map(|name| format!("; the nearest is `{name}`"));
    let names = GroupBy::NAMES.join(", ");
    format!("expected one of {names}, found `{text}`{}", nearest.unwrap_or_default())
}

/// Returns the filter words that select the events from one time to another, both in milliseconds since the Unix epoch; the
/// end is exclusive. `None` when a time is beyond the year 9999.
pub fn time_span_words(start_ms: u64, end_ms: u64) -> Option<String> {
    Some(format!("after:{} before:{}", format_time(start_ms)?, format_time(end_ms)?))
}

/// Returns the filter word that selects the events written at this time or later, in milliseconds since the Unix epoch; `None`
/// when the time is beyond the year 9999.
pub fn written_since_word(start_ms: u64) -> Option<String> {
    Some(format!("time>={}", format_time(start_ms)?))
}

/// Formats a time as a filter reads it, as short as possible.
fn format_time(ms: u64) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    let pattern = match ms {
        ms if ms.is_multiple_of(60_000) => "%Y-%m-%dT%H:%MZ",
        ms if ms.is_multiple_of(1000) => "%Y-%m-%dT%H:%M:%SZ",
        _ => "%Y-%m-%dT%H:%M:%S%.3fZ",
    };
    Some(time.strftime(pattern).to_string())
}

/// Returns a value as it is typed in a filter: in quotes, unless it consists of letters and digits.
fn value_word(value: &str) -> Cow<'_, str> {
    let is_plain = !value.is_empty()
        && !value.contains("..")
        && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_plain { value.into() } else { quote(value).into() }
}

const fn round_down(time_ms: u64, width_ms: u64) -> u64 {
    time_ms - time_ms % width_ms
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type => "type",
            Self::Namespace => "ns",
            Self::Schema => "schema",
            Self::SchemaVersion => "v",
            Self::Aggregate => "agg",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Payload(path) => return path.fmt(f),
        })
    }
}

impl GroupKey {
    /// Returns the key of a JSON token as stored.
    #[cfg(test)]
    fn from_token(token: &str) -> Self {
        GroupBy::Type.key_of(EventValue::Token(token))
    }

    /// The memory that the key takes beyond its own size, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::Filter;
    use super::*;
    use crate::format::Version;

    const EVENT: &str = r#"{"write_timestamp_ms":1795165265123,"event_type":"A \"b\"","namespace":"n","schema_id":"S","schema_version":2,"aggregate_id":7,"payload":{"x":"1","n":1.50,"a b":[1]}}"#;

    #[test]
    fn every_name_is_displayed_as_it_is_typed() {
        for name in GroupBy::NAMES {
            assert_eq!(GroupBy::parse(name).unwrap().to_string(), name);
        }
        assert!(GroupBy::parse("payload.").unwrap_err().contains("a key is missing"));
    }

    #[test]
    fn the_words_of_a_group_select_its_events() {
        let event = EventView::parse(EVENT.as_bytes(), Version::V1).unwrap();
        for by in ["type", "ns", "schema", "v", "agg", "hour", "day", "payload.x", "payload.n", "payload.\"a b\".0"] {
            let by = GroupBy::parse(by).unwrap();
            let words = by.filter_words(&by.key_of(by.value_of(&event))).unwrap();
            assert!(Filter::parse(&words, 0).unwrap().matches_event(16, &event), "{words}");
        }
        assert_eq!(GroupBy::parse("payload.y").unwrap().filter_words(&GroupKey::Missing), None);
        assert_eq!(time_span_words(0, u64::MAX), None);
    }

    #[test]
    fn a_string_and_a_number_are_different_groups() {
        assert_eq!(GroupKey::from_token(r#""P\u00e9rez""#), GroupKey::Text("Pérez".into()));
        assert_ne!(GroupKey::from_token("\"1\""), GroupKey::from_token("1"));
        assert_eq!(GroupKey::from_token(&"1".repeat(2000)), GroupKey::Others);
    }
}
