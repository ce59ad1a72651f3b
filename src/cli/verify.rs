//! `verify`: the whole judgement about a log and its index, in words, as one object, or finding by finding.

use std::iter;
use std::ops::ControlFlow;

use super::args::{Side, VerifyArgs};
use super::fail::{Failure, Run};
use super::open::{Kept, options, view_with_checked_index};
use super::out::{Out, finding_line};
use super::progress::Progress;
use crate::StorageError;
use crate::format::Kind;
use crate::index::{AggregateIndex, IndexState, Verified};
use crate::inspect::{LogView, MAX_FINDINGS, Step, Survey, Wish, survey_ranges, unverified};
use crate::repair::{PendingRepair, Proposed, Proposer};
use crate::report::json::{self, Json, VerifyReport};
use crate::report::units::{Zone, count, exact, minute, moment, size};
use crate::report::{Status, Tally, fix_line, index_line, index_meaning, index_reason, path_text};

pub(super) fn verify(args: &VerifyArgs, side: &Side, out: &mut Out) -> Run {
    run(args, side, out).map_err(|failure| match failure {
        // A log that changes under the look makes the look fail: verify never refuses.
        Failure::Storage(error, Status::Refused) => Failure::Storage(error, Status::Failed),
        other => other,
    })
}

fn run(args: &VerifyArgs, side: &Side, out: &mut Out) -> Run {
    let mut log = options(side).threads(args.threads.number()).open_read_only(&args.log)?;
    let from = args.from.map(|from| log.replay(from).map(|replay| replay.position())).transpose()?;
    // Who only wants what is new has no time for an index of all that was.
    let mut view = if args.since_last { log.view().clone() } else { view_with_checked_index(&log) };
    let bytes = view.log().len()?;
    sensible(args, bytes)?;
    let known = args.since_last.then(|| view.index());
    let last = known.as_ref().and_then(AggregateIndex::verified);
    let ranges = match &known {
        Some(known) => unverified(known, bytes),
        None => iter::once(from.unwrap_or_default()..args.until.unwrap_or(bytes).min(bytes)).collect(),
    };
    let wish = Wish {
        frames_only: args.frames,
        // Of a log that has lost its end even what is left of it begins before the mark.
        from: from.or(last.and_then(|last| ranges.last().map(|end| if last.to > bytes { end.start } else { last.to }))),
        until: args.until,
        ..Wish::default()
    };
    let as_words = !out.is_json() && !args.ndjson;
    if as_words {
        out.path_line(view.path(), &head_line(&view, bytes))?;
    }
    let pending = log.pending_repair()?;
    let mut judged =
        Judged { args, kept: Kept::of(&log)?, tally: Tally::default(), status: Status::Done, first: vec![] };
    let progress = Progress::new("verifying", out);
    let mut kept = Ok(());
    let mut pass = |on: &mut dyn FnMut(Step) -> ControlFlow<()>| {
        if !args.save {
            return survey_ranges(&view, &ranges, bytes, &wish, on);
        }
        if let IndexState::Corrupt { reason } = view.state() {
            log.index_is_corrupt(reason.clone());
        }
        let (found, saved) = log.verify(&ranges, bytes, on)?;
        kept = saved;
        Ok(found)
    };
    let seen = look(&view, &mut pass, &progress, &mut |found| progress.aside(|| judged.found(&found, out)))?;
    drop(progress);
    // What was saved is what there is now.
    let view = if args.save && kept.is_ok() { log.view().clone() } else { view };
    if as_words {
        say(&view, &wish, &seen, &judged.tally, out)?;
        if args.since_last {
            let again = ranges.iter().filter(|range| wish.from.is_some_and(|from| range.start < from));
            let again = again.filter(|range| range.end > view.log().first_frame()).count();
            out.line(&last_line(last, again as u64))?;
        }
        if let Some(pending) = &pending {
            out.line(&pending_line(pending))?;
        }
    } else if out.is_json() && !args.ndjson {
        out.value(&json::verify(&VerifyReport {
            view: &view,
            survey: &seen,
            wish: &wish,
            bytes,
            findings: &judged.first,
            pending: pending.as_ref(),
        }))?;
    }
    // What was found stands, kept or not.
    kept?;
    Ok(judged.status.or(index_status(&view, args.require_fresh)))
}

