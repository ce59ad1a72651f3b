//! `diff`: compares two copies of a log.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use clap::Args;

use super::failure::CommandResult;
use super::log_access::{open_options, print_side_file_notices};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::inspect::{self, DiffListing, DiffUpdate, LogDifference};
use crate::report::ExitStatus;
use crate::report::differences::{
    comparison_json, comparison_line, difference_line, push_difference_json, unlisted_line, unrelated_json,
};
use crate::report::json::Json;

/// Compare two copies of a log; exit 3 if they differ.
///
/// Prints one line per difference: offsets, kind, size, and what both copies have there: events with type, time (UTC) and
/// aggregate. It lists 10 000 differences, and of a range in which no event is the same in both only the first thousand; the
/// others are counted. Logs that are not copies of one log are reported in one sentence.
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
    /// Print JSON: one object per difference, all of them
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
        let mut line = String::new();
        let mut unlisted = UnlistedDifferences::default();
        let listing = if self.ndjson { DiffListing::All } else { DiffListing::First };
        let comparison = inspect::diff(a, b, listing, &mut |update| {
            match update {
                DiffUpdate::Progress(position) => progress.update(position),
                DiffUpdate::Difference(difference) if self.ndjson => {
                    line.clear();
                    push_difference_json(&mut line, difference);
                    printed = progress.suspend(|| out.print_stored_json(line.as_bytes()));
                }
                DiffUpdate::Difference(difference) if !out.is_json() => {
                    printed = progress.suspend(|| {
                        unlisted.take_line().map_or(Ok(()), |line| out.print_line(&line))?;
                        out.print_line(&difference_line(difference))
                    });
                }
                DiffUpdate::Unlisted(difference) => unlisted.add(difference),
                DiffUpdate::Difference(_) => {}
            }
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        drop(progress);
        printed?;
        let comparison = comparison?;
        if let Some(line) = unlisted.take_line().filter(|_| !out.is_json()) {
            out.print_line(&line)?;
        }
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

/// The differences since the last listed one that are counted and not listed.
#[derive(Debug, Default)]
struct UnlistedDifferences {
    number: u64,
    range: Range<u64>,
}

impl UnlistedDifferences {
    fn add(&mut self, difference: &LogDifference) {
        if self.number == 0 {
            self.range = difference.start..difference.end;
        }
        self.number += 1;
        self.range.end = self.range.end.max(difference.end);
    }

    /// Returns the line about the differences, and forgets them; `None` when there are none.
    fn take_line(&mut self) -> Option<String> {
        let Self { number, range } = std::mem::take(self);
        (number > 0).then(|| unlisted_line(&range, number))
    }
}
