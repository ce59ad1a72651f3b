//! Submits the append form: asks for confirmation, appends the event, and reports the result.

use super::reload;
use super::requests::start_job;
use crate::file::Durability;
use crate::format::Finding;
use crate::query::RowContent;
use crate::report::safe_path_text;
use crate::report::units::{format_count, format_duration, format_number};
use crate::tui::actions::ActionId;
use crate::tui::message::AppendResult;
use crate::tui::model::{ConfirmDialog, ConfirmedAction, Model, Overlay, WriteConsent};
use crate::tui::request::{AppendRequest, Request, WorkerKind};

/// Opens the form with the values that it had last.
pub(super) fn open_form(model: &mut Model) {
    // The result of an earlier submission is not shown again.
    model.form.outcome.clear();
    model.overlays.push(Overlay::Form);
}

/// Opens the form with the fields and the payload of the selected event.
pub(super) fn open_form_like_selected(model: &mut Model) {
    let Some(details) = model.detail.contents.as_ref().map(|contents| &contents.details) else { return };
    let (RowContent::Event(event), Some(payload)) = (&details.row.content, details.event_payload()) else { return };
    model.form.take_event(event, payload);
    open_form(model);
}

/// Submits the form. The first submission of a session asks for confirmation.
pub(super) fn submit_form(model: &mut Model) {
    if model.form.is_sending {
        return;
    }
    if let Some(reason) = model.disabled_reason(ActionId::Append) {
        model.form.outcome = vec![reason];
        return;
    }
    if let Err(error) = model.form.event() {
        model.form.outcome = vec![error];
        return;
    }
    match model.consent {
        WriteConsent::Granted => start_append(model),
        WriteConsent::NotAsked => confirm_append(model),
    }
}

fn confirm_append(model: &mut Model) {
    let events = format_count(u64::from(model.form.count()), "event");
    let mut lines = vec![safe_path_text(&model.log_info.path), format!("Appends {events}."), String::new()];
    if let Some(tail) = unfinished_tail(model) {
        lines.push(format!(
            "First sets the unfinished tail aside ({} at {}..{}): copied into a journal, then cut off.",
            tail.kind.name(),
            tail.start,
            tail.end
        ));
    }
    lines.push("An append cannot be undone. This is asked once per session.".into());
    let dialog = ConfirmDialog::new("Write to this log?", lines, Some("Append"), ConfirmedAction::Append);
    model.overlays.push(Overlay::Confirm(dialog));
}

/// Returns the damage at the end of the log that opening for append sets aside, when the scan has found it.
fn unfinished_tail(model: &Model) -> Option<&Finding> {
    let last = model.scan.findings.iter().rev().find(|finding| finding.kind.is_damage())?;
    let seen_end = &model.log_info.index.seen_end;
    (last.kind.can_set_aside() && last.end == model.log_info.bytes && seen_end.allows_cut_at(last.start))
        .then_some(last)
}

/// Appends the event of the form, after the user has confirmed.
pub(super) fn start_confirmed_append(model: &mut Model) {
    model.consent = WriteConsent::Granted;
    start_append(model);
}

fn start_append(model: &mut Model) {
    let event = match model.form.event() {
        Ok(event) => Box::new(event),
        Err(error) => {
            model.form.outcome = vec![error];
            return;
        }
    };
    let request = AppendRequest { event, durability: model.form.durability, count: model.form.count() };
    model.form.is_sending = true;
    model.form.outcome = vec!["Appending...".into()];
    start_job(model, WorkerKind::Write, "appending", Request::Append(request));
}

/// Reports the result of an append in the form.
pub(super) fn finish_append(model: &mut Model, result: &AppendResult) {
    model.form.is_sending = false;
    model.form.record_latencies(result.durability, &result.latencies);
    if !result.recovery_notes.is_empty() {
        reload::reload_log(model);
    }
    let mut lines = Vec::new();
    if !result.latencies.is_empty() {
        lines.push(appended_line(result));
        lines.push(latency_line(result));
    }
    lines.extend(result.recovery_notes.iter().cloned());
    lines.extend(result.stop_reason.clone());
    model.form.outcome = lines;
}

fn appended_line(result: &AppendResult) -> String {
    let AppendResult { first_offset, last_offset, .. } = result;
    let events = result.latencies.len() as u64;
    let durability = match result.durability {
        Durability::Buffered => "buffered",
        Durability::Synced => "synced",
    };
    let place = if events == 1 {
        format!("at offset {first_offset}")
    } else {
        format!("at offsets {first_offset} to {last_offset}")
    };
    format!("{} {durability}, {} bytes, {place}", format_count(events, "event"), format_number(result.bytes))
}

fn latency_line(result: &AppendResult) -> String {
    let mut sorted = result.latencies.clone();
    sorted.sort_unstable();
    let latency_at = |position: usize| format_duration(sorted.get(position).copied().unwrap_or_default());
    match sorted.len() {
        1 => format!("latency {}", latency_at(0)),
        count => format!("latency {} to {}, median {}", latency_at(0), latency_at(count - 1), latency_at(count / 2)),
    }
}
