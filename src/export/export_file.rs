//! [`ExportFile`]: a file of events that is being written, as JSON lines or CSV.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::column::ExportColumn;
use crate::StorageError;
use crate::file::{ExistingFile, NewFile, OsDisk};
use crate::format::json;
use crate::log::ReplayedEvent;

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// The format of an exported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportFileFormat {
    /// One JSON object per line, as `cat` prints it.
    JsonLines,
    /// Comma-separated values with these columns, after a line of column names.
    Csv(Vec<ExportColumn>),
}

impl ExportFileFormat {
    /// Returns the format that the name of a file implies: CSV with all columns when it ends with `.csv`, else JSON lines.
    pub(crate) fn of_name(path: &Path) -> Self {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv { Self::Csv(ExportColumn::default_columns()) } else { Self::JsonLines }
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
pub(crate) struct ExportFile {
    file: NewFile<'static>,
    format: ExportFileFormat,
    buffer: Vec<u8>,
    line: Vec<u8>,
    /// Number of bytes in the file.
    written: u64,
}

impl ExportFile {
    /// Creates the file under a temporary name, with the owner, group and mode of `log` where permitted.
    ///
    /// # Errors
    /// `AlreadyExists` when a file has the name and is to be kept; `Io` when no file can be created.
    pub(crate) fn create(target: ExportTarget, log: &Path) -> Result<Self, StorageError> {
        let ExportTarget { path, existing, format } = target;
        let file = NewFile::create_sidecar(&OsDisk, &path, existing, log)?;
        let mut created = Self { file, format, buffer: Vec::new(), line: Vec::new(), written: 0 };
        if let ExportFileFormat::Csv(columns) = &created.format {
            let names: Vec<String> = columns.iter().map(ExportColumn::to_string).collect();
            created.append_record(&names)?;
        }
        Ok(created)
    }

    /// Appends an event.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(crate) fn append(&mut self, event: &ReplayedEvent) -> Result<(), StorageError> {
        match &self.format {
            ExportFileFormat::Csv(columns) => {
                let cells: Vec<String> = columns.iter().map(|column| column.cell(event)).collect();
                self.append_record(&cells)?;
            }
            ExportFileFormat::JsonLines => {
                event_line(event, &mut self.line);
                self.buffer.extend_from_slice(&self.line);
                self.buffer.push(b'\n');
            }
        }
        if self.buffer.len() >= BUFFER_LEN { self.flush() } else { Ok(()) }
    }

    /// Writes what is buffered, gives the file its name, and returns its size in bytes.
    ///
    /// # Errors
    /// `Io` when the file cannot be written or synced; `AlreadyExists` when a file got the name in the meantime and is to be
    /// kept. No file is left then.
    pub(crate) fn finish(mut self) -> Result<u64, StorageError> {
        self.flush()?;
        self.file.commit()?;
        Ok(self.written)
    }

    /// Appends one line of a CSV file.
    fn append_record(&mut self, cells: &[String]) -> Result<(), StorageError> {
        let mut writer = csv::Writer::from_writer(&mut self.buffer);
        let written = writer.write_record(cells).map_err(std::io::Error::other).and_then(|()| writer.flush());
        drop(writer);
        written.map_err(|error| StorageError::io(self.file.path(), "write", error))
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        let storage = self.file.storage();
        storage
            .write_at(&self.buffer, self.written)
            .map_err(|error| StorageError::io(self.file.path(), "write", error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Fills `line` with `{"offset":N,"event":{...}}`. The event keeps its tokens as stored and loses whitespace outside strings.
#[inline]
pub(crate) fn event_line(event: &ReplayedEvent, line: &mut Vec<u8>) {
    line.clear();
    write!(line, "{{\"offset\":{},\"event\":", event.offset).expect("writing to a Vec never fails");
    json::compact(event.event.json().as_bytes(), line);
    line.push(b'}');
}
