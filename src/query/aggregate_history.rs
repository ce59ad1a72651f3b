//! The history of an aggregate: its events around one of them, each with the changes of its payload.

use std::collections::HashMap;

use super::filter::Filter;
use super::json_tokens::leaf_values;
use super::page::{PageRequest, read_page};
use super::row::{LogRow, ReadStart, RowContent, RowPage};
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
/// Largest number of characters of a token in a difference. Longer tokens are cut.
const MAX_TOKEN_CHARS: usize = 200;

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
}

/// One difference between two payloads. Values are compared by their stored text: `1.0` and `1.00` differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadDifference {
    /// Path of the value, such as `address.street[0]`.
    pub path: String,
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
    let filter = Filter::parse(&format!("agg:{aggregate} -is:damaged -is:gap"), 0).unwrap_or_default();
    let mut read = |start, limit| -> Result<RowPage, StorageError> {
        read_page(view, index, &PageRequest::new(&filter, start, limit), on_progress)
    };
    let after = read(ReadStart::forward(offset), EVENTS_AFTER)?;
    // One more event than is listed is read, because the first listed event is compared with it.
    let before = read(ReadStart::backward(offset), EVENTS_BEFORE + 1)?;
    let starts_at_first = before.at_start && before.rows.len() <= EVENTS_BEFORE;
    let mut previous: Option<String> = None;
    let mut entries = Vec::new();
    let rows = before.rows.into_iter().chain(after.rows);
    for row in rows.filter(|row| matches!(row.content, RowContent::Event(_))) {
        let payload = read_payload(view.log(), row.start)?;
        let is_first = previous.is_none();
        let differences = match (&previous, &payload) {
            (Some(before), Some(after)) => diff_payloads(before, after),
            _ => Vec::new(),
        };
        previous = Some(payload.unwrap_or_default());
        let omitted_changes = differences.len().saturating_sub(MAX_DIFFERENCES);
        let changes = differences.into_iter().take(MAX_DIFFERENCES).collect();
        entries.push(HistoryEntry { row, changes, omitted_changes, is_first });
    }
    if !starts_at_first && entries.len() > 1 {
        entries.remove(0);
    }
    Ok(AggregateHistory { aggregate, entries, more_before: !starts_at_first, more_after: !after.at_end })
}

/// Reads the payload of the event at `offset`; `None` when there is no event or the payload is too large to compare.
fn read_payload(log: &LogFile, offset: u64) -> Result<Option<String>, StorageError> {
    let mut buf = Vec::new();
    let frame = log.read_frame_at(offset, &mut buf)?;
    let event = frame.as_ref().and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
    Ok(event.map(|event| event.payload()).filter(|payload| payload.len() <= MAX_PAYLOAD_LEN).map(str::to_owned))
}

/// Returns the differences of two payloads: changed and new values in the order of `after`, then the removed values.
fn diff_payloads(before: &str, after: &str) -> Vec<PayloadDifference> {
    let old_leaves = leaf_values(before);
    let mut old: HashMap<String, &str> = old_leaves.iter().cloned().collect();
    let cut = |token: &str| token.chars().take(MAX_TOKEN_CHARS).collect::<String>();
    let mut differences = Vec::new();
    for (path, token) in leaf_values(after) {
        let old_token = old.remove(&path);
        if old_token != Some(token) {
            differences.push(PayloadDifference { path, before: old_token.map(cut), after: Some(cut(token)) });
        }
    }
    let removed = old_leaves.into_iter().filter_map(|(path, _)| old.remove(&path).map(|token| (path, token)));
    differences.extend(removed.map(|(path, token)| PayloadDifference { path, before: Some(cut(token)), after: None }));
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
