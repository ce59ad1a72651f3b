//! The history of an aggregate: its events around one of them, each with the changes of its payload.

use std::collections::HashMap;

use super::filter::Filter;
use super::json_tokens::{LeafValue, leaf_values};
use super::page::{PageRequest, read_page};
use super::row::{Direction, LogRow, ReadStart, RowContent, RowPage};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::EventView;
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress};

/// Number of events listed before the given offset.
const EVENTS_BEFORE: usize = 40;
/// Number of events listed at and after the given offset.
const EVENTS_AFTER: usize = 80;
/// Largest number of differences listed for one event.
const MAX_DIFFERENCES: usize = 12;
/// Largest payload that is compared, in bytes.
const MAX_PAYLOAD_LEN: usize = 256 << 10;
/// Largest number of characters of a token in a difference of another event than the one that was asked for. Longer tokens are
/// cut.
pub(crate) const MAX_TOKEN_CHARS: usize = 200;

/// Some events of an aggregate around one of them, ascending by offset.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AggregateHistory {
    /// Id of the aggregate.
    pub aggregate: u64,
    /// The events, ascending by offset.
    pub entries: Vec<HistoryEntry>,
    /// True when the aggregate has events before the first entry.
    pub more_before: bool,
    /// True when the aggregate has events after the last entry.
    pub more_after: bool,
    /// Number of damaged ranges after the last entry, each of which may hold events of the aggregate. 0 when the aggregate
    /// has events after the last entry.
    pub damaged_after: u64,
}

/// One event of an aggregate, compared with the event before it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The row of the event.
    pub row: LogRow,
    /// The first differences, at most 12, from the payload of the previous event.
    pub changes: Vec<PayloadDifference>,
    /// Number of further differences, which are not listed.
    pub omitted_changes: usize,
    /// True when no previous event exists to compare with.
    pub is_first: bool,
    /// `write_timestamp_ms` of the previous event; `None` when there is none.
    pub previous_time_ms: Option<u64>,
    /// Number of damaged ranges between the previous event and this one, each of which may hold events of the aggregate.
    pub damaged_before: u64,
}

/// One difference between two payloads. Values are compared by their stored text: `1.0` and `1.00` differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadDifference {
    /// Path of the value, such as `address.street[0]`.
    pub path: String,
    /// The keys and positions of the path.
    pub steps: Vec<String>,
    /// The stored text in the previous payload; `None` when the value is new.
    pub before: Option<String>,
    /// The stored text in the later payload; `None` when the value was removed.
    pub after: Option<String>,
}

/// Reads up to 40 events of `aggregate` before `offset`, and up to 80 at and after it.
///
/// Where `index` covers the log, only the events are read; the rest of the log is scanned. `on_progress` is called about
/// once per mebibyte with the file offset reached: offsets after `offset` first, then offsets before it.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log or its index cannot be read.
pub fn read_aggregate_history(
    view: &LogView,
    index: Option<&AggregateIndex>,
    aggregate: u64,
    offset: u64,
    on_progress: &mut OnProgress,
) -> Result<AggregateHistory, StorageError> {
    // The index lists damaged ranges, but no gaps and no invalid events: rows of these kinds would make it useless here.
    let filter = Filter::parse(&format!("agg:{aggregate} -is:gap -is:invalid"), 0).unwrap_or_default();
    let mut read = |start, limit| -> Result<RowPage, StorageError> {
        read_page(view, index, &PageRequest::new(&filter, start, limit), on_progress)
    };
    let after = read_events(&mut read, ReadStart::forward(offset), EVENTS_AFTER)?;
    // One more event than is listed is read, because the first listed event is compared with it.
    let before = read_events(&mut read, ReadStart::backward(offset), EVENTS_BEFORE + 1)?;
    let starts_at_first = before.is_complete && before.events.len() <= EVENTS_BEFORE;
    let (more_after, runs) = (!after.is_complete, before.followed_by(after));
    let mut previous: Option<(String, u64)> = None;
    let mut entries = Vec::new();
    for PrecededEvent { row, time_ms, damaged_before } in runs.events {
        let payload = read_payload(view.log(), row.start)?;
        let is_first = previous.is_none();
        let previous_time_ms = previous.as_ref().map(|(_, time_ms)| *time_ms);
        let differences = match (&previous, &payload) {
            // A search has to find the place of its match in the event that it went to.
            (Some((before, _)), Some(after)) if row.start == offset => diff_tokens(before, after, MAX_PAYLOAD_LEN),
            (Some((before, _)), Some(after)) => diff_payloads(before, after),
            _ => Vec::new(),
        };
        previous = Some((payload.unwrap_or_default(), time_ms));
        let omitted_changes = differences.len().saturating_sub(MAX_DIFFERENCES);
        let changes = differences.into_iter().take(MAX_DIFFERENCES).collect();
        entries.push(HistoryEntry { row, changes, omitted_changes, is_first, previous_time_ms, damaged_before });
    }
    if !starts_at_first && entries.len() > 1 {
        entries.remove(0);
    }
    let damaged_after = if more_after { 0 } else { runs.damaged_after };
    Ok(AggregateHistory { aggregate, entries, more_before: !starts_at_first, more_after, damaged_after })
}

