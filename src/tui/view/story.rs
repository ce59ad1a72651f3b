//! An aggregate's events in order, each with what it changed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::detail::under_cursor;
use super::pane::span;
use super::text::{fit, put, scrolled};
use crate::query::What;
use crate::report::units::{Zone, moment};
use crate::tui::model::{Chapter, Contents, Difference, Model};
use crate::tui::theme::Role;

/// Draws the lines on the screen.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, contents: &Contents) {
    let Some(story) = &contents.story else { return };
    let all = story.chapters.iter().flat_map(|chapter| {
        let here = chapter.row.start == contents.row.start;
        let head = std::iter::once(self::head(model, chapter, here));
        let changes = chapter.changes.iter().map(|change| difference(model, change));
        let more = (chapter.not_listed > 0)
            .then(|| vec![span(model, Role::Quiet, format!("      and {} more", chapter.not_listed))]);
        head.chain(changes).chain(more)
    });
    for (line, spans) in all.skip(model.detail.top).take(usize::from(area.height)).enumerate() {
        put(frame, area, line as u16, scrolled(spans, usize::from(model.detail.sideways)));
        under_cursor(frame, area, model, (line as u16, model.detail.top + line));
    }
}

fn head(model: &Model, chapter: &Chapter, here: bool) -> Vec<Span<'static>> {
    let What::Event(event) = &chapter.row.what else { return Vec::new() };
    let marker = if here { "> " } else { "  " };
    let mut spans = vec![
        span(model, if here { Role::Title } else { Role::Text }, format!("{marker}{:<10} ", chapter.row.start)),
        span(model, Role::Quiet, format!("{}  ", moment(event.time_ms, Zone::Utc))),
        span(model, Role::Title, fit(&event.event_type, 40)),
    ];
    if chapter.first {
        spans.push(span(model, Role::Quiet, "  first"));
    } else if chapter.changes.is_empty() {
        spans.push(span(model, Role::Quiet, "  same payload"));
    }
    spans
}

fn difference(model: &Model, change: &Difference) -> Vec<Span<'static>> {
    let path = if change.path.is_empty() { "payload".into() } else { fit(&change.path, 60) };
    let token = |token: &str| fit(token, 120);
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
