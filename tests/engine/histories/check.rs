//! The oracle: compares a disk with the model of its log.

use std::ops::Range;

use chronicle::DamageKind;

use super::model::{EventState, FIRST_NUMBER, Model, ModelEvent};
use super::operation::{Operation, open_read_only};
use super::run::execute;
use super::start::{Start, V2};
use crate::engine::sim_disk::SimDisk;
use crate::engine::support::{LOG, open_view, survey_log};

/// An event that a reader of the log gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadEvent {
    pub(super) offset: u64,
    pub(super) json: String,
    aggregate: Option<u64>,
}

/// Which events must be readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Survivors {
    /// Every acknowledged event.
    Acknowledged,
    /// Every event on stable storage. Others are there whole, or not at all.
    Synced,
}

/// Whether the contents of the disk are on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    Cached,
    Durable,
}

/// Reads every event of the log in order.
pub(super) fn read_events(disk: &SimDisk) -> Result<Vec<ReadEvent>, String> {
    let log = open_read_only(disk).map_err(|error| format!("the log cannot be opened: {error}"))?;
    let events = log.replay(0).map_err(|error| format!("the log cannot be read: {error}"))?;
    Ok(events
        .flatten()
        .map(|event| ReadEvent {
            offset: event.offset(),
            json: event.json().to_owned(),
            aggregate: event.aggregate_id(),
        })
        .collect())
}

/// Checks the events that readers get, through the log and through the index. A repair may be pending.
pub(super) fn check_reads(disk: &SimDisk, model: &Model, survivors: Survivors) -> Result<Vec<ReadEvent>, String> {
    let readable = read_events(disk)?;
    for event in &model.events {
        let must_survive = match event.state {
            EventState::Synced => true,
            EventState::Buffered => survivors == Survivors::Acknowledged,
            EventState::Damaged => false,
        };
        let found = readable.iter().find(|found| found.offset == event.offset);
        if must_survive && found.is_none_or(|found| found.json != event.json) {
            return Err(format!("the {:?} event at {} is lost; read there: {found:?}", event.state, event.offset));
        }
    }
    for found in &readable {
        if !model.events.iter().any(|event| is_same(event, found)) && !is_unacknowledged(found, model) {
            return Err(format!("no operation has appended the event at {}: {}", found.offset, found.json));
        }
    }
    check_index(disk, &readable, model)?;
    Ok(readable)
}

fn is_same(event: &ModelEvent, found: &ReadEvent) -> bool {
    (event.offset, &event.json) == (found.offset, &found.json)
}

