//! An aggregate's events around one of them, each with what it changed.

use std::collections::HashMap;

use super::SharedState;
use super::rows::{RowQuery, read_rows};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::EventView;
use crate::inspect::OnProgress;
use crate::query::{Direction, Filter, LogRow, RowContent};
use crate::tui::model::{AggregateHistory, HistoryEntry, PayloadDifference, leaf_values};

/// Events told before the one in question, and from it on.
const EVENTS_BEFORE: usize = 40;
/// The same behind it.
const EVENTS_AFTER: usize = 80;
/// Differences listed for one event.
const MAX_DIFFERENCES: usize = 12;
/// Bytes of a payload that is compared.
const MAX_PAYLOAD: usize = 256 << 10;
/// Characters of a token that are kept.
const MAX_TOKEN: usize = 200;

/// Reads the events of an aggregate around an offset.
///
/// # Errors
/// As [`crate::query::page`].
pub(super) fn read_history(
    shared: &SharedState,
    aggregate: u64,
    offset: u64,
    on: &mut OnProgress,
) -> Result<AggregateHistory, StorageError> {
    let filter = Filter::parse(&format!("agg:{aggregate} -is:damaged -is:gap"), 0).unwrap_or_default();
    let forward =
        RowQuery { from: offset, direction: Direction::Forward, limit: EVENTS_AFTER, filter: &filter, hits: None };
    let behind = read_rows(shared, forward, on)?;
    // One event more than is listed, for the first one to be compared with.
    let backward = RowQuery { direction: Direction::Backward, limit: EVENTS_BEFORE + 1, ..forward };
    let before = read_rows(shared, backward, on)?;
    let known_start = before.at_start && before.rows.len() <= EVENTS_BEFORE;
    let log = shared.view().log().clone();
    let rows: Vec<LogRow> = before.rows.into_iter().chain(behind.rows).collect();
    let mut previous: Option<String> = None;
    let mut chapters = Vec::new();
    for row in rows.into_iter().filter(|row| matches!(row.content, RowContent::Event(_))) {
        let payload = read_payload(&log, row.start)?;
        let first = previous.is_none();
        let (changes, not_listed) = match (&previous, &payload) {
            (Some(before), Some(after)) => diff_payloads(before, after),
            _ => (Vec::new(), 0),
        };
        previous = Some(payload.unwrap_or_default());
        chapters.push(HistoryEntry { row, changes, omitted_changes: not_listed, is_first: first });
    }
    if !known_start && chapters.len() > 1 {
        chapters.remove(0);
    }
    Ok(AggregateHistory { aggregate, entries: chapters, more_before: !known_start, more_after: !behind.at_end })
}

fn read_payload(log: &LogFile, offset: u64) -> Result<Option<String>, StorageError> {
    let mut buf = Vec::new();
    let frame = log.read_frame_at(offset, &mut buf)?;
    let event = frame.as_ref().and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
    Ok(event.map(|event| event.payload()).filter(|payload| payload.len() <= MAX_PAYLOAD).map(str::to_owned))
}

/// What differs, leaf by leaf, token by token: `1.0` and `1.00` differ. The first ones, and how many more there are.
fn diff_payloads(before: &str, after: &str) -> (Vec<PayloadDifference>, usize) {
    let mut old: HashMap<String, &str> = leaf_values(before).into_iter().collect();
    let order: Vec<String> = leaf_values(before).into_iter().map(|(path, _)| path).collect();
    let short = |token: &str| token.chars().take(MAX_TOKEN).collect::<String>();
    let mut found = Vec::new();
    for (path, token) in leaf_values(after) {
        let known = old.remove(&path);
        if known != Some(token) {
            found.push(PayloadDifference { path, before: known.map(short), after: Some(short(token)) });
        }
    }
    let gone = order.into_iter().filter_map(|path| old.remove(&path).map(|token| (path, token)));
    found.extend(gone.map(|(path, token)| PayloadDifference { path, before: Some(short(token)), after: None }));
    let more = found.len().saturating_sub(MAX_DIFFERENCES);
    found.truncate(MAX_DIFFERENCES);
    (found, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_by_token_and_in_order() {
        let (found, more) = diff_payloads(r#"{"a":1.0,"b":"x","c":[1]}"#, r#"{"a":1.00,"b":"x","d":{"e":true}}"#);
        let told: Vec<_> = found
            .iter()
            .map(|d| format!("{} {} {}", d.path, d.before.as_deref().unwrap_or("-"), d.after.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(told, ["a 1.0 1.00", "d.e - true", "c[0] 1 -"]);
        assert_eq!(more, 0);
    }

    #[test]
    fn many_differences_are_counted() {
        let object =
            |from: u32| format!("[{}]", (from..from + 30).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        assert_eq!(diff_payloads(&object(0), &object(100)).1, 30 - MAX_DIFFERENCES);
    }
}
