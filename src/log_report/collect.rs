//! Reads the content of the report: findings with their fixes, a plan, the repair history and statistics.

use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::StorageError;
use crate::file::LogFile;
use crate::format::Finding;
use crate::inspect::{
    DamageOrigins, LogView, Progress, Survey, SurveyOptions, SurveyUpdate, find_unrecorded_frames, survey,
};
use crate::query::{Filter, GroupBy, Statistics, StatisticsOptions, collect_statistics};
use crate::repair::{
    FixFinder, LogPaths, Plan, ProposedFix, RepairHistory, RepairOptions, plan_repair, read_repair_history,
};
use crate::report::{FindingCounts, describe_error, hint, unrecorded_frames_line};

/// Largest number of findings that the page describes. The others are counted.
const MAX_FINDINGS_DESCRIBED: usize = 200;
/// Largest number of event types that the page lists. The others are counted together.
const MAX_TYPES: usize = 25;
/// Largest number of bytes that the page shows for a range.
const MAX_BYTES_SHOWN: usize = 24;
/// Number of unchanged bytes that the page shows on each side of a change.
const CONTEXT_BYTES: u64 = 8;
/// Largest number of changes of a fix that the page shows byte by byte.
const MAX_CHANGES_SHOWN: usize = 3;

/// A step of collecting a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CollectStep {
    /// Reading every frame.
    Verify,
    /// Planning a repair.
    Plan,
    /// Counting the events.
    Count,
}

/// The command and the time of the report, which are printed at the end of the page.
#[derive(Debug, Clone)]
pub(crate) struct ReportContext {
    /// The command line that writes the report.
    pub(crate) command: String,
    /// The time of the report, in milliseconds since the Unix epoch.
    pub(crate) time_ms: u64,
}

/// The content of a report.
#[derive(Debug)]
pub(crate) struct LogReport {
    pub(super) view: LogView,
    /// The folder of the repair journals.
    pub(super) journal_folder: PathBuf,
    pub(super) context: ReportContext,
    /// Size of the log in bytes.
    pub(super) bytes: u64,
    pub(super) survey: Survey,
    pub(super) counts: FindingCounts,
    /// The first [`MAX_FINDINGS_DESCRIBED`] findings.
    pub(super) findings: Vec<DescribedFinding>,
    /// Sentences about the whole file: its probable fault, and frames that differ from what the index has recorded.
    pub(super) remarks: Vec<String>,
    /// The plan of `chronicle repair`, or the reason why there is none.
    pub(super) plan: Result<Plan, String>,
    /// The repairs, or the reason why they cannot be read.
    pub(super) history: Result<RepairHistory, String>,
    /// The events by type.
    pub(super) statistics: Statistics,
}

/// A finding with its fix and with bytes of the log.
#[derive(Debug)]
pub(super) struct DescribedFinding {
    pub(super) proposed: ProposedFix,
    /// What the log holds around each change of the fix, or at the start of the range when nothing is known to change.
    pub(super) excerpts: Vec<BytesExcerpt>,
    /// The number of changes that have no excerpt.
    pub(super) more_changes: usize,
}

/// Bytes of the log, and what a fix would make of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BytesExcerpt {
    /// Offset of the first byte.
    pub(super) offset: u64,
    pub(super) before: Vec<u8>,
    /// The bytes after the fix; `None` when no fix is known.
    pub(super) after: Option<Vec<u8>>,
    /// The number of bytes after these that are not shown.
    pub(super) more: u64,
}

