//! `export`: writes events to a file as JSON lines or CSV. The file appears whole or not at all.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::FilterArg;
use super::log_access::open_with_notices;
use super::options::{ForceArgs, GlobalArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use super::selected_events::{EventRangeArgs, LogSelection, visit_selected_events};
use crate::export::{ExportColumn, ExportFile, ExportFileFormat, ExportTarget};
use crate::report::json::Json;
use crate::report::units::{format_count, format_size};
use crate::report::{ExitStatus, safe_path_text};

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
        let format = self.file_format()?;
        let existing = self.force.existing_files();
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_side_files()
            .writes_optional_file("the exported file", Some(&self.output), existing)
            .check()?;
        let log = open_with_notices(&self.log, global, out)?;
        let filter = self.filter.parse(&log)?;
        let target = ExportTarget { path: self.output.clone(), existing, format };
        let mut file = ExportFile::create(target, log.view().path())?;
        let progress = TerminalProgress::new("exporting", out);
        let mut events = 0;
        let source = LogSelection { log: &log, filter: &filter, range: &self.range };
        let status =
            visit_selected_events(source, ExitStatus::Done, out, &mut |at| progress.show(at), &mut |event, _| {
                events += 1;
                Ok(file.append(&event)?)
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

    /// Returns the format of the file: the given one, or the one that the name and the options imply.
    fn file_format(&self) -> Result<ExportFileFormat, CommandFailure> {
        let chosen = (!self.columns.is_empty()).then(|| self.columns.clone());
        match (self.format, chosen) {
            (Some(ExportFormat::Ndjson), Some(_)) => Err(CommandFailure::Usage {
                message: "--columns selects the columns of a CSV file, and --format is ndjson".into(),
                hint: "Leave --columns out, or give --format csv".into(),
            }),
            (Some(ExportFormat::Ndjson), None) => Ok(ExportFileFormat::JsonLines),
            (_, Some(columns)) => Ok(ExportFileFormat::Csv(columns)),
            (Some(ExportFormat::Csv), None) => Ok(ExportFileFormat::Csv(ExportColumn::default_columns())),
            (None, None) => Ok(ExportFileFormat::of_name(&self.output)),
        }
    }
}
