//! An aggregate's events in order, each with what it changed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::detail::highlight_cursor_line;
use super::pane::span;
use super::text::{draw_spans, fit_safe, skip_span_columns};
use crate::query::{HistoryEntry, PayloadDifference, RowContent};
use crate::report::units::{DisplayZone, format_timestamp};
use crate::tui::model::{Model, RowContents};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &RowContents) {
    let Some(story) = &contents.history else { return };
    let all = story.entries.iter().flat_map(|chapter| {
        let here = chapter.row.start == contents.details.row.start;
        let head = std::iter::once(self::entry_spans(model, chapter, here));
        let changes = chapter.changes.iter().map(|change| difference_spans(model, change));
        let more = (chapter.omitted_changes > 0)
            .then(|| vec![span(model, Role::Muted, format!("      and {} more", chapter.omitted_changes))]);
        head.chain(changes).chain(more)
    });
    for (line, spans) in all.skip(model.detail.top).take(usize::from(area.height)).enumerate() {
        draw_spans(frame, area, line as u16, skip_span_columns(spans, usize::from(model.detail.scroll_columns)));
        highlight_cursor_line(frame, area, model, (line as u16, model.detail.top + line));
    }
}

fn entry_spans(model: &Model, chapter: &HistoryEntry, here: bool) -> Vec<Span<'static>> {
    let RowContent::Event(event) = &chapter.row.content else { return Vec::new() };
    let marker = if here { "> " } else { "  " };
    let mut spans = vec![
        span(model, if here { Role::Title } else { Role::Text }, format!("{marker}{:<10} ", chapter.row.start)),
        span(model, Role::Muted, format!("{}  ", format_timestamp(event.time_ms, DisplayZone::Utc))),
        span(model, Role::Title, fit_safe(&event.event_type, 40)),
    ];
    if chapter.is_first {
        spans.push(span(model, Role::Muted, "  first"));
    } else if chapter.changes.is_empty() {
        spans.push(span(model, Role::Muted, "  same payload"));
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