impl LogReport {
    /// Reads the log, and collects the report. Reads the whole log three times: to verify it, to plan a repair, and to count
    /// the events. Writes nothing.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(crate) fn collect(
        view: &LogView,
        paths: &LogPaths,
        context: ReportContext,
        on_progress: &mut dyn FnMut(CollectStep, Progress) -> ControlFlow<()>,
    ) -> Result<Self, StorageError> {
        let bytes = view.log().len()?;
        let (mut counts, mut origins) = (FindingCounts::default(), DamageOrigins::default());
        let survey = survey(view, &SurveyOptions::new(), None, &mut |update| match update {
            SurveyUpdate::Progress(progress) => on_progress(CollectStep::Verify, progress),
            SurveyUpdate::Finding(finding) => {
                counts.add(finding);
                origins.add(finding);
                ControlFlow::Continue(())
            }
        })?;
        let damaged: Vec<_> =
            survey.findings.iter().filter(|found| found.kind.is_damage()).map(Finding::range).collect();
        let unrecorded = find_unrecorded_frames(view, &survey.scanned_ranges, &damaged)?;
        let remarks = origins.advice().into_iter().chain(unrecorded.iter().map(unrecorded_frames_line)).collect();
        let plan = plan_repair(view, &RepairOptions::new(), &mut |at| on_progress(CollectStep::Plan, at));
        let index = view.index_coverage().map(|_| view.load_index());
        let options = StatisticsOptions::new(GroupBy::Type).max_groups(MAX_TYPES);
        let statistics = collect_statistics(view, index.as_ref(), &Filter::default(), &options, &mut |at| {
            on_progress(CollectStep::Count, at)
        })?;
        Ok(Self {
            findings: describe_findings(view, &survey)?,
            view: view.clone(),
            context,
            bytes,
            survey,
            counts,
            remarks,
            plan: reason_of_failure(plan)?,
            history: reason_of_failure(read_repair_history(paths))?,
            journal_folder: paths.journal_folder(),
            statistics,
        })
    }

    /// Returns the number of events and of findings of each kind in one line.
    pub(crate) fn summary_line(&self) -> String {
        self.counts.summary_line(self.survey.events)
    }
}

/// Replaces an error by its message, because a report without this part is still useful. A cancellation stays an error.
fn reason_of_failure<T>(result: Result<T, StorageError>) -> Result<Result<T, String>, StorageError> {
    match result {
        Err(StorageError::Cancelled) => Err(StorageError::Cancelled),
        Err(error) => Ok(Err(format!("{}. {}.", describe_error(&error), hint(&error)))),
        Ok(value) => Ok(Ok(value)),
    }
}

fn describe_findings(view: &LogView, survey: &Survey) -> Result<Vec<DescribedFinding>, StorageError> {
    let mut fix_finder = FixFinder::new(view)?;
    let mut proposed = Vec::new();
    for finding in survey.findings.iter().take(MAX_FINDINGS_DESCRIBED) {
        proposed.append(&mut fix_finder.push(finding)?);
    }
    proposed.append(&mut fix_finder.finish());
    proposed.into_iter().map(|proposed| describe_finding(view.log(), proposed)).collect()
}

fn describe_finding(log: &LogFile, proposed: ProposedFix) -> Result<DescribedFinding, StorageError> {
    let changes = match proposed.fix.as_ref().map(|fix| fix.candidates.as_slice()) {
        Some([only]) => only.changes.as_slice(),
        _ => &[],
    };
    let mut excerpts = Vec::new();
    for change in changes.iter().take(MAX_CHANGES_SHOWN) {
        let start = change.offset.saturating_sub(CONTEXT_BYTES);
        let wanted = change.offset - start + change.before.len() as u64 + CONTEXT_BYTES;
        let before = read_excerpt(log, start, wanted)?;
        let more = wanted.saturating_sub(CONTEXT_BYTES + before.len() as u64);
        let mut after = before.clone();
        let replaced = after.iter_mut().skip((change.offset - start) as usize);
        replaced.zip(&change.after).for_each(|(byte, new)| *byte = *new);
        excerpts.push(BytesExcerpt { offset: start, before, after: Some(after), more });
    }
    let finding = &proposed.finding;
    if excerpts.is_empty() && !finding.range().is_empty() {
        let wanted = finding.end - finding.start;
        let before = read_excerpt(log, finding.start, wanted)?;
        let more = wanted - before.len() as u64;
        excerpts.push(BytesExcerpt { offset: finding.start, before, after: None, more });
    }
    excerpts.retain(|excerpt| !excerpt.before.is_empty());
    let more_changes = changes.len().saturating_sub(MAX_CHANGES_SHOWN);
    Ok(DescribedFinding { proposed, excerpts, more_changes })
}

/// Reads at most [`MAX_BYTES_SHOWN`] bytes; none where the device fails to read, which the finding itself reports.
fn read_excerpt(log: &LogFile, offset: u64, wanted: u64) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; MAX_BYTES_SHOWN.min(usize::try_from(wanted).unwrap_or(MAX_BYTES_SHOWN))];
    match log.read_at(&mut bytes, offset) {
        Ok(read) => bytes.truncate(read),
        Err(StorageError::Io { .. }) => bytes.clear(),
        Err(error) => return Err(error),
    }
    Ok(bytes)
}
