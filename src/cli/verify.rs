//! `verify`: checks a whole log and its index; prints text, one JSON object, or one JSON object per finding.

use std::iter;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::findings::{IndexRequirement, finding_line, index_status, survey_with_fixes};
use super::log_access::{GapJournals, open_options, print_side_file_notices, view_with_checked_index};
use super::log_input::LogInput;
use super::log_list::{LogList, ReportDetail, exit_suffix, report_each};
use super::options::{GlobalArgs, ThreadArgs, parse_offset};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::format::{DamageKind, Finding, Version};
use crate::index::{AggregateIndex, IndexState, VerificationMark};
use crate::inspect::{
    DamageOrigins, LogView, MAX_FINDINGS, OnSurveyUpdate, Survey, SurveyOptions, find_unrecorded_frames, survey_ranges,
    unverified_ranges,
};
use crate::repair::{PendingRepair, ProposedFix};
use crate::report::json::{self, Json, VerifyReport};
use crate::report::units::{DisplayZone, format_count, format_exact_size, format_minute, format_timestamp};
use crate::report::{
    ExitStatus, FindingCounts, VERSION_0_LIMIT, fix_line, index_line, index_meaning, index_reason, safe_path_text,
    seen_end_line, unrecorded_frames_line,
};

/// Check every frame, every event and the index of a log.
///
/// Reports each finding with its range, kind, meaning and available fix. Writes nothing, except the index with --save.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle verify a.log                      verify the whole log
  chronicle verify a.log b.log logs/          one line for each log
  chronicle verify a.log --ndjson             one JSON object per finding
  chronicle verify s3://bucket/logs/          every log below, in object storage (feature `remote`)
  chronicle verify a.log --since-last --save  verify only what is new, for a daily job")]
