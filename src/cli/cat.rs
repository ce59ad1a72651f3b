//! `cat`: prints events as JSON lines, exactly as stored. Damage and gaps are reported on stderr and skipped.

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::{FilterArg, print_filter_advice};
use super::findings::finding_line;
use super::log_access::{GapJournals, open_options, print_side_file_notices};
use super::log_input::LogInput;
use super::options::{GlobalArgs, parse_offset};
use super::output::CommandOutput;
use crate::format::{DamageKind, Evidence, Finding, json};
use crate::log::ReplayedEvent;
use crate::query::{Filter, ReadPlan};
use crate::report::{self, ExitStatus};
use crate::{EventLog, StorageError};

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
    /// Log to read; - is stdin. A pipe and a log that gzip or zstd compressed are read too
    log: PathBuf,
    #[command(flatten)]
    filter: FilterArg,
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

impl CatArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let LogInput { log, status, .. } = LogInput::open(&self.log, open_options(global), out)?;
        print_side_file_notices(&log, out);
        let filter = self.filter.parse(&log)?;
        let mut replay = log.replay_until(self.from.unwrap_or_default(), self.until.unwrap_or(u64::MAX))?;
        if self.strict {
            replay = replay.strict();
        }
        let mut reporter =
            FindingReporter { filter: &filter, gap_journals: GapJournals::for_log(&log)?, status, last_finding_end: 0 };
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
