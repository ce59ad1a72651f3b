//! `repair` and `undo`: a plan is made, shown, agreed to, applied exactly as shown, and what it left is judged.

use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::args::Side;
use super::fail::{Failure, Run};
use super::open::{log_to_read, options, view_with_checked_index};
use super::out::Out;
use super::progress::Progress;
use super::repair_args::{ConsentArgs, RepairArgs, UndoArgs};
use super::verify::{index_status, look};
use crate::StorageError;
use crate::file::{Disk, Open, OsDisk, replace};
use crate::inspect::{LogView, Step, Wish, index_path, survey};
use crate::repair::{self, Applied, PLAN_VERSION, Plan, Site, Terms};
use crate::report::json::{self, Json};
use crate::report::{Status, Tally, path_text, plan_lines, record_line, recovered_line};

pub(super) fn repair(args: &RepairArgs, side: &Side, out: &mut Out) -> Run {
    let options = options(side).threads(args.threads.number());
    let place = options.site(&args.log)?;
    if let Some(file) = &args.plan {
        room_for_plan(file, args.force, &place)?;
    }
    let consent = Consent::of(&args.consent, out);
    consent.recover(&place, out)?;
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
        save_plan(file, &plan, args.force, &place.path)?;
    }
    let terms = Terms { wait: Duration::from_secs(args.consent.wait), full_check: args.full_check };
    let Some(applied) = carry_out(&plan, &place, consent, terms, out)? else {
        let status = if consent == Consent::DryRun { Status::before(&plan) } else { Status::after(&plan) };
        return Ok(status.or(index_status(&view, false)));
    };
    keep_index(&applied, &args.log, side, out);
    let view = view_with_checked_index(&log_to_read(&args.log, side)?);
    Ok(Status::after(&plan).or(index_status(&view, false)))
}

pub(super) fn undo(args: &UndoArgs, side: &Side, out: &mut Out) -> Run {
    let place = options(side).site(&args.log)?;
    if args.list {
        return list(&place, out);
    }
    let consent = Consent::of(&args.consent, out);
    consent.recover(&place, out)?;
    let plan = repair::plan_undo(&place, args.id)?;
    let terms = Terms { wait: Duration::from_secs(args.consent.wait), full_check: false };
    if let Some(applied) = carry_out(&plan, &place, consent, terms, out)? {
        keep_index(&applied, &args.log, side, out);
    }
    judge(&args.log, side, out)
}

/// Who says yes to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// Nobody is to: nothing is written.
    DryRun,
    /// It was given with the command.
    Given,
    /// Whoever sits at the terminal.
    Asked,
    /// Nobody is there.
    Nobody,
}

impl Consent {
    fn of(args: &ConsentArgs, out: &Out) -> Self {
        match args {
            ConsentArgs { dry_run: true, .. } => Self::DryRun,
            ConsentArgs { yes: true, .. } => Self::Given,
            _ if out.can_ask() => Self::Asked,
            _ => Self::Nobody,
        }
    }

    /// Completes or takes back what a killed repair has left, before a plan that may be applied; tells it.
    fn recover(self, site: &Site, out: &mut Out) -> Result<(), Failure> {
        if matches!(self, Self::Given | Self::Asked)
            && let Some(recovered) = repair::recover(site)?
        {
            out.tell(&recovered_line(&recovered), &json::recovered(&recovered));
        }
        Ok(())
    }

    fn obtain(self, plan: &Plan, out: &mut Out) -> Result<(), Failure> {
        let why = match self {
            Self::Given => return Ok(()),
            Self::Asked if out.ask("Apply this plan? [y/N]")? => return Ok(()),
            Self::Asked | Self::DryRun => "nobody said yes",
            Self::Nobody => "nobody said yes, and there is no terminal to ask on",
        };
        Err(Failure::Refused {
            error: format!("{}: nothing was written: {why}", plan.log.path.display()),
            next: "Use --yes to apply what is printed, or --dry-run to only look at it".into(),
        })
    }
}

/// Shows a plan, and applies it when somebody says yes; `None` where there is nothing to apply, or nothing is to be.
fn carry_out(
    plan: &Plan,
    site: &Site,
    consent: Consent,
    terms: Terms,
    out: &mut Out,
) -> Result<Option<Applied>, Failure> {
    if !out.is_json() {
        plan_lines(plan, &site.journal_folder()).iter().try_for_each(|line| out.line(line))?;
    }
    let done = if plan.is_empty() || consent == Consent::DryRun {
        Ok(None)
    } else {
        consent.obtain(plan, out).and_then(|()| Ok(Some(repair::apply(site, plan, terms)?)))
    };
    let applied = done.as_ref().ok().and_then(Option::as_ref);
    if out.is_json() {
        let applied = applied.map(|applied| {
            Json::Object(vec![
                ("number", u64::from(applied.number).into()),
                ("journal", path_text(&applied.journal).into()),
            ])
        });
        let plan = Json::Plan(Box::new(plan.clone()));
        out.value(&Json::Object(vec![("plan", plan), ("applied", applied.into())]))?;
    } else if let Some(Applied { number, journal, .. }) = applied {
        let did = if plan.undoes.is_some() { "taken back" } else { "repaired" };
        out.line(&format!("{did}; this is repair {number}, kept in {}", journal.display()))?;
    }
    done
}

