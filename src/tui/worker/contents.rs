//! What stands in a row: its bytes, its fields, its JSON, its frame and what the index has of it.

use super::{OnProgress, Shared, story};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::{EventView, Kind, crc, frame, header};
use crate::index::AggregateIndex;
use crate::inspect::LogView;
use crate::query::{Row, What};
use crate::tui::model::{Contents, Entry, FrameFacts, JsonDoc, Mark, View, WINDOW};

/// Reads what stands in a row, with a hex window from `base` on.
///
/// # Errors
/// `Io`, `Memory`; `Stopped`.
pub(super) fn contents(
    shared: &Shared,
    row: Row,
    base: u64,
    view: View,
    on: &mut OnProgress,
) -> Result<Box<Contents>, StorageError> {
    let log_view = shared.view();
    let log = log_view.log();
    let mut contents = Contents {
        json: None,
        payload: 0..0,
        doc: JsonDoc::default(),
        bytes: window(log, base, row.end)?,
        base,
        marks: Vec::new(),
        frame: None,
        story: None,
        fix: None,
        kept_in: None,
        row,
    };
    let range = contents.row.start..contents.row.end;
    match contents.row.what.clone() {
        What::Header => {
            contents.marks = header::FIELDS
                .iter()
                .map(|field| Mark { name: field.name, range: field.at as u64..(field.at + field.bytes) as u64 })
                .collect();
        }
        What::Event(event) => {
            self::event(shared, &log_view, &mut contents)?;
            if let (View::Aggregate, Some(id)) = (view, event.aggregate_id) {
                contents.story = Some(story::story(shared, id, contents.row.start, on)?);
            }
        }
        What::Finding(finding) => {
            let framed = matches!(finding.kind, Kind::Checksum | Kind::InvalidEvent | Kind::Gap | Kind::Clock);
            if framed || finding.kind == Kind::Length {
                contents.marks = fields(log, range.clone());
            } else if finding.kind == Kind::Header {
                return self::contents(shared, Row { what: What::Header, ..contents.row }, base, view, on).map(
                    |mut header| {
                        header.row.what = What::Finding(finding);
                        header
                    },
                );
            }
            let mut buf = Vec::new();
            if let Some(frame) = log.frame_at(range.start, &mut buf)? {
                // A gap, or a frame that is no event: what it says may be JSON all the same.
                contents.json = std::str::from_utf8(frame.payload()).ok().map(str::to_owned);
                contents.doc = contents.json.as_deref().map(JsonDoc::new).unwrap_or_default();
            }
        }
        What::InFlight => {}
    }
    Ok(Box::new(contents))
}

fn event(shared: &Shared, view: &LogView, contents: &mut Contents) -> Result<(), StorageError> {
    let log = view.log();
    let mut buf = Vec::new();
    let start = contents.row.start;
    let Some(frame) = log.frame_at(start, &mut buf)? else { return Ok(()) };
    contents.marks = fields(log, start..start + frame.len());
    let Ok(event) = EventView::parse(frame.payload(), log.version()) else { return Ok(()) };
    let json = event.json();
    // Both are slices of one text: where the one starts in the other.
    let at = (event.payload().as_ptr() as usize).saturating_sub(json.as_ptr() as usize);
    contents.payload = at..at + event.payload().len();
    contents.doc = JsonDoc::new(json);
    contents.json = Some(json.to_owned());
    let stored = (log.version().checksum_len() > 0).then(|| frame.checksum());
    let covered = frame.bytes().get(..frame.bytes().len() - log.version().checksum_len());
    contents.frame = Some(FrameFacts {
        length: frame::length_at(frame.bytes(), 0),
        stored,
        computed: stored.and(covered.map(crc::of)),
        entry: match event.aggregate_id() {
            None => Entry::NoAggregate,
            Some(id) => shared.index().map_or(Entry::NoIndex, |index| entry(&index, id, start)),
        },
    });
    Ok(())
}

/// What the index has of the event of an aggregate at an offset.
fn entry(index: &AggregateIndex, id: u64, offset: u64) -> Entry {
    if offset >= index.coverage().covered_to {
        return Entry::NotCovered;
    }
    let Ok(offsets) = index.offsets(id) else { return Entry::Unreadable("the index could not be read".into()) };
    let (mut nth, mut of) = (None, 0);
    for known in offsets {
        match known {
            Ok(known) => {
                of += 1;
                if known == offset {
                    nth = Some(of);
                }
            }
            Err(_) => return Entry::Unreadable("the index could not be read".into()),
        }
    }
    nth.map_or(Entry::Absent, |nth| Entry::Nth(nth, of))
}

/// The fields of a frame that takes exactly this range.
fn fields(log: &LogFile, range: std::ops::Range<u64>) -> Vec<Mark> {
    let around = frame::LENGTH_LEN + log.version().checksum_len();
    let Some(payload) = ((range.end - range.start) as usize).checked_sub(around) else { return Vec::new() };
    frame::fields(payload, log.version())
        .into_iter()
        .filter(|field| field.bytes > 0)
        .map(|field| {
            let start = range.start + field.at as u64;
            Mark { name: field.name, range: start..start + field.bytes as u64 }
        })
        .collect()
}

fn window(log: &LogFile, base: u64, end: u64) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; end.saturating_sub(base).min(WINDOW) as usize];
    let read = log.read(&mut bytes, base)?;
    bytes.truncate(read);
    Ok(bytes)
}
