//! [`ExportFile`]: a file of events that is being written, as JSON lines, CSV or Parquet.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::column::{ExportColumn, TypedColumn};
use super::file_output::{FileOutput, WrittenFile};
use super::parquet_file::ParquetFile;
use super::selected_events::SelectionTotals;
use crate::StorageError;
use crate::file::ExistingFile;
use crate::format::{Finding, json};
use crate::inspect::LogView;
use crate::log::ReplayedEvent;

/// The format of an exported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportFileFormat {
    /// One JSON object per line, as `cat` prints it.
    JsonLines,
    /// Comma-separated values with these columns, after a line of column names.
    Csv(Vec<ExportColumn>),
    /// Parquet with these columns beside those that identify a row; with all fields when there are none.
    Parquet(Vec<TypedColumn>),
}

impl ExportFileFormat {
    /// Returns the format that the name of a file implies: CSV with all columns when it ends with `.csv`, Parquet with all fields
    /// when it ends with `.parquet`, else JSON lines.
    pub(crate) fn of_name(path: &Path) -> Self {
        let ends_with = |name| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(name));
        if ends_with("csv") {
            Self::Csv(ExportColumn::default_columns())
        } else if ends_with("parquet") {
            Self::Parquet(Vec::new())
        } else {
            Self::JsonLines
        }
    }
}

/// The file that an export writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportTarget {
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// Whether a file with this path is kept or replaced.
    pub(crate) existing: ExistingFile,
    /// The format of the file.
    pub(crate) format: ExportFileFormat,
}

/// A file of events that is being written. Dropping it before [`ExportFile::finish`] leaves no file.
pub(crate) enum ExportFile {
    /// One JSON object per line. The buffer has the last line.
    JsonLines(FileOutput, Vec<u8>),
    /// Comma-separated values with these columns.
    Csv(FileOutput, Vec<ExportColumn>),
    /// A Parquet file.
    Parquet(Box<ParquetFile>),
}

/// The part of a log that a file was exported from. A Parquet file records it.
pub(crate) struct ExportedPart<'a> {
    pub(crate) view: &'a LogView,
    /// The filter as text; empty for none.
    pub(crate) filter: &'a str,
    pub(crate) totals: &'a SelectionTotals,
}

impl ExportFile {
    /// Creates the file under a temporary name, with the owner, group and mode of `log` where permitted.
    ///
    /// # Errors
    /// `AlreadyExists` when a file has the name and is to be kept; `Io` when no file can be created.
    pub(crate) fn create(target: ExportTarget, log: &Path) -> Result<Self, StorageError> {
        let output = FileOutput::create(&target.path, target.existing, log)?;
        Ok(match target.format {
            ExportFileFormat::JsonLines => Self::JsonLines(output, Vec::new()),
            ExportFileFormat::Csv(columns) => {
                let names: Vec<String> = columns.iter().map(ExportColumn::to_string).collect();
                let mut output = output;
                append_record(&mut output, &names)?;
                Self::Csv(output, columns)
            }
            ExportFileFormat::Parquet(columns) => Self::Parquet(Box::new(ParquetFile::new(output, &columns)?)),
        })
    }

    /// Appends an event.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(crate) fn append(&mut self, event: &ReplayedEvent) -> Result<(), StorageError> {
        match self {
            Self::JsonLines(output, line) => {
                event_line(event, line);
                line.push(b'\n');
                output.write_all(line).map_err(|error| StorageError::io(output.path(), "write", error))
            }
            Self::Csv(output, columns) => {
                let cells: Vec<String> = columns.iter().map(|column| column.cell(event)).collect();
                append_record(output, &cells)
            }
            Self::Parquet(file) => file.append_event(event),
        }
    }

    /// Appends a damaged range or a gap where the format has rows for it. Other formats have events only.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(crate) fn append_finding(&mut self, finding: &Finding) -> Result<(), StorageError> {
        match self {
            Self::Parquet(file) => file.append_finding(finding),
            Self::JsonLines(..) | Self::Csv(..) => Ok(()),
        }
    }

    /// Writes what is buffered and gives the file its name.
    ///
    /// # Errors
    /// `Io` when the file cannot be written or synced; `AlreadyExists` when a file got the name in the meantime and is to be
    /// kept. No file is left then.
    pub(crate) fn finish(self, part: &ExportedPart) -> Result<WrittenFile, StorageError> {
        match self {
            Self::JsonLines(output, _) | Self::Csv(output, _) => {
                Ok(WrittenFile { bytes: output.finish()?, left_out: Vec::new() })
            }
            Self::Parquet(file) => file.finish(part.to_metadata()),
        }
    }
}

impl ExportedPart<'_> {
    /// Returns keys and values that say which log and which part of it a file has.
    fn to_metadata(&self) -> Vec<(&'static str, String)> {
        let Self { view, filter, totals } = self;
        let mut metadata = vec![
            ("program", concat!("chronicle ", env!("CARGO_PKG_VERSION")).to_owned()),
            ("format_version", view.log().version().number().to_string()),
            ("range", format!("{}..{}", totals.range.start, totals.range.end)),
            ("filter", (*filter).to_owned()),
            ("events", totals.events.to_string()),
            ("damaged_ranges", totals.damage.to_string()),
            ("gaps", totals.gaps.to_string()),
        ];
        metadata.extend(view.log_id().map(|id| ("log_id", id.to_string())));
        metadata.extend(view.created_at_ms().map(|time| ("log_created_at_ms", time.to_string())));
        metadata
    }
}

/// Appends one line of a CSV file.
fn append_record(output: &mut FileOutput, cells: &[String]) -> Result<(), StorageError> {
    let mut line = Vec::new();
    let mut writer = csv::Writer::from_writer(&mut line);
    let written = writer.write_record(cells).map_err(std::io::Error::other).and_then(|()| writer.flush());
    drop(writer);
    written.and_then(|()| output.write_all(&line)).map_err(|error| StorageError::io(output.path(), "write", error))
}

/// Fills `line` with `{"offset":N,"event":{...}}`. The event keeps its tokens as stored and loses whitespace outside strings.
#[inline]
pub(crate) fn event_line(event: &ReplayedEvent, line: &mut Vec<u8>) {
    line.clear();
    write!(line, "{{\"offset\":{},\"event\":", event.offset).expect("writing to a Vec never fails");
    json::compact(event.event.json().as_bytes(), line);
    line.push(b'}');
}
