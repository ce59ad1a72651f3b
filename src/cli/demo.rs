//! `demo`: creates a damaged log with an index that is behind, and another one in a folder of segments, and opens the first one in
//! the screen.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::open::{ScreenArgs, has_terminal, open_screen};
use super::options::{ForceArgs, GlobalArgs};
use super::output::CommandOutput;
use super::overwrite::create_replacing;
use crate::file::{ExistingFile, NewLogForm, RollPolicy};
use crate::report::json::Json;
use crate::report::units::format_count;
use crate::report::{ExitStatus, safe_path_text, shell_path};
use crate::sample::{self, DemoLog};

/// Create a damaged demo log with an index that is behind, and open it.
///
/// Next to it is a log in a folder of segments, with damage in two of them, another one missing, and a start that retention has
/// removed. Open it with `chronicle FOLDER/segments`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Folder for the demo logs; created if missing
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
        let (path, segments) = (self.folder.join("demo.log"), self.folder.join("segments"));
        let existing = self.force.existing_files();
        let is_kept = fs::symlink_metadata(&path).is_ok() && existing == ExistingFile::Keep;
        if is_kept {
            out.print_note("using the existing demo log; --force creates a new one");
        } else {
            let paths = CommandPaths::new(global).writes_log("the demo log", &path, existing, NewLogForm::File);
            paths.saves_index_of(&path).check()?;
            let create = || Ok(sample::create_demo(&self.folder)?);
            let demo = create_replacing(&path, existing, NewLogForm::File, create)?;
            out.set_effect(format!("{} is created", safe_path_text(&demo.log)));
            let in_segments = create_segments(&segments, global, out)?;
            if out.is_json() {
                let in_segments = in_segments.map(|demo| Json::Object(demo_keys(&demo)));
                let keys = demo_keys(&demo).into_iter().chain([("in_segments", in_segments.unwrap_or(Json::Null))]);
                out.print_json(&Json::Object(keys.collect()))?;
            } else {
                let text = "and an index that is behind";
                out.print_path_line(&demo.log, &created_line(&demo, text))?;
                if let Some(demo) = in_segments {
                    let text = "in a folder of segments, the first of which retention has removed";
                    out.print_path_line(&demo.log, &created_line(&demo, text))?;
                }
            }
        }
        if fs::symlink_metadata(&segments).is_ok() {
            out.print_note(&format!("`chronicle {}` opens the log in a folder of segments", shell_path(&segments)));
        }
        if has_terminal() && !out.is_json() {
            return open_screen(&path, &self.screen, global, out);
        }
        out.print_note(&format!("not opened: no terminal; use `chronicle verify {}`", shell_path(&path)));
        Ok(ExitStatus::Done)
    }
}

/// Creates the log in a folder; returns `None` when there is one, which is kept because it can have journals and removed
/// segments.
fn create_segments(
    path: &Path,
    global: &GlobalArgs,
    out: &mut CommandOutput,
) -> Result<Option<DemoLog>, CommandFailure> {
    if fs::symlink_metadata(path).is_ok() {
        out.print_note(&format!("{} exists and is kept; remove it to create it anew", safe_path_text(path)));
        return Ok(None);
    }
    let form = NewLogForm::Folder(RollPolicy::default());
    CommandPaths::new(global).writes_log("the demo log", path, ExistingFile::Keep, form).check()?;
    Ok(Some(sample::create_segmented_demo(path)?))
}

fn created_line(demo: &DemoLog, text: &str) -> String {
    format!(": created with {} {text}", format_count(demo.findings.len() as u64, "finding"))
}

fn demo_keys(demo: &DemoLog) -> Vec<(&'static str, Json)> {
    let rows = demo.findings.iter().map(|(kind, range)| {
        Json::Object(vec![("kind", kind.name().into()), ("start", range.start.into()), ("end", range.end.into())])
    });
    vec![("path", safe_path_text(&demo.log).into()), ("findings", Json::List(rows.collect()))]
}