/// Whether the offsets leave anything to be judged.
fn sensible(args: &VerifyArgs, bytes: u64) -> Result<(), Failure> {
    let error = match (args.from, args.until) {
        (Some(from), _) if from > bytes => format!("--from {from} lies behind the log's end, which is at {bytes}"),
        (from, Some(until)) if until <= from.unwrap_or_default() => {
            format!("--until {until} does not lie behind where it begins, {}", from.unwrap_or_default())
        }
        _ => return Ok(()),
    };
    let next = "nothing was judged; give offsets as `verify` and `cat` print them".into();
    Err(Failure::Usage { error, next })
}

/// Tells `on` of every finding of a pass over a log, with what can be done about it.
pub(super) fn look(
    view: &LogView,
    pass: &mut OnePass,
    progress: &Progress,
    on: &mut dyn FnMut(Proposed) -> Result<(), Failure>,
) -> Result<Survey, Failure> {
    let mut proposer = Proposer::new(view)?;
    let mut told = Ok(());
    let seen = pass(&mut |step| {
        match step {
            Step::Progress(done, total) => progress.to(done, total),
            Step::Finding(found) => {
                let decided = proposer.push(found).map_err(Failure::from);
                told = decided.and_then(|decided| decided.into_iter().try_for_each(&mut *on));
            }
        }
        if told.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    told?;
    let seen = seen?;
    proposer.finish().into_iter().try_for_each(on)?;
    Ok(seen)
}

/// What an index makes of a log without damage.
pub(super) fn index_status(view: &LogView, require_fresh: bool) -> Status {
    let usable = match view.state() {
        IndexState::Fresh => true,
        IndexState::Missing | IndexState::Behind { .. } | IndexState::Ahead { .. } => !require_fresh,
        IndexState::Foreign { .. } | IndexState::Corrupt { .. } | IndexState::Unsupported { .. } => false,
    };
    if usable { Status::Done } else { Status::Index }
}

/// What was judged so far.
struct Judged<'a> {
    args: &'a VerifyArgs,
    kept: Kept,
    tally: Tally,
    status: Status,
    /// The first findings, for the one object.
    first: Vec<Json>,
}

impl Judged<'_> {
    fn found(&mut self, Proposed { finding, fix }: &Proposed, out: &mut Out) -> Result<(), Failure> {
        self.tally.add(finding);
        self.status = self.status.or(match finding.kind {
            Kind::Gap if self.args.no_gaps => Status::Damage,
            _ => Status::of_finding(finding, fix.as_ref()),
        });
        let kept_in = self.kept.journal(finding);
        if self.args.ndjson {
            return out.value(&json::finding(finding, fix.as_ref(), kept_in));
        }
        if out.is_json() {
            if self.first.len() < MAX_FINDINGS {
                self.first.push(json::finding(finding, fix.as_ref(), kept_in));
            }
            return Ok(());
        }
        out.line(&finding_line(finding, kept_in))?;
        fix.as_ref().map_or(Ok(()), |fix| out.line(&format!("  can be done: {}", fix_line(fix))))
    }
}

/// A pass over a log, which tells how it goes.
pub(super) type OnePass<'a> = dyn FnMut(&mut dyn FnMut(Step) -> ControlFlow<()>) -> Result<Survey, StorageError> + 'a;

fn last_line(last: Option<Verified>, again: u64) -> String {
    let Some(Verified { at_ms, .. }) = last else {
        return "the index knows of no earlier verification; all was verified".into();
    };
    let line = format!("what lies before was verified on {}", moment(at_ms, Zone::Utc));
    match again {
        0 => line,
        _ => {
            format!("{line}; verified again: {} there that the index does not know to be sound", count(again, "place"))
        }
    }
}

fn pending_line(pending: &PendingRepair) -> String {
    let PendingRepair { action, start, end, journal } = pending;
    let journal = path_text(journal);
    let next = "opening for append, `repair` and `undo` complete it or take it back";
    format!("pending: {action} of {start}..{end} was begun and not done; {next} ({journal})")
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
