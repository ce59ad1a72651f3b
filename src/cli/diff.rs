//! `diff`: compares two copies of a log.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;

use super::failure::CommandResult;
use super::log_access::{open_options, print_side_file_notices};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::inspect::{self, DiffUpdate};
use crate::report::ExitStatus;
use crate::report::differences::{comparison_json, comparison_line, difference_json, difference_line, unrelated_json};
use crate::report::json::Json;

/// Compare two copies of a log; exit 3 if they differ.
///
/// Prints one line per difference: offsets, kind, size, and what both copies have there: events with type, time (UTC) and
/// aggregate. Logs that are not copies of one log are reported in one sentence.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle diff accounts.log backup/accounts.log
  chronicle diff accounts.log backup/accounts.log --ndjson   one JSON object per difference
  chronicle repair accounts.log --donor backup/accounts.log  takes what the log has lost from the backup")]
pub(super) struct DiffArgs {
    /// First copy
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Second copy
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Print JSON: one object per difference, all of them (--json lists the first 10 000)
    #[arg(long)]
    ndjson: bool,
}

impl DiffArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        // --index and --journal belong to A: B has side files of its own.
        let (a, b) = (open_options(global).copy_of(&self.b), open_options(&GlobalArgs::default()).copy_of(&self.a));
        let (a, b) = (a.open_read_only(&self.a)?, b.open_read_only(&self.b)?);
        print_side_file_notices(&a, out);
        print_side_file_notices(&b, out);
        let (a, b) = (a.view(), b.view());
        let progress = TerminalProgress::new("comparing", out);
        let mut printed = Ok(());
        let comparison = inspect::diff(a, b, &mut |update| {
            match update {
                DiffUpdate::Progress(position) => progress.update(position),
                DiffUpdate::Difference(difference) if self.ndjson => {
                    printed = progress.suspend(|| out.print_json(&difference_json(difference)));
                }
                DiffUpdate::Difference(difference) if !out.is_json() => {
                    printed = progress.suspend(|| out.print_line(&difference_line(difference)));
                }
                DiffUpdate::Difference(_) => {}
            }
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        drop(progress);
        printed?;
        let comparison = comparison?;
        if self.ndjson {
            if let Some(unrelated) = &comparison.unrelated {
                let keys = vec![("how", "unrelated".into()), ("logs", unrelated_json(unrelated))];
                out.print_json(&Json::Object(keys))?;
            }
        } else if out.is_json() {
            out.print_json(&comparison_json(a, b, &comparison))?;
        } else {
            out.print_line(&comparison_line(&comparison))?;
        }
        Ok(if comparison.is_identical() { ExitStatus::Done } else { ExitStatus::Damage })
    }
}
