//! The contents of a row, and the views of the detail pane.

use serde::{Deserialize, Serialize};

use std::ops::Range;
use std::path::PathBuf;

use super::history_lines::ShownHistory;
use super::json::{JsonDoc, JsonRoot};
use crate::format::DamageKind;
use crate::query::{AggregateState, RowContent, RowDetails};
use crate::repair::Fix;

/// The views of the detail pane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DetailView {
    /// The event's JSON, with every token as stored; of a damaged frame, what is left of it.
    #[default]
    Json,
    /// The bytes, with the frame's fields marked.
    Hex,
    /// Offsets, checksums and the index entry, or the verdict about a finding.
    Frame,
    /// The aggregate of the event: its events in order, or its state.
    Aggregate,
    /// The contents of the log and of a backup at this row, where they differ.
    Backup,
}

/// The content of the aggregate view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AggregateMode {
    /// The events of the aggregate, each with the differences from the one before.
    #[default]
    History,
    /// The state of the aggregate after the event.
    State,
}

impl DetailView {
    /// All views, in their order for an event.
    pub(crate) const ALL: [Self; 5] = [Self::Json, Self::Hex, Self::Frame, Self::Aggregate, Self::Backup];
    /// The views in their order for a row that is not an event: the fields of its frame come first.
    const OF_OTHER_ROWS: [Self; 4] = [Self::Frame, Self::Hex, Self::Json, Self::Backup];

    /// Returns the name of the view for a row.
    pub(crate) const fn name(self, row: &RowContent) -> &'static str {
        match (self, row) {
            (Self::Json, _) => "JSON",
            (Self::Hex, _) => "Hex",
            (Self::Frame, RowContent::Header) => "Header",
            (Self::Frame, RowContent::Finding(_)) => "Finding",
            (Self::Frame, RowContent::Event(_) | RowContent::InFlight) => "Frame",
            (Self::Aggregate, _) => "Aggregate",
            (Self::Backup, _) => "Backup",
        }
    }
}

/// The contents of the row in the detail pane: its details, a window of its bytes, its aggregate and its fix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowContents {
    /// The payload, the fields, the header and the frame of the row.
    pub(crate) details: RowDetails,
    /// The payload laid out in lines; of a damaged frame, what is left of it. Empty when the row has no payload.
    pub(crate) doc: JsonDoc,
    /// A window of the row's bytes.
    pub(crate) bytes: Vec<u8>,
    /// File offset of the first byte of the window.
    pub(crate) bytes_start: u64,
    /// The history of the event's aggregate, when the aggregate view requested it.
    pub(crate) history: Option<ShownHistory>,
    /// The state of the event's aggregate, when the aggregate view requested it.
    pub(crate) state: Option<ShownState>,
    /// The fix that the scan found for the row's damage.
    pub(crate) fix: Option<Fix>,
    /// Time at which the row was read, in milliseconds since the Unix epoch; 0 until the screen has received it.
    pub(crate) read_at_ms: u64,
    /// The number of the difference from the backup in this row, when they were compared and differ here.
    pub(crate) difference: Option<usize>,
    /// The journal that holds the bytes that a gap replaced, when the repair history lists one.
    pub(crate) backup_journal: Option<PathBuf>,
}

/// The state of an aggregate, with its JSON laid out in lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShownState {
    /// The state, and what may be missing from it.
    pub(crate) summary: AggregateState,
    /// The merged payloads laid out in lines.
    pub(crate) doc: JsonDoc,
}

impl RowContents {
    /// Returns whether a view has content for the row.
    pub(crate) fn has_view(&self, view: DetailView) -> bool {
        match view {
            DetailView::Json => !self.doc.is_empty(),
            DetailView::Hex => self.details.row.end > self.details.row.start,
            DetailView::Frame => true,
            DetailView::Backup => self.difference.is_some(),
            DetailView::Aggregate => {
                matches!(&self.details.row.content, RowContent::Event(event) if event.aggregate_id.is_some())
            }
        }
    }

    /// Returns the views that have content for the row, in order.
    pub(crate) fn views(&self) -> impl Iterator<Item = DetailView> + '_ {
        let is_event = matches!(self.details.row.content, RowContent::Event(_));
        let order = if is_event { DetailView::ALL.as_slice() } else { DetailView::OF_OTHER_ROWS.as_slice() };
        order.iter().copied().filter(|view| self.has_view(*view))
    }

    /// Sets the fix of the row's damage, and marks the bytes that it would change.
    pub(crate) fn set_fix(&mut self, fix: Option<Fix>) {
        self.fix = fix;
        if self.details.damaged_payload.is_some() {
            self.doc = row_doc(&self.details, self.fix.as_ref());
        }
    }

    /// Returns the file offset of a position in the text of the JSON view; `None` for a text that is not as stored.
    pub(crate) fn offset_of_position(&self, position: usize) -> Option<u64> {
        self.details.payload_text.as_ref()?;
        let payload = self.details.fields.iter().find(|field| field.name == "payload")?;
        Some(payload.range.start + position as u64)
    }

    /// Returns the position in the text of the JSON view of a byte of the file. A byte outside the text gives the nearest
    /// position.
    pub(crate) fn position_of_offset(&self, offset: u64) -> Option<usize> {
        self.details.payload_text.as_ref()?;
        let payload = self.details.fields.iter().find(|field| field.name == "payload")?;
        Some(offset.saturating_sub(payload.range.start) as usize)
    }
}

/// Lays out the payload of a row. Of a damaged payload, the bytes that are not text and those that the fix would change
/// are marked; of a frame whose payload is not an event, the byte where that was noticed.
pub(crate) fn row_doc(details: &RowDetails, fix: Option<&Fix>) -> JsonDoc {
    if let Some(text) = &details.payload_text {
        let bad_byte = match &details.row.content {
            RowContent::Finding(finding) => finding.evidence.bad_byte_offset,
            _ => None,
        };
        let payload = details.fields.iter().find(|field| field.name == "payload");
        let position = bad_byte.and_then(|offset| offset.checked_sub(payload?.range.start));
        return match position {
            Some(at) => JsonDoc::from_bytes(text.as_bytes(), JsonRoot::Event, &[byte_range(at, 1)]),
            None => JsonDoc::new(text, JsonRoot::Event),
        };
    }
    let Some(payload) = &details.damaged_payload else { return JsonDoc::default() };
    let changes = fix.iter().flat_map(|fix| &fix.candidates).flat_map(|candidate| &candidate.changes);
    let bad: Vec<Range<usize>> = changes
        .filter_map(|change| Some(byte_range(change.offset.checked_sub(payload.start)?, change.after.len())))
        .collect();
    JsonDoc::from_bytes(&payload.bytes, JsonRoot::Event, &bad)
}

const fn byte_range(start: u64, len: usize) -> Range<usize> {
    start as usize..start as usize + len
}

/// Returns whether the pane shows a row with the view that was chosen for events, and not with the one for findings. An
/// event whose time is earlier than that of the event before it is a finding, and is shown as an event.
pub(crate) fn is_shown_as_event(row: &RowContent) -> bool {
    !matches!(row, RowContent::Finding(finding) if finding.kind != DamageKind::Clock)
}
