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
use crate::report::copies::{comparison_json, comparison_line, difference_line};

/// Compare two copies of a log; exit 3 if they differ.
///
/// Prints one line per differing range: offsets, kind of difference, size and meaning.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronicle diff accounts.log backup/accounts.log")]
pub(super) struct DiffArgs {
    /// First copy
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Second copy
    #[arg(value_name = "B")]
    b: PathBuf,
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
        if out.is_json() {
            out.print_json(&comparison_json(a, b, &comparison))?;
        } else {
            out.print_line(&comparison_line(&comparison))?;
        }
        Ok(if comparison.is_identical() { ExitStatus::Done } else { ExitStatus::Damage })
    }
}
