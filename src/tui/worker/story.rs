//! An aggregate's events around one of them, each with what it changed.

use std::collections::HashMap;

use super::answer::rows_from;
use super::{OnProgress, Shared};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::EventView;
use crate::query::{Direction, Filter, Row, What};
use crate::tui::model::{Chapter, Difference, Story, leaves};

/// Events told before the one in question, and from it on.
const BEFORE: usize = 40;
/// The same behind it.
const BEHIND: usize = 80;
/// Differences listed for one event.
const LISTED: usize = 12;
/// Bytes of a payload that is compared.
const MAX_PAYLOAD: usize = 256 << 10;
/// Characters of a token that are kept.
const MAX_TOKEN: usize = 200;

/// Reads the events of an aggregate around an offset.
///
/// # Errors
/// As [`crate::query::page`].
pub(super) fn story(shared: &Shared, aggregate: u64, offset: u64, on: &mut OnProgress) -> Result<Story, StorageError> {
    let filter = Filter::parse(&format!("agg:{aggregate} -is:damaged -is:gap"), 0).unwrap_or_default();
    let behind = rows_from(shared, (offset, Direction::Forward), BEHIND, (&filter, None), on)?;
    // One more than is told: what the first one is compared with.
    let before = rows_from(shared, (offset, Direction::Backward), BEFORE + 1, (&filter, None), on)?;
    let known_start = before.at_start && before.rows.len() <= BEFORE;
    let log = shared.view().log().clone();
    let rows: Vec<Row> = before.rows.into_iter().chain(behind.rows).collect();
    let mut previous: Option<String> = None;
    let mut chapters = Vec::new();
    for row in rows.into_iter().filter(|row| matches!(row.what, What::Event(_))) {
        let payload = payload(&log, row.start)?;
        let first = previous.is_none();
        let (changes, not_listed) = match (&previous, &payload) {
            (Some(before), Some(after)) => differences(before, after),
            _ => (Vec::new(), 0),
        };
        previous = Some(payload.unwrap_or_default());
        chapters.push(Chapter { row, changes, not_listed, first });
    }
    if !known_start && chapters.len() > 1 {
        chapters.remove(0);
    }
    Ok(Story { aggregate, chapters, more_before: !known_start, more_after: !behind.at_end })
}

fn payload(log: &LogFile, offset: u64) -> Result<Option<String>, StorageError> {
    let mut buf = Vec::new();
    let frame = log.frame_at(offset, &mut buf)?;
    let event = frame.as_ref().and_then(|frame| EventView::parse(frame.payload(), log.version()).ok());
    Ok(event.map(|event| event.payload()).filter(|payload| payload.len() <= MAX_PAYLOAD).map(str::to_owned))
}

/// What differs, leaf by leaf, token by token: `1.0` and `1.00` differ. The first ones, and how many more there are.
fn differences(before: &str, after: &str) -> (Vec<Difference>, usize) {
    let mut old: HashMap<String, &str> = leaves(before).into_iter().collect();
    let order: Vec<String> = leaves(before).into_iter().map(|(path, _)| path).collect();
    let short = |token: &str| token.chars().take(MAX_TOKEN).collect::<String>();
    let mut found = Vec::new();
    for (path, token) in leaves(after) {
        let known = old.remove(&path);
        if known != Some(token) {
            found.push(Difference { path, before: known.map(short), after: Some(short(token)) });
        }
    }
    let gone = order.into_iter().filter_map(|path| old.remove(&path).map(|token| (path, token)));
    found.extend(gone.map(|(path, token)| Difference { path, before: Some(short(token)), after: None }));
    let more = found.len().saturating_sub(LISTED);
    found.truncate(LISTED);
    (found, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_by_token_and_in_order() {
        let (found, more) = differences(r#"{"a":1.0,"b":"x","c":[1]}"#, r#"{"a":1.00,"b":"x","d":{"e":true}}"#);
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
        assert_eq!(differences(&object(0), &object(100)).1, 30 - LISTED);
    }
}