#[expect(clippy::struct_excessive_bools, reason = "each one is a flag of the command line, independent of the others")]
pub(super) struct VerifyArgs {
    /// Log to verify; - is stdin. A pipe and a log that gzip or zstd compressed are read too. Several logs, or a folder with
    /// logs, take one line each
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// Check frames and checksums only, not payloads and event times
    #[arg(long)]
    frames: bool,
    /// Start at this offset, which must be the start of a frame or of a damaged range
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    from: Option<u64>,
    /// Stop before the first frame that starts at or after this offset
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    until: Option<u64>,
    /// Print only the findings, as one JSON object per line
    #[arg(long)]
    ndjson: bool,
    /// Count gaps as damage
    #[arg(long)]
    no_gaps: bool,
    /// Exit 5 unless the index is fresh
    #[arg(long)]
    require_fresh: bool,
    /// Verify only what is new since the last --save, and the ranges that the index lists as damaged
    #[arg(long, conflicts_with = "from")]
    since_last: bool,
    /// Save in the index how far the log was verified, and when; builds or updates the index
    #[arg(long, conflicts_with_all = ["frames", "until"])]
    save: bool,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl VerifyArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let logs = LogList::new(&self.logs, global)
            .for_one_log(self.from.map(|_| "--from"))
            .for_one_log(self.until.map(|_| "--until"))
            .for_one_log(self.ndjson.then_some("--ndjson"));
        report_each(&logs, out, &mut |log, detail, out| {
            self.verify(log, detail, global, out).map_err(|failure| match failure {
                // A log that changes while it is read makes verification fail; status 6 is for commands that write.
                CommandFailure::Storage(error, ExitStatus::Refused) => {
                    CommandFailure::Storage(error, ExitStatus::Failed)
                }
                CommandFailure::Refused { message, hint } => CommandFailure::Usage { message, hint },
                other => other,
            })
        })
    }

    fn verify(&self, path: &Path, detail: ReportDetail, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        if self.save {
            CommandPaths::new(global).reads_log("the log", path).saves_index_of(path).check()?;
        }
        let options = open_options(global).threads(self.threads.count());
        let LogInput { mut log, is_stream, status } = LogInput::open(path, options, out)?;
        if is_stream && self.save {
            return Err(CommandFailure::Usage {
                message: "--save needs a log in a file that is not compressed: a stream has no index".into(),
                hint: "Leave out --save".into(),
            });
        }
        print_side_file_notices(&log, out);
        let from = self.from.map(|from| log.replay(from).map(|replay| replay.position())).transpose()?;
        // --since-last must not cost a read of the whole index.
        let view = if self.since_last { log.view().clone() } else { view_with_checked_index(&log) };
        let bytes = view.log().len()?;
        self.check_offsets(bytes)?;
        let index = self.since_last.then(|| view.load_index());
        let scope = VerifyScope::new(self, index.as_ref(), from, bytes);
        let print_text = !out.is_json() && !self.ndjson && detail == ReportDetail::Full;
        if print_text {
            out.print_path_line(view.path(), &title_line(&view, bytes))?;
        }
        let pending = log.pending_repair()?;
        let mut reporter = VerifyReporter {
            args: self,
            detail,
            version: view.log().version(),
            gap_journals: GapJournals::for_log(&log)?,
            counts: FindingCounts::default(),
            origins: DamageOrigins::default(),
            status,
            json_findings: vec![],
        };
        let progress = TerminalProgress::new("verifying", out);
        let mut saved = Ok(());
        let mut pass = |on_update: &mut OnSurveyUpdate| {
            if !self.save {
                return survey_ranges(&view, &scope.ranges, bytes, &scope.options, on_update);
            }
            if !view.index_state().is_trusted() {
                log.mark_index_unusable(view.index_state().clone());
            }
            let verification = log.verify_ranges(&scope.ranges, bytes, on_update)?;
            saved = verification.index_saved;
            Ok(verification.survey)
        };
        let survey = survey_with_fixes(&view, &mut pass, &progress, &mut |fix| {
            progress.suspend(|| reporter.report_finding(&fix, out))
        })?;
        drop(progress);
        let damaged = survey.findings.iter().filter(|finding| finding.kind.is_damage()).map(Finding::range);
        let unrecorded = find_unrecorded_frames(&view, &survey.scanned_ranges, &damaged.collect::<Vec<_>>())?;
        if !unrecorded.is_empty() {
            reporter.status = reporter.status.combine(ExitStatus::Damage);
        }
        // After --save the report describes the index that was just written.
        let view = if self.save && saved.is_ok() { log.view().clone() } else { view };
        if print_text {
            print_summary(&view, &scope.options, &survey, &reporter.counts, out)?;
            unrecorded.iter().try_for_each(|frames| out.print_line(&unrecorded_frames_line(frames)))?;
            reporter.origins.advice().iter().try_for_each(|advice| out.print_line(advice))?;
            if self.since_last {
                let rechecked = scope.rechecked_ranges(view.log().first_frame_offset());
                out.print_line(&last_verification_line(scope.last_verification, rechecked))?;
            }
            if let Some(pending) = &pending {
                out.print_line(&pending_line(pending))?;
            }
        } else if out.is_json() && !self.ndjson {
            out.print_json(&json::verify(&VerifyReport {
                view: &view,
                survey: &survey,
                options: &scope.options,
                bytes,
                findings: &reporter.json_findings,
                pending: pending.as_ref(),
                unrecorded: &unrecorded,
            }))?;
        } else if self.ndjson {
            // With --ndjson the output has findings only.
            for frames in &unrecorded {
                out.print_note(&unrecorded_frames_line(frames));
            }
        }
        // Reported last: the findings are valid even if the index could not be saved.
        saved?;
        let requirement = if self.require_fresh { IndexRequirement::Fresh } else { IndexRequirement::NotBroken };
        let status = reporter.status.combine(index_status(&view, requirement));
        if detail == ReportDetail::Line && !out.is_json() {
            let summary = list_summary(&view, &scope.options, &survey, &reporter.counts);
            let unrecorded = (!unrecorded.is_empty()).then_some("; frames differ from what the index has recorded");
            let (unrecorded, index) = (unrecorded.unwrap_or_default(), index_line(view.index_state(), None));
            let text = format!(": {summary}{unrecorded}; index {index}{}", exit_suffix(status));
            out.print_path_line(view.path(), &text)?;
        }
        Ok(status)
    }

    /// Rejects offsets that leave nothing to verify.
    fn check_offsets(&self, bytes: u64) -> Result<(), CommandFailure> {
        let message = match (self.from, self.until) {
            (Some(from), _) if from > bytes => format!("--from {from} is after the end of the log at offset {bytes}"),
            (from, Some(until)) if until <= from.unwrap_or_default() => {
                format!("--until {until} is not after the start offset {}", from.unwrap_or_default())
            }
            _ => return Ok(()),
        };
        Err(CommandFailure::Usage { message, hint: "Use offsets as `verify` and `cat` print them".into() })
    }
}

