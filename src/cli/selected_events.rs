//! The events that `cat` and `export` select by a filter and a range. Damage and gaps are reported on stderr and skipped.

use std::io::Write as _;
use std::ops::Range;

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::print_filter_advice;
use super::findings::finding_line;
use super::log_access::GapJournals;
use super::options::parse_offset;
use super::output::CommandOutput;
use crate::format::{DamageKind, Evidence, Finding, json};
use crate::log::ReplayedEvent;
use crate::query::{Filter, ReadPlan};
use crate::report::{self, ExitStatus};
use crate::{EventLog, StorageError};

/// The range of the log that is read, and the number of events.
#[derive(Debug, Clone, Args)]
pub(super) struct EventRangeArgs {
    /// Start at this offset, which must be the start of a frame or of a damaged range
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    from: Option<u64>,
    /// Stop before the first frame that starts at or after this offset
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    until: Option<u64>,
    /// Print at most this many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Stop at the first damage
    #[arg(long)]
    strict: bool,
}

impl EventRangeArgs {
    /// True when reading stops at the first damage.
    pub(super) const fn is_strict(&self) -> bool {
        self.strict
    }
}

/// The callback of [`visit_selected_events`]. Its error ends the command.
pub(super) type EventVisitor<'v> = dyn FnMut(ReplayedEvent, &mut CommandOutput) -> Result<(), CommandFailure> + 'v;

/// Calls `visit` for each event that the filter and the range select, and reports damage and gaps on stderr. `status` is the
/// exit status so far, which the result includes.
///
/// # Errors
/// The errors of reading the log and of `visit`.
pub(super) fn visit_selected_events(
    log: &EventLog,
    filter: &Filter,
    range: &EventRangeArgs,
    status: ExitStatus,
    out: &mut CommandOutput,
    visit: &mut EventVisitor,
) -> CommandResult {
    let mut replay = log.replay_until(range.from.unwrap_or_default(), range.until.unwrap_or(u64::MAX))?;
    if range.strict {
        replay = replay.strict();
    }
    let mut reporter =
        FindingReporter { filter, gap_journals: GapJournals::for_log(log)?, status, last_finding_end: 0 };
    if range.from.is_none()
        && let Some(finding) = log.view().header_finding()
    {
        reporter.report(&finding, out);
    }
    let mut remaining = range.limit.unwrap_or(u64::MAX);
    // With --strict every frame is read: the index would skip ranges that may hold damage.
    let index = (filter.can_use_index() && !range.strict).then(|| log.view().clone().load_index());
    let plan = ReadPlan::new(log.view().log(), index.as_ref(), filter);
    let (start, until) = (replay.position(), range.until.unwrap_or(u64::MAX));
    let starts_before_end = |range: &Result<Range<u64>, _>| range.as_ref().map_or(true, |range| range.start < until);
    let mut ranges = plan.ranges_from(start).take_while(starts_before_end);
    replay.seek_to_range(start..start);
    let limit = remaining;
    while remaining > 0 {
        let Some(item) = replay.next_event() else {
            let Some(range) = ranges.next() else { break };
            replay.seek_to_range(range?);
            continue;
        };
        match item {
            Ok(ReplayedEvent { offset, event, .. }) => {
                if filter.matches_event(offset, &event) {
                    visit(ReplayedEvent { offset, event }, out)?;
                    remaining -= 1;
                }
            }
            Err(StorageError::Damaged { finding, .. }) => {
                reporter.report(&finding, out);
                if range.strict && finding.kind.is_damage() {
                    return Ok(ExitStatus::Damage);
                }
            }
            Err(StorageError::Gap { start, end, content, .. }) => {
                let evidence = Evidence { content, ..Evidence::default() };
                reporter.report(&Finding::new(DamageKind::Gap, start..end).with_evidence(evidence), out);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if remaining > 0 && range.until.is_none() {
        report_truncated_end(log, replay.end(), &mut reporter, out)?;
    }
    if limit > 0 && remaining == limit {
        print_filter_advice(filter, log, index.as_ref(), out)?;
    }
    Ok(reporter.status)
}

/// Fills `line` with `{"offset":N,"event":{...}}`. The event keeps its tokens as stored and loses whitespace outside strings.
#[inline]
pub(super) fn event_line(event: &ReplayedEvent, line: &mut Vec<u8>) {
    line.clear();
    write!(line, "{{\"offset\":{},\"event\":", event.offset).expect("writing to a Vec never fails");
    json::compact(event.event.json().as_bytes(), line);
    line.push(b'}');
}

/// Prints findings to stderr and derives the exit status from them.
struct FindingReporter<'f> {
    filter: &'f Filter,
    gap_journals: GapJournals,
    status: ExitStatus,
    /// Offset after the last byte of the last finding, reported or not.
    last_finding_end: u64,
}

impl FindingReporter<'_> {
    /// Prints a finding, unless the filter excludes it explicitly (`-is:damaged`).
    fn report(&mut self, finding: &Finding, out: &mut CommandOutput) {
        self.last_finding_end = finding.end;
        if !self.filter.matches_finding(finding) {
            return;
        }
        let journal = self.gap_journals.journal_of(finding);
        out.print_notice(&finding_line(finding, journal), &report::json::finding(finding, None, journal));
        if finding.kind.is_damage() {
            self.status = self.status.combine(ExitStatus::Damage);
        }
    }
}

/// Reports events missing from the end of the log. Only the index records them: after a cut at a frame boundary, a
/// replay finds no damage.
fn report_truncated_end(
    log: &EventLog,
    end: u64,
    reporter: &mut FindingReporter,
    out: &mut CommandOutput,
) -> Result<(), StorageError> {
    if reporter.last_finding_end < end
        && let Some(finding) = log.view().truncation_finding(end, end)?
    {
        reporter.report(&finding, out);
    }
    Ok(())
}
