//! [`RowGroup`]: the rows of a Parquet file that are collected before they are written column by column.

use std::io::Write;
use std::mem;

use parquet::basic::Type as PhysicalType;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use super::column::{Cell, ParquetColumn, Row};
use crate::export::value_type::Value;

/// Number of rows after which a row group is written.
const MAX_ROWS: usize = 128 << 10;

/// Number of bytes of text after which a row group is written, so that large payloads do not fill the memory.
const MAX_TEXT_LEN: usize = 64 << 20;

/// The rows that are collected, by column.
pub(super) struct RowGroup {
    columns: Vec<ColumnValues>,
    rows: usize,
    text_len: usize,
}

/// The collected values of a column.
struct ColumnValues {
    column: ParquetColumn,
    values: Values,
    /// For each row 1 when it has a value, else 0. The library calls them definition levels.
    present: Vec<i16>,
    /// Number of values in the file that were left out because they are not of the type of the column.
    other_type: u64,
}

/// Values of one type.
enum Values {
    Integers(Vec<i64>),
    Doubles(Vec<f64>),
    Booleans(Vec<bool>),
    /// The texts after each other, and the end of each.
    Texts(Vec<u8>, Vec<usize>),
}

impl RowGroup {
    /// Creates an empty row group.
    pub(super) fn new(columns: Vec<ParquetColumn>) -> Self {
        let columns = columns.into_iter().map(|column| {
            let values = match column.stored_type().0 {
                PhysicalType::DOUBLE => Values::Doubles(Vec::new()),
                PhysicalType::BOOLEAN => Values::Booleans(Vec::new()),
                PhysicalType::BYTE_ARRAY => Values::Texts(Vec::new(), Vec::new()),
                _ => Values::Integers(Vec::new()),
            };
            ColumnValues { column, values, present: Vec::new(), other_type: 0 }
        });
        Self { columns: columns.collect(), rows: 0, text_len: 0 }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row) {
        for column in &mut self.columns {
            self.text_len += column.push(column.column.cell(row));
        }
        self.rows += 1;
    }

    /// True when the rows are to be written.
    pub(super) const fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.text_len >= MAX_TEXT_LEN
    }

    /// Writes the rows as a row group, and starts an empty one. Writes nothing when there are no rows.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn write<W: Write + Send>(&mut self, file: &mut SerializedFileWriter<W>) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = file.next_row_group()?;
        for column in &mut self.columns {
            if let Some(mut writer) = group.next_column()? {
                column.write(&mut writer)?;
                writer.close()?;
            }
        }
        group.close()?;
        (self.rows, self.text_len) = (0, 0);
        Ok(())
    }

    /// Returns the columns from which values were left out because they are of another type, with the number of values.
    pub(super) fn left_out(&self) -> Vec<(String, u64)> {
        let columns = self.columns.iter().filter(|column| column.other_type > 0);
        columns.map(|column| (column.column.name(), column.other_type)).collect()
    }
}

impl ColumnValues {
    /// Adds a cell. Returns the number of bytes of its text.
    fn push(&mut self, cell: Cell) -> usize {
        let value = match cell {
            Cell::Value(value) => Some(value),
            Cell::Empty => None,
            Cell::OtherType => {
                self.other_type += 1;
                None
            }
        };
        self.present.push(value.is_some().into());
        match (&mut self.values, value) {
            (Values::Integers(values), Some(Value::Integer(value))) => values.push(value),
            (Values::Doubles(values), Some(Value::Double(value))) => values.push(value),
            (Values::Booleans(values), Some(Value::Boolean(value))) => values.push(value),
            (Values::Texts(bytes, ends), Some(Value::Text(text))) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                return text.len();
            }
            (_, value) => debug_assert!(value.is_none(), "a value of another type than its column: {value:?}"),
        }
        0
    }

    /// Writes the values and forgets them.
    fn write(&mut self, writer: &mut SerializedColumnWriter) -> Result<(), ParquetError> {
        let present = (!self.column.is_required()).then_some(self.present.as_slice());
        match &mut self.values {
            Values::Integers(values) => write_values::<Int64Type>(writer, &mem::take(values), present)?,
            Values::Doubles(values) => write_values::<DoubleType>(writer, &mem::take(values), present)?,
            Values::Booleans(values) => write_values::<BoolType>(writer, &mem::take(values), present)?,
            Values::Texts(bytes, ends) => {
                let all = ByteArray::from(mem::take(bytes));
                let mut start = 0;
                let texts = mem::take(ends).into_iter().map(|end| {
                    let text = all.slice(start, end - start);
                    start = end;
                    text
                });
                write_values::<ByteArrayType>(writer, &texts.collect::<Vec<_>>(), present)?;
            }
        }
        self.present.clear();
        Ok(())
    }
}

/// Writes the values of a column.
fn write_values<T: DataType>(
    writer: &mut SerializedColumnWriter,
    values: &[T::T],
    present: Option<&[i16]>,
) -> Result<(), ParquetError> {
    writer.typed::<T>().write_batch(values, present, None).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{DamageKind, EventView, Finding, Version};
    use crate::log::ReplayedEvent;

    #[test]
    fn a_group_is_full_after_a_number_of_rows_or_of_bytes() {
        let mut rows = RowGroup::new(ParquetColumn::of_file(&[]));
        let finding = Finding::new(DamageKind::Garbage, 64..80);
        (1..MAX_ROWS).for_each(|_| rows.push(Row::Finding(&finding)));
        assert!(!rows.is_full());
        rows.push(Row::Finding(&finding));
        assert!(rows.is_full());

        let mut rows = RowGroup::new(ParquetColumn::of_file(&[]));
        let payload = format!("\"{}\"", "x".repeat(8 << 20));
        let json = format!(
            r#"{{"write_timestamp_ms":1,"event_type":"A","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":null,"payload":{payload}}}"#
        );
        let event = EventView::parse(json.as_bytes(), Version::V1).unwrap();
        let event = ReplayedEvent { offset: 16, event };
        let pushed = (1..20).find(|_| {
            rows.push(Row::Event(&event));
            rows.is_full()
        });
        assert_eq!(pushed, Some(8));
    }
}
