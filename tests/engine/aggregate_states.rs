//! The state of an aggregate at an event, and the damage that its history marks.

use std::fs;

use chronicle::inspect::LogView;
use chronicle::query::{AggregateState, LogRow, RowContent, read_aggregate_history, read_aggregate_state, read_row_at};
use chronicle::{AggregateIndex, DamageKind, Event, EventLog};
use tempfile::TempDir;

use super::query::{TempLog, never_stop};

/// Payloads of aggregate 7, in order, and the state after each.
const STEPS: [(&str, &str); 7] = [
    (
        r#"{"name":"Ana","amount":1.0,"address":{"city":"Lima","zip":"1"}}"#,
        r#"{"name":"Ana","amount":1.0,"address":{"city":"Lima","zip":"1"}}"#,
    ),
    (r#"{"amount":1.50}"#, r#"{"name":"Ana","amount":1.50,"address":{"city":"Lima","zip":"1"}}"#),
    (
        r#"{"address":{"zip":null,"street":"x"}}"#,
        r#"{"name":"Ana","amount":1.50,"address":{"city":"Lima","street":"x"}}"#,
    ),
    (r#"{"name":null,"tags":[1,2]}"#, r#"{"amount":1.50,"address":{"city":"Lima","street":"x"},"tags":[1,2]}"#),
    (r#"{"tags":[3]}"#, r#"{"amount":1.50,"address":{"city":"Lima","street":"x"},"tags":[3]}"#),
    (r#""closed""#, r#""closed""#),
    (r#"{"name":"Eva"}"#, r#"{"name":"Eva"}"#),
];

/// Returns the bytes of a log with the events of aggregate 7 between others, and the rows of aggregate 7.
fn log_with_steps() -> (TempLog, Vec<LogRow>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.log");
    let mut log = EventLog::create(&path).unwrap();
    let mut offsets = Vec::new();
    let event = |id, payload: &str| {
        let event = Event::builder().event_type("E").namespace("n").schema_id("s").schema_version(1).aggregate_id(id);
        event.payload_json(payload).build().unwrap()
    };
    for (payload, _) in STEPS {
        log.append(&event(8, r#"{"name":"other"}"#)).unwrap();
        offsets.push(log.append(&event(7, payload)).unwrap());
    }
    log.append(&event(8, "{}")).unwrap();
    drop(log);
    let log = TempLog::new(&fs::read(&path).unwrap());
    let view = log.view();
    let rows = offsets.iter().map(|offset| read_row_at(&view, *offset).unwrap().unwrap()).collect();
    (log, rows)
}

fn state_at(view: &LogView, index: Option<&AggregateIndex>, row: &LogRow) -> AggregateState {
    read_aggregate_state(view, index, row, &mut never_stop).unwrap().unwrap()
}

#[test]
fn the_state_at_an_event_merges_the_payloads_up_to_it() {
    let (log, rows) = log_with_steps();
    let (view, index) = (log.view(), log.index());
    for (number, (row, (_, expected))) in rows.iter().zip(STEPS).enumerate() {
        for index in [None, Some(&index)] {
            let state = state_at(&view, index, row);
            assert_eq!(state.json, expected, "event {number}");
            assert_eq!((state.aggregate, state.events, state.last_offset), (7, number as u64 + 1, row.start));
            assert_eq!((state.is_cut, state.damaged_ranges, state.gaps), (false, 0, 0));
        }
    }
    let header = read_row_at(&view, 0).unwrap().unwrap();
    assert_eq!(read_aggregate_state(&view, None, &header, &mut never_stop).unwrap(), None);
}

#[test]
fn damage_before_an_event_is_counted_and_its_event_is_not_merged() {
    let (log, rows) = log_with_steps();
    let intact_index = log.index();
    let mut bytes = fs::read(&log.path).unwrap();
    for row in [&rows[1], &rows[4]] {
        bytes[row.end as usize - 6] ^= 1;
    }
    let damaged = TempLog::new(&bytes);
    let (view, index) = (damaged.view(), damaged.index());
    // An index from before the damage lists the lost events, and one from after it lists the damaged ranges.
    for index in [None, Some(&intact_index), Some(&index)] {
        let counts = |row| {
            let state = state_at(&view, index, row);
            (state.events, state.damaged_ranges, state.json)
        };
        assert_eq!(counts(&rows[0]), (1, 0, STEPS[0].1.to_owned()));
        let third = r#"{"name":"Ana","amount":1.0,"address":{"city":"Lima","street":"x"}}"#;
        assert_eq!(counts(&rows[2]), (2, 1, third.to_owned()));
        assert_eq!(counts(&rows[6]), (5, 2, STEPS[6].1.to_owned()));

        let expected = [(0, 0), (2, 1), (3, 0), (5, 1), (6, 0)].map(|(n, count): (usize, u64)| (rows[n].start, count));
        // The history is read from an offset in both directions, and damage can be on either side of it.
        for from in &rows {
            let history = read_aggregate_history(&view, index, 7, from.start, &mut never_stop).unwrap();
            let marks: Vec<_> = history.entries.iter().map(|entry| (entry.row.start, entry.damaged_before)).collect();
            assert_eq!(marks, expected, "from {}", from.start);
            assert_eq!(history.damaged_after, 0);
            assert!(history.entries[0].previous_time_ms.is_none() && history.entries[1].previous_time_ms.is_some());
        }
    }
}

#[test]
fn damage_after_the_last_event_of_an_aggregate_is_counted() {
    let (log, rows) = log_with_steps();
    let mut bytes = fs::read(&log.path).unwrap();
    bytes[rows[6].end as usize - 6] ^= 1;
    let view = TempLog::new(&bytes).view();
    for offset in [rows[2].start, rows[6].start, rows[6].end] {
        let history = read_aggregate_history(&view, None, 7, offset, &mut never_stop).unwrap();
        assert_eq!((history.entries.len(), history.more_after, history.damaged_after), (6, false, 1), "from {offset}");
    }
}

#[test]
fn gaps_before_an_event_are_counted() {
    let bytes = include_bytes!("../fixtures/v1-gaps.log");
    let log = TempLog::new(bytes);
    let view = log.view();
    let mut rows = Vec::new();
    let mut from = 0;
    while let Some(row) = read_row_at(&view, from).unwrap() {
        from = row.end;
        rows.push(row);
    }
    let is_gap =
        |row: &&LogRow| matches!(&row.content, RowContent::Finding(finding) if finding.kind == DamageKind::Gap);
    let of_aggregate = |row: &&LogRow| matches!(&row.content, RowContent::Event(event) if event.aggregate_id.is_some());
    let last = rows.iter().rev().find(of_aggregate).unwrap();
    let expected = rows.iter().filter(is_gap).filter(|gap| gap.start < last.start).count() as u64;
    assert!(expected > 0);
    for index in [None, Some(&log.index())] {
        assert_eq!(state_at(&view, index, last).gaps, expected);
    }
}

#[test]
fn a_state_over_4_mib_is_cut_after_the_event_that_made_it_so_large() {
    let folder = TempDir::new().unwrap();
    let mut log = EventLog::create(folder.path().join("a.log")).unwrap();
    let mut offsets = Vec::new();
    for n in 0..6 {
        let payload = format!("{{\"part{n}\":\"{}\"}}", "x".repeat(1 << 20));
        let event = Event::builder().event_type("E").namespace("n").schema_id("s").schema_version(1).aggregate_id(1);
        offsets.push(log.append(&event.payload_json(payload).build().unwrap()).unwrap());
    }
    let view = log.view();
    let row = |n: usize| read_row_at(view, offsets[n]).unwrap().unwrap();
    let state = state_at(view, None, &row(3));
    assert_eq!((state.events, state.is_cut), (4, false));
    let state = state_at(view, None, &row(5));
    assert_eq!((state.events, state.is_cut, state.last_offset), (4, true, offsets[3]));
    assert!(state.json.len() < (5 << 20));
}
