//! `migrate`: copies a log into a new log of a later version.

use clap::Args;

use super::copy::{CopyArgs, CopyMethod};
use super::failure::CommandResult;
use super::options::{FormatArgs, GlobalArgs};
use super::output::CommandOutput;
use crate::repair;

/// Copy a log into a new log of a later version.
///
/// Version 0 logs have no header and no checksums, and are read-only; they become version 1 logs. With --format 2, a log of any
/// version becomes one of version 2. With a path that ends in / or --segment-size, it becomes a folder of segments in version 2.
/// Offsets change: --map records them.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronicle migrate old.log -o new.log --map moved.csv\n  chronicle migrate old.log -o new.log --format 2\n  chronicle migrate old.log -o new/ --segment-size 64MiB --map moved.csv"
)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    format: FormatArgs,
}

impl MigrateArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let format = Some(self.format.new_log_format());
        let method = CopyMethod {
            label: "migrating",
            copy: &|log, options, on_update| repair::migrate(log.view(), options, on_update),
            accept: None,
            donors: Vec::new(),
            format,
        };
        self.copy.run(method, global, out)
    }
}
