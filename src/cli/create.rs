//! `create`: creates an empty log.

use std::path::PathBuf;

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::CommandResult;
use super::log_access::open_options;
use super::options::{ForceArgs, FormatArgs, GlobalArgs};
use super::output::CommandOutput;
use super::overwrite::create_replacing;
use super::segment_options::SegmentArgs;
use crate::file::NewLogForm;
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};

/// Create an empty log.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Log to create
    log: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    segments: SegmentArgs,
    #[command(flatten)]
    force: ForceArgs,
}

impl CreateArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let existing = self.force.existing_files();
        let form = self.segments.form(&self.log);
        let paths = CommandPaths::new(global).writes_log("LOG", &self.log, existing, form);
        match form {
            NewLogForm::File => paths.saves_index_of(&self.log).check()?,
            NewLogForm::Folder(_) => paths.check()?,
        }
        let options = self.segments.for_form(form, open_options(global).format(self.format.new_log_format()));
        let (path, header, closed) = create_replacing(&self.log, existing, form, || {
            let log = options.create(&self.log)?;
            let (path, header) = (log.path(), log.header());
            // The log is complete now, and an index that cannot be saved does not bring the old log back.
            Ok((path, header, log.close()))
        })?;
        out.set_effect(format!("{} is created", safe_path_text(&path)));
        closed?;
        let created_at_ms = header.map(|header| header.created_at_ms);
        if out.is_json() {
            out.print_json(&Json::Object(vec![
                ("path", safe_path_text(&path).into()),
                ("bytes", header.map_or(0, |header| header.version().first_frame_offset()).into()),
                ("version", header.map(|header| u64::from(header.version().number())).into()),
                ("log_id", header.and_then(|header| header.segment).map(|segment| segment.log_id.to_string()).into()),
                ("created_at_ms", created_at_ms.into()),
            ]))?;
        } else {
            out.print_path_line(&path, ": created, 0 events")?;
        }
        Ok(ExitStatus::Done)
    }
}
