//! The last line of the screen: a notice, the progress of a running job, a note that actions wait, or the keys of the
//! current scope.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Clear, Widget};

use super::pane::span;
use super::text::{display_width, draw_spans, fit_safe};
use crate::report::Tone;
use crate::report::units::{format_count, format_number, format_progress};
use crate::tui::actions::{ActionId, ActionScope};
use crate::tui::click_targets::{footer_keys, footer_texts};
use crate::tui::model::{EscBehavior, Model, Notice, UserJob};
use crate::tui::request::WorkerKind;
use crate::tui::theme::Role;

/// Minimum width of a message whose end names the key that lists all messages.
const MIN_HINT_COLUMNS: usize = 40;

/// Draws the footer on the last line of the screen.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let (scope, has_overlay) = (model.key_scope(), !model.overlays.is_empty());
    let running = model.jobs.iter().find(|job| job.total > 0);
    let width = usize::from(area.width);
    let spans = match (&model.notice, running) {
        (Some(notice), _) if !has_overlay => return draw_notice(frame, area, model, notice),
        (_, Some(job)) => vec![job_span(model, job, width)],
        _ if !model.awaited.is_empty() && !has_overlay => {
            let key = model.keys.hint(ActionId::Back);
            let text = format!(" Waiting for the selected row; {key} drops the waiting actions");
            vec![span(model, Role::Warning, fit_safe(&text, width))]
        }
        _ if scope == ActionScope::MarkName => vec![span(model, Role::Key, fit_safe(&mark_keys(model), width))],
        _ => key_spans(model, scope, width),
    };
    draw_spans(frame, area, 0, spans);
}

/// Draws a message. One that is too long for a line also takes the line above, where the screen is high enough, and the
/// end of one that is longer still names the key that lists all messages.
fn draw_notice(frame: &mut Frame, area: Rect, model: &Model, notice: &Notice) {
    let (glyph, role) = (notice.glyph(), if notice.tone == Tone::Bad { Role::Damage } else { Role::Title });
    let width = usize::from(area.width).saturating_sub(display_width(glyph)).max(1);
    let mut lines = notice.wrapped_lines(model.size);
    let max_lines = Notice::max_lines(model.size);
    if lines.len() > max_lines {
        let rest: String = lines.split_off(max_lines - 1).join(" ");
        let hint = if width >= MIN_HINT_COLUMNS {
            format!("…  {}: all", model.keys.hint(ActionId::Messages))
        } else {
            "…".into()
        };
        let kept = fit_safe(&rest, width.saturating_sub(display_width(&hint)));
        lines.push(format!("{}{hint}", kept.trim_end_matches('…')));
    }
    let height = (lines.len() as u16).min(area.y + 1);
    let lines_area = Rect { y: area.y + 1 - height, height, ..area }.intersection(frame.area());
    Clear.render(lines_area, frame.buffer_mut());
    frame.buffer_mut().set_style(lines_area, model.theme.base());
    for (nth, text) in (0..height).zip(lines) {
        let start = if nth == 0 { glyph.to_owned() } else { " ".repeat(display_width(glyph)) };
        draw_spans(frame, lines_area, nth, vec![span(model, role, format!("{start}{text}"))]);
    }
}

/// Returns the keys that can follow the one that sets a mark or goes to one. The popup lists the marks.
fn mark_keys(model: &Model) -> String {
    format!(" A letter or a digit: the mark   {} cancel", model.keys.hint(ActionId::Back))
}

fn job_span(model: &Model, job: &UserJob, width: usize) -> Span<'static> {
    let UserJob { done, total, .. } = *job;
    let progress = if model.form.is_sending && job.worker == WorkerKind::Write {
        format!("{} of {}", format_number(done), format_count(total, "event"))
    } else {
        format_progress(done, total, model.now.0.saturating_sub(job.started.0))
    };
    let key = model.keys.hint(ActionId::Back);
    let effect = match job.on_esc {
        EscBehavior::CancelsJob if model.awaited.is_empty() => format!("{key} stops it"),
        EscBehavior::CancelsJob => format!("{key} stops it and drops the waiting actions"),
        EscBehavior::AsksToStop if job.worker == WorkerKind::Export => format!("{key} stops it"),
        EscBehavior::AsksToStop => format!("{key} stops it before it changes the log"),
        EscBehavior::Asked => format!("stopping, unless it has begun to {}", job.last_step()),
    };
    span(model, Role::Warning, fit_safe(&format!(" {}: {progress}; {effect}", job.name), width))
}

/// Returns the keys of a scope with the labels of their actions, as many as fit into `width` columns. Disabled actions
/// are muted.
fn key_spans(model: &Model, scope: ActionScope, width: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for entry in footer_keys(model, scope, width) {
        let (key, label) = footer_texts(&entry);
        let is_disabled = model.disabled_reason(entry.id).is_some();
        let (key_role, label_role) = if is_disabled { (Role::Muted, Role::Muted) } else { (Role::Key, Role::Text) };
        spans.extend([span(model, key_role, key), span(model, label_role, label)]);
    }
    spans
}
