//! `demo`: creates a damaged log with an index that is behind, and opens it in the screen.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::CommandResult;
use super::open::{ScreenArgs, has_terminal, open_screen};
use super::options::{ForceArgs, GlobalArgs};
use super::output::CommandOutput;
use super::overwrite::create_replacing;
use crate::file::{ExistingFile, NewLogForm};
use crate::report::json::Json;
use crate::report::units::format_count;
use crate::report::{ExitStatus, safe_path_text, shell_path};
use crate::sample;

/// Create a damaged demo log with an index that is behind, and open it.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Folder for the demo log; created if missing
    #[arg(default_value = "chronicle-demo")]
    folder: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    screen: ScreenArgs,
}

impl DemoArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let path = self.folder.join("demo.log");
        let existing = self.force.existing_files();
        if fs::symlink_metadata(&path).is_ok() && existing == ExistingFile::Keep {
            out.print_note("using the existing demo log; --force creates a new one");
        } else {
            CommandPaths::new(global)
                .writes_log("the demo log", &path, existing, NewLogForm::File)
                .saves_index_of(&path)
                .check()?;
            let demo = create_replacing(&path, existing, NewLogForm::File, || Ok(sample::create_demo(&self.folder)?))?;
            out.set_effect(format!("{} is created", safe_path_text(&demo.log)));
            if out.is_json() {
                let rows = demo.findings.iter().map(|(kind, range)| {
                    Json::Object(vec![
                        ("kind", kind.name().into()),
                        ("start", range.start.into()),
                        ("end", range.end.into()),
                    ])
                });
                let findings = Json::List(rows.collect());
                out.print_json(&Json::Object(vec![
                    ("path", safe_path_text(&demo.log).into()),
                    ("findings", findings),
                ]))?;
            } else {
                let findings = format_count(demo.findings.len() as u64, "finding");
                out.print_path_line(&demo.log, &format!(": created with {findings} and an index that is behind"))?;
            }
        }
        if has_terminal() && !out.is_json() {
            return open_screen(&path, &self.screen, global, out);
        }
        out.print_note(&format!("not opened: no terminal; use `chronicle verify {}`", shell_path(&path)));
        Ok(ExitStatus::Done)
    }
}
