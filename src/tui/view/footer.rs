//! The last line of the screen: a notice, the progress of a running job, or the keys of the current scope.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::{display_width, draw_spans, fit_safe};
use crate::report::Tone;
use crate::report::units::{format_count, format_number, format_progress};
use crate::tui::actions::{ActionScope, FooterEntry, footer_entries};
use crate::tui::model::{EscBehavior, Model, Notice, Overlay, UserJob};
use crate::tui::request::WorkerKind;
use crate::tui::theme::Role;

/// Draws the footer on the last line of the screen.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let scope = model.overlays.last().map_or(ActionScope::Main, Overlay::scope);
    let running = model.jobs.iter().find(|job| job.total > 0);
    let width = usize::from(area.width);
    let spans = match (&model.notice, running) {
        (Some(notice), _) if scope == ActionScope::Main => vec![notice_span(model, notice, width)],
        (_, Some(job)) => vec![job_span(model, job, width)],
        _ => key_spans(model, scope, width),
    };
    draw_spans(frame, area, 0, spans);
}

fn notice_span(model: &Model, notice: &Notice, width: usize) -> Span<'static> {
    let (glyph, role) = if notice.tone == Tone::Bad { ("! ", Role::Damage) } else { ("", Role::Title) };
    span(model, role, format!(" {glyph}{}", fit_safe(&notice.text, width.max(3) - 3)))
}

fn job_span(model: &Model, job: &UserJob, width: usize) -> Span<'static> {
    let UserJob { done, total, .. } = *job;
    let progress = if model.form.is_sending && job.worker == WorkerKind::Write {
        format!("{} of {}", format_number(done), format_count(total, "event"))
    } else {
        format_progress(done, total, model.now.0.saturating_sub(job.started.0))
    };
    let esc = if job.on_esc == EscBehavior::CancelsJob { "; Esc stops it" } else { "" };
    span(model, Role::Warning, fit_safe(&format!(" {}: {progress}{esc}", job.name), width))
}

/// Returns the keys of a scope with the labels of their actions, as many as fit into `width` columns. Disabled actions
/// are muted.
fn key_spans(model: &Model, scope: ActionScope, width: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut used = 0;
    // The dialog of a plan has the keys of every dialog, and the keys of those plan actions that are enabled.
    let dialog_scope = if scope == ActionScope::Plan { Some(ActionScope::Confirm) } else { None };
    let scope_entries =
        footer_entries(scope).filter(|entry| scope != ActionScope::Plan || model.disabled_reason(entry.id).is_none());
    for FooterEntry { key, label, id } in dialog_scope.into_iter().flat_map(footer_entries).chain(scope_entries) {
        let key = format!(" {key}");
        let label = format!(" {label} ");
        used += display_width(&key) + display_width(&label);
        if used > width {
            break;
        }
        let (key_role, label_role) =
            if model.disabled_reason(id).is_some() { (Role::Muted, Role::Muted) } else { (Role::Key, Role::Text) };
        spans.extend([span(model, key_role, key), span(model, label_role, label)]);
    }
    spans
}