/// The part of the log that one run verifies.
struct VerifyScope {
    /// Ascending ranges of file offsets.
    ranges: Vec<Range<u64>>,
    options: SurveyOptions,
    /// The mark that an earlier `--save` left in the index.
    last_verification: Option<VerificationMark>,
}

impl VerifyScope {
    /// Computes the scope from the arguments. `index` is given with `--since-last`; `from` is the start of a frame.
    fn new(args: &VerifyArgs, index: Option<&AggregateIndex>, from: Option<u64>, bytes: u64) -> Self {
        let last_verification = index.and_then(AggregateIndex::verification_mark);
        let ranges: Vec<Range<u64>> = match index {
            Some(index) => unverified_ranges(index, bytes),
            None => iter::once(from.unwrap_or_default()..args.until.unwrap_or(bytes).min(bytes)).collect(),
        };
        // After a cut the mark can lie past the end of the log: the last range then starts before the mark.
        let since_mark = last_verification.and_then(|mark| {
            ranges.last().map(|last| if mark.verified_to > bytes { last.start } else { mark.verified_to })
        });
        let options = SurveyOptions {
            frames_only: args.frames,
            from: from.or(since_mark),
            until: args.until,
            ..SurveyOptions::new()
        };
        Self { ranges, options, last_verification }
    }

    /// Counts the ranges before the mark that are verified again; the header alone does not count.
    fn rechecked_ranges(&self, first_frame_offset: u64) -> u64 {
        let before_mark = |range: &&Range<u64>| self.options.from.is_some_and(|from| range.start < from);
        self.ranges.iter().filter(before_mark).filter(|range| range.end > first_frame_offset).count() as u64
    }
}

/// Prints findings as they arrive, counts them, and derives the exit status.
struct VerifyReporter<'a> {
    args: &'a VerifyArgs,
    detail: ReportDetail,
    version: Version,
    gap_journals: GapJournals,
    counts: FindingCounts,
    /// The causes of the damage that concern the whole file.
    origins: DamageOrigins,
    status: ExitStatus,
    /// The first [`MAX_FINDINGS`] findings, for `--json`.
    json_findings: Vec<Json>,
}

impl VerifyReporter<'_> {
    fn report_finding(
        &mut self,
        ProposedFix { finding, fix }: &ProposedFix,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        self.counts.add(finding);
        self.origins.add(finding);
        self.status = self.status.combine(match finding.kind {
            DamageKind::Gap if self.args.no_gaps => ExitStatus::Damage,
            _ => ExitStatus::for_finding(finding, fix.as_ref(), self.version),
        });
        let journal = self.gap_journals.journal_of(finding);
        if self.args.ndjson {
            return out.print_json(&json::finding(finding, fix.as_ref(), journal));
        }
        if out.is_json() {
            if self.json_findings.len() < MAX_FINDINGS {
                self.json_findings.push(json::finding(finding, fix.as_ref(), journal));
            }
            return Ok(());
        }
        if self.detail == ReportDetail::Line {
            return Ok(());
        }
        out.print_line(&finding_line(finding, journal))?;
        match fix {
            // A fix of version 0 is at best likely, and only a copy applies it.
            Some(fix) if self.version == Version::V0 => {
                let apply = "`chronicle migrate LOG -o NEW --accept likely` applies it in the copy";
                out.print_line(&format!("  fix: {}; {apply}", fix_line(fix)))
            }
            Some(fix) => out.print_line(&format!("  fix: {}", fix_line(fix))),
            // A version 0 log is never repaired in place, and its readable events are all before the unfinished frame.
            None if finding.kind == DamageKind::TornTail && self.version == Version::V0 => {
                out.print_line("  fix: `chronicle migrate LOG -o NEW` copies all other events")
            }
            None => Ok(()),
        }
    }
}

