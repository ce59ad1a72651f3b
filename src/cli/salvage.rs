//! `salvage`: copies every readable or restorable event into a new log.

use std::path::PathBuf;

use clap::Args;

use super::copy::{CopyArgs, CopyMethod};
use super::failure::CommandResult;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::repair;

/// Copy every readable or restorable event into a new log.
///
/// Offsets change: --map records the old and new offset of every event. Use `repair` to fix a log in place instead.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronicle salvage bad.log -o good.log --map moved.csv --donor backup.log")]
pub(super) struct SalvageArgs {
    #[command(flatten)]
    copy: CopyArgs,
    /// Take damaged ranges from this other copy of the log, frame by frame, also from other offsets; repeatable
    #[arg(long = "donor", value_name = "COPY")]
    donors: Vec<PathBuf>,
}

impl SalvageArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let method = CopyMethod {
            label: "salvaging",
            copy: &|log, options, on_update| repair::salvage(log.view(), options, on_update),
            accept: None,
            donors: self.donors.clone(),
            format: None,
        };
        self.copy.run(method, global, out)
    }
}
