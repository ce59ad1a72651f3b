//! Plans to remove, restore and delete segments, shows the plans, and applies them as they were shown.

use super::reload;
use super::requests::start_job;
use crate::query::{JumpTarget, nearest_keyword, parse_span_ms};
use crate::repair::RetentionLimit;
use crate::report::units::{format_count, format_number, format_size, parse_size};
use crate::report::{Tone, retention_summary, safe_path_text};
use crate::tui::actions::ActionId;
use crate::tui::message::SegmentsChanged;
use crate::tui::model::{ConfirmDialog, ConfirmedAction, EscBehavior, ListedSegments, Model, Overlay};
use crate::tui::request::{Request, RetainLimit, SegmentChange, SegmentChangeRequest, WorkerKind};

/// The options of `retain`.
const OPTIONS: [&str; 3] = ["before", "keep-size", "keep-for"];

/// Plans to remove the segments before the selected one.
pub(super) fn plan_selected(model: &mut Model) {
    match model.retain_target() {
        Ok(offset) => {
            let limit = RetainLimit::Before(RetentionLimit::BeforeOffset(offset));
            request_plan(model, SegmentChangeRequest::Retain(vec![limit]));
        }
        Err(reason) => model.warn(format!("retain: {reason}")),
    }
}

/// Plans to remove the segments that the typed limits allow to remove.
pub(super) fn plan_typed(model: &mut Model, limits: Vec<RetainLimit>) {
    match model.retention_refusal() {
        Some(reason) => model.warn(format!("retain: {reason}")),
        None => request_plan(model, SegmentChangeRequest::Retain(limits)),
    }
}

/// Parses the arguments of `:retain`, those of the command: `--before OFFSET|TIME`, `--keep-size SIZE`, `--keep-for AGE`. The
/// dashes can be left out.
///
/// # Errors
/// What was expected, and what was found.
pub(super) fn parse_limits(model: &Model, text: &str) -> Result<Vec<RetainLimit>, String> {
    let mut words = text.split_whitespace();
    let mut limits = Vec::new();
    while let Some(word) = words.next() {
        let name = word.trim_start_matches('-');
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        if !OPTIONS.contains(&name) {
            let nearest = nearest_keyword(name, OPTIONS).map(|name| format!("; the nearest is `--{name}`"));
            let expected = "expected --before OFFSET|TIME, --keep-size SIZE or --keep-for AGE";
            return Err(format!("{expected}, found `{word}`{}", nearest.unwrap_or_default()));
        }
        let value = value.or_else(|| words.next()).ok_or_else(|| format!("expected a value after `{word}`"))?;
        limits.push(parse_limit(model, name, value)?);
    }
    Ok(limits)
}

fn parse_limit(model: &Model, name: &str, value: &str) -> Result<RetainLimit, String> {
    match name {
        "keep-size" => parse_size(value).map(RetainLimit::KeepSize),
        "keep-for" => {
            let age =
                parse_span_ms(value).ok_or_else(|| format!("expected an age such as 90d or 12h, found `{value}`"))?;
            Ok(RetainLimit::KeepFor { age: value.to_owned(), before_ms: model.now_ms.saturating_sub(age) })
        }
        _ => match JumpTarget::parse_with(value, model.time_context()) {
            Ok(JumpTarget::Offset(offset)) => Ok(RetainLimit::Before(RetentionLimit::BeforeOffset(offset))),
            Ok(JumpTarget::Time(ms)) => Ok(RetainLimit::Before(RetentionLimit::BeforeTime(ms))),
            _ => Err(format!(
                "expected an offset such as 268435512 or a time such as 2026-11-20 or -90d, found `{value}`"
            )),
        },
    }
}

/// Plans a change of the segments.
pub(super) fn request_plan(model: &mut Model, request: SegmentChangeRequest) {
    let name = format!("planning ({})", request.title());
    start_job(model, WorkerKind::Write, name, Request::PlanSegmentChange(request));
}

/// Shows the plan of a change in a dialog, unless another overlay was opened in the meantime.
pub(super) fn show_plan(model: &mut Model, change: SegmentChange) {
    if !model.overlays.is_empty() {
        let title = change.request().title();
        return model.notify(format!("{title}: planned, but not shown over an open dialog; ask again"));
    }
    let (title, label) = match &change {
        SegmentChange::Retain { plan, .. } => (format!("Remove {}?", count(plan.segments.len())), "Remove"),
        SegmentChange::Restore(removal) => (format!("Restore {}?", count(removal.segments.len())), "Restore"),
        SegmentChange::Delete(_) => ("Make the removal of segments final?".to_owned(), "Delete"),
    };
    let mut lines = plan_lines(model, &change);
    let label = change.changes_something().then_some(label);
    if label.is_some() {
        lines.push(String::new());
        lines.push(change.cli_command(&model.log_info.shell_path()));
    }
    let table = match &change {
        SegmentChange::Retain { plan, .. } if !plan.segments.is_empty() => {
            Some(ListedSegments { segments: plan.segments.clone(), zone: model.zone })
        }
        _ => None,
    };
    let title = if label.is_some() { title } else { "Nothing to do".to_owned() };
    let dialog = ConfirmDialog::new(title, lines, label, ConfirmedAction::ChangeSegments(Box::new(change)));
    let dialog = match table {
        Some(table) => dialog.with_table(table),
        None => dialog,
    };
    model.overlays.push(Overlay::Confirm(dialog));
}

fn count(segments: usize) -> String {
    format_count(segments as u64, "segment")
}

/// Returns what a change does, one sentence per line.
fn plan_lines(model: &Model, change: &SegmentChange) -> Vec<String> {
    let (undo, path) = (model.keys.hint(ActionId::Undo), safe_path_text(&model.log_info.path));
    match change {
        SegmentChange::Retain { plan, .. } => {
            let mut lines = retention_summary(plan, model.zone);
            if !plan.segments.is_empty() {
                lines.push(format!("{undo} undoes it until `:purge`; offsets of other events stay"));
            }
            lines
        }
        SegmentChange::Restore(removal) => vec![format!(
            "{path}: {}, {}, {} come back; the log then starts at {}",
            count(removal.segments.len()),
            format_count(removal.events(), "event"),
            format_size(removal.bytes()),
            format_number(removal.old_start)
        )],
        SegmentChange::Delete(found) if found.segments == 0 => vec![format!("{path}: no removed segments to delete")],
        SegmentChange::Delete(found) => vec![format!(
            "{path}: {}, {} are deleted for good; no undo restores them",
            format_count(found.segments, "removed segment"),
            format_size(found.bytes)
        )],
    }
}

/// Applies a change after the user has confirmed it. Once it has begun, it is completed.
pub(super) fn apply(model: &mut Model, change: Box<SegmentChange>) {
    let name = change.running();
    start_job(model, WorkerKind::Write, name, Request::ChangeSegments(change));
    if let Some(job) = model.jobs.last_mut() {
        job.on_esc = EscBehavior::AsksToStop;
    }
}

/// Reports the result of a change, and reads the log again.
pub(super) fn finish(model: &mut Model, result: SegmentsChanged) {
    let SegmentsChanged { change, recovery_notes, log_info } = result;
    model.log_info = log_info;
    reload::reload_log(model);
    let undo = model.keys.hint(ActionId::Undo);
    let mut message = change.done_text();
    if matches!(change, SegmentChange::Retain { .. }) {
        message = format!("{message}; {undo} undoes it until `:purge`");
    }
    model.notify(message);
    for note in recovery_notes {
        model.append_notice(note, Tone::Bad);
    }
}