/// Returns true if the event may be there although the model does not have it: an append of the last operation, which did
/// not succeed, has written it, or a repair has restored it where the log was damaged. An event that was lost in any other
/// way must not appear again.
fn is_unacknowledged(found: &ReadEvent, model: &Model) -> bool {
    let number = found.json.split_once(r#""n":"#).and_then(|(_, rest)| rest.split(',').next()?.parse::<usize>().ok());
    let is_in_model = model.events.iter().any(|event| event.json == found.json);
    let was_damaged = model.damage.iter().any(|range| range.contains(&found.offset));
    let first = if was_damaged { FIRST_NUMBER } else { model.first_tried_number };
    !is_in_model && number.is_some_and(|number| (first..model.next_number).contains(&number))
}

/// Checks that the index gives exactly the events that the log has.
fn check_index(disk: &SimDisk, readable: &[ReadEvent], model: &Model) -> Result<(), String> {
    let log = open_read_only(disk).map_err(|error| error.to_string())?;
    let state = log.view().index_state().name();
    let is_cut = model.lost_end.is_some();
    if matches!(state, "corrupt" | "foreign" | "unsupported") || state == "ahead" && !is_cut {
        return Err(format!("the index is {state}"));
    }
    let mut aggregates: Vec<u64> = readable.iter().filter_map(|event| event.aggregate).collect();
    aggregates.sort_unstable();
    aggregates.dedup();
    for id in aggregates {
        let events = log.aggregate_events(id).map_err(|error| format!("aggregate {id}: {error}"))?;
        let indexed: Vec<_> = events.flatten().map(|event| (event.offset(), event.json().to_owned())).collect();
        let expected = readable.iter().filter(|event| event.aggregate == Some(id));
        let expected: Vec<_> = expected.map(|event| (event.offset, event.json.clone())).collect();
        if indexed != expected {
            return Err(format!("aggregate {id} has {expected:?}, and through the index {indexed:?}"));
        }
    }
    Ok(())
}

/// Checks a disk on which no repair is pending, and returns the model of what is there now.
pub(super) fn check_and_adopt(
    disk: &SimDisk,
    model: &Model,
    survivors: Survivors,
    contents: Contents,
) -> Result<Model, String> {
    let readable = check_reads(disk, model, survivors)?;
    let log_end = disk.get(LOG).unwrap_or_default().len() as u64;
    let damage = find_damage(disk, model, survivors)?;
    let pending = open_read_only(disk).and_then(|log| log.pending_repair()).map_err(|error| error.to_string())?;
    if let Some(pending) = pending {
        return Err(format!("a repair is still pending: {pending:?}"));
    }
    let damage = [model.damage.clone(), damage].concat();
    let mut adopted = Model { damage, first_tried_number: model.next_number, ..model.clone() };
    adopted
        .events
        .retain(|event| event.state == EventState::Damaged || readable.iter().any(|found| is_same(event, found)));
    for found in readable {
        if !adopted.events.iter().any(|event| is_same(event, &found)) {
            let event = ModelEvent { offset: found.offset, json: found.json, state: EventState::Buffered };
            adopted.events.push(event);
        }
    }
    adopted.events.sort_by_key(|event| event.offset);
    adopted.durable_end = adopted.durable_end.min(log_end);
    if contents == Contents::Durable {
        adopted.mark_synced(log_end);
    }
    Ok(adopted)
}

/// Returns the ranges of all damage, or an error for damage that nothing explains.
fn find_damage(disk: &SimDisk, model: &Model, survivors: Survivors) -> Result<Vec<Range<u64>>, String> {
    let survey = survey_log(disk);
    let log_end = disk.get(LOG).unwrap_or_default().len() as u64;
    let mut ranges = Vec::new();
    for finding in survey.findings.iter().filter(|finding| finding.kind.is_damage()) {
        let is_explained = match (finding.kind, survivors) {
            (DamageKind::Truncated, _) => model.lost_end.is_some(),
            _ if model.is_known_damage(&finding.range()) => true,
            // A write that was cut off, at the end of the log.
            (_, Survivors::Acknowledged) => finding.kind.can_set_aside() && finding.end == log_end,
            (_, Survivors::Synced) => finding.start >= model.durable_end,
        };
        if !is_explained {
            let (kind, range) = (finding.kind.name(), finding.range());
            return Err(format!("{kind} damage at {range:?} of {log_end}; known: {:?}", model.damage));
        }
        ranges.push(finding.range());
    }
    Ok(ranges)
}

/// Returns true if the index shows that the end of the log is missing.
pub(super) fn is_truncated(disk: &SimDisk) -> bool {
    open_view(disk).is_ok_and(|view| view.index_state().name() == "ahead")
}

/// Checks that no temporary file for a path is left.
pub(super) fn check_no_litter(disk: &SimDisk, path: &str) -> Result<(), String> {
    let is_litter = |name: &String| name.strip_prefix(path).is_some_and(|rest| rest.ends_with("tmp"));
    disk.names().into_iter().find(is_litter).map_or(Ok(()), |name| Err(format!("{name} is left")))
}

#[test]
fn an_event_that_was_lost_must_not_appear_again() {
    let start = Start::Healthy(V2).node();
    let appended = execute(&start, Operation::Append).unwrap().next;
    let after_power_cut = appended.disk.power_cut(|| false);
    let model = check_and_adopt(&after_power_cut, &appended.model, Survivors::Synced, Contents::Durable).unwrap();
    assert_eq!(read_events(&after_power_cut).unwrap().len() + 1, read_events(&appended.disk).unwrap().len());
    check_reads(&after_power_cut, &model, Survivors::Acknowledged).unwrap();
    let error = check_reads(&appended.disk, &model, Survivors::Acknowledged).unwrap_err();
    assert!(error.contains("no operation has appended the event"), "{error}");
}
