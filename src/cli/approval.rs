//! Shows a plan, asks for confirmation and applies the plan. `repair`, `undo`, `erase`, `retain` and `purge` share
//! this code.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use super::failure::CommandFailure;
use super::log_access::open_read_only;
use super::options::{GlobalArgs, LockArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::inspect::SurveyUpdate;
use crate::repair::{self, AppliedRepair, ApplyOptions, LogPaths, Plan};
use crate::report::json::{self, Json};
use crate::report::{PlanWords, plan_lines, plan_lines_with_table, recovery_line, safe_path_text};

/// Options that decide whether a plan is applied.
#[derive(Debug, Clone, Args)]
pub(super) struct ApprovalArgs {
    /// Print the plan and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Apply the printed plan without asking; required if there is no terminal to ask on
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    lock: LockArgs,
}

impl ApprovalArgs {
    /// Returns the longest time to wait for the writer's lock.
    pub(super) const fn lock_timeout(&self) -> Duration {
        self.lock.timeout()
    }
}

/// The confirmation that a plan needs before it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApprovalMode {
    /// The plan is only printed (`--dry-run`).
    DryRun,
    /// The plan is applied without asking (`--yes`).
    Preapproved,
    /// The user is asked on the terminal.
    Prompt,
    /// There is no terminal to ask on: the plan is printed and not applied.
    Unavailable,
}

impl ApprovalMode {
    /// Chooses the mode from the options and from whether the user can be asked.
    pub(super) fn from_args(args: &ApprovalArgs, out: &CommandOutput) -> Self {
        match args {
            ApprovalArgs { dry_run: true, .. } => Self::DryRun,
            ApprovalArgs { yes: true, .. } => Self::Preapproved,
            _ if out.can_prompt() => Self::Prompt,
            _ => Self::Unavailable,
        }
    }

    /// Completes or rolls back an interrupted repair and reports it, unless this run only prints a plan.
    ///
    /// Waits up to `lock_timeout` for the writer's lock first, so that the plan is for the log as the other process has
    /// left it. Returns the rest of that time, for applying the plan.
    pub(super) fn recover_pending_repair(
        self,
        paths: &LogPaths,
        lock_timeout: Duration,
        out: &mut CommandOutput,
    ) -> Result<Duration, CommandFailure> {
        if !matches!(self, Self::Preapproved | Self::Prompt) {
            return Ok(lock_timeout);
        }
        let started = Instant::now();
        if !lock_timeout.is_zero() {
            repair::wait_for_writer(paths, lock_timeout)?;
        }
        let remaining = || lock_timeout.saturating_sub(started.elapsed());
        let recovered = {
            let progress = TerminalProgress::new("recovering", out);
            repair::recover_with_progress(paths, remaining(), &mut |read| progress.show(read))?
        };
        if let Some(recovered) = recovered {
            out.print_notice(&recovery_line(&recovered), &json::recovery(&recovered));
        }
        Ok(remaining())
    }

    /// Returns `Ok` when the plan for the log at `path` may be applied, and `Refused` when it is not confirmed.
    pub(super) fn request_approval(self, path: &Path, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let reason = match self {
            Self::Preapproved => return Ok(()),
            Self::Prompt if out.confirm("Apply this plan? [y/N]")? => return Ok(()),
            Self::Prompt | Self::DryRun => "not confirmed",
            Self::Unavailable => "not confirmed, and there is no terminal to ask on",
        };
        Err(CommandFailure::Refused {
            message: format!("{}: the plan was not applied: {reason}", safe_path_text(path)),
            hint: "Use --yes to apply the printed plan, or --dry-run to only print it".into(),
        })
    }
}

/// Prints a plan and applies it once it is confirmed. Returns `None` for an empty plan and for a dry run.
pub(super) fn show_and_apply(
    plan: &Plan,
    paths: &LogPaths,
    approval: ApprovalMode,
    apply_options: ApplyOptions,
    out: &mut CommandOutput,
) -> Result<Option<AppliedRepair>, CommandFailure> {
    if !out.is_json() {
        // A terminal shows the ranges in columns; a file or a pipe gets one sentence about each.
        let has_ranges = !plan.steps.is_empty() || !plan.unrepaired.is_empty();
        let format_lines = if has_ranges && out.is_terminal() { plan_lines_with_table } else { plan_lines };
        format_lines(plan, &paths.journal_folder()).iter().try_for_each(|line| out.print_line(line))?;
    }
    let result = if plan.is_empty() || approval == ApprovalMode::DryRun {
        Ok(None)
    } else {
        approval.request_approval(&plan.log.path, out).and_then(|()| {
            let progress = TerminalProgress::new(PlanWords::of(plan).running, out);
            Ok(Some(repair::apply_with_progress(paths, plan, apply_options, &mut |read| progress.show(read))?))
        })
    };
    let applied = result.as_ref().ok().and_then(Option::as_ref);
    if let Some(AppliedRepair { number, journal, .. }) = applied {
        let action = PlanWords::of(plan).noun;
        out.set_effect(format!("{action} {number} is applied; journal: {}", safe_path_text(journal)));
    }
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
        let text = match plan.undoes {
            Some(undone) => format!("repair {undone} undone (recorded as {number})"),
            None => format!("{} {number} applied", PlanWords::of(plan).noun),
        };
        out.print_line(&format!("{text}; journal: {}", safe_path_text(journal)))?;
    }
    result
}

/// Catches the index up after a repair. A failure is reported but not returned: the repair itself is complete.
pub(super) fn catch_up_index(applied: &AppliedRepair, log: &Path, global: &GlobalArgs, out: &mut CommandOutput) {
    if !applied.index_behind {
        return;
    }
    let progress = TerminalProgress::new("indexing", out);
    let result = open_read_only(log, global).and_then(|mut log| {
        let index_update = log.catch_up_index(&mut |survey_update| {
            if let SurveyUpdate::Progress(position) = survey_update {
                progress.update(position);
            }
            ControlFlow::Continue(())
        })?;
        if index_update.survey.is_some() { log.save_index() } else { Ok(()) }
    });
    drop(progress);
    if let Err(error) = result {
        let text = format!("the plan is applied, but the index was not updated: {error}");
        out.print_notice(&text, &Json::Object(vec![("index_not_caught_up", error.to_string().into())]));
    }
}
