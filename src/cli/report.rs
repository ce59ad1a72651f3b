//! `report`: writes everything about a log into one HTML page, for a ticket.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::CommandResult;
use super::log_access::{open_options, print_side_file_notices, view_with_checked_index};
use super::options::{ForceArgs, GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::StorageError;
use crate::export::create_output_file;
use crate::inspect::Progress;
use crate::log::now_ms;
use crate::log_report::{CollectStep, LogReport, ReportContext, report_command};
use crate::report::json::Json;
use crate::report::units::format_size;
use crate::report::{ExitStatus, safe_path_text};

/// Write a report about a log as one HTML page, for a ticket.
///
/// The page has the properties of the log, a map of its damage, the findings with their bytes before and after the fix,
/// the plan of a repair, the repair history, the events over time and by type, and the commands to use. It needs no network
/// and no script. The page appears when it is complete. The log is only read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle report a.log -o report.html")]
pub(super) struct ReportArgs {
    /// Log to describe
    log: PathBuf,
    /// Page to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl ReportArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let existing = self.force.existing_files();
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_side_files()
            .writes_optional_file("the report", Some(&self.output), existing)
            .check()?;
        let options = open_options(global).threads(self.threads.count());
        let paths = options.log_paths(&self.log)?;
        let log = options.open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        let view = view_with_checked_index(&log);
        // Created first, so that a path that cannot be written fails before the log is read.
        let mut file = create_output_file(&self.output, existing, view.path())?;
        let command = report_command(&self.log, &self.output, global.index.as_deref(), global.journal.as_deref());
        let context = ReportContext { command, time_ms: now_ms() };
        let mut shown = None;
        let report =
            LogReport::collect(&view, &paths, context, &mut |step, at| show_progress(&mut shown, step, at, out))?;
        drop(shown);
        let page = report.to_html();
        file.storage().write_at(page.as_bytes(), 0).map_err(|error| StorageError::io(file.path(), "write", error))?;
        file.commit()?;
        let summary = report.summary_line();
        if out.is_json() {
            out.print_json(&Json::Object(vec![
                ("path", Json::Text(safe_path_text(&self.output))),
                ("bytes", (page.len() as u64).into()),
                ("summary", summary.as_str().into()),
            ]))?;
        } else {
            let size = format_size(page.len() as u64);
            out.print_path_line(&self.output, &format!(": {summary}; {size}"))?;
        }
        Ok(ExitStatus::Done)
    }
}

/// Shows the progress of a step. Each step has its own bar.
fn show_progress(
    shown: &mut Option<(CollectStep, TerminalProgress)>,
    step: CollectStep,
    at: Progress,
    out: &CommandOutput,
) -> ControlFlow<()> {
    let work = match step {
        CollectStep::Verify => "verifying",
        CollectStep::Plan => "planning",
        CollectStep::Count => "counting",
    };
    match shown {
        Some((shown_step, bar)) if *shown_step == step => bar.show(at),
        _ => shown.insert((step, TerminalProgress::new(work, out))).1.show(at),
    }
}
