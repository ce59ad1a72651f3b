//! `compact`: copies the latest event of each aggregate, or what a filter shows, into a new log.

use clap::{ArgGroup, Args};

use super::copy::{CopyFiles, CopyMethod};
use super::erase::parse_nonempty_filter;
use super::failure::CommandResult;
use super::log_access::{print_removed_start, print_side_file_notices};
use super::options::{FormatArgs, GlobalArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::query::Filter;
use crate::repair::{self, CompactRule, CopyOptions, CopySummary, OnCopyUpdate};
use crate::report::copies::{copy_summary_fields, copy_summary_line};
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};
use crate::{EventLog, StorageError};

/// Copy the latest event of each aggregate, or what a filter shows, into a new log.
///
/// With both options, an event is kept when it is the latest one of its aggregate and the filter shows it. Events without an
/// aggregate are kept by --latest. Times stay, offsets change: --map records the old and new offset of every event that is
/// kept. Damage and gaps are left out and reported; nothing is restored.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("rule").required(true).multiple(true),
    after_help = "\
Examples:
  chronicle compact a.log -o new.log --latest --map moved.csv
  chronicle compact a.log -o new.log --filter 'after:2026-01-01' --dry-run"
)]
pub(super) struct CompactArgs {
    #[command(flatten)]
    files: CopyFiles,
    /// Keep only the latest event of each aggregate, and events without an aggregate
    #[arg(long, group = "rule")]
    latest: bool,
    /// Keep only the events that this filter shows
    #[arg(long = "filter", value_name = "EXPR", allow_hyphen_values = true, group = "rule")]
    filter: Option<String>,
    /// Count what would be kept, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
}

impl CompactArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        self.files.check_paths(&[], global)?;
        let log = self.files.open_options(global).open_read_only(&self.files.log)?;
        let filter = self.filter.as_deref().map(|text| parse_nonempty_filter(text, &log)).transpose()?;
        if self.dry_run {
            return self.count(&log, filter.as_ref(), out);
        }
        drop(log);
        let copy = |log: &EventLog, options: &CopyOptions, on_update: &mut OnCopyUpdate| {
            self.with_rule(log, filter.as_ref(), &mut |rule| repair::compact(log.view(), options, rule, on_update))
        };
        let method = CopyMethod {
            label: "compacting",
            copy: &copy,
            accept: None,
            donors: Vec::new(),
            format: Some(self.format.new_log_format()),
        };
        self.files.run(method, global, out)
    }

    /// Calls `run` with the rule of the options.
    fn with_rule(
        &self,
        log: &EventLog,
        filter: Option<&Filter>,
        run: &mut dyn FnMut(&CompactRule) -> Result<CopySummary, StorageError>,
    ) -> Result<CopySummary, StorageError> {
        let index = if self.latest { Some(log.index()?) } else { None };
        let rule = index.as_deref().map_or_else(CompactRule::new, |index| CompactRule::new().latest(index));
        match filter {
            Some(filter) => run(&rule.condition(&|offset, event| filter.matches_event(offset, event))),
            None => run(&rule),
        }
    }

    /// Prints what would be kept.
    fn count(&self, log: &EventLog, filter: Option<&Filter>, out: &mut CommandOutput) -> CommandResult {
        print_side_file_notices(log, out);
        print_removed_start(log, out);
        let progress = TerminalProgress::new("counting", out);
        let summary = self.with_rule(log, filter, &mut |rule| {
            repair::count_compaction(log.view(), rule, &mut |read| progress.show(read))
        })?;
        drop(progress);
        let log = safe_path_text(log.view().path());
        if out.is_json() {
            let mut keys = vec![("log", log.into()), ("new", Json::Null), ("map", Json::Null)];
            keys.extend(copy_summary_fields(&summary));
            out.print_json(&Json::Object(keys))?;
        } else {
            for note in &summary.notes {
                out.print_note(&format!("note: {note}"));
            }
            out.print_line(&format!("{log}: would keep {}", copy_summary_line(&summary)))?;
        }
        Ok(if summary.damage_total > 0 { ExitStatus::Damage } else { ExitStatus::Done })
    }
}
