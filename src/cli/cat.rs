//! `cat`: events as lines of JSON, each as stored; what is no event is told on stderr and skipped.

use std::io::Write as _;
use std::ops::Range;

use super::args::{CatArgs, Side};
use super::fail::{Failure, Run};
use super::open::{Kept, log_to_read};
use super::out::Out;
use crate::format::{Evidence, Finding, Kind, json};
use crate::log::now_ms;
use crate::query::{Filter, Reads};
use crate::report::Status;
use crate::{EventLog, StorageError};

pub(super) fn cat(args: &CatArgs, side: &Side, out: &mut Out) -> Run {
    let filter = args.filter.as_deref().map(read_filter).transpose()?.unwrap_or_default();
    let log = log_to_read(&args.log, side)?;
    let mut replay = log.replay_until(args.from.unwrap_or_default(), args.until.unwrap_or(u64::MAX))?;
    if args.strict {
        replay = replay.strict();
    }
    let mut told = Told { filter: &filter, kept: Kept::of(&log)?, status: Status::Done, last_end: 0 };
    if args.from.is_none()
        && let Some(found) = log.view().header_finding()
    {
        told.tell(&found, out);
    }
    let mut line = Vec::new();
    let mut left = args.limit.unwrap_or(u64::MAX);
    // Who wants to hear of any damage at all has everything read.
    let index = (filter.narrows() && !args.strict).then(|| log.view().clone().index());
    let reads = Reads::of(log.view().log(), index.as_ref(), &filter);
    let (start, until) = (replay.position(), args.until.unwrap_or(u64::MAX));
    let before = |range: &Result<Range<u64>, _>| range.as_ref().map_or(true, |range| range.start < until);
    let mut reads = reads.from(start).take_while(before);
    replay.go_on_in(start..start);
    while left > 0 {
        let Some(item) = replay.next_event() else {
            let Some(range) = reads.next() else { break };
            replay.go_on_in(range?);
            continue;
        };
        match item {
            Ok((offset, event)) => {
                if filter.matches_event(offset, &event) {
                    put_line(offset, event.json(), &mut line, out)?;
                    left -= 1;
                }
            }
            Err(StorageError::Damaged { finding, .. }) => {
                told.tell(&finding, out);
                if args.strict && finding.kind.is_damage() {
                    return Ok(Status::Damage);
                }
            }
            Err(StorageError::Gap { start, end, content, .. }) => {
                let evidence = Evidence { content, ..Evidence::default() };
                told.tell(&Finding::new(Kind::Gap, start..end).with(evidence), out);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if left > 0 && args.until.is_none() {
        tell_missing_end(&log, replay.end(), &mut told, out)?;
    }
    Ok(told.status)
}

/// `{"offset":N,"event":{...}}`, the event token for token, blanks outside strings dropped.
#[inline]
fn put_line(offset: u64, event: &str, line: &mut Vec<u8>, out: &mut Out) -> Result<(), Failure> {
    line.clear();
    write!(line, "{{\"offset\":{offset},\"event\":").expect("a Vec takes every byte");
    json::compact(event.as_bytes(), line);
    line.push(b'}');
    out.json_bytes(line)
}

fn read_filter(text: &str) -> Result<Filter, Failure> {
    Filter::parse(text, now_ms()).map_err(|error| Failure::Usage {
        error: format!("--filter, byte {}: {error}", error.at),
        next: "Filters look like `agg:42 type:Updated after:-15m payload.amount>=100 text`".into(),
    })
}

/// What was told so far, and what that makes of the exit status.
struct Told<'f> {
    filter: &'f Filter,
    kept: Kept,
    status: Status,
    last_end: u64,
}

impl Told<'_> {
    /// Tells a finding, unless the filter says in so many words that nobody wants to hear of it.
    fn tell(&mut self, found: &Finding, out: &mut Out) {
        self.last_end = found.end;
        if !self.filter.shows(found) {
            return;
        }
        out.tell_finding(found, self.kept.journal(found));
        if found.kind.is_damage() {
            self.status = self.status.or(Status::Damage);
        }
    }
}

/// A log that lost its end cleanly has no damaged range that a replay could meet: only its index knows.
fn tell_missing_end(log: &EventLog, end: u64, told: &mut Told, out: &mut Out) -> Result<(), StorageError> {
    if told.last_end < end
        && let Some(found) = log.view().truncated(end, end)?
    {
        told.tell(&found, out);
    }
    Ok(())
}
