//! What stands in a row: its bytes, its fields, its JSON, its frame and what the index has of it.

use super::{SharedState, aggregate_history};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{EventView, FindingLayout, crc, frame, header};
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress};
use crate::query::{LogRow, RowContent};
use crate::tui::model::{DetailView, FieldSpan, FrameInfo, HEX_WINDOW_BYTES, IndexEntryStatus, JsonDoc, RowContents};

/// Reads what stands in a row, with a hex window from `base` on.
///
/// # Errors
/// `Io`, `Memory`; `Stopped`.
pub(super) fn read_contents(
    shared: &SharedState,
    row: LogRow,
    base: u64,
    view: DetailView,
    on: &mut OnProgress,
) -> Result<Box<RowContents>, StorageError> {
    let log_view = shared.view();
    let log = log_view.log();
    let mut contents = RowContents {
        json: None,
        payload_range: 0..0,
        doc: JsonDoc::default(),
        bytes: read_window(log, base, row.end)?,
        bytes_start: base,
        field_spans: Vec::new(),
        frame: None,
        history: None,
        fix: None,
        backup_journal: None,
        row,
    };
    let range = contents.row.start..contents.row.end;
    match contents.row.content.clone() {
        RowContent::Header => {
            contents.field_spans = header::HEADER_FIELDS
                .iter()
                .map(|field| FieldSpan {
                    name: field.name,
                    range: field.offset as u64..(field.offset + field.len) as u64,
                })
                .collect();
        }
        RowContent::Event(event) => {
            self::read_event(shared, &log_view, &mut contents)?;
            if let (DetailView::Aggregate, Some(id)) = (view, event.aggregate_id) {
                contents.history = Some(aggregate_history::read_history(shared, id, contents.row.start, on)?);
            }
        }
        RowContent::Finding(finding) => {
            match finding.kind.layout() {
                FindingLayout::ValidFrame | FindingLayout::DamagedFrame => {
                    contents.field_spans = frame_field_marks(log, range.clone());
                }
                FindingLayout::Header => {
                    let row = LogRow { content: RowContent::Header, ..contents.row };
                    return self::read_contents(shared, row, base, view, on).map(|mut header| {
                        header.row.content = RowContent::Finding(finding);
                        header
                    });
                }
                FindingLayout::RawBytes => {}
            }
            let mut buf = Vec::new();
            if let Some(frame) = log.read_frame_at(range.start, &mut buf)? {
                // A gap, or a frame that is no event: what it says may be JSON all the same.
                contents.json = std::str::from_utf8(frame.payload()).ok().map(str::to_owned);
                contents.doc = contents.json.as_deref().map(JsonDoc::new).unwrap_or_default();
            }
        }
        RowContent::InFlight => {}
    }
    Ok(Box::new(contents))
}

fn read_event(shared: &SharedState, view: &LogView, contents: &mut RowContents) -> Result<(), StorageError> {
    let log = view.log();
    let mut buf = Vec::new();
    let start = contents.row.start;
    let Some(frame) = log.read_frame_at(start, &mut buf)? else { return Ok(()) };
    contents.field_spans = frame_field_marks(log, start..start + frame.len());
    let Ok(event) = EventView::parse(frame.payload(), log.version()) else { return Ok(()) };
    let json = event.json();
    // Both are slices of one text: where the one starts in the other.
    let at = (event.payload().as_ptr() as usize).saturating_sub(json.as_ptr() as usize);
    contents.payload_range = at..at + event.payload().len();
    contents.doc = JsonDoc::new(json);
    contents.json = Some(json.to_owned());
    let stored = (log.version().checksum_len() > 0).then(|| frame.checksum());
    let covered = frame.bytes().get(..frame.bytes().len() - log.version().checksum_len());
    contents.frame = Some(FrameInfo {
        length: frame::payload_length_at(frame.bytes(), 0),
        stored_checksum: stored,
        computed_checksum: stored.and(covered.map(crc::checksum)),
        index_entry: match event.aggregate_id() {
            None => IndexEntryStatus::NoAggregate,
            Some(id) => shared.index().map_or(IndexEntryStatus::NoIndex, |index| find_index_entry(&index, id, start)),
        },
    });
    Ok(())
}

/// What the index has of the event of an aggregate at an offset.
fn find_index_entry(index: &AggregateIndex, id: u64, offset: u64) -> IndexEntryStatus {
    if offset >= index.coverage().covered_to {
        return IndexEntryStatus::NotCovered;
    }
    let Ok(offsets) = index.offsets(id) else {
        return IndexEntryStatus::Unreadable("the index could not be read".into());
    };
    let (mut nth, mut count) = (None, 0);
    for known in offsets {
        match known {
            Ok(known) => {
                count += 1;
                if known == offset {
                    nth = Some(count);
                }
            }
            Err(_) => return IndexEntryStatus::Unreadable("the index could not be read".into()),
        }
    }
    nth.map_or(IndexEntryStatus::Absent, |nth| IndexEntryStatus::Nth(nth, count))
}

/// The fields of a frame that takes exactly this range.
fn frame_field_marks(log: &LogFile, range: std::ops::Range<u64>) -> Vec<FieldSpan> {
    let overhead = frame::LENGTH_LEN + log.version().checksum_len();
    let Some(payload) = ((range.end - range.start) as usize).checked_sub(overhead) else { return Vec::new() };
    frame::fields(payload, log.version())
        .into_iter()
        .filter(|field| field.len > 0)
        .map(|field| {
            let start = range.start + field.offset as u64;
            FieldSpan { name: field.name, range: start..start + field.len as u64 }
        })
        .collect()
}

fn read_window(log: &LogFile, base: u64, end: u64) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; end.saturating_sub(base).min(HEX_WINDOW_BYTES) as usize];
    let read = log.read_at(&mut bytes, base)?;
    bytes.truncate(read);
    Ok(bytes)
}
