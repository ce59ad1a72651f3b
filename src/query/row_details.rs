//! The details of one row as plain data: payload text, field ranges, header, checksums and the index entry.

use std::ops::Range;

use super::row::{EventSummary, LogRow, RowContent};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{DamageKind, EventView, FieldSpec, Finding, FindingLayout, HeaderFault, LogHeader, frame, header};
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// Largest number of bytes of a damaged payload that are read.
const MAX_DAMAGED_PAYLOAD_BYTES: u64 = 1 << 20;

/// The details of a row, beyond the summary in the row itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RowDetails {
    /// The row that is described.
    pub row: LogRow,
    /// True when the log no longer holds the row: the frame of its event is not valid, or holds another event.
    pub is_changed: bool,
    /// The finding about the time of the event, when the row was requested as this finding. The row has the event.
    pub clock_finding: Option<Finding>,
    /// The payload of the row's frame, as stored; `None` when there is no valid frame or the payload is not UTF-8.
    pub payload_text: Option<String>,
    /// What is left of the payload of a damaged frame; `None` when the row is not one, or its payload is text.
    pub damaged_payload: Option<DamagedPayload>,
    /// Byte range in `payload_text` of the value of the event's `payload` key; empty when the row is not an event.
    pub event_payload_range: Range<usize>,
    /// The fields of the header or of the frame, ascending. Empty when the row has no known fields.
    pub fields: Vec<FieldSpan>,
    /// The log's header, when the row is the header.
    pub header: Option<HeaderDetails>,
    /// The frame, when the row is an event.
    pub frame: Option<FrameDetails>,
}

/// What is left of the payload of a damaged frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DamagedPayload {
    /// File offset of the first byte.
    pub start: u64,
    /// The first bytes, at most 1 MiB.
    pub bytes: Vec<u8>,
}

/// A field of the on-disk format, with its range in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSpan {
    /// The field's name in the format document.
    pub name: &'static str,
    /// The field's bytes, as file offsets.
    pub range: Range<u64>,
}

/// The header's bytes, and the result of decoding them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderDetails {
    /// The header's bytes as stored; fewer than 16 when the file is shorter.
    pub bytes: Vec<u8>,
    /// The result of decoding them.
    pub state: HeaderDecodeState,
}

/// The result of decoding a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderDecodeState {
    /// The header is valid.
    Valid(LogHeader),
    /// The file ends inside the header.
    Incomplete,
    /// The header is invalid.
    Invalid,
}

/// The length and checksum of a frame, and the index entry of its event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameDetails {
    /// The length field: the payload's length in bytes.
    pub payload_length: Option<u32>,
    /// The checksum stored after the payload; `None` in version 0, which stores none.
    pub stored_checksum: Option<u32>,
    /// The checksum computed from the length field and the payload; `None` in version 0.
    pub computed_checksum: Option<u32>,
    /// The event's entry in the index.
    pub index_entry: IndexEntryStatus,
}

/// The state of an event's entry in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexEntryStatus {
    /// The event belongs to no aggregate, so no index lists it.
    NoAggregate,
    /// There is no index.
    NoIndex,
    /// The index covers the log only up to an offset before the event.
    NotCovered,
    /// The index lists the event.
    Listed {
        /// The event's number among the aggregate's events, counted from 1.
        position: u64,
        /// Number of events that the index lists for the aggregate.
        events: u64,
    },
    /// The index covers the event's offset and does not list it.
    NotListed,
    /// The index could not be read.
    Unreadable,
}

impl RowDetails {
    /// Returns the value of the event's `payload` key, as stored; `None` when the row is not an event.
    pub fn event_payload(&self) -> Option<&str> {
        self.payload_text.as_deref()?.get(self.event_payload_range.clone()).filter(|payload| !payload.is_empty())
    }
}

/// Reads the details of a row. The index entry of an event is looked up in `index`.
///
/// The row's frame is read once. For an event, all offsets of its aggregate are read from the index.
///
/// # Errors
/// `Io`, `Changed`, `OutOfMemory` when the log cannot be read. An index that cannot be read is not an error.
pub fn read_row_details(
    view: &LogView,
    index: Option<&AggregateIndex>,
    row: LogRow,
) -> Result<RowDetails, StorageError> {
    let log = view.log();
    let range = row.start..row.end;
    let content = row.content.clone();
    let mut details = RowDetails {
        row,
        is_changed: false,
        clock_finding: None,
        payload_text: None,
        damaged_payload: None,
        event_payload_range: 0..0,
        fields: Vec::new(),
        header: None,
        frame: None,
    };
    match content {
        RowContent::Header => {
            details.fields = header_fields(log);
            details.header = Some(read_header(log)?);
        }
        RowContent::Event(_) => details.is_changed = !details.add_event(log, index)?,
        // The event itself is sound: only its time is earlier than that of the event before it.
        RowContent::Finding(finding) if finding.kind == DamageKind::Clock => {
            details.is_changed = !details.add_event(log, index)?;
            details.clock_finding = Some(finding);
        }
        RowContent::Finding(finding) => match finding.kind.layout() {
            FindingLayout::Header => details.fields = header_fields(log),
            // A torn tail starts with the length of its frame.
            FindingLayout::RawBytes if finding.kind == DamageKind::TornTail => {
                let start = range.start + frame::LENGTH_LEN as u64;
                details.damaged_payload = read_damaged_payload(log, start..range.end)?;
            }
            FindingLayout::RawBytes => {}
            FindingLayout::ValidFrame | FindingLayout::DamagedFrame => {
                details.fields = frame_fields(log, range.clone());
                // A gap and an invalid event are valid frames, whose payload may be JSON.
                let mut buf = Vec::new();
                if let Some(frame) = log.read_frame_at(range.start, &mut buf)? {
                    details.payload_text = std::str::from_utf8(frame.payload()).ok().map(str::to_owned);
                }
                let payload = details.fields.iter().find(|field| field.name == "payload");
                if let (None, Some(payload)) = (&details.payload_text, payload) {
                    details.damaged_payload = read_damaged_payload(log, payload.range.clone())?;
                }
            }
        },
        RowContent::InFlight => {}
    }
    Ok(details)
}

