//! `salvage` and `migrate`: the events of a log in a new one, which is there whole or not at all.

use std::ops::ControlFlow;

use super::args::{AcceptArg, CopyArgs, GlobalArgs, MigrateArgs, SalvageArgs};
use super::failure::{CommandFailure, CommandResult};
use super::open::open_options;
use super::output::{CommandOutput, finding_line};
use super::overwrite::check_replaceable;
use super::progress::TerminalProgress;
use crate::StorageError;
use crate::inspect::LogView;
use crate::repair::{self, CopyOptions, CopySummary, CopyUpdate};
use crate::report::copies::{left_out_line, salvage_fields, salvaged_line};
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};

type CopyFn =
    fn(&LogView, &CopyOptions, &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>) -> Result<CopySummary, StorageError>;

pub(super) fn salvage(args: &SalvageArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let copy_options = CopyOptions { donor: args.donor.clone(), ..copy_options_from_args(&args.copy) };
    run_copy(&args.copy, &copy_options, ("salvaging", repair::salvage), global, out)
}

pub(super) fn migrate(args: &MigrateArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    run_copy(&args.copy, &copy_options_from_args(&args.copy), ("migrating", repair::migrate), global, out)
}

fn copy_options_from_args(args: &CopyArgs) -> CopyOptions {
    CopyOptions {
        output: args.output.clone(),
        map: args.map.clone(),
        accept_likely: args.accept == Some(AcceptArg::Likely),
        donor: None,
        replace: args.force,
    }
}

fn run_copy(
    args: &CopyArgs,
    copy_options: &CopyOptions,
    (progress_message, copy): (&'static str, CopyFn),
    global: &GlobalArgs,
    out: &mut CommandOutput,
) -> CommandResult {
    let log = open_options(global).threads(args.threads.count()).open_read_only(&args.log)?;
    check_replaceable(&args.output, args.force)?;
    let progress = TerminalProgress::new(progress_message, out);
    let done = copy(log.view(), copy_options, &mut |step| {
        match step {
            CopyUpdate::Progress(done, total) => progress.set_position(done, total),
            // Programs have it in the object at the end.
            CopyUpdate::Omitted(left) => progress.suspend(|| {
                out.print_note(&format!("{}; {}", finding_line(&left.finding, None), left_out_line(left)));
            }),
        }
        ControlFlow::Continue(())
    });
    drop(progress);
    let done = done?;
    print_summary(log.view().path(), copy_options, &done, out)?;
    Ok(if done.damage_total > 0 { ExitStatus::Damage } else { ExitStatus::Done })
}

fn print_summary(
    log: &std::path::Path,
    copy_options: &CopyOptions,
    summary: &CopySummary,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    if out.is_json() {
        let map = copy_options.map.as_deref().map(safe_path_text);
        let mut keys = vec![
            ("log", safe_path_text(log).into()),
            ("new", safe_path_text(&copy_options.output).into()),
            ("map", map.into()),
        ];
        keys.extend(salvage_fields(summary));
        return out.print_json(&Json::Object(keys));
    }
    if let Some(range) = &summary.in_flight {
        out.print_note(&format!("{}..{} is being written: the copy ends before it", range.start, range.end));
    }
    out.print_path_line(&copy_options.output, &format!(": {}", salvaged_line(summary)))?;
    copy_options.map.as_ref().map_or(Ok(()), |map| out.print_path_line(map, ": old offsets to new ones"))
}
