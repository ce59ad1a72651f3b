//! `verify`: the whole judgement about a log and its index, in words, as one object, or finding by finding.

use std::ops::ControlFlow;

use super::args::{Side, VerifyArgs};
use super::fail::{Failure, Run};
use super::open::{log_to_read, view_with_checked_index};
use super::out::{Out, finding_line};
use super::progress::Progress;
use crate::format::Finding;
use crate::index::IndexState;
use crate::inspect::{LogView, Step, Survey, Wish, survey};
use crate::repair::PendingRepair;
use crate::report::json::{self, VerifyReport};
use crate::report::units::{Zone, count, exact, minute, size};
use crate::report::{Status, Tally, index_line, index_meaning, index_reason, path_text};

pub(super) fn verify(args: &VerifyArgs, side: &Side, out: &mut Out) -> Run {
    run(args, side, out).map_err(|failure| match failure {
        // A log that changes under the look makes the look fail: verify never refuses.
        Failure::Storage(error, Status::Refused) => Failure::Storage(error, Status::Failed),
        other => other,
    })
}

fn run(args: &VerifyArgs, side: &Side, out: &mut Out) -> Run {
    let log = log_to_read(&args.log, side)?;
    let from = args.from.map(|from| log.replay(from).map(|replay| replay.position())).transpose()?;
    let view = view_with_checked_index(&log);
    let bytes = view.log().len()?;
    let wish = Wish { frames_only: args.frames, from, until: args.until };
    let as_words = !out.is_json() && !args.ndjson;
    if as_words {
        out.path_line(view.path(), &head_line(&view, bytes))?;
    }
    let pending = log.pending_repair()?;
    let progress = Progress::new("verifying", out);
    let mut tally = Tally::default();
    let mut printed = Ok(());
    let seen = survey(&view, &wish, None, &mut |step| {
        match step {
            Step::Progress(done, total) => progress.to(done, total),
            Step::Finding(found) => {
                tally.add(found);
                printed = progress.aside(|| print(found, args, out));
            }
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    drop(progress);
    printed?;
    let seen = seen?;
    if as_words {
        say(&view, &wish, &seen, &tally, out)?;
        if let Some(pending) = &pending {
            out.line(&pending_line(pending))?;
        }
    } else if out.is_json() && !args.ndjson {
        out.value(&json::verify(&VerifyReport {
            view: &view,
            survey: &seen,
            wish: &wish,
            bytes,
            pending: pending.as_ref(),
        }))?;
    }
    Ok(status(args, &view, &seen))
}

fn print(found: &Finding, args: &VerifyArgs, out: &mut Out) -> Result<(), Failure> {
    if args.ndjson {
        out.value(&json::finding(found))
    } else if out.is_json() {
        Ok(())
    } else {
        out.line(&finding_line(found))
    }
}

fn pending_line(pending: &PendingRepair) -> String {
    let PendingRepair { action, start, end, journal } = pending;
    let journal = path_text(journal);
    format!("pending: {action} of {start}..{end} was begun and not done; opening for append completes it ({journal})")
}

fn head_line(view: &LogView, bytes: u64) -> String {
    let created = view.created_at_ms().map(|ms| format!(", created {}", minute(ms, Zone::Utc))).unwrap_or_default();
    let version = view.log().version().number();
    format!(": version {version}{created}, {} ({} bytes)", size(bytes), exact(bytes))
}

fn say(view: &LogView, wish: &Wish, seen: &Survey, tally: &Tally, out: &mut Out) -> Result<(), Failure> {
    if let Some(range) = &seen.in_flight {
        out.line(&format!("{}..{} is being written: no damage", range.start, range.end))?;
    }
    if wish.frames_only {
        out.line(&format!("{}; {}", count(seen.events, "frame"), tally.line()))?;
        out.line("framing and checksums only: whether payloads are events, and their times, was not judged")?;
    } else {
        out.line(&tally.summary(seen.events))?;
    }
    if wish.from.is_some() || wish.until.is_some() {
        let until = wish.until.map_or_else(|| "the end".into(), |until| format!("offset {until}"));
        out.line(&format!("only from offset {} to {until}", wish.from.unwrap_or_default()))?;
    }
    let whole = wish.from.is_none() && wish.until.is_none() && !wish.frames_only;
    let events = match view.state() {
        IndexState::Behind { .. } if whole => {
            view.persisted().map(|index| seen.events.saturating_sub(index.head().events))
        }
        IndexState::Ahead { .. } => seen.findings.last().and_then(|found| found.evidence.events_missing),
        _ => None,
    };
    out.line(&format!("index {}: {}", index_line(view.state(), events), index_meaning(view.state())))?;
    index_reason(view.state()).map_or(Ok(()), |reason| out.line(&format!("  {reason}")))
}

fn status(args: &VerifyArgs, view: &LogView, seen: &Survey) -> Status {
    let mut status = Status::Done;
    if seen.damage_total > 0 || (args.no_gaps && seen.gaps > 0) {
        status = status.or(Status::Damage);
    }
    let usable = match view.state() {
        IndexState::Fresh => true,
        IndexState::Missing | IndexState::Behind { .. } | IndexState::Ahead { .. } => !args.require_fresh,
        IndexState::Foreign { .. } | IndexState::Corrupt { .. } | IndexState::Unsupported { .. } => false,
    };
    if usable { status } else { status.or(Status::Index) }
}