/// Events in log order, each with the number of damaged ranges before it.
#[derive(Default)]
struct EventRuns {
    events: Vec<PrecededEvent>,
    /// Number of damaged ranges after the last event.
    damaged_after: u64,
    /// True when the log has no further events in the direction in which these were read.
    is_complete: bool,
}

/// An event, and the number of damaged ranges between the event before it and this one.
struct PrecededEvent {
    row: LogRow,
    time_ms: u64,
    damaged_before: u64,
}

impl EventRuns {
    fn from_rows(rows: Vec<LogRow>) -> Self {
        let mut runs = Self::default();
        for row in rows {
            match &row.content {
                RowContent::Event(event) => {
                    let (time_ms, damaged_before) = (event.time_ms, std::mem::take(&mut runs.damaged_after));
                    runs.events.push(PrecededEvent { row, time_ms, damaged_before });
                }
                RowContent::Finding(finding) if finding.kind.may_hold_events() => runs.damaged_after += 1,
                RowContent::Finding(_) | RowContent::Header | RowContent::InFlight => {}
            }
        }
        runs
    }

    /// Returns these events and the `later` ones.
    fn followed_by(mut self, mut later: Self) -> Self {
        match later.events.first_mut() {
            Some(first) => first.damaged_before += self.damaged_after,
            None => later.damaged_after += self.damaged_after,
        }
        self.events.append(&mut later.events);
        Self { events: self.events, damaged_after: later.damaged_after, is_complete: later.is_complete }
    }
}

/// Reads `limit` events from `start`, or as many as the log has in that direction.
fn read_events(
    read: &mut impl FnMut(ReadStart, usize) -> Result<RowPage, StorageError>,
    start: ReadStart,
    limit: usize,
) -> Result<EventRuns, StorageError> {
    let mut found = EventRuns::default();
    let mut next = Some(start);
    while let Some(start) = next.filter(|_| found.events.len() < limit) {
        // Damaged ranges take some of the rows, so that one page may not be enough.
        let page = read(start, limit - found.events.len())?;
        let (first, last) = (page.rows.first().map(|row| row.start), page.rows.last().map(|row| row.end));
        let runs = EventRuns::from_rows(page.rows);
        (found, next) = match start.direction {
            Direction::Forward => {
                let is_complete = page.at_end || last.is_none_or(|end| end <= start.from);
                (EventRuns { is_complete, ..found.followed_by(runs) }, last.map(ReadStart::forward))
            }
            Direction::Backward => {
                let is_complete = page.at_start || first.is_none();
                (EventRuns { is_complete, ..runs.followed_by(found) }, first.map(ReadStart::backward))
            }
        };
        if found.is_complete {
            break;
        }
    }
    Ok(found)
}

/// Reads the payload of the event at `offset`; `None` when there is no event or the payload is too large to compare.
fn read_payload(log: &LogFile, offset: u64) -> Result<Option<String>, StorageError> {
    let mut buf = Vec::new();
    let frame = log.read_frame_at(offset, &mut buf)?;
    let event = frame.as_ref().and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
    Ok(event.map(|event| event.payload()).filter(|payload| payload.len() <= MAX_PAYLOAD_LEN).map(str::to_owned))
}

/// Returns the differences of two payloads: changed and new values in the order of `after`, then the removed values. Tokens of
/// more than [`MAX_TOKEN_CHARS`] characters are cut.
pub(crate) fn diff_payloads(before: &str, after: &str) -> Vec<PayloadDifference> {
    diff_tokens(before, after, MAX_TOKEN_CHARS)
}

/// Returns the differences of two payloads like [`diff_payloads`], with another limit for the characters of a token.
fn diff_tokens(before: &str, after: &str, max_chars: usize) -> Vec<PayloadDifference> {
    let old_leaves = leaf_values(before);
    let mut old: HashMap<&str, &str> = old_leaves.iter().map(|leaf| (leaf.path.as_str(), leaf.token)).collect();
    let cut = |token: &str| token.chars().take(max_chars).collect::<String>();
    let mut differences = Vec::new();
    for LeafValue { path, steps, token } in leaf_values(after) {
        let old_token = old.remove(path.as_str());
        if old_token != Some(token) {
            differences.push(PayloadDifference { path, steps, before: old_token.map(cut), after: Some(cut(token)) });
        }
    }
    let removed = old_leaves.iter().filter_map(|leaf| old.remove(leaf.path.as_str()).map(|token| (leaf, token)));
    differences.extend(removed.map(|(leaf, token)| PayloadDifference {
        path: leaf.path.clone(),
        steps: leaf.steps.clone(),
        before: Some(cut(token)),
        after: None,
    }));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_by_token_and_in_order() {
        let found = diff_payloads(r#"{"a":1.0,"b":"x","c":[1]}"#, r#"{"a":1.00,"b":"x","d":{"e":true}}"#);
        let lines: Vec<_> = found
            .iter()
            .map(|d| format!("{} {} {}", d.path, d.before.as_deref().unwrap_or("-"), d.after.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(lines, ["a 1.0 1.00", "d.e - true", "c[0] 1 -"]);
    }
}
