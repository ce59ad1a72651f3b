//! The last line: what was just told, how a job is getting on, or the keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::{display_width, draw_spans, fit_safe};
use crate::report::Tone;
use crate::report::units::{format_count, format_number, format_progress};
use crate::tui::actions::{ActionScope, FooterEntry, footer_entries};
use crate::tui::model::{EscBehavior, Model, Overlay};
use crate::tui::request::WorkerKind;
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let place = model.overlays.last().map_or(ActionScope::Main, Overlay::scope);
    let running = model.jobs.iter().find(|job| job.total > 0);
    let spans = match (&model.notice, running) {
        (Some(notice), _) if place == ActionScope::Main => {
            let role = if notice.tone == Tone::Bad { Role::Damage } else { Role::Title };
            let glyph = if notice.tone == Tone::Bad { "! " } else { "" };
            vec![span(model, role, format!(" {glyph}{}", fit_safe(&notice.text, usize::from(area.width).max(3) - 3)))]
        }
        (_, Some(job)) => {
            let elapsed = model.now.0.saturating_sub(job.started.0);
            let done = if model.form.is_sending && job.worker == WorkerKind::Write {
                format!("{} of {}", format_number(job.done), format_count(job.total, "event"))
            } else {
                format_progress(job.done, job.total, elapsed)
            };
            let stops = if job.on_esc == EscBehavior::CancelsJob { "; Esc stops" } else { "" };
            let text = format!(" {}: {done}{stops}", job.name);
            vec![span(model, Role::Warning, fit_safe(&text, usize::from(area.width)))]
        }
        _ => key_spans(model, place, usize::from(area.width)),
    };
    draw_spans(frame, area, 0, spans);
}

/// Keys and what they do, as many as there is room for.
fn key_spans(model: &Model, place: ActionScope, room: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut used = 0;
    // A plan takes what a question takes too.
    let common = if place == ActionScope::Plan { Some(ActionScope::Confirm) } else { None };
    let offered =
        footer_entries(place).filter(|entry| place != ActionScope::Plan || model.disabled_reason(entry.id).is_none());
    for FooterEntry { key, label, id } in common.into_iter().flat_map(footer_entries).chain(offered) {
        let key = format!(" {key}");
        let label = format!(" {label} ");
        used += display_width(&key) + display_width(&label);
        if used > room {
            break;
        }
        // What cannot be done now steps back; asked for, it says why.
        let role = if model.disabled_reason(id).is_some() { Role::Muted } else { Role::Key };
        spans.push(span(model, role, key));
        spans.push(span(model, if role == Role::Key { Role::Text } else { Role::Muted }, label));
    }
    spans
}
