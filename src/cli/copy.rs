//! Arguments and output of `salvage`, `migrate` and `compact`, which copy a log's events into a new log. The new log appears at
//! its path complete or not at all.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::findings::finding_line;
use super::log_access::{open_options, print_removed_start, print_side_file_notices};
use super::options::{AcceptArg, ForceArgs, GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use super::segment_options::SegmentArgs;
use crate::file::ExistingFile;
use crate::format::NewLogFormat;
use crate::inspect::DamageOrigins;
use crate::repair::{CopyOptions, CopySummary, CopyUpdate, OnCopyUpdate};
use crate::report::copies::{copy_summary_fields, copy_summary_line, omitted_range_line};
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};
use crate::{EventLog, OpenOptions, StorageError};

/// Arguments of `salvage` and `migrate`.
#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    #[command(flatten)]
    files: CopyFiles,
    /// Apply likely fixes too, not only proven ones
    #[arg(long, value_enum, value_name = "CERTAINTY")]
    accept: Option<AcceptArg>,
}

/// The log and the outputs of a copy.
#[derive(Debug, Args)]
pub(super) struct CopyFiles {
    /// Log to copy; it is only read
    pub(super) log: PathBuf,
    /// New log to create; a folder of segments when the path ends with /
    #[arg(short = 'o', long = "output", value_name = "NEW")]
    output: PathBuf,
    /// Write a map of old to new offsets to this file: NDJSON for .ndjson and .jsonl, otherwise CSV
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    #[command(flatten)]
    segments: SegmentArgs,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// A function that copies a log, such as `repair::salvage`.
type CopyFn<'a> = dyn Fn(&EventLog, &CopyOptions, &mut OnCopyUpdate) -> Result<CopySummary, StorageError> + 'a;

/// One way of copying a log.
pub(super) struct CopyMethod<'a> {
    /// Label of the progress bar, such as `salvaging`.
    pub(super) label: &'static str,
    /// Copies the log.
    pub(super) copy: &'a CopyFn<'a>,
    /// The certainty below `proven` at which a fix is still applied.
    pub(super) accept: Option<AcceptArg>,
    /// Other copies of the log to take damaged ranges from.
    pub(super) donors: Vec<PathBuf>,
    /// The format of the new log; `None` keeps that of the copied log.
    pub(super) format: Option<NewLogFormat>,
}

impl CopyArgs {
    /// Copies the log with `method`, and with the fixes that the options accept.
    pub(super) fn run(&self, method: CopyMethod, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        self.files.run(CopyMethod { accept: self.accept, ..method }, global, out)
    }
}

impl CopyFiles {
    /// Checks that no output is a file that the copy reads, or another output.
    ///
    /// # Errors
    /// `Usage`, `Refused` with the two paths.
    pub(super) fn check_paths(&self, donors: &[PathBuf], global: &GlobalArgs) -> Result<(), CommandFailure> {
        let existing = self.force.existing_files();
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_side_files()
            .reads_logs("the donor", donors)
            .writes_log("-o", &self.output, existing, self.segments.form(&self.output))
            .writes_optional_file("--map", self.map.as_deref(), existing)
            .check()
    }

    /// Returns the options with which the log is opened.
    pub(super) fn open_options(&self, global: &GlobalArgs) -> OpenOptions {
        open_options(global).threads(self.threads.count())
    }

    /// Copies the log with `method`, prints omitted ranges to stderr and the summary to stdout.
    pub(super) fn run(&self, method: CopyMethod, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        self.check_paths(&method.donors, global)?;
        let options = CopyOptions {
            output: self.output.clone(),
            map: self.map.clone(),
            accept_likely: method.accept == Some(AcceptArg::Likely),
            donors: method.donors,
            replace: self.force.existing_files() == ExistingFile::Replace,
            format: method.format,
            segment_size: self.segments.segment_size,
            segment_age: self.segments.segment_age,
        };
        let open_options = options.donors.iter().fold(self.open_options(global), OpenOptions::copy_of);
        let log = open_options.open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        print_removed_start(&log, out);
        let progress = TerminalProgress::new(method.label, out);
        let mut origins = DamageOrigins::default();
        let result = (method.copy)(&log, &options, &mut |update| {
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
