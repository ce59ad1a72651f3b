//! `export`: writes events to a file as JSON lines or CSV. The file appears whole or not at all.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::command_paths::CommandPaths;
use super::export_column::ExportColumn;
use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::FilterArg;
use super::log_access::open_with_notices;
use super::options::{ForceArgs, GlobalArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use super::selected_events::{EventRangeArgs, event_line, visit_selected_events};
use crate::StorageError;
use crate::file::{NewFile, OsDisk};
use crate::inspect::Progress;
use crate::report::json::Json;
use crate::report::units::{format_count, format_size};
use crate::report::{ExitStatus, safe_path_text};

/// Number of bytes that are buffered before they are written.
const BUFFER_LEN: usize = 1 << 20;
/// Number of bytes of the log between two updates of the progress bar.
const PROGRESS_INTERVAL: u64 = 1 << 20;

/// Write events to a file, as JSON lines or CSV.
///
/// The file appears when it is complete. JSON lines are those of `cat`. Damaged ranges and gaps are reported on stderr and
/// skipped; skipped damage makes the exit status 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle export a.log -o updates.ndjson --filter type:Updated
  chronicle export a.log -o amounts.csv --columns offset,time,type,payload.amount")]
pub(super) struct ExportArgs {
    /// Log to read
    log: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Form of the file [default: csv if the name ends with .csv or --columns is given, else ndjson]
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        value_parser = ExportColumn::parse,
        help = "Columns of the CSV file: offset, time, time_ms, type, ns, schema, v, agg, payload, payload.PATH"
    )]
    columns: Vec<ExportColumn>,
    #[command(flatten)]
    filter: FilterArg,
    #[command(flatten)]
    range: EventRangeArgs,
    #[command(flatten)]
    force: ForceArgs,
}

/// Values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// One JSON object per line, as `cat` prints it
    Ndjson,
    /// Comma-separated values, with a line of column names
    Csv,
}

impl ExportArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let format = self.format()?;
        let existing = self.force.existing_files();
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_side_files()
            .writes_optional_file("the exported file", Some(&self.output), existing)
            .check()?;
        let log = open_with_notices(&self.log, global, out)?;
        let filter = self.filter.parse(&log)?;
        let total = log.view().log().len()?;
        let mut file = ExportFile {
            file: NewFile::create_sidecar(&OsDisk, &self.output, existing, log.view().path())?,
            buffer: Vec::new(),
            written: 0,
        };
        let columns = if self.columns.is_empty() { ExportColumn::default_columns() } else { self.columns.clone() };
        if format == ExportFormat::Csv {
            file.append_record(columns.iter().map(ExportColumn::to_string))?;
        }
        let progress = TerminalProgress::new("exporting", out);
        let (mut events, mut reported, mut line) = (0u64, 0, Vec::new());
        let status = visit_selected_events(&log, &filter, &self.range, ExitStatus::Done, out, &mut |event, _| {
            events += 1;
            if event.offset - reported >= PROGRESS_INTERVAL {
                reported = event.offset;
                progress.update(Progress { position: event.offset, total });
            }
            match format {
                ExportFormat::Csv => file.append_record(columns.iter().map(|column| column.cell(&event))),
                ExportFormat::Ndjson => {
                    event_line(&event, &mut line);
                    line.push(b'\n');
                    file.append(&line)
                }
            }
        });
        drop(progress);
        let status = status?;
        if self.range.is_strict() && status == ExitStatus::Damage {
            out.print_note("No file was written: --strict stops at damage");
            return Ok(status);
        }
        let bytes = file.finish()?;
        if out.is_json() {
            out.print_json(&Json::Object(vec![
                ("path", Json::Text(safe_path_text(&self.output))),
                ("events", events.into()),
                ("bytes", bytes.into()),
            ]))?;
        } else {
            let size = format_size(bytes);
            out.print_path_line(&self.output, &format!(": {}, {size}", format_count(events, "event")))?;
        }
        Ok(status)
    }

    /// Returns the form of the file: the given one, or the one that the name and the options imply.
    fn format(&self) -> Result<ExportFormat, CommandFailure> {
        let has_csv_name = self.output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        match self.format {
            Some(ExportFormat::Ndjson) if !self.columns.is_empty() => Err(CommandFailure::Usage {
                message: "--columns selects the columns of a CSV file, and --format is ndjson".into(),
                hint: "Leave --columns out, or give --format csv".into(),
            }),
            Some(format) => Ok(format),
            None if has_csv_name || !self.columns.is_empty() => Ok(ExportFormat::Csv),
            None => Ok(ExportFormat::Ndjson),
        }
    }
}

/// The file that is being written.
struct ExportFile<'d> {
    file: NewFile<'d>,
    buffer: Vec<u8>,
    /// Number of bytes in the file.
    written: u64,
}

impl ExportFile<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<(), CommandFailure> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_LEN { self.flush() } else { Ok(()) }
    }

    /// Appends one line of a CSV file.
    fn append_record(&mut self, cells: impl Iterator<Item = String>) -> Result<(), CommandFailure> {
        let mut writer = csv::Writer::from_writer(&mut self.buffer);
        let written = writer.write_record(cells).map_err(std::io::Error::other).and_then(|()| writer.flush());
        drop(writer);
        written.map_err(|error| io_failure(self.file.path(), error))?;
        if self.buffer.len() >= BUFFER_LEN { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), CommandFailure> {
        let storage = self.file.storage();
        storage.write_at(&self.buffer, self.written).map_err(|error| io_failure(self.file.path(), error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is buffered, gives the file its name, and returns its size in bytes.
    fn finish(mut self) -> Result<u64, CommandFailure> {
        self.flush()?;
        self.file.commit()?;
        Ok(self.written)
    }
}

fn io_failure(path: &Path, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: path.to_owned(), action: "write", offset: None, source }.into()
}
