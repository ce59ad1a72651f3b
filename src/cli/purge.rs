//! `purge`: makes erasures final by destroying the bytes that their journals have saved.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::approval::{ApprovalArgs, ApprovalMode, catch_up_index, show_and_apply};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::log_access::open_options;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::repair::{self, ApplyOptions, LogPaths};
use crate::report::ExitStatus;

/// Make erasures final: destroy the erased events in the journals, so that no undo brings them back.
///
/// The journals are overwritten and reduced to records without old bytes, and the index is written anew. Copies of the log
/// that are known are listed, and not changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle purge a.log --dry-run    print what would be destroyed, and the known copies
  chronicle purge a.log 3            make erasure 3 final
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
        purge.run(self.number, global, out)?;
        Ok(ExitStatus::Done)
    }
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
}
