//! [`ParquetColumn`]: a column of an exported Parquet file, and the cells of events and findings in it.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

use crate::export::column::{ExportColumn, TypedColumn};
use crate::export::value_type::{Value, ValueType};
use crate::format::Finding;
use crate::log::ReplayedEvent;

/// A column of a Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ParquetColumn {
    /// The offset of the frame or of the damaged range.
    Offset,
    /// The offset after the last byte of a damaged range or a gap.
    End,
    /// `event`, `damage`, or the kind of a finding that is no damage: `gap` or `lost`.
    Kind,
    /// The kind of the finding.
    Finding,
    /// A field of the event, or a value of its payload.
    Field(TypedColumn),
}

/// Readers of Parquet files fail at times after the year 9999, which ends here, in milliseconds since the Unix epoch.
const END_OF_YEAR_9999_MS: u64 = 253_402_300_800_000;

/// A row of the file.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Event(&'a ReplayedEvent<'a>),
    Finding(&'a Finding),
}

/// The content of a column in a row.
pub(super) enum Cell<'a> {
    Value(Value<'a>),
    /// The row has no value in this column.
    Empty,
    /// The value is not of the type of the column.
    OtherType,
}

impl ParquetColumn {
    /// Returns the columns of a file: those that identify a row, and the chosen ones, or all fields when none are chosen.
    pub(super) fn of_file(chosen: &[TypedColumn]) -> Vec<Self> {
        let mut columns = vec![Self::Offset, Self::End, Self::Kind, Self::Finding];
        let all_fields: Vec<TypedColumn> = ExportColumn::all_fields().into_iter().map(TypedColumn::untyped).collect();
        let fields = if chosen.is_empty() { &all_fields } else { chosen };
        for field in fields.iter().filter(|field| field.column != ExportColumn::Offset) {
            let column = Self::Field(field.clone());
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// The name of the column in the file.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Offset => "offset".into(),
            Self::End => "end".into(),
            Self::Kind => "kind".into(),
            Self::Finding => "finding".into(),
            Self::Field(field) => match field.column {
                ExportColumn::TimeMs => "write_timestamp_ms".into(),
                ExportColumn::Namespace => "namespace".into(),
                ExportColumn::SchemaVersion => "version".into(),
                ExportColumn::Aggregate => "aggregate".into(),
                _ => field.column.to_string(),
            },
        }
    }

    /// Returns the column's entry in the schema of the file.
    ///
    /// # Errors
    /// Those of the Parquet library.
    pub(super) fn schema(&self) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = self.stored_type();
        let repetition = if self.is_required() { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let schema = Type::primitive_type_builder(&self.name(), physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(schema))
    }

    /// True when every row has a value in the column.
    pub(super) const fn is_required(&self) -> bool {
        matches!(self, Self::Offset | Self::Kind)
    }

    /// True when a few values are repeated in the column, so that a dictionary of them saves space.
    pub(super) fn has_few_values(&self) -> bool {
        match self {
            Self::Offset | Self::End => false,
            Self::Kind | Self::Finding => true,
            Self::Field(field) => match field.column {
                ExportColumn::Offset | ExportColumn::Time | ExportColumn::TimeMs => false,
                // Of a path into the payload, the library finds it out: it leaves a dictionary that grows too large.
                ExportColumn::Payload(ref path) => !path.is_whole_payload(),
                _ => true,
            },
        }
    }

    /// Returns how the values are stored, and what they mean.
    pub(super) fn stored_type(&self) -> (PhysicalType, Option<LogicalType>) {
        let text = (PhysicalType::BYTE_ARRAY, Some(LogicalType::String));
        let field = match self {
            Self::Offset | Self::End => return (PhysicalType::INT64, None),
            Self::Kind | Self::Finding => return text,
            Self::Field(field) => field,
        };
        match (&field.column, field.value_type) {
            (ExportColumn::Time, _) => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
            (ExportColumn::TimeMs | ExportColumn::Aggregate, _) => {
                (PhysicalType::INT64, Some(LogicalType::integer(64, false)))
            }
            (ExportColumn::Offset | ExportColumn::SchemaVersion, _) | (_, Some(ValueType::Integer)) => {
                (PhysicalType::INT64, None)
            }
            (_, Some(ValueType::Double)) => (PhysicalType::DOUBLE, None),
            (_, Some(ValueType::Boolean)) => (PhysicalType::BOOLEAN, None),
            _ => text,
        }
    }

    /// Returns the content of the column in a row.
    pub(super) fn cell<'a>(&self, row: Row<'a>) -> Cell<'a> {
        match (self, row) {
            (Self::Offset, Row::Event(event)) => integer(event.offset),
            (Self::Offset, Row::Finding(finding)) => integer(finding.start),
            (Self::End, Row::Finding(finding)) => integer(finding.end),
            (Self::Kind, row) => text(match row {
                Row::Event(_) => "event",
                Row::Finding(finding) if finding.kind.is_damage() => "damage",
                Row::Finding(finding) => finding.kind.name(),
            }),
            (Self::Finding, Row::Finding(finding)) => text(finding.kind.name()),
            (Self::Field(field), Row::Event(event)) => field_cell(field, event),
            (Self::End | Self::Finding, Row::Event(_)) | (Self::Field(_), Row::Finding(_)) => Cell::Empty,
        }
    }
}

/// Returns the cell of a field of an event.
fn field_cell<'a>(field: &TypedColumn, ReplayedEvent { offset, event, .. }: &ReplayedEvent<'a>) -> Cell<'a> {
    match &field.column {
        ExportColumn::Offset => integer(*offset),
        ExportColumn::Time => {
            let time = event.write_timestamp_ms();
            if time < END_OF_YEAR_9999_MS { integer(time) } else { Cell::OtherType }
        }
        ExportColumn::TimeMs => integer(event.write_timestamp_ms()),
        ExportColumn::Type => Cell::Value(Value::Text(event.event_type())),
        ExportColumn::Namespace => Cell::Value(Value::Text(event.namespace())),
        ExportColumn::Schema => Cell::Value(Value::Text(event.schema_id())),
        ExportColumn::SchemaVersion => integer(event.schema_version().into()),
        ExportColumn::Aggregate => event.aggregate_id().map_or(Cell::Empty, integer),
        ExportColumn::Payload(path) => match (path.find(event.payload()), field.value_type) {
            (None, _) | (Some("null"), Some(_)) => Cell::Empty,
            (Some(token), value_type) => {
                value_type.unwrap_or(ValueType::Text).convert(token).map_or(Cell::OtherType, Cell::Value)
            }
        },
    }
}

/// Returns the cell of an unsigned number, whose bits are stored.
const fn integer<'a>(number: u64) -> Cell<'a> {
    Cell::Value(Value::Integer(number.cast_signed()))
}

/// Returns the cell of a fixed text.
fn text<'a>(text: &'static str) -> Cell<'a> {
    Cell::Value(Value::Text(text.into()))
}
