//! `create`: creates an empty log.

use std::path::PathBuf;

use clap::Args;

use super::failure::CommandResult;
use super::log_access::open_options;
use super::options::{ForceArgs, GlobalArgs};
use super::output::CommandOutput;
use super::overwrite::remove_existing;
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};

/// Create an empty log.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Log to create
    log: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

impl CreateArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        remove_existing(&self.log, self.force.existing_files())?;
        let log = open_options(global).create(&self.log)?;
        let (path, header) = (log.path(), log.header());
        log.close()?;
        let created_at_ms = header.map(|header| header.created_at_ms);
        if out.is_json() {
            out.print_json(&Json::Object(vec![
                ("path", safe_path_text(&path).into()),
                ("bytes", crate::format::HEADER_LEN.into()),
                ("created_at_ms", created_at_ms.into()),
            ]))?;
        } else {
            out.print_path_line(&path, ": created, 0 events")?;
        }
        Ok(ExitStatus::Done)
    }
}
