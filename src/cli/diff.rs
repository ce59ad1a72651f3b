//! `diff`: two copies of a log, and where they differ.

use std::ops::ControlFlow;

use super::args::{DiffArgs, GlobalArgs};
use super::failure::CommandResult;
use super::open::open_read_only;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::inspect::{self, DiffUpdate};
use crate::report::ExitStatus;
use crate::report::copies::{comparison_json, comparison_line, difference_line};

pub(super) fn diff(args: &DiffArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let (a, b) = (open_read_only(&args.a, global)?, open_read_only(&args.b, &GlobalArgs::default())?);
    let (a, b) = (a.view(), b.view());
    let progress = TerminalProgress::new("comparing", out);
    let mut printed = Ok(());
    let found = inspect::diff(a, b, &mut |step| {
        match step {
            DiffUpdate::Progress(read) => progress.set_position(read.position, read.total),
            DiffUpdate::Difference(found) if !out.is_json() => {
                printed = progress.suspend(|| out.print_line(&difference_line(found)));
            }
            DiffUpdate::Difference(_) => {}
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    drop(progress);
    printed?;
    let found = found?;
    if out.is_json() {
        out.print_json(&comparison_json(a, b, &found))?;
    } else {
        out.print_line(&comparison_line(&found))?;
    }
    Ok(if found.is_identical() { ExitStatus::Done } else { ExitStatus::Damage })
}
