//! Formats the state of an aggregate as labelled lines and as JSON.

use super::json::Json;
use super::row_details::{DetailLine, Tone};
use super::units::{format_count, format_number};
use crate::query::AggregateState;

/// Returns the lines about a state: how many events were merged, and what may be missing from it.
pub(crate) fn state_lines(state: &AggregateState) -> Vec<DetailLine> {
    let events = format_count(state.events, "event");
    let text = format!("aggregate {} after {events}, the last at {}", state.aggregate, state.last_offset);
    let mut lines = vec![DetailLine::plain("state", text)];
    let mut warn = |label, text| lines.push(DetailLine { label, text, tone: Tone::Warning });
    if let Some(text) = possible_loss(state.damaged_ranges, state.gaps) {
        warn("may be missing", format!("{text} of this aggregate before this one"));
    }
    if state.is_cut {
        let last = format_number(state.last_offset);
        warn("cut", format!("the state exceeds 4 MiB after the event at {last}; later events are not merged"));
    }
    lines
}

/// Returns `1 damaged range and 2 gaps may hold events`; `None` when there is neither.
pub(crate) fn possible_loss(damaged_ranges: u64, gaps: u64) -> Option<String> {
    let counts = [(damaged_ranges, "damaged range"), (gaps, "gap")];
    let counts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| format_count(count, noun)).collect();
    let verb = if damaged_ranges + gaps == 1 { "may hold an event" } else { "may hold events" };
    (!counts.is_empty()).then(|| format!("{} {verb}", counts.join(" and ")))
}

/// Returns the object `state` of `show --json`.
pub(crate) fn state_json(state: &AggregateState) -> Json {
    Json::Object(vec![
        ("aggregate", state.aggregate.into()),
        ("events", state.events.into()),
        ("last_offset", state.last_offset.into()),
        ("is_cut", Json::Bool(state.is_cut)),
        ("damaged_ranges", state.damaged_ranges.into()),
        ("gaps", state.gaps.into()),
        ("payload", Json::Stored(state.json.clone())),
    ])
}
