//! `cat`: prints events as JSON lines, exactly as stored. Damage and gaps are reported on stderr and skipped.

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::findings::finding_line;
use super::log_access::{GapJournals, open_with_notices};
use super::options::{GlobalArgs, parse_offset};
use super::output::CommandOutput;
use crate::format::{DamageKind, Evidence, Finding, json};
use crate::log::{ReplayedEvent, now_ms};
use crate::query::{
    EventTimes, FILTER_OPERATORS, FILTER_TERMS, Filter, FilterOperatorSpec, FilterTermSpec, KnownNames, ReadPlan,
    TimeContext,
};
use crate::report::json::Json;
use crate::report::{self, ExitStatus, log_times_line, unknown_name_lines};
use crate::{AggregateIndex, EventLog, StorageError};

/// Print events as JSON, one per line.
///
/// Each line is {"offset":N,"event":{...}} with the event as stored, digit for digit. Damaged ranges and gaps are
/// reported on stderr and skipped; skipped damage makes the exit status 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle cat a.log --filter 'agg:42 type:Updated payload.amount>=100'
  chronicle cat a.log --from 1223488 --limit 10")]
pub(super) struct CatArgs {
    /// Log to read
    log: PathBuf,
    /// Print only events that match this filter
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, long_help = filter_help())]
    filter: Option<String>,
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

/// Returns the long help of `--filter`: the rules of the filter language, every term of [`FILTER_TERMS`] and every operator
/// of [`FILTER_OPERATORS`].
fn filter_help() -> String {
    let term = |term: &FilterTermSpec| format!("\n  {:<19} {}", term.syntax, term.help.replace('`', ""));
    let operator =
        |spec: &FilterOperatorSpec| format!("\n  {:<4} {:<28} {}", spec.sign, spec.example, spec.help.replace('`', ""));
    let terms: String = FILTER_TERMS.iter().map(term).collect();
    let operators: String = FILTER_OPERATORS.iter().map(operator).collect();
    format!(
        "Print only events that match this filter.\n\n\
        All terms must match; terms with the same key and operator are alternatives; a minus or an exclamation mark \
        before a term excludes:{terms}\n\nOperators:{operators}\n\n\
        Ranges that the index excludes by aggregate, type, namespace, schema, time or offset are not read, and damage \
        in them is not reported; --strict reads everything."
    )
}

impl CatArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let log = open_with_notices(&self.log, global, out)?;
        let filter = self.filter.as_deref().map(|text| parse_filter(text, &log)).transpose()?.unwrap_or_default();
        let mut replay = log.replay_until(self.from.unwrap_or_default(), self.until.unwrap_or(u64::MAX))?;
        if self.strict {
            replay = replay.strict();
        }
        let mut reporter = FindingReporter {
            filter: &filter,
            gap_journals: GapJournals::for_log(&log)?,
            status: ExitStatus::Done,
            last_finding_end: 0,
        };
        if self.from.is_none()
            && let Some(finding) = log.view().header_finding()
        {
            reporter.report(&finding, out);
        }
        let mut line = Vec::new();
        let mut remaining = self.limit.unwrap_or(u64::MAX);
        // With --strict every frame is read: the index would skip ranges that may hold damage.
        let index = (filter.can_use_index() && !self.strict).then(|| log.view().clone().load_index());
        let plan = ReadPlan::new(log.view().log(), index.as_ref(), &filter);
        let (start, until) = (replay.position(), self.until.unwrap_or(u64::MAX));
        let starts_before_end =
            |range: &Result<Range<u64>, _>| range.as_ref().map_or(true, |range| range.start < until);
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
                Ok(ReplayedEvent { offset, event }) => {
                    if filter.matches_event(offset, &event) {
                        write_event_line(offset, event.json(), &mut line, out)?;
                        remaining -= 1;
                    }
                }
                Err(StorageError::Damaged { finding, .. }) => {
                    reporter.report(&finding, out);
                    if self.strict && finding.kind.is_damage() {
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
        if remaining > 0 && self.until.is_none() {
            report_truncated_end(&log, replay.end(), &mut reporter, out)?;
        }
        if limit > 0 && remaining == limit {
            print_filter_advice(&filter, &log, index.as_ref(), out)?;
        }
        Ok(reporter.status)
    }
}

/// Prints `{"offset":N,"event":{...}}`. The event keeps its tokens as stored and loses whitespace outside strings.
#[inline]
fn write_event_line(
    offset: u64,
    event: &str,
    line: &mut Vec<u8>,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    line.clear();
    write!(line, "{{\"offset\":{offset},\"event\":").expect("writing to a Vec never fails");
    json::compact(event.as_bytes(), line);
    line.push(b'}');
    out.print_stored_json(line)
}

fn parse_filter(text: &str, log: &EventLog) -> Result<Filter, CommandFailure> {
    let last_event = EventTimes::read(log.view())?.map(|times| times.last_ms);
    let times = TimeContext::at(now_ms()).with_last_event(last_event);
    Filter::parse_with(text, times).map_err(|error| CommandFailure::Usage {
        message: format!("--filter, byte {}: {error}", error.position),
        hint: "`chronicle cat --help` lists the terms and operators of filters".into(),
    })
}

/// Reports on stderr why a filter has shown no event, as far as it is known: names that no event has, and the times of the
/// log. Prints nothing for an empty filter.
fn print_filter_advice(
    filter: &Filter,
    log: &EventLog,
    index: Option<&AggregateIndex>,
    out: &mut CommandOutput,
) -> Result<(), StorageError> {
    let log_bytes = log.view().log().len()?;
    let names = index.filter(|index| index.coverage().scanned_to >= log_bytes).map(KnownNames::from_index);
    let mut lines = names.map(|names| unknown_name_lines(filter, &names)).unwrap_or_default();
    lines.extend(if filter.has_times() { log_times_line(filter, EventTimes::read(log.view())?) } else { None });
    for line in lines {
        out.print_notice(&line, &Json::Object(vec![("notice", line.as_str().into())]));
    }
    Ok(())
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
