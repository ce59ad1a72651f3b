//! The columns of an exported CSV file.

use std::fmt;

use crate::format::json;
use crate::log::ReplayedEvent;
use crate::query::{PayloadPath, nearest_keyword};
use crate::report::units::format_exact_time;

/// A column of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportColumn {
    /// The offset of the event.
    Offset,
    /// The write time, in UTC.
    Time,
    /// The write time in milliseconds since the Unix epoch.
    TimeMs,
    /// The field `event_type`.
    Type,
    /// The field `namespace`.
    Namespace,
    /// The field `schema_id`.
    Schema,
    /// The field `schema_version`.
    SchemaVersion,
    /// The field `aggregate_id`.
    Aggregate,
    /// The value at a path of the payload.
    Payload(PayloadPath),
}

/// The names of the columns, as a user types them. A path into the payload is a name too.
const NAMES: [&str; 9] = ["offset", "time", "time_ms", "type", "ns", "schema", "v", "agg", "payload"];

impl ExportColumn {
    /// Parses the name of a column.
    ///
    /// # Errors
    /// The reason, with the name that is most similar.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "offset" => Self::Offset,
            "time" => Self::Time,
            "time_ms" => Self::TimeMs,
            "type" => Self::Type,
            "ns" => Self::Namespace,
            "schema" => Self::Schema,
            "v" => Self::SchemaVersion,
            "agg" => Self::Aggregate,
            _ => Self::Payload(PayloadPath::parse(text)?.ok_or_else(|| {
                let nearest = nearest_keyword(text, NAMES).map(|name| format!("; the nearest is `{name}`"));
                let names = NAMES.join(", ");
                format!("expected {names} or payload.PATH, found `{text}`{}", nearest.unwrap_or_default())
            })?),
        })
    }

    /// Returns the columns of a file when none are chosen: all of them, with the whole payload.
    pub(crate) fn default_columns() -> Vec<Self> {
        NAMES.into_iter().filter(|name| *name != "time_ms").filter_map(|name| Self::parse(name).ok()).collect()
    }

    /// Returns the cell of an event: strings without quotes and escapes, other values as stored, nothing where the event has
    /// no value.
    pub(super) fn cell(&self, ReplayedEvent { offset, event, .. }: &ReplayedEvent) -> String {
        match self {
            Self::Offset => offset.to_string(),
            Self::Time => format_exact_time(event.write_timestamp_ms()),
            Self::TimeMs => event.write_timestamp_ms().to_string(),
            Self::Type => event.event_type().into_owned(),
            Self::Namespace => event.namespace().into_owned(),
            Self::Schema => event.schema_id().into_owned(),
            Self::SchemaVersion => event.schema_version().to_string(),
            Self::Aggregate => event.aggregate_id().map(|id| id.to_string()).unwrap_or_default(),
            Self::Payload(path) => path.find(event.payload()).map(token_cell).unwrap_or_default(),
        }
    }
}

/// Returns the cell of a JSON value as stored.
fn token_cell(token: &str) -> String {
    if token.starts_with('"') {
        return json::unescape(token).into_owned();
    }
    let mut compact = Vec::new();
    json::compact(token.as_bytes(), &mut compact);
    String::from_utf8_lossy(&compact).into_owned()
}

impl fmt::Display for ExportColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offset => "offset",
            Self::Time => "time",
            Self::TimeMs => "time_ms",
            Self::Type => "type",
            Self::Namespace => "ns",
            Self::Schema => "schema",
            Self::SchemaVersion => "v",
            Self::Aggregate => "agg",
            Self::Payload(path) => return path.fmt(f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_displayed_as_it_is_typed() {
        for name in NAMES.into_iter().chain(["payload.a.b"]) {
            assert_eq!(ExportColumn::parse(name).unwrap().to_string(), name);
        }
        assert!(ExportColumn::parse("ofset").unwrap_err().contains("the nearest is `offset`"));
        assert_eq!((token_cell(r#""a\u0062""#), token_cell("[1, 2.0]")), ("ab".into(), "[1,2.0]".into()));
    }
}
