//! `undo`: undoes a repair, or lists the repair history.

use std::path::{Path, PathBuf};

use clap::Args;

use super::approval::{ApprovalArgs, ApprovalMode, catch_up_index, show_and_apply};
use super::command_paths::CommandPaths;
use super::failure::CommandResult;
use super::findings::{IndexRequirement, index_status, survey_with_fixes};
use super::log_access::{open_options, open_read_only, view_with_checked_index};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::StorageError;
use crate::inspect::{OnSurveyUpdate, SurveyOptions, survey};
use crate::repair::{self, ApplyOptions, LogPaths, RepairHistory};
use crate::report::json::{self, Json};
use crate::report::{ExitStatus, FindingCounts, record_line, safe_path_text};

/// Undo a repair, or list the repair history.
///
/// Restores the bytes that the repair replaced, from its journal. An undo is itself recorded and can be undone.
/// Afterwards the log is verified, and the exit status is that of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle undo a.log           undo the last repair
  chronicle undo a.log --list    list all repairs")]
pub(super) struct UndoArgs {
    /// Log to restore
    log: PathBuf,
    /// Number of the repair, as --list prints it; default: the last one that is not undone
    id: Option<u32>,
    /// List every repair: number, time, state and what it did
    #[arg(long, conflicts_with_all = ["id", "dry_run", "yes", "wait"])]
    list: bool,
    #[command(flatten)]
    approval: ApprovalArgs,
}

impl UndoArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let paths = open_options(global).log_paths(&self.log)?;
        if self.list {
            return list_repairs(&paths, out);
        }
        let approval = ApprovalMode::from_args(&self.approval, out);
        if approval != ApprovalMode::DryRun {
            CommandPaths::new(global).reads_log("the log", &self.log).saves_index_of(&self.log).check()?;
        }
        let lock_timeout = approval.recover_pending_repair(&paths, self.approval.lock_timeout(), out)?;
        let plan = {
            let progress = TerminalProgress::new("planning", out);
            repair::plan_undo_with_progress(&paths, self.id, &mut |read| progress.show(read))?
        };
        let apply_options = ApplyOptions { lock_timeout, full_check: false, ..ApplyOptions::new() };
        if let Some(applied) = show_and_apply(&plan, &paths, approval, apply_options, out)? {
            catch_up_index(&applied, &self.log, global, out);
        }
        verify_current_state(&self.log, global, out)
    }
}

/// Verifies the log, prints the summary to stderr, and returns the status that `verify` would return. Bytes that only another
/// copy of the log recognises are damage, because the undo has succeeded.
fn verify_current_state(log: &Path, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let opened = match open_read_only(log, global) {
        // The repair had made it a log again, with the help of another copy.
        Err(
            error @ (StorageError::NotALog { .. } | StorageError::TooShort { .. } | StorageError::DamagedHeader { .. }),
        ) => {
            out.print_note(&format!("not verified: {error}; the repair had another copy of the log"));
            return Ok(ExitStatus::Damage);
        }
        opened => opened?,
    };
    let view = view_with_checked_index(&opened);
    let progress = TerminalProgress::new("verifying", out);
    let (mut counts, mut status) = (FindingCounts::default(), index_status(&view, IndexRequirement::NotBroken));
    let mut pass = |on_update: &mut OnSurveyUpdate| survey(&view, &SurveyOptions::new(), None, on_update);
    let survey = survey_with_fixes(&view, &mut pass, &progress, &mut |fix| {
        counts.add(&fix.finding);
        status = status.combine(ExitStatus::for_finding(&fix.finding, fix.fix.as_ref(), view.log().version()));
        Ok(())
    })?;
    drop(progress);
    out.print_note(&format!("verified: {}", counts.summary_line(survey.events)));
    Ok(status)
}

/// Prints the repair history to stdout, and files in the journal folder that are not journals of this log to stderr.
fn list_repairs(paths: &LogPaths, out: &mut CommandOutput) -> CommandResult {
    let RepairHistory { records, notices } = repair::read_repair_history(paths)?;
    for record in &records {
        if out.is_json() { out.print_json(&json::record(record)) } else { out.print_line(&record_line(record)) }?;
    }
    if records.is_empty() && notices.is_empty() {
        out.print_note(&format!("no repairs yet; journals are kept in {}", safe_path_text(&paths.journal_folder())));
    }
    for notice in notices {
        out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
    }
    Ok(ExitStatus::Done)
}
