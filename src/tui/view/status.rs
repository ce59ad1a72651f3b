//! The status line: what the log is, how its index and its health stand, who writes, what mode the screen is in.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::{fit, put, width};
use crate::file::Seen;
use crate::index::IndexState;
use crate::report::index_line;
use crate::report::units::{Zone, day, exact, minute, size};
use crate::tui::model::{Access, Follow, Model, ScanState};
use crate::tui::theme::Role;

/// Draws it. What has no room goes, the least important first.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let mut parts = parts(model);
    let room = usize::from(area.width);
    let columns = |parts: &[Part]| parts.iter().map(|part| width(&part.text) + 3).sum::<usize>().saturating_sub(2);
    while columns(&parts) > room && parts.len() > 1 {
        let least = parts.iter().enumerate().max_by_key(|(_, part)| part.rank).map_or(0, |(at, _)| at);
        parts.remove(least);
    }
    let mut spans = vec![Span::raw(" ")];
    for part in parts {
        spans.push(span(model, part.role, part.text));
        spans.push(Span::raw("   "));
    }
    put(frame, area, 0, spans);
}

struct Part {
    /// What goes first has the highest.
    rank: u8,
    role: Role,
    text: String,
}

fn parts(model: &Model) -> Vec<Part> {
    let facts = &model.facts;
    let part = |rank, role, text: String| Part { rank, role, text };
    let mut parts = vec![part(1, Role::Title, fit(&facts.name(), 40))];
    if let Some(lost) = &model.lost {
        parts.push(part(0, Role::Damage, fit(&lost.word(), 40)));
        if lost.is_empty() {
            return with_mode(parts, model);
        }
    }
    parts.push(part(7, Role::Text, format!("v{}", facts.version)));
    if let Some(created) = facts.created_at_ms {
        parts.push(part(9, Role::Quiet, minute(created, Zone::Utc)));
    }
    parts.push(part(5, Role::Text, size(facts.bytes)));
    parts.push(part(6, Role::Text, events(model)));
    let state = &facts.index.state;
    let role = match state {
        IndexState::Fresh => Role::Good,
        IndexState::Missing | IndexState::Behind { .. } => Role::Warning,
        _ => Role::Damage,
    };
    parts.push(part(2, role, format!("index {}", fit(&index_line(state, not_seen(model)), 40))));
    parts.push(damage(model));
    match facts.writer {
        Seen::Lock(pid) | Seen::Open(pid) => parts.push(part(8, Role::Warning, format!("writer {pid}"))),
        Seen::Nobody | Seen::Unknown => {}
    }
    with_mode(parts, model)
}

/// What mode the screen is in, behind the rest.
fn with_mode(mut parts: Vec<Part>, model: &Model) -> Vec<Part> {
    let part = |rank, role, text: String| Part { rank, role, text };
    if model.follow == Follow::Yes {
        parts.push(part(4, Role::Focus, "FOLLOW".into()));
    }
    if model.access == Access::ReadOnly {
        parts.push(part(4, Role::Focus, "READ-ONLY".into()));
    }
    parts
}

fn events(model: &Model) -> String {
    let Some(events) = model.events() else { return "events not counted".into() };
    let all = model.scan.is_done() || model.facts.index.state == IndexState::Fresh;
    let noun = if events == 1 { "event" } else { "events" };
    format!("{} {noun}{}", exact(events), if all { "" } else { " so far" })
}

/// How many events the index file has not seen, once that is known.
pub(super) fn not_seen(model: &Model) -> Option<u64> {
    let file = model.facts.index.file?;
    match model.facts.index.state {
        IndexState::Behind { .. } if model.scan.is_done() => model.scan.events?.checked_sub(file.events),
        IndexState::Ahead { .. } => model.events_missing(),
        _ => None,
    }
}

fn damage(model: &Model) -> Part {
    let damaged = model.scan.damaged() as u64;
    let more = if model.scan.not_kept > 0 { "more than " } else { "" };
    let role = if damaged > 0 { Role::Damage } else { Role::Good };
    let left_out = model.left_out().is_some();
    let text = match (damaged, model.scan.state) {
        (0, ScanState::Done) if left_out => {
            let date = model.facts.index.verified.map(|known| format!(" on {}", day(known.at_ms, Zone::Utc)));
            let text = format!("no damage found; verified earlier{}", date.unwrap_or_default());
            return Part { rank: 3, role: Role::Quiet, text };
        }
        (n, ScanState::Done) if left_out => format!("× {more}{} damaged so far", exact(n)),
        (0, ScanState::Off) => return Part { rank: 3, role: Role::Quiet, text: "not scanned".into() },
        (0, ScanState::Done) => "no damage".into(),
        (0, _) => return Part { rank: 3, role: Role::Quiet, text: "no damage so far".into() },
        (n, ScanState::Done) => format!("× {more}{} damaged", exact(n)),
        (n, _) => format!("× {more}{} damaged so far", exact(n)),
    };
    Part { rank: 3, role, text }
}
