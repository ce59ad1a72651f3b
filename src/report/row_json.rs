//! Builds the JSON that `show` prints: a row, its frame, its stored JSON and its first bytes.

use std::path::Path;

use super::aggregate_state::state_json;
use super::json::{Json, finding};
use crate::format::hex;
use crate::query::{AggregateState, FieldSpan, FrameDetails, IndexEntryStatus, RowContent, RowDetails};
use crate::repair::Fix;

/// The input of [`row_json`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowReport<'a> {
    /// The details of the row.
    pub(crate) details: &'a RowDetails,
    /// The fix for the row's damage; `None` if no fix is possible in place.
    pub(crate) fix: Option<&'a Fix>,
    /// The journal that contains the bytes that a gap replaced.
    pub(crate) gap_journal: Option<&'a Path>,
    /// The row's first bytes.
    pub(crate) bytes: &'a [u8],
    /// The state of the event's aggregate after the event, when it was requested.
    pub(crate) state: Option<&'a AggregateState>,
}

/// Returns the object of `show --json`: a row, its frame, its stored JSON, its first bytes, and its finding.
pub(crate) fn row_json(report: &RowReport) -> Json {
    let RowReport { details, fix, gap_journal, bytes, state } = *report;
    let row = &details.row;
    let is_event = matches!(row.content, RowContent::Event(_));
    let (event, other_text) = details
        .payload_text
        .clone()
        .map_or((None, None), |text| if is_event { (Some(Json::Stored(text)), None) } else { (None, Some(text)) });
    let found = match &row.content {
        RowContent::Finding(found) => Some(finding(found, fix, gap_journal)),
        RowContent::Event(_) => details.clock_finding.as_ref().map(|found| finding(found, None, None)),
        RowContent::Header | RowContent::InFlight => None,
    };
    let field = |field: &FieldSpan| {
        Json::Object(vec![
            ("name", field.name.into()),
            ("start", field.range.start.into()),
            ("end", field.range.end.into()),
        ])
    };
    Json::Object(vec![
        ("kind", row.content.kind_name().into()),
        ("start", row.start.into()),
        ("end", row.end.into()),
        ("event", event.unwrap_or(Json::Null)),
        ("payload_text", other_text.into()),
        ("fields", Json::List(details.fields.iter().map(field).collect())),
        ("state", state.map_or(Json::Null, state_json)),
        ("frame", details.frame.as_ref().map_or(Json::Null, frame_json)),
        ("finding", found.unwrap_or(Json::Null)),
        ("hex", hex::encode(bytes).into()),
        ("hex_omitted_bytes", (row.end - row.start - bytes.len() as u64).into()),
    ])
}

/// Returns the length and the checksums of a frame, and the position of its event in the index.
fn frame_json(frame: &FrameDetails) -> Json {
    let checksum = |sum: Option<u32>| Json::from(sum.map(|sum| format!("{sum:08x}")));
    let (status, position, events) = match frame.index_entry {
        IndexEntryStatus::NoAggregate => ("no_aggregate", None, None),
        IndexEntryStatus::NoIndex => ("no_index", None, None),
        IndexEntryStatus::NotCovered => ("not_covered", None, None),
        IndexEntryStatus::Listed { position, events } => ("listed", Some(position), Some(events)),
        IndexEntryStatus::NotListed => ("not_listed", None, None),
        IndexEntryStatus::Unreadable => ("unreadable", None, None),
    };
    Json::Object(vec![
        ("length", frame.payload_length.map(u64::from).into()),
        ("stored", checksum(frame.stored_checksum)),
        ("computed", checksum(frame.computed_checksum)),
        (
            "index_entry",
            Json::Object(vec![("status", status.into()), ("position", position.into()), ("events", events.into())]),
        ),
    ])
}
