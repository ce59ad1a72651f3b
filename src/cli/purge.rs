//! `purge`: makes erasures final by destroying the bytes that their journals have saved, and deletes removed segments.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::approval::{ApprovalArgs, ApprovalMode, catch_up_index, show_and_apply};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::log_access::{open_options, open_read_only};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::PurgedSegments;
use crate::repair::{self, ApplyOptions, LogPaths, RepairRecord};
use crate::report::ExitStatus;
use crate::report::json::Json;
use crate::report::units::{format_count, format_size};

/// Make erasures and retention final: destroy what their undo needs.
///
/// The journals of erasures are overwritten and reduced to records without old bytes, and the index is written anew. Copies of
/// the log that are known are listed, and not changed. Without a number, the segments that `chronicle retain` has removed are
/// deleted too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle purge a.log --dry-run    print what would be destroyed, and the known copies
  chronicle purge a.log 3            make erasure 3 final
  chronicle purge accounts/ --yes    also delete the segments that `retain` has removed
  chronicle undo a.log --list        list erasures with their numbers")]
pub(super) struct PurgeArgs {
    /// Log whose erasures become final
    log: PathBuf,
    /// Number of the erasure, as `undo --list` prints it; default: all that are in effect
    number: Option<u32>,
    #[command(flatten)]
    approval: ApprovalArgs,
}

impl PurgeArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let paths = open_options(global).log_paths(&self.log)?;
        let approval = ApprovalMode::from_args(&self.approval, out);
        if approval != ApprovalMode::DryRun {
            CommandPaths::new(global).reads_log("the log", &self.log).saves_index_of(&self.log).check()?;
        }
        let lock_timeout = approval.recover_pending_repair(&paths, self.approval.lock_timeout(), out)?;
        let purge = Purge { paths: &paths, log: &self.log, approval, lock_timeout };
        let removed = match self.number {
            Some(_) => PurgedSegments::default(),
            None => removed_segments(&self.log, global)?,
        };
        // Where there are removed segments, a log without erasures is no error.
        let has_erasures = repair::read_repair_history(&paths)?.records.iter().any(RepairRecord::can_be_purged);
        if removed.segments == 0 || has_erasures {
            purge.run(self.number, global, out)?;
        }
        if removed.segments > 0 {
            purge.delete_segments(removed, global, out)?;
        }
        Ok(ExitStatus::Done)
    }
}

/// Returns the segments that retention has removed from a log; none for a log in one file.
fn removed_segments(log: &Path, global: &GlobalArgs) -> Result<PurgedSegments, CommandFailure> {
    let log = open_read_only(log, global)?;
    if log.view().segments().is_none() {
        return Ok(PurgedSegments::default());
    }
    Ok(log.removed_segments()?)
}

/// A purge with the conditions under which it is applied.
pub(super) struct Purge<'a> {
    pub(super) paths: &'a LogPaths,
    /// The log as the command line names it.
    pub(super) log: &'a Path,
    pub(super) approval: ApprovalMode,
    pub(super) lock_timeout: Duration,
}

impl Purge<'_> {
    /// Plans to make erasures final, shows the plan, and applies it once it is confirmed.
    pub(super) fn run(
        &self,
        number: Option<u32>,
        global: &GlobalArgs,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        let plan = {
            let progress = TerminalProgress::new("planning", out);
            repair::plan_purge(self.paths, number, &mut |read| progress.show(read))?
        };
        let apply_options = ApplyOptions { lock_timeout: self.lock_timeout, ..ApplyOptions::new() };
        if let Some(applied) = show_and_apply(&plan, self.paths, self.approval, apply_options, out)? {
            catch_up_index(&applied, self.log, global, out);
        }
        Ok(())
    }

    /// Shows the segments that retention has removed, and deletes them once it is confirmed.
    fn delete_segments(
        &self,
        removed: PurgedSegments,
        global: &GlobalArgs,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        let path = &self.paths.path;
        let text = |removed: PurgedSegments| {
            format!("{}, {}", format_count(removed.segments, "removed segment"), format_size(removed.bytes))
        };
        if !out.is_json() {
            out.print_path_line(path, &format!(": {} deleted for good; no undo restores them", text(removed)))?;
        }
        let applied = if self.approval == ApprovalMode::DryRun {
            Ok(None)
        } else {
            self.approval.request_approval(path, out).and_then(|()| {
                let mut log = open_options(global).lock_timeout(self.lock_timeout).open(self.log)?;
                let purged = log.purge_removed()?;
                log.close()?;
                Ok(Some(purged))
            })
        };
        let purged = applied.as_ref().ok().copied().flatten();
        if out.is_json() {
            let json = |removed: PurgedSegments| {
                Json::Object(vec![("segments", removed.segments.into()), ("bytes", removed.bytes.into())])
            };
            let fields = vec![("removed_segments", json(removed)), ("applied", purged.map(json).into())];
            out.print_json(&Json::Object(fields))?;
        } else if let Some(purged) = purged {
            out.print_line(&format!("{} deleted", text(purged)))?;
        }
        applied.map(drop)
    }
}
