//! `diff`: two copies of a log, and where they differ.

use std::ops::ControlFlow;

use super::args::{DiffArgs, Side};
use super::fail::Run;
use super::open::log_to_read;
use super::out::Out;
use super::progress::Progress;
use crate::inspect::{self, Compared};
use crate::report::Status;
use crate::report::copies::{comparison, comparison_line, difference_line};

pub(super) fn diff(args: &DiffArgs, side: &Side, out: &mut Out) -> Run {
    let (a, b) = (log_to_read(&args.a, side)?, log_to_read(&args.b, &Side::default())?);
    let (a, b) = (a.view(), b.view());
    let progress = Progress::new("comparing", out);
    let mut printed = Ok(());
    let found = inspect::diff(a, b, &mut |step| {
        match step {
            Compared::Progress(done, total) => progress.to(done, total),
            Compared::Difference(found) if !out.is_json() => {
                printed = progress.aside(|| out.line(&difference_line(found)));
            }
            Compared::Difference(_) => {}
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    drop(progress);
    printed?;
    let found = found?;
    if out.is_json() {
        out.value(&comparison(a, b, &found))?;
    } else {
        out.line(&comparison_line(&found))?;
    }
    Ok(if found.is_identical() { Status::Done } else { Status::Damage })
}
