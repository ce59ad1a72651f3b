//! The columns of an exported CSV or Parquet file.

use std::fmt;

use super::cell_text::token_cell;
use super::value_type::ValueType;
use crate::log::ReplayedEvent;
use crate::query::{PayloadPath, nearest_keyword};
use crate::report::units::format_exact_time;

/// A field of an event, or a value of its payload, as a column.
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

    /// Returns all columns, with the whole payload.
    pub(super) fn all_fields() -> Vec<Self> {
        NAMES.into_iter().filter_map(|name| Self::parse(name).ok()).collect()
    }

    /// Returns the columns of a CSV file when none are chosen: all of them, with the time in one form.
    pub(crate) fn default_columns() -> Vec<Self> {
        Self::all_fields().into_iter().filter(|column| *column != Self::TimeMs).collect()
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
            Self::Payload(path) => {
                path.find(event.payload()).map(|token| token_cell(token).into_owned()).unwrap_or_default()
            }
        }
    }
}

/// A chosen column, with the type of its values where one is given, which only a Parquet file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypedColumn {
    pub(crate) column: ExportColumn,
    pub(crate) value_type: Option<ValueType>,
}

impl TypedColumn {
    /// A column with the type that its values have by themselves.
    pub(super) const fn untyped(column: ExportColumn) -> Self {
        Self { column, value_type: None }
    }

    /// Parses the name of a column. A type can follow a path into the payload after a colon: `payload.amount:double`. A key
    /// with a colon is put in quotes.
    ///
    /// # Errors
    /// The reason, with the name that is most similar.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_type = |name: &str| !name.contains('"');
        match text.rsplit_once(':').filter(|(_, name)| is_type(name)) {
            Some((path, name)) if path.starts_with("payload") => {
                let value_type = Some(ValueType::parse(name)?);
                Ok(Self { column: ExportColumn::parse(path)?, value_type })
            }
            Some((column, _)) if ExportColumn::parse(column).is_ok() => {
                Err(format!("only a path into the payload has a type: write `{column}`"))
            }
            _ => ExportColumn::parse(text).map(Self::untyped),
        }
    }
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
    }

    #[test]
    fn a_type_follows_a_path_into_the_payload() {
        let parsed = TypedColumn::parse("payload.a:double").unwrap();
        assert_eq!((parsed.column.to_string(), parsed.value_type), ("payload.a".into(), Some(ValueType::Double)));
        let quoted = TypedColumn::parse("payload.\"a:b\"").unwrap();
        assert_eq!(quoted, TypedColumn::untyped(ExportColumn::parse("payload.\"a:b\"").unwrap()));
        assert!(TypedColumn::parse("payload.a:doubel").unwrap_err().contains("the nearest is `double`"));
        assert!(TypedColumn::parse("time:text").unwrap_err().contains("write `time`"));
    }
}
