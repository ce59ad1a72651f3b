//! The aggregate view of the detail pane: the events of one aggregate in order, each with the changes that it made.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::cursor::highlight_detail_line;
use super::pane::span;
use super::text::{draw_spans, fit_safe, skip_span_columns};
use crate::query::{HistoryEntry, PayloadDifference, RowContent};
use crate::report::units::{DisplayZone, format_timestamp};
use crate::tui::model::{Model, RowContents};
use crate::tui::theme::Role;

/// Draws the visible lines of the history: one for each event, and one for each difference from the event before it.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents) {
    let Some(history) = &contents.history else { return };
    let lines = history.entries.iter().flat_map(|entry| {
        let marker = if entry.row.start == contents.details.row.start {
            EntryMarker::Selected
        } else {
            EntryMarker::NotSelected
        };
        let head = std::iter::once(entry_spans(model, entry, marker));
        let changes = entry.changes.iter().map(|change| difference_spans(model, change));
        let omitted = (entry.omitted_changes > 0)
            .then(|| vec![span(model, Role::Muted, format!("      and {} more", entry.omitted_changes))]);
        head.chain(changes).chain(omitted)
    });
    for (line, spans) in (0..area.height).zip(lines.skip(model.detail.cursor.top)) {
        draw_spans(frame, area, line, skip_span_columns(spans, usize::from(model.detail.scroll_columns)));
        highlight_detail_line(frame, area, line, model);
    }
}

/// Whether an event of the history is the selected row of the events pane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryMarker {
    /// The event is the selected row.
    Selected,
    /// The event is not the selected row.
    NotSelected,
}

fn entry_spans(model: &Model, entry: &HistoryEntry, marker: EntryMarker) -> Vec<Span<'static>> {
    let RowContent::Event(event) = &entry.row.content else { return Vec::new() };
    let (glyph, role) = match marker {
        EntryMarker::Selected => ("> ", Role::Title),
        EntryMarker::NotSelected => ("  ", Role::Text),
    };
    let mut spans = vec![
        span(model, role, format!("{glyph}{:<10} ", entry.row.start)),
        span(model, Role::Muted, format!("{}  ", format_timestamp(event.time_ms, DisplayZone::Utc))),
        span(model, Role::Title, fit_safe(&event.event_type, 40)),
    ];
    if entry.is_first {
        spans.push(span(model, Role::Muted, "  first event"));
    } else if entry.changes.is_empty() {
        spans.push(span(model, Role::Muted, "  payload unchanged"));
    }
    spans
}

fn difference_spans(model: &Model, change: &PayloadDifference) -> Vec<Span<'static>> {
    let path = if change.path.is_empty() { "payload".into() } else { fit_safe(&change.path, 60) };
    let token = |token: &str| fit_safe(token, 120);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => vec![
            span(model, Role::Warning, format!("    ~ {path}: ")),
            Span::raw(format!("{} → {}", token(before), token(after))),
        ],
        (None, Some(after)) => vec![span(model, Role::Good, format!("    + {path}: ")), Span::raw(token(after))],
        (Some(before), None) => vec![span(model, Role::Damage, format!("    - {path}: ")), Span::raw(token(before))],
        (None, None) => Vec::new(),
    }
}