impl RowDetails {
    /// Adds the event at the start of the row. Returns false when the log does not hold the row's event there.
    fn add_event(&mut self, log: &LogFile, index: Option<&AggregateIndex>) -> Result<bool, StorageError> {
        let start = self.row.start;
        let mut buf = Vec::new();
        let Some(frame) = log.read_frame_at(start, &mut buf)? else { return Ok(false) };
        self.fields = frame_fields(log, start..start + frame.len());
        let Ok(event) = EventView::parse(frame.payload(), log.version()) else { return Ok(false) };
        let summary = EventSummary::from_event(&event);
        let is_same = self.row.end == start + frame.len()
            && !matches!(&self.row.content, RowContent::Event(listed) if !listed.has_same_fields(&summary));
        self.row.content = RowContent::Event(summary);
        let (json, payload) = (event.json(), event.payload());
        // `payload` is a slice of `json`, so the difference of their addresses is the payload's position in the text.
        let payload_start = (payload.as_ptr() as usize).saturating_sub(json.as_ptr() as usize);
        self.event_payload_range = payload_start..payload_start + payload.len();
        self.payload_text = Some(json.to_owned());
        let checksum_len = log.version().checksum_len();
        let stored_checksum = (checksum_len > 0).then(|| frame.checksum());
        let covered = frame.bytes().get(..frame.bytes().len() - checksum_len);
        self.frame = Some(FrameDetails {
            payload_length: frame::payload_length_at(frame.bytes(), 0),
            stored_checksum,
            computed_checksum: stored_checksum.and(covered.map(|covered| log.format().checksum(start, covered))),
            index_entry: match (event.aggregate_id(), index) {
                (None, _) => IndexEntryStatus::NoAggregate,
                (Some(_), None) => IndexEntryStatus::NoIndex,
                (Some(id), Some(index)) => find_index_entry(index, id, start),
            },
        });
        Ok(is_same)
    }
}

/// Looks up the event at `offset` among the offsets of `aggregate` in the index.
fn find_index_entry(index: &AggregateIndex, aggregate: u64, offset: u64) -> IndexEntryStatus {
    if offset >= index.coverage().covered_to {
        return IndexEntryStatus::NotCovered;
    }
    let Ok(offsets) = index.offsets(aggregate) else { return IndexEntryStatus::Unreadable };
    let (mut position, mut events) = (None, 0);
    for listed in offsets {
        let Ok(listed) = listed else { return IndexEntryStatus::Unreadable };
        events += 1;
        if listed == offset {
            position = Some(events);
        }
    }
    position.map_or(IndexEntryStatus::NotListed, |position| IndexEntryStatus::Listed { position, events })
}

fn read_header(log: &LogFile) -> Result<HeaderDetails, StorageError> {
    let bytes = log.read_header()?;
    let state = match LogHeader::decode(&bytes) {
        Ok(header) => HeaderDecodeState::Valid(header),
        Err(HeaderFault::TooShort(_)) => HeaderDecodeState::Incomplete,
        Err(_) => HeaderDecodeState::Invalid,
    };
    Ok(HeaderDetails { bytes, state })
}

/// Reads the first bytes of a damaged payload; `None` when it is empty.
fn read_damaged_payload(log: &LogFile, range: Range<u64>) -> Result<Option<DamagedPayload>, StorageError> {
    let len = range.end.saturating_sub(range.start).min(MAX_DAMAGED_PAYLOAD_BYTES);
    let mut bytes = vec![0; len as usize];
    let read = log.read_at(&mut bytes, range.start)?;
    bytes.truncate(read);
    Ok((read > 0).then_some(DamagedPayload { start: range.start, bytes }))
}

fn header_fields(log: &LogFile) -> Vec<FieldSpan> {
    header::header_fields(log.version()).iter().map(|field| field_span(0, field)).collect()
}

/// Returns the fields of the frame that has exactly this range; none when the range is too short for a frame.
fn frame_fields(log: &LogFile, range: Range<u64>) -> Vec<FieldSpan> {
    let overhead = frame::LENGTH_LEN + log.version().checksum_len();
    let Some(payload) = ((range.end - range.start) as usize).checked_sub(overhead) else { return Vec::new() };
    let fields = frame::fields(payload, log.version());
    fields.iter().filter(|field| field.len > 0).map(|field| field_span(range.start, field)).collect()
}

const fn field_span(base: u64, field: &FieldSpec) -> FieldSpan {
    let start = base + field.offset as u64;
    FieldSpan { name: field.name, range: start..start + field.len as u64 }
}
