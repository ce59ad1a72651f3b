//! `erase`: plans to replace events with gaps, shows the plan and applies it once it is confirmed.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::approval::{ApprovalArgs, ApprovalMode, catch_up_index, show_and_apply};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::parse_filter;
use super::log_access::{open_options, print_side_file_notices};
use super::options::{ForceArgs, GlobalArgs, parse_offset};
use super::output::CommandOutput;
use super::plan_file::save_plan;
use super::progress::TerminalProgress;
use super::purge::Purge;
use crate::EventLog;
use crate::log::now_ms;
use crate::query::{Filter, select_events};
use crate::repair::{self, ApplyOptions, EraseOptions, LogPaths, Plan};
use crate::report::{ExitStatus, damaged_ranges_note, safe_path_text};

/// Erase events: replace each with a gap that has nothing of it, and keep all other offsets.
///
/// The events are shown as a plan first. They are saved in a journal, and `chronicle undo` restores them until
/// `chronicle purge` (or --final) destroys them there. Backups and other copies of the log are not reached.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("selection").required(true).multiple(true),
    after_help = "\
Examples:
  chronicle erase a.log --aggregate 42 --dry-run             print the plan, write nothing
  chronicle erase a.log --aggregate 42 --reason 'request 17' print the plan, ask, erase
  chronicle erase a.log --filter 'type:Login before:-90d'    erase what a filter shows
  chronicle undo a.log                                       restore the erased events
  chronicle purge a.log                                      make it final"
)]
pub(super) struct EraseArgs {
    /// Log to change
    log: PathBuf,
    /// Erase the events of this aggregate; repeatable
    #[arg(long = "aggregate", value_name = "ID", group = "selection")]
    aggregates: Vec<u64>,
    /// Erase the event that starts at this offset; repeatable
    #[arg(long = "offset", value_name = "OFFSET", value_parser = parse_offset, group = "selection")]
    offsets: Vec<u64>,
    /// Erase the events that this filter shows; repeatable
    #[arg(long = "filter", value_name = "EXPR", allow_hyphen_values = true, group = "selection")]
    filters: Vec<String>,
    /// The reason, which the gaps give
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Make it final at once, as `chronicle purge` does
    #[arg(long = "final")]
    is_final: bool,
    #[command(flatten)]
    approval: ApprovalArgs,
    /// Save the plan as JSON to this file
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Replace an existing file of --plan
    #[arg(long, requires = "plan")]
    force: bool,
}

impl EraseArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let options = open_options(global);
        let paths = options.log_paths(&self.log)?;
        let existing = ForceArgs { force: self.force }.existing_files();
        let approval = ApprovalMode::from_args(&self.approval, out);
        let command_paths = CommandPaths::new(global).reads_log("the log", &self.log).writes_optional_file(
            "--plan",
            self.plan.as_deref(),
            existing,
        );
        match approval {
            ApprovalMode::DryRun => command_paths.reads_side_files().check()?,
            _ => command_paths.saves_index_of(&self.log).check()?,
        }
        let lock_timeout = approval.recover_pending_repair(&paths, self.approval.lock_timeout(), out)?;
        let log = options.open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        let plan = self.make_plan(&log, &paths, out)?;
        if let Some(file) = &self.plan {
            save_plan(file, &plan, existing, &paths.path)?;
            out.set_effect(format!("the plan is saved in {}", safe_path_text(file)));
        }
        drop(log);
        let apply_options = ApplyOptions { lock_timeout, ..ApplyOptions::new() };
        let Some(applied) = show_and_apply(&plan, &paths, approval, apply_options, out)? else {
            return Ok(ExitStatus::Done);
        };
        if self.is_final {
            // The confirmed plan has said that the erasure becomes final.
            let purge = Purge { paths: &paths, log: &self.log, approval: ApprovalMode::Preapproved, lock_timeout };
            purge.run(Some(applied.number), global, out)?;
        } else {
            catch_up_index(&applied, &self.log, global, out);
        }
        Ok(ExitStatus::Done)
    }

    /// Selects the events, and plans to erase them.
    fn make_plan(&self, log: &EventLog, paths: &LogPaths, out: &CommandOutput) -> Result<Plan, CommandFailure> {
        let mut options = EraseOptions::new(self.offsets.iter().copied()).at(now_ms());
        let filters = self.parse_filters(log)?;
        if !filters.is_empty() {
            let progress = TerminalProgress::new("selecting", out);
            let max_events = EraseOptions::MAX_EVENTS + 1;
            let selection = select_events(log.view(), &filters, max_events, &mut |read| progress.show(read))?;
            options.offsets.extend(selection.offsets);
            options.notes.extend(damaged_ranges_note(selection.damaged_ranges));
        }
        options.reason.clone_from(&self.reason);
        options.is_final = self.is_final;
        if self.is_final {
            let copies = repair::known_copies(paths)?;
            options.notes.extend(copies.iter().map(|copy| format!("not reached: {}", copy.describe())));
        }
        let progress = TerminalProgress::new("planning", out);
        Ok(repair::plan_erase(log.view(), &options, &mut |read| progress.show(read))?)
    }

    /// Returns a filter for the aggregates, and each filter of the command line.
    fn parse_filters(&self, log: &EventLog) -> Result<Vec<Filter>, CommandFailure> {
        let ids: Vec<String> = self.aggregates.iter().map(u64::to_string).collect();
        let aggregates = (!ids.is_empty()).then(|| format!("agg:{}", ids.join(",")));
        aggregates.iter().chain(&self.filters).map(|text| parse_nonempty_filter(text, log)).collect()
    }
}

/// Parses a filter, and refuses one that shows every event.
pub(super) fn parse_nonempty_filter(text: &str, log: &EventLog) -> Result<Filter, CommandFailure> {
    let filter = parse_filter(text, log)?;
    if filter.is_empty() {
        return Err(CommandFailure::Usage {
            message: "--filter: expected a condition, found an empty filter, which shows every event".into(),
            hint: "`chronicle cat --help` lists the terms and operators of filters".into(),
        });
    }
    Ok(filter)
}