fn last_verification_line(last: Option<VerificationMark>, rechecked: u64) -> String {
    let Some(VerificationMark { verified_at_ms, .. }) = last else {
        return "no earlier verification in the index: the whole log was verified".into();
    };
    let line = format!("earlier bytes were verified on {}", format_timestamp(verified_at_ms, DisplayZone::Utc));
    match rechecked {
        0 => line,
        _ => format!("{line}; verified again: {} not known to be sound", format_count(rechecked, "earlier range")),
    }
}

fn pending_line(pending: &PendingRepair) -> String {
    let PendingRepair { action, start, end, journal } = pending;
    let journal = safe_path_text(journal);
    let next = "the next append, `repair` or `undo` completes it or rolls it back";
    format!("pending repair: {action} of {start}..{end} was interrupted; {next} ({journal})")
}

fn title_line(view: &LogView, bytes: u64) -> String {
    let created =
        view.created_at_ms().map(|ms| format!(", created {}", format_minute(ms, DisplayZone::Utc))).unwrap_or_default();
    let version = view.log().version().number();
    format!(": version {version}{created}, {}", format_exact_size(bytes))
}

/// Summarizes the findings. A log of version 0 is only known to be readable.
fn summary_line(view: &LogView, survey: &Survey, counts: &FindingCounts) -> String {
    let line = counts.summary_line(survey.events);
    match view.log().version() {
        Version::V1 | Version::V2 => line,
        Version::V0 if counts.damage_count() > 0 => format!("{line}; {VERSION_0_LIMIT}"),
        Version::V0 => format!("{}; {VERSION_0_LIMIT}", line.replacen("no damage", "readable", 1)),
    }
}

/// Summarizes the findings for a list of logs.
fn list_summary(view: &LogView, options: &SurveyOptions, survey: &Survey, counts: &FindingCounts) -> String {
    if !options.frames_only {
        return summary_line(view, survey, counts);
    }
    format!("{}; {}", format_count(survey.events, "frame"), counts.counts_line())
}

fn print_summary(
    view: &LogView,
    options: &SurveyOptions,
    survey: &Survey,
    counts: &FindingCounts,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    if let Some(range) = &survey.in_flight {
        out.print_line(&format!("{}..{} is being written: not damage", range.start, range.end))?;
    }
    if options.frames_only {
        out.print_line(&list_summary(view, options, survey, counts))?;
        out.print_line("frames and checksums only: payloads and event times were not checked")?;
    } else {
        out.print_line(&summary_line(view, survey, counts))?;
    }
    if options.from.is_some() || options.until.is_some() {
        let until = options.until.map_or_else(|| "the end".into(), |until| format!("offset {until}"));
        out.print_line(&format!("verified from offset {} to {until} only", options.from.unwrap_or_default()))?;
    }
    let is_whole_log = options.from.is_none() && options.until.is_none() && !options.frames_only;
    let events = match view.index_state() {
        IndexState::Behind { .. } if is_whole_log => {
            view.index_coverage().map(|coverage| survey.events.saturating_sub(coverage.events))
        }
        IndexState::Ahead { .. } => survey.findings.last().and_then(|finding| finding.evidence.events_missing),
        _ => None,
    };
    out.print_line(&format!(
        "index {}: {}",
        index_line(view.index_state(), events),
        index_meaning(view.index_state())
    ))?;
    index_reason(view.index_state()).map_or(Ok(()), |reason| out.print_line(&format!("  {reason}")))?;
    seen_end_line(view)?.map_or(Ok(()), |line| out.print_line(&line))
}