fn make_plan(args: &RepairArgs, view: &LogView, out: &Out) -> Result<Plan, StorageError> {
    let progress = Progress::new("planning", out);
    repair::plan_repair(view, &args.wishes(), args.donor.as_deref(), &mut |done, total| {
        progress.to(done, total);
        ControlFlow::Continue(())
    })
}

fn read_plan(file: &Path) -> Result<Plan, Failure> {
    let text = fs::read_to_string(file).map_err(|error| io(file, "read", error))?;
    let no_plan = |found: String| Failure::Usage {
        error: format!("{}: expected a plan of layout {PLAN_VERSION}, found {found}", file.display()),
        next: "Make one with `chronicle repair LOG --plan FILE --dry-run`".into(),
    };
    let plan = Plan::from_json(&text).map_err(|error| no_plan(format!("something else: {error}")))?;
    if plan.plan == PLAN_VERSION { Ok(plan) } else { Err(no_plan(format!("layout {}", plan.plan))) }
}

/// Sees to it, before anything is read through, that the plan can be saved: never over a file that `--force` does not
/// mean, and never over the log or its index.
fn room_for_plan(file: &Path, force: bool, site: &Site) -> Result<(), Failure> {
    if !force {
        return match fs::symlink_metadata(file) {
            Ok(_) => Err(StorageError::Exists { path: file.to_owned() }.into()),
            Err(_) => Ok(()),
        };
    }
    let index = site.index.clone().unwrap_or_else(|| index_path(&site.path));
    for taken in [&site.path, &index] {
        if let (Ok(one), Ok(other)) = (OsDisk.identity(file), OsDisk.identity(taken))
            && (one.device, one.inode) == (other.device, other.inode)
        {
            return Err(Failure::Refused {
                error: format!("{}: the plan would replace {}", file.display(), taken.display()),
                next: "Name another file behind --plan".into(),
            });
        }
    }
    Ok(())
}

/// Saves a plan, readable by no more than the log is: it holds bytes of it.
fn save_plan(file: &Path, plan: &Plan, force: bool, log: &Path) -> Result<(), Failure> {
    let mut text = plan.to_json().map_err(|error| io(file, "write", error.into()))?;
    text.push('\n');
    if force {
        return Ok(replace(&OsDisk, file, log, |new, path| {
            new.write_at(text.as_bytes(), 0).map_err(|error| StorageError::io(path, "write", error))
        })?);
    }
    let opened = OsDisk.open(file, Open::CreateSide { like: log });
    opened.and_then(|new| new.write_at(text.as_bytes(), 0)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StorageError::Exists { path: file.to_owned() }.into(),
        _ => io(file, "write", error),
    })
}

/// Catches the index up; when that fails the repair stands all the same.
fn keep_index(applied: &Applied, log: &Path, side: &Side, out: &mut Out) {
    if !applied.index_behind {
        return;
    }
    let progress = Progress::new("indexing", out);
    let caught_up = log_to_read(log, side).and_then(|mut log| {
        let (_, read) = log.catch_up(&mut |step| {
            if let Step::Progress(done, total) = step {
                progress.to(done, total);
            }
            ControlFlow::Continue(())
        })?;
        if read.is_some() { log.save_index() } else { Ok(()) }
    });
    drop(progress);
    if let Err(error) = caught_up {
        let said = format!("the log is as the plan says; its index was not caught up: {error}");
        out.tell(&said, &Json::Object(vec![("index_not_caught_up", error.to_string().into())]));
    }
}

/// What `verify` answers about the log as it stands now.
fn judge(log: &Path, side: &Side, out: &mut Out) -> Run {
    let view = view_with_checked_index(&log_to_read(log, side)?);
    let progress = Progress::new("verifying", out);
    let (mut tally, mut status) = (Tally::default(), index_status(&view, false));
    let mut pass = |on: &mut dyn FnMut(Step) -> ControlFlow<()>| survey(&view, &Wish::default(), None, on);
    let seen = look(&view, &mut pass, &progress, &mut |found| {
        tally.add(&found.finding);
        status = status.or(Status::of_finding(&found.finding, found.fix.as_ref()));
        Ok(())
    })?;
    drop(progress);
    out.note(&format!("the log as it stands: {}", tally.summary(seen.events)));
    Ok(status)
}

/// The medical record; what stands in the folder and is no journal of this log is told beside it.
fn list(site: &Site, out: &mut Out) -> Run {
    let (records, notices) = repair::records(site)?;
    for record in &records {
        if out.is_json() { out.value(&json::record(record)) } else { out.line(&record_line(record)) }?;
    }
    if records.is_empty() && notices.is_empty() {
        out.note(&format!("{}: never repaired", site.path.display()));
    }
    for notice in notices {
        out.tell(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
    }
    Ok(Status::Done)
}

fn io(file: &Path, action: &'static str, source: std::io::Error) -> Failure {
    StorageError::Io { path: file.to_owned(), action, offset: None, source }.into()
}
