//! `export`: writes events to a file as JSON lines, CSV or Parquet. The file appears whole or not at all.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::FilterArg;
use super::log_access::{open_options, print_removed_start, print_side_file_notices};
use super::options::{ForceArgs, GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use super::selected_events::{EventRangeArgs, LogSelection, VisitResult};
use crate::export::{ExportColumn, ExportFile, ExportFileFormat, ExportTarget, ExportedPart, TypedColumn, WrittenFile};
use crate::report::json::Json;
use crate::report::units::{format_count, format_size};
use crate::report::{ExitStatus, safe_path_text};

/// Write events to a file, as JSON lines, CSV or Parquet.
///
/// The file appears when it is complete. JSON lines are those of `cat`. Damaged ranges, gaps and lost ranges are reported on
/// stderr and skipped, but for Parquet, where they are rows with their kind and range; damage makes the exit status 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle export a.log -o updates.ndjson --filter type:Updated
  chronicle export a.log -o amounts.csv --columns offset,time,type,payload.amount
  chronicle export a.log -o a.parquet --columns time,type,agg,payload.amount:double")]
pub(super) struct ExportArgs {
    /// Log to read
    log: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Form of the file [default: csv or parquet if the name ends so, csv if --columns is given, else ndjson]
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        value_parser = TypedColumn::parse,
        help = "Columns of the file: offset, time, time_ms, type, ns, schema, v, agg, payload, payload.PATH; in Parquet also \
                payload.PATH:TYPE with text, double, integer or boolean"
    )]
    columns: Vec<TypedColumn>,
    #[command(flatten)]
    filter: FilterArg,
    #[command(flatten)]
    range: EventRangeArgs,
    #[command(flatten)]
    threads: ThreadArgs,
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
    /// Parquet, with rows for damage and gaps
    Parquet,
}

impl ExportArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let format = self.file_format()?;
        let existing = self.force.existing_files();
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_side_files()
            .writes_optional_file("the exported file", Some(&self.output), existing)
            .check()?;
        let log = open_options(global).threads(self.threads.count()).open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        if self.range.is_from_start() {
            print_removed_start(&log, out);
        }
        let filter = self.filter.parse(&log)?;
        let target = ExportTarget { path: self.output.clone(), existing, format };
        let mut file = ExportFile::create(target, log.view().path())?;
        let progress = TerminalProgress::new("exporting", out);
        let source = LogSelection { log: &log, filter: &filter, range: &self.range };
        let visited = source.export(&mut file, &mut |at| progress.show(at), out);
        drop(progress);
        let VisitResult { status, totals } = visited?;
        if self.range.is_strict() && status == ExitStatus::Damage {
            out.print_note("No file was written: --strict stops at damage");
            return Ok(status);
        }
        let part = ExportedPart { view: log.view(), filter: filter.text(), totals: &totals };
        let WrittenFile { bytes, left_out } = file.finish(&part)?;
        let events = totals.events;
        for (column, values) in &left_out {
            out.print_note(&left_out_note(column, *values));
        }
        if out.is_json() {
            out.print_json(&Json::Object(vec![
                ("path", Json::Text(safe_path_text(&self.output))),
                ("events", events.into()),
                ("bytes", bytes.into()),
                ("left_out", Json::List(left_out.iter().map(left_out_entry).collect())),
            ]))?;
        } else {
            let size = format_size(bytes);
            out.print_path_line(&self.output, &format!(": {}, {size}", format_count(events, "event")))?;
        }
        Ok(status)
    }

    /// Returns the format of the file: the given one, or the one that the name and the options imply.
    fn file_format(&self) -> Result<ExportFileFormat, CommandFailure> {
        let of_name = ExportFileFormat::of_name(&self.output);
        let format = match (self.format, of_name) {
            (Some(ExportFormat::Ndjson), _) => ExportFileFormat::JsonLines,
            (Some(ExportFormat::Csv), _) => ExportFileFormat::Csv(ExportColumn::default_columns()),
            (Some(ExportFormat::Parquet), _) => ExportFileFormat::Parquet(Vec::new()),
            (None, ExportFileFormat::JsonLines) if !self.columns.is_empty() => ExportFileFormat::Csv(Vec::new()),
            (None, of_name) => of_name,
        };
        if self.columns.is_empty() {
            return Ok(format);
        }
        match format {
            ExportFileFormat::JsonLines => Err(CommandFailure::Usage {
                message: "--columns selects the columns of a CSV or Parquet file, and --format is ndjson".into(),
                hint: "Leave --columns out, or give --format csv or parquet".into(),
            }),
            ExportFileFormat::Parquet(_) => match self.repeated_column() {
                Some(column) => Err(CommandFailure::Usage {
                    message: format!("a Parquet file has one column of each name, found two of {column}"),
                    hint: "Name each column once".into(),
                }),
                None => Ok(ExportFileFormat::Parquet(self.columns.clone())),
            },
            ExportFileFormat::Csv(_) => match self.columns.iter().find(|column| column.value_type.is_some()) {
                Some(typed) => Err(CommandFailure::Usage {
                    message: format!("the columns of a CSV file have no types, found one at {}", typed.column),
                    hint: "Leave the type out, or write a Parquet file: --format parquet".into(),
                }),
                None => Ok(ExportFileFormat::Csv(self.columns.iter().map(|column| column.column.clone()).collect())),
            },
        }
    }

    /// Returns the first column that is named a second time.
    fn repeated_column(&self) -> Option<&ExportColumn> {
        let columns = || self.columns.iter().map(|column| &column.column);
        columns()
            .enumerate()
            .find(|(at, column)| columns().take(*at).any(|earlier| earlier == *column))
            .map(|(_, found)| found)
    }
}

/// Returns the object of a column in which values are missing.
fn left_out_entry((column, values): &(String, u64)) -> Json {
    Json::Object(vec![("column", column.as_str().into()), ("values", (*values).into())])
}

/// Returns the sentence about values that are not in the file.
fn left_out_note(column: &str, values: u64) -> String {
    let count = format_count(values, "value");
    format!("Column {column}: {count} that the type of the column cannot have, written as null")
}
