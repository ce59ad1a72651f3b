//! `undo`: undoes a repair, or lists the repair history.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::approval::{ApprovalArgs, ApprovalMode, catch_up_index, show_and_apply};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::findings::{IndexRequirement, index_status, survey_with_fixes};
use super::log_access::{open_options, open_read_only, view_with_checked_index};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::inspect::{OnSurveyUpdate, SurveyOptions, survey};
use crate::log::removal_after_repairs;
use crate::repair::{self, ApplyOptions, LogPaths, RepairHistory};
use crate::report::json::{self, Json};
use crate::report::units::{format_count, format_number};
use crate::report::{ExitStatus, FindingCounts, record_line, removal_json, removal_line, safe_path_text};
use crate::{SegmentRemoval, StorageError};

/// Undo a repair, an erasure or a retention, or list them.
///
/// Restores the bytes that the repair replaced, from its journal. An undo is itself recorded and can be undone. When the last
/// change was a retention, its segments are moved back into the log instead. Afterwards the log is verified, and the exit
/// status is that of `verify`.
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
            return self.list_changes(&paths, global, out);
        }
        let approval = ApprovalMode::from_args(&self.approval, out);
        if approval != ApprovalMode::DryRun {
            CommandPaths::new(global).reads_log("the log", &self.log).saves_index_of(&self.log).check()?;
        }
        let lock_timeout = approval.recover_pending_repair(&paths, self.approval.lock_timeout(), out)?;
        if let Some(removal) = self.newest_removal(&paths, global)? {
            self.restore_segments(&removal, (approval, lock_timeout), global, out)?;
            return verify_current_state(&self.log, global, out);
        }
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

    /// Returns the removal of segments that this run undoes: the last one, when no repair is newer and no number was given.
    fn newest_removal(&self, paths: &LogPaths, global: &GlobalArgs) -> Result<Option<SegmentRemoval>, CommandFailure> {
        // An undo can also restore what a file needs to be recognised as a log.
        let log = open_read_only(&self.log, global).ok().filter(|log| log.view().segments().is_some());
        let Some(log) = log.filter(|_| self.id.is_none()) else { return Ok(None) };
        let repairs = repair::read_repair_history(paths)?.records;
        Ok(removal_after_repairs(log.view(), &repairs)?)
    }

    /// Shows which segments come back, and moves them into the log once it is confirmed.
    fn restore_segments(
        &self,
        removal: &SegmentRemoval,
        (approval, lock_timeout): (ApprovalMode, Duration),
        global: &GlobalArgs,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        let path = &self.log;
        if !out.is_json() {
            let segments = format_count(removal.segments.len() as u64, "segment");
            let (events, start) = (format_count(removal.events(), "event"), format_number(removal.old_start));
            out.print_path_line(path, &format!(": {segments}, {events} restored; the log then starts at {start}"))?;
        }
        let applied = if approval == ApprovalMode::DryRun {
            Ok(None)
        } else {
            approval.request_approval(path, out).and_then(|()| {
                let mut log = open_options(global).lock_timeout(lock_timeout).open(path)?;
                let restored = log.undo_removal()?;
                log.close()?;
                Ok(Some(restored))
            })
        };
        let restored = applied.as_ref().ok().and_then(Option::as_ref);
        if out.is_json() {
            let start = restored.map(|restored| Json::Object(vec![("new_start", restored.old_start.into())]));
            out.print_json(&Json::Object(vec![("removal", removal_json(removal)), ("applied", start.into())]))?;
        } else if restored.is_some() {
            out.print_line("the segments are restored")?;
        }
        applied.map(drop)
    }

    /// Prints the repair history and the removed segments to stdout, and files that are not used to stderr.
    fn list_changes(&self, paths: &LogPaths, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let RepairHistory { records, mut notices } = repair::read_repair_history(paths)?;
        let log = open_read_only(&self.log, global).ok().filter(|log| log.view().segments().is_some());
        let (removals, removal_notices) = log.map(|log| log.removals()).transpose()?.unwrap_or_default();
        notices.extend(removal_notices);
        for record in &records {
            if out.is_json() { out.print_json(&json::record(record)) } else { out.print_line(&record_line(record)) }?;
        }
        for removal in &removals {
            if out.is_json() {
                out.print_json(&removal_json(removal))
            } else {
                out.print_line(&removal_line(removal))
            }?;
        }
        if records.is_empty() && removals.is_empty() && notices.is_empty() {
            out.print_note(&format!(
                "no repairs yet; journals are kept in {}",
                safe_path_text(&paths.journal_folder())
            ));
        }
        for notice in notices {
            out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
        }
        Ok(ExitStatus::Done)
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
