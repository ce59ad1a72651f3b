//! The status line: what the log is, how its index and its health stand, who writes, what mode the screen is in.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::{display_width, draw_spans, fit_safe};
use crate::file::WriterPresence;
use crate::index::IndexState;
use crate::report::index_line;
use crate::report::units::{DisplayZone, format_date, format_minute, format_number, format_size};
use crate::tui::model::{Access, Follow, Model, ScanState};
use crate::tui::theme::Role;

/// Draws it. What has no room goes, the least important first.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let mut parts = status_items(model);
    let room = usize::from(area.width);
    let columns =
        |parts: &[StatusItem]| parts.iter().map(|part| display_width(&part.text) + 3).sum::<usize>().saturating_sub(2);
    while columns(&parts) > room && parts.len() > 1 {
        let least = parts.iter().enumerate().max_by_key(|(_, part)| part.drop_rank).map_or(0, |(at, _)| at);
        parts.remove(least);
    }
    let mut spans = vec![Span::raw(" ")];
    for part in parts {
        spans.push(span(model, part.role, part.text));
        spans.push(Span::raw("   "));
    }
    draw_spans(frame, area, 0, spans);
}

struct StatusItem {
    /// What goes first has the highest.
    drop_rank: u8,
    role: Role,
    text: String,
}

fn status_items(model: &Model) -> Vec<StatusItem> {
    let facts = &model.log_info;
    let part = |rank, role, text: String| StatusItem { drop_rank: rank, role, text };
    let mut parts = vec![part(1, Role::Title, fit_safe(&facts.file_name(), 40))];
    if let Some(lost) = &model.unavailable {
        parts.push(part(0, Role::Damage, fit_safe(&lost.status_label(), 40)));
        if lost.has_no_data() {
            return with_mode_items(parts, model);
        }
    }
    parts.push(part(7, Role::Text, format!("v{}", facts.version)));
    if let Some(created) = facts.created_at_ms {
        parts.push(part(9, Role::Muted, format_minute(created, DisplayZone::Utc)));
    }
    parts.push(part(5, Role::Text, format_size(facts.bytes)));
    parts.push(part(6, Role::Text, event_count_text(model)));
    let state = &facts.index.state;
    let role = match state {
        IndexState::Fresh => Role::Good,
        IndexState::Missing | IndexState::Behind { .. } => Role::Warning,
        _ => Role::Damage,
    };
    parts.push(part(2, role, format!("index {}", fit_safe(&index_line(state, index_event_difference(model)), 40))));
    parts.push(damage_item(model));
    match facts.writer {
        WriterPresence::HoldsLock(pid) | WriterPresence::HasFileOpen(pid) => {
            parts.push(part(8, Role::Warning, format!("writer {pid}")))
        }
        WriterPresence::NoneFound | WriterPresence::Unknown => {}
    }
    with_mode_items(parts, model)
}

/// What mode the screen is in, behind the rest.
fn with_mode_items(mut parts: Vec<StatusItem>, model: &Model) -> Vec<StatusItem> {
    let part = |rank, role, text: String| StatusItem { drop_rank: rank, role, text };
    if model.follow == Follow::Yes {
        parts.push(part(4, Role::Focus, "FOLLOW".into()));
    }
    if model.access == Access::ReadOnly {
        parts.push(part(4, Role::Focus, "READ-ONLY".into()));
    }
    parts
}

fn event_count_text(model: &Model) -> String {
    let Some(events) = model.event_count() else { return "events not counted".into() };
    let all = model.scan.is_done() || model.log_info.index.state == IndexState::Fresh;
    let noun = if events == 1 { "event" } else { "events" };
    format!("{} {noun}{}", format_number(events), if all { "" } else { " so far" })
}

/// How many events the index file has not seen, once that is known.
pub(super) fn index_event_difference(model: &Model) -> Option<u64> {
    let file = model.log_info.index.saved_coverage?;
    match model.log_info.index.state {
        IndexState::Behind { .. } if model.scan.is_done() => model.scan.event_count?.checked_sub(file.events),
        IndexState::Ahead { .. } => model.events_missing(),
        _ => None,
    }
}

fn damage_item(model: &Model) -> StatusItem {
    let damaged = model.scan.damage_count() as u64;
    let more = if model.scan.dropped_findings > 0 { "more than " } else { "" };
    let role = if damaged > 0 { Role::Damage } else { Role::Good };
    let left_out = model.skipped_note().is_some();
    let text = match (damaged, model.scan.state) {
        (0, ScanState::Done) if left_out => {
            let date = model
                .log_info
                .index
                .verified
                .map(|known| format!(" on {}", format_date(known.verified_at_ms, DisplayZone::Utc)));
            let text = format!("no damage found; verified earlier{}", date.unwrap_or_default());
            return StatusItem { drop_rank: 3, role: Role::Muted, text };
        }
        (n, ScanState::Done) if left_out => format!("× {more}{} damaged so far", format_number(n)),
        (0, ScanState::Off) => return StatusItem { drop_rank: 3, role: Role::Muted, text: "not scanned".into() },
        (0, ScanState::Done) => "no damage".into(),
        (0, _) => return StatusItem { drop_rank: 3, role: Role::Muted, text: "no damage so far".into() },
        (n, ScanState::Done) => format!("× {more}{} damaged", format_number(n)),
        (n, _) => format!("× {more}{} damaged so far", format_number(n)),
    };
    StatusItem { drop_rank: 3, role, text }
}
