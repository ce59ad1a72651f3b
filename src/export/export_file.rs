//! [`ExportFile`]: a file of events that is being written, as JSON lines, CSV or Parquet.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::column::{ExportColumn, TypedColumn};
use super::event_text::TextFormat;
use super::file_output::{FileOutput, WrittenFile};
use super::parquet_file::ParquetFile;
use super::selected_events::{SelectedEvents, SelectedItem, SelectionTotals};
use crate::StorageError;
use crate::file::ExistingFile;
use crate::format::Finding;
use crate::inspect::{LogView, OnProgress};

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
    /// Lines of text.
    Lines(FileOutput, TextFormat),
    /// A Parquet file.
    Parquet(Box<ParquetFile>),
}

/// An item of a selection that is no event.
pub(crate) enum SelectedNotice<'a> {
    /// Damage or a gap that the filter does not exclude.
    Finding(&'a Finding),
    /// A retention has removed segments that were not read yet.
    Removed(&'a StorageError),
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
            ExportFileFormat::JsonLines => Self::Lines(output, TextFormat::JsonLines),
            ExportFileFormat::Csv(columns) => {
                let mut output = output;
                append_lines(&mut output, &column_names(&columns))?;
                Self::Lines(output, TextFormat::Csv(columns))
            }
            ExportFileFormat::Parquet(columns) => Self::Parquet(Box::new(ParquetFile::new(output, &columns)?)),
        })
    }

    /// Appends the events of a selection, and the damaged ranges and gaps where the format has rows for them. `visit` is called for
    /// each damaged range, gap and removed range after that.
    ///
    /// # Errors
    /// `Io` when the file cannot be written; the errors of [`SelectedEvents::visit`] and of `visit`.
    pub(crate) fn append_selected<E: From<StorageError>>(
        &mut self,
        selected: &SelectedEvents,
        on_progress: &mut OnProgress,
        visit: &mut dyn FnMut(SelectedNotice) -> Result<(), E>,
    ) -> Result<SelectionTotals, E> {
        match self {
            Self::Lines(output, format) => selected.visit_lines(format, on_progress, &mut |item| match item {
                SelectedItem::Events(lines) => Ok(append_lines(output, lines)?),
                SelectedItem::Finding(finding) => visit(SelectedNotice::Finding(&finding)),
                SelectedItem::Removed(error) => visit(SelectedNotice::Removed(&error)),
            }),
            Self::Parquet(file) => selected.visit(on_progress, &mut |item| match item {
                SelectedItem::Events(event) => Ok(file.append_event(&event)?),
                SelectedItem::Finding(finding) => {
                    file.append_finding(&finding)?;
                    visit(SelectedNotice::Finding(&finding))
                }
                SelectedItem::Removed(error) => visit(SelectedNotice::Removed(&error)),
            }),
        }
    }

    /// Writes what is buffered and gives the file its name.
    ///
    /// # Errors
    /// `Io` when the file cannot be written or synced; `AlreadyExists` when a file got the name in the meantime and is to be
    /// kept. No file is left then.
    pub(crate) fn finish(self, part: &ExportedPart) -> Result<WrittenFile, StorageError> {
        match self {
            Self::Lines(output, _) => Ok(WrittenFile { bytes: output.finish()?, left_out: Vec::new() }),
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

/// Appends whole lines to a file.
fn append_lines(output: &mut FileOutput, lines: &[u8]) -> Result<(), StorageError> {
    output.write_all(lines).map_err(|error| StorageError::io(output.path(), "write", error))
}

/// Returns the first line of a CSV file.
fn column_names(columns: &[ExportColumn]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(ExportColumn::to_string)).expect("writing to a Vec never fails");
    writer.into_inner().expect("writing to a Vec never fails")
}
