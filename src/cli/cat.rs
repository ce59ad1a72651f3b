//! `cat`: events as lines of JSON, each as stored; what is no event is told on stderr and skipped.

use std::io::Write as _;
use std::ops::Range;

use super::args::{CatArgs, GlobalArgs};
use super::failure::{CommandFailure, CommandResult};
use super::open::{GapJournals, open_read_only};
use super::output::CommandOutput;
use crate::format::{DamageKind, Evidence, Finding, json};
use crate::log::now_ms;
use crate::query::{Filter, ReadPlan};
use crate::report::ExitStatus;
use crate::{EventLog, StorageError};

pub(super) fn cat(args: &CatArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let filter = args.filter.as_deref().map(parse_filter).transpose()?.unwrap_or_default();
    let log = open_read_only(&args.log, global)?;
    let mut replay = log.replay_until(args.from.unwrap_or_default(), args.until.unwrap_or(u64::MAX))?;
    if args.strict {
        replay = replay.strict();
    }
    let mut reporter = FindingReporter {
        filter: &filter,
        gap_journals: GapJournals::for_log(&log)?,
        status: ExitStatus::Done,
        last_finding_end: 0,
    };
    if args.from.is_none()
        && let Some(found) = log.view().header_finding()
    {
        reporter.report(&found, out);
    }
    let mut line = Vec::new();
    let mut remaining = args.limit.unwrap_or(u64::MAX);
    // Who wants to hear of any damage at all has everything read.
    let index = (filter.can_use_index() && !args.strict).then(|| log.view().clone().load_index());
    let reads = ReadPlan::new(log.view().log(), index.as_ref(), &filter);
    let (start, until) = (replay.position(), args.until.unwrap_or(u64::MAX));
    let before = |range: &Result<Range<u64>, _>| range.as_ref().map_or(true, |range| range.start < until);
    let mut reads = reads.ranges_from(start).take_while(before);
    replay.seek_to_range(start..start);
    while remaining > 0 {
        let Some(item) = replay.next_event() else {
            let Some(range) = reads.next() else { break };
            replay.seek_to_range(range?);
            continue;
        };
        match item {
            Ok((offset, event)) => {
                if filter.matches_event(offset, &event) {
                    write_event_line(offset, event.json(), &mut line, out)?;
                    remaining -= 1;
                }
            }
            Err(StorageError::Damaged { finding, .. }) => {
                reporter.report(&finding, out);
                if args.strict && finding.kind.is_damage() {
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
    if remaining > 0 && args.until.is_none() {
        report_truncated_end(&log, replay.end(), &mut reporter, out)?;
    }
    Ok(reporter.status)
}

/// `{"offset":N,"event":{...}}`, the event token for token, blanks outside strings dropped.
#[inline]
fn write_event_line(
    offset: u64,
    event: &str,
    line: &mut Vec<u8>,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    line.clear();
    write!(line, "{{\"offset\":{offset},\"event\":").expect("a Vec takes every byte");
    json::compact(event.as_bytes(), line);
    line.push(b'}');
    out.print_json_bytes(line)
}

fn parse_filter(text: &str) -> Result<Filter, CommandFailure> {
    Filter::parse(text, now_ms()).map_err(|error| CommandFailure::Usage {
        message: format!("--filter, byte {}: {error}", error.at),
        hint: "Filters look like `agg:42 type:Updated after:-15m payload.amount>=100 text`".into(),
    })
}

/// What was told so far, and what that makes of the exit status.
struct FindingReporter<'f> {
    filter: &'f Filter,
    gap_journals: GapJournals,
    status: ExitStatus,
    last_finding_end: u64,
}

impl FindingReporter<'_> {
    /// Tells a finding, unless the filter says in so many words that nobody wants to hear of it.
    fn report(&mut self, found: &Finding, out: &mut CommandOutput) {
        self.last_finding_end = found.end;
        if !self.filter.matches_finding(found) {
            return;
        }
        out.print_finding(found, self.gap_journals.journal_of(found));
        if found.kind.is_damage() {
            self.status = self.status.combine(ExitStatus::Damage);
        }
    }
}

/// A log that lost its end cleanly has no damaged range that a replay could meet: only its index knows.
fn report_truncated_end(
    log: &EventLog,
    end: u64,
    reporter: &mut FindingReporter,
    out: &mut CommandOutput,
) -> Result<(), StorageError> {
    if reporter.last_finding_end < end
        && let Some(found) = log.view().truncation_finding(end, end)?
    {
        reporter.report(&found, out);
    }
    Ok(())
}
