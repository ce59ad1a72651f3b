//! `repair` and `undo`: a plan is made, shown, agreed to, applied exactly as shown, and what it left is judged.

use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::args::GlobalArgs;
use super::failure::{CommandFailure, CommandResult};
use super::open::{open_options, open_read_only, view_with_checked_index};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use super::repair_args::{ApprovalArgs, RepairArgs, UndoArgs};
use super::verify::{index_status, survey_with_fixes};
use crate::StorageError;
use crate::file::{Disk, OpenMode, OsDisk, replace_file};
use crate::inspect::{LogView, OnSurveyUpdate, SurveyOptions, SurveyUpdate, index_path, survey};
use crate::repair::{self, AppliedRepair, ApplyOptions, LogPaths, PLAN_VERSION, Plan};
use crate::report::json::{self, Json};
use crate::report::{ExitStatus, FindingCounts, plan_lines, record_line, recovered_line, safe_path_text};

pub(super) fn repair(args: &RepairArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let options = open_options(global).threads(args.threads.count());
    let paths = options.log_paths(&args.log)?;
    if let Some(file) = &args.plan {
        check_plan_path(file, args.force, &paths)?;
    }
    let approval = ApprovalMode::from_args(&args.approval, out);
    approval.recover_pending_repair(&paths, out)?;
    let view = view_with_checked_index(&options.open_read_only(&args.log)?);
    let plan = match &args.apply {
        Some(file) => {
            let plan = read_plan(file)?;
            // Applying looks again, under the lock; who is asked, or only looks, is to hear it now.
            repair::check_plan(view.log(), &plan)?;
            plan
        }
        None => make_plan(args, &view, out)?,
    };
    if let Some(file) = &args.plan {
        save_plan(file, &plan, args.force, &paths.path)?;
    }
    let apply_options =
        ApplyOptions { lock_timeout: Duration::from_secs(args.approval.wait), full_check: args.full_check };
    let Some(applied) = show_and_apply(&plan, &paths, approval, apply_options, out)? else {
        let status = if approval == ApprovalMode::DryRun {
            ExitStatus::before_repair(&plan)
        } else {
            ExitStatus::after_repair(&plan)
        };
        return Ok(status.combine(index_status(&view, false)));
    };
    catch_up_index(&applied, &args.log, global, out);
    let view = view_with_checked_index(&open_read_only(&args.log, global)?);
    Ok(ExitStatus::after_repair(&plan).combine(index_status(&view, false)))
}

pub(super) fn undo(args: &UndoArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let paths = open_options(global).log_paths(&args.log)?;
    if args.list {
        return list_repairs(&paths, out);
    }
    let approval = ApprovalMode::from_args(&args.approval, out);
    approval.recover_pending_repair(&paths, out)?;
    let plan = repair::plan_undo(&paths, args.id)?;
    let apply_options = ApplyOptions { lock_timeout: Duration::from_secs(args.approval.wait), full_check: false };
    if let Some(applied) = show_and_apply(&plan, &paths, approval, apply_options, out)? {
        catch_up_index(&applied, &args.log, global, out);
    }
    verify_current_state(&args.log, global, out)
}

/// Who says yes to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApprovalMode {
    /// Nobody is to: nothing is written.
    DryRun,
    /// It was given with the command.
    Preapproved,
    /// Whoever sits at the terminal.
    Prompt,
    /// Nobody is there.
    Unavailable,
}

impl ApprovalMode {
    fn from_args(args: &ApprovalArgs, out: &CommandOutput) -> Self {
        match args {
            ApprovalArgs { dry_run: true, .. } => Self::DryRun,
            ApprovalArgs { yes: true, .. } => Self::Preapproved,
            _ if out.can_prompt() => Self::Prompt,
            _ => Self::Unavailable,
        }
    }

    /// Completes or takes back what a killed repair has left, before a plan that may be applied; tells it.
    fn recover_pending_repair(self, paths: &LogPaths, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        if matches!(self, Self::Preapproved | Self::Prompt)
            && let Some(recovered) = repair::recover(paths)?
        {
            out.print_notice(&recovered_line(&recovered), &json::recovered(&recovered));
        }
        Ok(())
    }

    fn request_approval(self, plan: &Plan, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let why = match self {
            Self::Preapproved => return Ok(()),
            Self::Prompt if out.confirm("Apply this plan? [y/N]")? => return Ok(()),
            Self::Prompt | Self::DryRun => "nobody said yes",
            Self::Unavailable => "nobody said yes, and there is no terminal to ask on",
        };
        Err(CommandFailure::Refused {
            message: format!("{}: nothing was written: {why}", plan.log.path.display()),
            hint: "Use --yes to apply what is printed, or --dry-run to only look at it".into(),
        })
    }
}

/// Shows a plan, and applies it when somebody says yes; `None` where there is nothing to apply, or nothing is to be.
fn show_and_apply(
    plan: &Plan,
    paths: &LogPaths,
    approval: ApprovalMode,
    apply_options: ApplyOptions,
    out: &mut CommandOutput,
) -> Result<Option<AppliedRepair>, CommandFailure> {
    if !out.is_json() {
        plan_lines(plan, &paths.journal_folder()).iter().try_for_each(|line| out.print_line(line))?;
    }
    let done = if plan.is_empty() || approval == ApprovalMode::DryRun {
        Ok(None)
    } else {
        approval.request_approval(plan, out).and_then(|()| Ok(Some(repair::apply(paths, plan, apply_options)?)))
    };
    let applied = done.as_ref().ok().and_then(Option::as_ref);
    if out.is_json() {
        let applied = applied.map(|applied| {
            Json::Object(vec![
                ("number", u64::from(applied.number).into()),
                ("journal", safe_path_text(&applied.journal).into()),
            ])
        });
        let plan = Json::Plan(Box::new(plan.clone()));
        out.print_json(&Json::Object(vec![("plan", plan), ("applied", applied.into())]))?;
    } else if let Some(AppliedRepair { number, journal, .. }) = applied {
        let did = if plan.undoes.is_some() { "taken back" } else { "repaired" };
        out.print_line(&format!("{did}; this is repair {number}, kept in {}", journal.display()))?;
    }
    done
}

