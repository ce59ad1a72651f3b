//! [`ParquetFile`]: events, gaps and damage as a Parquet file, for analysis by other programs.
//!
//! Every row says what it is: damage and gaps are rows too, with their range, so that a file never has fewer rows than the log
//! has events without saying so. Rows are written in groups, which bounds the memory.

mod column;
mod row_group;

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

use self::column::{ParquetColumn, Row};
use self::row_group::RowGroup;
use super::column::TypedColumn;
use super::file_output::{FileOutput, WrittenFile};
use crate::StorageError;
use crate::format::Finding;
use crate::log::ReplayedEvent;

/// A Parquet file that is being written.
pub(crate) struct ParquetFile {
    file: SerializedFileWriter<FileOutput>,
    rows: RowGroup,
}

impl ParquetFile {
    /// Starts the file. All fields are written when no columns are chosen.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(super) fn new(output: FileOutput, chosen: &[TypedColumn]) -> Result<Self, StorageError> {
        let path = output.path().to_owned();
        let columns = ParquetColumn::of_file(chosen);
        let start = || {
            let fields = columns.iter().map(ParquetColumn::schema).collect::<Result<Vec<_>, _>>()?;
            let schema = Type::group_type_builder("event").with_fields(fields).build()?;
            SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties(&columns)?))
        };
        let file = start().map_err(|error| StorageError::io(&path, "write", io_error(error)))?;
        Ok(Self { file, rows: RowGroup::new(columns) })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(super) fn append_event(&mut self, event: &ReplayedEvent) -> Result<(), StorageError> {
        self.append(Row::Event(event))
    }

    /// Adds a damaged range or a gap.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(super) fn append_finding(&mut self, finding: &Finding) -> Result<(), StorageError> {
        self.append(Row::Finding(finding))
    }

    fn append(&mut self, row: Row) -> Result<(), StorageError> {
        self.rows.push(row);
        if self.rows.is_full() { self.rows.write(&mut self.file).map_err(|error| self.error(error)) } else { Ok(()) }
    }

    /// Writes the rest, with what the file says of itself, and gives the file its name.
    ///
    /// # Errors
    /// `Io` when the file cannot be written; `AlreadyExists` when a file got the name in the meantime and is to be kept. No
    /// file is left then.
    pub(super) fn finish(mut self, metadata: Vec<(&'static str, String)>) -> Result<WrittenFile, StorageError> {
        let path = self.file.inner().path().to_owned();
        self.rows.write(&mut self.file).map_err(|error| self.error(error))?;
        for (key, value) in metadata {
            self.file.append_key_value_metadata(KeyValue::new(format!("chronicle.{key}"), value));
        }
        let output = self.file.into_inner().map_err(|error| StorageError::io(&path, "write", io_error(error)))?;
        Ok(WrittenFile { bytes: output.finish()?, left_out: self.rows.left_out() })
    }

    fn error(&self, error: ParquetError) -> StorageError {
        StorageError::io(self.file.inner().path(), "write", io_error(error))
    }
}

/// Returns how the columns are encoded and compressed.
///
/// # Errors
/// Those of the Parquet library.
fn properties(columns: &[ParquetColumn]) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_dictionary_enabled(false);
    for column in columns {
        let path = ColumnPath::from(vec![column.name()]);
        let (physical, _) = column.stored_type();
        if column.has_few_values() {
            properties = properties.set_column_dictionary_enabled(path, true);
        } else if physical == parquet::basic::Type::INT64 {
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        } else {
            // The least and greatest text of a payload excludes nothing and would take time and space.
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    Ok(properties.build())
}

/// Returns the system's error that is in an error of the library, or the latter as one.
fn io_error(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => *error,
            Err(other) => std::io::Error::other(other),
        },
        error => std::io::Error::other(error),
    }
}
