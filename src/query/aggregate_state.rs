//! The state of an aggregate at one of its events: the payloads of its events up to there, merged (RFC 7396).

use super::filter::Filter;
use super::merge_patch::MergedDocument;
use super::page::{PageRequest, read_page};
use super::row::{LogRow, ReadStart, RowContent};
use crate::StorageError;
use crate::format::{DamageKind, EventView};
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress};

/// Largest size of a state in bytes. Further events are not merged into a larger one.
const MAX_STATE_BYTES: usize = 4 << 20;
/// Number of rows that are read at once.
const ROWS_PER_PAGE: usize = 1024;

/// The state of an aggregate at one of its events.
///
/// The payload of each event is applied as a merge patch (RFC 7396): an object changes the keys that it has, `null`
/// removes a key, and any other value replaces what was there. Events that carry the whole payload give the same result
/// as long as they leave out no key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AggregateState {
    /// Id of the aggregate.
    pub aggregate: u64,
    /// The merged payloads as compact JSON. Every value is the text that an event stored.
    pub json: String,
    /// Number of events that were merged.
    pub events: u64,
    /// Offset of the last event that was merged.
    pub last_offset: u64,
    /// True when the state reached its largest size, 4 MiB, before the given event, so that later events are missing.
    pub is_cut: bool,
    /// Number of damaged ranges before the event. Each may hold events of the aggregate that are missing from the state.
    pub damaged_ranges: u64,
    /// Number of gaps before the event. Each has replaced bytes that may have held events of the aggregate.
    pub gaps: u64,
}

/// Reads the state of an aggregate after the event in `row`. Returns `None` when the row is no event of an aggregate.
///
/// Where `index` covers the log, only the events of the aggregate are read, unless the log has gaps; the rest of the log
/// up to the event is scanned. `on_progress` is called about once per mebibyte with the file offset reached. Memory use
/// is the state, at most 4 MiB, and one event.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log or its index cannot be read.
pub fn read_aggregate_state(
    view: &LogView,
    index: Option<&AggregateIndex>,
    row: &LogRow,
    on_progress: &mut OnProgress,
) -> Result<Option<AggregateState>, StorageError> {
    let RowContent::Event(event) = &row.content else { return Ok(None) };
    let Some(aggregate) = event.aggregate_id else { return Ok(None) };
    let filter = Filter::parse(&format!("agg:{aggregate}"), 0).unwrap_or_default();
    let mut state = AggregateState {
        aggregate,
        json: String::new(),
        events: 0,
        last_offset: row.start,
        is_cut: false,
        damaged_ranges: 0,
        gaps: 0,
    };
    let mut document = MergedDocument::default();
    let mut from = 0;
    let mut is_complete = false;
    while !is_complete {
        let request = PageRequest::new(&filter, ReadStart::forward(from), ROWS_PER_PAGE).ending_at(row.end);
        let page = read_page(view, index, &request, on_progress)?;
        is_complete = page.at_end || page.rows.is_empty();
        for found in page.rows.iter().filter(|found| found.end <= row.end) {
            state.add_row(view, found, &mut document)?;
        }
        from = page.rows.last().map_or(row.end, |last| last.end.max(last.start + 1));
    }
    state.json = document.to_json();
    Ok(Some(state))
}

impl AggregateState {
    /// Merges the event in a row, or counts the finding in it.
    fn add_row(&mut self, view: &LogView, row: &LogRow, document: &mut MergedDocument) -> Result<(), StorageError> {
        match &row.content {
            RowContent::Event(_) if document.bytes() > MAX_STATE_BYTES => self.is_cut = true,
            RowContent::Event(_) => {
                let mut buf = Vec::new();
                let frame = view.log().read_frame_at(row.start, &mut buf)?;
                let event =
                    frame.as_ref().and_then(|frame| EventView::parse(frame.payload(), view.log().version()).ok());
                if event.is_some_and(|event| document.merge(event.payload())) {
                    self.events += 1;
                    self.last_offset = row.start;
                }
            }
            RowContent::Finding(finding) if finding.kind == DamageKind::Gap => self.gaps += 1,
            RowContent::Finding(finding) if finding.kind.may_hold_events() => self.damaged_ranges += 1,
            RowContent::Finding(_) | RowContent::Header | RowContent::InFlight => {}
        }
        Ok(())
    }
}
