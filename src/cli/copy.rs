//! Arguments and output of `salvage` and `migrate`, which copy a log's events into a new log. The new log appears at
//! its path complete or not at all.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::findings::finding_line;
use super::log_access::{open_options, print_side_file_notices};
use super::options::{AcceptArg, ForceArgs, GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::file::ExistingFile;
use crate::format::NewLogFormat;
use crate::inspect::{DamageOrigins, LogView};
use crate::repair::{CopyOptions, CopySummary, CopyUpdate, OnCopyUpdate};
use crate::report::copies::{copy_summary_fields, copy_summary_line, omitted_range_line};
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};
use crate::{OpenOptions, StorageError};

/// Arguments of `salvage` and `migrate`.
#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    /// Log to copy; it is only read
    log: PathBuf,
    /// New log to create
    #[arg(short = 'o', long = "output", value_name = "NEW")]
    output: PathBuf,
    /// Write a map of old to new offsets to this file: NDJSON for .ndjson and .jsonl, otherwise CSV
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Apply likely fixes too, not only proven ones
    #[arg(long, value_enum, value_name = "CERTAINTY")]
    accept: Option<AcceptArg>,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// The library function that copies a log: `repair::salvage` or `repair::migrate`.
type CopyFn = fn(&LogView, &CopyOptions, &mut OnCopyUpdate) -> Result<CopySummary, StorageError>;

/// One way of copying a log.
pub(super) struct CopyMethod {
    /// Label of the progress bar, such as `salvaging`.
    pub(super) label: &'static str,
    /// Copies the log.
    pub(super) copy: CopyFn,
    /// Other copies of the log to take damaged ranges from.
    pub(super) donors: Vec<PathBuf>,
    /// The format of the new log; `None` keeps that of the copied log.
    pub(super) format: Option<NewLogFormat>,
}

impl CopyArgs {
    /// Copies the log with `method`, prints omitted ranges to stderr and the summary to stdout.
    pub(super) fn run(&self, method: CopyMethod, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let existing = self.force.existing_files();
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_side_files()
            .reads_logs("the donor", &method.donors)
            .writes_log("-o", &self.output, existing)
            .writes_optional_file("--map", self.map.as_deref(), existing)
            .check()?;
        let options = CopyOptions {
            output: self.output.clone(),
            map: self.map.clone(),
            accept_likely: self.accept == Some(AcceptArg::Likely),
            donors: method.donors,
            replace: existing == ExistingFile::Replace,
            format: method.format,
        };
        let open_options = open_options(global).threads(self.threads.count());
        let open_options = options.donors.iter().fold(open_options, OpenOptions::copy_of);
        let log = open_options.open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        let progress = TerminalProgress::new(method.label, out);
        let mut origins = DamageOrigins::default();
        let result = (method.copy)(log.view(), &options, &mut |update| {
            match update {
                CopyUpdate::Progress(copied) => progress.update(copied),
                // JSON output lists the omitted ranges in the object at the end.
                CopyUpdate::Omitted(omitted) => progress.suspend(|| {
                    origins.add(&omitted.finding);
                    out.print_note(&format!(
                        "{}; {}",
                        finding_line(&omitted.finding, None),
                        omitted_range_line(omitted)
                    ));
                }),
            }
            ControlFlow::Continue(())
        });
        drop(progress);
        let summary = result?;
        for advice in origins.advice() {
            out.print_note(&advice);
        }
        out.set_effect(format!("{} is complete: {}", safe_path_text(&options.output), copy_summary_line(&summary)));
        print_summary(log.view().path(), &options, &summary, out)?;
        Ok(if summary.damage_total > 0 { ExitStatus::Damage } else { ExitStatus::Done })
    }
}

fn print_summary(
    log: &Path,
    options: &CopyOptions,
    summary: &CopySummary,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    if out.is_json() {
        let map = options.map.as_deref().map(safe_path_text);
        let mut keys = vec![
            ("log", safe_path_text(log).into()),
            ("new", safe_path_text(&options.output).into()),
            ("map", map.into()),
        ];
        keys.extend(copy_summary_fields(summary));
        return out.print_json(&Json::Object(keys));
    }
    for note in &summary.notes {
        out.print_note(&format!("note: {note}"));
    }
    if let Some(range) = &summary.in_flight {
        out.print_note(&format!("{}..{} is being written: the copy ends before it", range.start, range.end));
    }
    out.print_path_line(&options.output, &format!(": {}", copy_summary_line(summary)))?;
    options.map.as_ref().map_or(Ok(()), |map| out.print_path_line(map, ": map of old to new offsets"))
}