fn make_plan(args: &RepairArgs, view: &LogView, out: &CommandOutput) -> Result<Plan, StorageError> {
    let progress = TerminalProgress::new("planning", out);
    repair::plan_repair(view, &args.repair_options(), args.donor.as_deref(), &mut |done, total| {
        progress.set_position(done, total);
        ControlFlow::Continue(())
    })
}

fn read_plan(file: &Path) -> Result<Plan, CommandFailure> {
    let text = fs::read_to_string(file).map_err(|error| io_failure(file, "read", error))?;
    let no_plan = |found: String| CommandFailure::Usage {
        message: format!("{}: expected a plan of layout {PLAN_VERSION}, found {found}", file.display()),
        hint: "Make one with `chronicle repair LOG --plan FILE --dry-run`".into(),
    };
    let plan = Plan::from_json(&text).map_err(|error| no_plan(format!("something else: {error}")))?;
    if plan.layout_version == PLAN_VERSION { Ok(plan) } else { Err(no_plan(format!("layout {}", plan.layout_version))) }
}

/// Sees to it, before anything is read through, that the plan can be saved: never over a file that `--force` does not
/// mean, and never over the log or its index.
fn check_plan_path(file: &Path, force: bool, paths: &LogPaths) -> Result<(), CommandFailure> {
    if !force {
        return match fs::symlink_metadata(file) {
            Ok(_) => Err(StorageError::AlreadyExists { path: file.to_owned() }.into()),
            Err(_) => Ok(()),
        };
    }
    let index = paths.custom_index.clone().unwrap_or_else(|| index_path(&paths.path));
    for taken in [&paths.path, &index] {
        if let (Ok(one), Ok(other)) = (OsDisk.identity(file), OsDisk.identity(taken))
            && one.is_same_file(other)
        {
            return Err(CommandFailure::Refused {
                message: format!("{}: the plan would replace {}", file.display(), taken.display()),
                hint: "Name another file behind --plan".into(),
            });
        }
    }
    Ok(())
}

/// Saves a plan, readable by no more than the log is: it holds bytes of it.
fn save_plan(file: &Path, plan: &Plan, force: bool, log: &Path) -> Result<(), CommandFailure> {
    let mut text = plan.to_json().map_err(|error| io_failure(file, "write", error.into()))?;
    text.push('\n');
    if force {
        return Ok(replace_file(&OsDisk, file, log, |new, path| {
            new.write_at(text.as_bytes(), 0).map_err(|error| StorageError::io(path, "write", error))
        })?);
    }
    let opened = OsDisk.open(file, OpenMode::CreateSidecar { permissions_from: log });
    opened.and_then(|new| new.write_at(text.as_bytes(), 0)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: file.to_owned() }.into(),
        _ => io_failure(file, "write", error),
    })
}

/// Catches the index up; when that fails the repair stands all the same.
fn catch_up_index(applied: &AppliedRepair, log: &Path, global: &GlobalArgs, out: &mut CommandOutput) {
    if !applied.index_behind {
        return;
    }
    let progress = TerminalProgress::new("indexing", out);
    let caught_up = open_read_only(log, global).and_then(|mut log| {
        let (_, read) = log.catch_up_index(&mut |step| {
            if let SurveyUpdate::Progress(read) = step {
                progress.set_position(read.position, read.total);
            }
            ControlFlow::Continue(())
        })?;
        if read.is_some() { log.save_index() } else { Ok(()) }
    });
    drop(progress);
    if let Err(error) = caught_up {
        let said = format!("the log is as the plan says; its index was not caught up: {error}");
        out.print_notice(&said, &Json::Object(vec![("index_not_caught_up", error.to_string().into())]));
    }
}

/// What `verify` answers about the log as it stands now.
fn verify_current_state(log: &Path, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let view = view_with_checked_index(&open_read_only(log, global)?);
    let progress = TerminalProgress::new("verifying", out);
    let (mut tally, mut status) = (FindingCounts::default(), index_status(&view, false));
    let mut pass = |on: &mut OnSurveyUpdate| survey(&view, &SurveyOptions::default(), None, on);
    let seen = survey_with_fixes(&view, &mut pass, &progress, &mut |found| {
        tally.add(&found.finding);
        status = status.combine(ExitStatus::for_finding(&found.finding, found.fix.as_ref()));
        Ok(())
    })?;
    drop(progress);
    out.print_note(&format!("the log as it stands: {}", tally.summary_line(seen.events)));
    Ok(status)
}

/// The medical record; what stands in the folder and is no journal of this log is told beside it.
fn list_repairs(paths: &LogPaths, out: &mut CommandOutput) -> CommandResult {
    let (records, notices) = repair::read_repair_records(paths)?;
    for record in &records {
        if out.is_json() { out.print_json(&json::record(record)) } else { out.print_line(&record_line(record)) }?;
    }
    if records.is_empty() && notices.is_empty() {
        out.print_note(&format!("{}: never repaired", paths.path.display()));
    }
    for notice in notices {
        out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
    }
    Ok(ExitStatus::Done)
}

fn io_failure(file: &Path, action: &'static str, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: file.to_owned(), action, offset: None, source }.into()
}
