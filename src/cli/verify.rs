//! `verify`: the whole judgement about a log and its index, in words, as one object, or finding by finding.

use std::iter;
use std::ops::ControlFlow;

use super::args::{GlobalArgs, VerifyArgs};
use super::failure::{CommandFailure, CommandResult};
use super::open::{GapJournals, open_options, view_with_checked_index};
use super::output::{CommandOutput, finding_line};
use super::progress::TerminalProgress;
use crate::StorageError;
use crate::format::DamageKind;
use crate::index::{AggregateIndex, IndexState, VerificationMark};
use crate::inspect::{
    LogView, MAX_FINDINGS, OnSurveyUpdate, Survey, SurveyOptions, SurveyUpdate, survey_ranges, unverified_ranges,
};
use crate::repair::{FixFinder, PendingRepair, ProposedFix};
use crate::report::json::{self, Json, VerifyReport};
use crate::report::units::{DisplayZone, format_count, format_minute, format_number, format_size, format_timestamp};
use crate::report::{ExitStatus, FindingCounts, fix_line, index_line, index_meaning, index_reason, safe_path_text};

pub(super) fn verify(args: &VerifyArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    run_verify(args, global, out).map_err(|failure| match failure {
        // A log that changes under the look makes the look fail: verify never refuses.
        CommandFailure::Storage(error, ExitStatus::Refused) => CommandFailure::Storage(error, ExitStatus::Failed),
        other => other,
    })
}

fn run_verify(args: &VerifyArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let mut log = open_options(global).threads(args.threads.count()).open_read_only(&args.log)?;
    let from = args.from.map(|from| log.replay(from).map(|replay| replay.position())).transpose()?;
    // Who only wants what is new has no time for an index of all that was.
    let mut view = if args.since_last { log.view().clone() } else { view_with_checked_index(&log) };
    let bytes = view.log().len()?;
    check_offsets(args, bytes)?;
    let index = args.since_last.then(|| view.load_index());
    let last = index.as_ref().and_then(AggregateIndex::verification_mark);
    let ranges = match &index {
        Some(known) => unverified_ranges(known, bytes),
        None => iter::once(from.unwrap_or_default()..args.until.unwrap_or(bytes).min(bytes)).collect(),
    };
    let survey_options = SurveyOptions {
        frames_only: args.frames,
        // Of a log that has lost its end even what is left of it begins before the mark.
        from: from.or(last.and_then(|last| {
            ranges.last().map(|end| if last.verified_to > bytes { end.start } else { last.verified_to })
        })),
        until: args.until,
        ..SurveyOptions::default()
    };
    let as_words = !out.is_json() && !args.ndjson;
    if as_words {
        out.print_path_line(view.path(), &title_line(&view, bytes))?;
    }
    let pending = log.pending_repair()?;
    let mut reporter = VerifyReporter {
        args,
        gap_journals: GapJournals::for_log(&log)?,
        tally: FindingCounts::default(),
        status: ExitStatus::Done,
        json_findings: vec![],
    };
    let progress = TerminalProgress::new("verifying", out);
    let mut kept = Ok(());
    let mut pass = |on: &mut OnSurveyUpdate| {
        if !args.save {
            return survey_ranges(&view, &ranges, bytes, &survey_options, on);
        }
        if let IndexState::Corrupt { reason } = view.index_state() {
            log.mark_index_corrupt(reason.clone());
        }
        let (found, saved) = log.verify(&ranges, bytes, on)?;
        kept = saved;
        Ok(found)
    };
    let seen = survey_with_fixes(&view, &mut pass, &progress, &mut |found| {
        progress.suspend(|| reporter.report_finding(&found, out))
    })?;
    drop(progress);
    // What was saved is what there is now.
    let view = if args.save && kept.is_ok() { log.view().clone() } else { view };
    if as_words {
        print_summary(&view, &survey_options, &seen, &reporter.tally, out)?;
        if args.since_last {
            let again = ranges.iter().filter(|range| survey_options.from.is_some_and(|from| range.start < from));
            let again = again.filter(|range| range.end > view.log().first_frame_offset()).count();
            out.print_line(&last_verification_line(last, again as u64))?;
        }
        if let Some(pending) = &pending {
            out.print_line(&pending_line(pending))?;
        }
    } else if out.is_json() && !args.ndjson {
        out.print_json(&json::verify(&VerifyReport {
            view: &view,
            survey: &seen,
            options: &survey_options,
            bytes,
            findings: &reporter.json_findings,
            pending: pending.as_ref(),
        }))?;
    }
    // What was found stands, kept or not.
    kept?;
    Ok(reporter.status.combine(index_status(&view, args.require_fresh)))
}

/// Whether the offsets leave anything to be judged.
fn check_offsets(args: &VerifyArgs, bytes: u64) -> Result<(), CommandFailure> {
    let error = match (args.from, args.until) {
        (Some(from), _) if from > bytes => format!("--from {from} lies behind the log's end, which is at {bytes}"),
        (from, Some(until)) if until <= from.unwrap_or_default() => {
            format!("--until {until} does not lie behind where it begins, {}", from.unwrap_or_default())
        }
        _ => return Ok(()),
    };
    let next = "nothing was judged; give offsets as `verify` and `cat` print them".into();
    Err(CommandFailure::Usage { message: error, hint: next })
}

