//! `migrate`: copies a log of version 0 into a new log of version 1.

use clap::Args;

use super::copy::{CopyArgs, CopyMethod};
use super::failure::CommandResult;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::repair;

/// Copy a version 0 log into a new version 1 log.
///
/// Version 0 logs have no header and no checksums, and are read-only. Offsets change: --map records them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronicle migrate old.log -o new.log --map moved.csv")]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    copy: CopyArgs,
}

impl MigrateArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        self.copy.run(CopyMethod { label: "migrating", copy: repair::migrate, donors: Vec::new() }, global, out)
    }
}