/// Tells `on` of every finding of a pass over a log, with what can be done about it.
pub(super) fn survey_with_fixes(
    view: &LogView,
    pass: &mut SurveyRunner,
    progress: &TerminalProgress,
    on_finding: &mut dyn FnMut(ProposedFix) -> Result<(), CommandFailure>,
) -> Result<Survey, CommandFailure> {
    let mut proposer = FixFinder::new(view)?;
    let mut callback_result = Ok(());
    let seen = pass(&mut |step| {
        match step {
            SurveyUpdate::Progress(read) => progress.set_position(read.position, read.total),
            SurveyUpdate::Finding(found) => {
                let decided = proposer.push(found).map_err(CommandFailure::from);
                callback_result = decided.and_then(|decided| decided.into_iter().try_for_each(&mut *on_finding));
            }
        }
        if callback_result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    callback_result?;
    let seen = seen?;
    proposer.finish().into_iter().try_for_each(on_finding)?;
    Ok(seen)
}

/// What an index makes of a log without damage.
pub(super) fn index_status(view: &LogView, require_fresh: bool) -> ExitStatus {
    let usable = match view.index_state() {
        IndexState::Fresh => true,
        IndexState::Missing | IndexState::Behind { .. } | IndexState::Ahead { .. } => !require_fresh,
        IndexState::Foreign { .. } | IndexState::Corrupt { .. } | IndexState::Unsupported { .. } => false,
    };
    if usable { ExitStatus::Done } else { ExitStatus::IndexUnusable }
}

/// What was judged so far.
struct VerifyReporter<'a> {
    args: &'a VerifyArgs,
    gap_journals: GapJournals,
    tally: FindingCounts,
    status: ExitStatus,
    /// The first findings, for the one object.
    json_findings: Vec<Json>,
}

impl VerifyReporter<'_> {
    fn report_finding(
        &mut self,
        ProposedFix { finding, fix }: &ProposedFix,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        self.tally.add(finding);
        self.status = self.status.combine(match finding.kind {
            DamageKind::Gap if self.args.no_gaps => ExitStatus::Damage,
            _ => ExitStatus::for_finding(finding, fix.as_ref()),
        });
        let kept_in = self.gap_journals.journal_of(finding);
        if self.args.ndjson {
            return out.print_json(&json::finding(finding, fix.as_ref(), kept_in));
        }
        if out.is_json() {
            if self.json_findings.len() < MAX_FINDINGS {
                self.json_findings.push(json::finding(finding, fix.as_ref(), kept_in));
            }
            return Ok(());
        }
        out.print_line(&finding_line(finding, kept_in))?;
        fix.as_ref().map_or(Ok(()), |fix| out.print_line(&format!("  can be done: {}", fix_line(fix))))
    }
}

/// A pass over a log, which tells how it goes.
pub(super) type SurveyRunner<'a> = dyn FnMut(&mut OnSurveyUpdate) -> Result<Survey, StorageError> + 'a;

fn last_verification_line(last: Option<VerificationMark>, rechecked: u64) -> String {
    let Some(VerificationMark { verified_at_ms: at_ms, .. }) = last else {
        return "the index knows of no earlier verification; all was verified".into();
    };
    let line = format!("what lies before was verified on {}", format_timestamp(at_ms, DisplayZone::Utc));
    match rechecked {
        0 => line,
        _ => {
            format!(
                "{line}; verified again: {} there that the index does not know to be sound",
                format_count(rechecked, "place")
            )
        }
    }
}

fn pending_line(pending: &PendingRepair) -> String {
    let PendingRepair { action, start, end, journal } = pending;
    let journal = safe_path_text(journal);
    let next = "opening for append, `repair` and `undo` complete it or take it back";
    format!("pending: {action} of {start}..{end} was begun and not done; {next} ({journal})")
}

fn title_line(view: &LogView, bytes: u64) -> String {
    let created =
        view.created_at_ms().map(|ms| format!(", created {}", format_minute(ms, DisplayZone::Utc))).unwrap_or_default();
    let version = view.log().version().number();
    format!(": version {version}{created}, {} ({} bytes)", format_size(bytes), format_number(bytes))
}

fn print_summary(
    view: &LogView,
    survey_options: &SurveyOptions,
    survey: &Survey,
    tally: &FindingCounts,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    if let Some(range) = &survey.in_flight {
        out.print_line(&format!("{}..{} is being written: no damage", range.start, range.end))?;
    }
    if survey_options.frames_only {
        out.print_line(&format!("{}; {}", format_count(survey.events, "frame"), tally.counts_line()))?;
        out.print_line("framing and checksums only: whether payloads are events, and their times, was not judged")?;
    } else {
        out.print_line(&tally.summary_line(survey.events))?;
    }
    if survey_options.from.is_some() || survey_options.until.is_some() {
        let until = survey_options.until.map_or_else(|| "the end".into(), |until| format!("offset {until}"));
        out.print_line(&format!("only from offset {} to {until}", survey_options.from.unwrap_or_default()))?;
    }
    let whole = survey_options.from.is_none() && survey_options.until.is_none() && !survey_options.frames_only;
    let events = match view.index_state() {
        IndexState::Behind { .. } if whole => {
            view.persisted_index().map(|index| survey.events.saturating_sub(index.head().events))
        }
        IndexState::Ahead { .. } => survey.findings.last().and_then(|found| found.evidence.events_missing),
        _ => None,
    };
    out.print_line(&format!(
        "index {}: {}",
        index_line(view.index_state(), events),
        index_meaning(view.index_state())
    ))?;
    index_reason(view.index_state()).map_or(Ok(()), |reason| out.print_line(&format!("  {reason}")))
}
