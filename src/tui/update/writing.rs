//! What writes: appending, and saving the index. Asked first, with the path, and told afterwards.

use super::{repair, start_job};
use crate::file::Durability;
use crate::format::{DamageKind, Finding};
use crate::index::IndexState;
use crate::report::units::{format_count, format_duration, format_number, format_size};
use crate::report::{index_meaning, safe_path_text};
use crate::tui::actions::ActionId;
use crate::tui::effect::{AppendRequest, Effect, IndexBuildMode, Request, WorkerKind};
use crate::tui::message::{AppendResult, IndexSaveResult};
use crate::tui::model::{ConfirmDialog, ConfirmedAction, Model, Overlay, Tone, WriteConsent, latency_histogram};

/// Sends what the form holds, once somebody has agreed to this run writing to the log.
pub(super) fn submit_form(model: &mut Model) {
    if model.form.is_sending {
        return;
    }
    if let Some(why) = super::disabled_reason(model, ActionId::Append) {
        model.form.outcome = vec![why];
        return;
    }
    if let Err(wrong) = model.form.event() {
        model.form.outcome = vec![wrong];
        return;
    }
    if model.consent == WriteConsent::Granted {
        start_append(model);
        return;
    }
    let events = format_count(u64::from(model.form.count()), "event");
    let mut lines = vec![safe_path_text(&model.log_info.path), format!("{events} will be appended."), String::new()];
    if let Some(last) = unfinished_end(model) {
        lines.push(format!(
            "Its end, {} at offset {}..{}, will be set aside first: kept in a journal, then cut.",
            last.kind.name(),
            last.start,
            last.end
        ));
    }
    lines.push("An append cannot be undone. You are asked once in this run.".into());
    open_confirm_dialog(model, "Write to this log?", lines, "Append", ConfirmedAction::Append);
}

/// The piece at the end that opening for append sets aside, as far as the scan has seen it.
fn unfinished_end(model: &Model) -> Option<&Finding> {
    let last = model.scan.findings.iter().rev().find(|finding| finding.kind.is_damage())?;
    let witnessed = model.log_info.index.saved_coverage.map_or(0, |file| file.log_end_offset);
    (last.kind.can_set_aside() && last.end == model.log_info.bytes && last.start >= witnessed).then_some(last)
}

/// Asks before the whole index is built and replaced.
pub(super) fn confirm_rebuild(model: &mut Model) {
    let index = &model.log_info.index;
    let mut lines = vec![
        safe_path_text(&index.path),
        format!("The whole log, {}, is read, and this index replaced.", format_size(model.log_info.bytes)),
        String::new(),
        format!("Now it is {}: {}.", index.state.name(), index_meaning(&index.state)),
    ];
    if let IndexState::Ahead { bytes } = index.state {
        let missing = model.scan.findings.iter().find(|finding| finding.kind == DamageKind::Truncated);
        let events = missing.and_then(|finding| finding.evidence.events_missing);
        let events = events.map(|events| format!(", {}", format_count(events, "event"))).unwrap_or_default();
        lines.push(format!(
            "Lost with it: which aggregates the missing events ({}{events}) belonged to, and where they stood.",
            format_size(bytes)
        ));
        lines.push("The new index keeps that they are missing, and stays ahead.".into());
    }
    open_confirm_dialog(model, "Rebuild the index?", lines, "Rebuild", ConfirmedAction::RebuildIndex);
}

fn open_confirm_dialog(model: &mut Model, title: &str, lines: Vec<String>, go: &'static str, then: ConfirmedAction) {
    model.overlays.push(Overlay::Confirm(ConfirmDialog::new(title, lines, Some(go), then)));
}

/// Somebody has agreed.
pub(super) fn run_confirmed(model: &mut Model, then: ConfirmedAction) {
    match then {
        ConfirmedAction::Append => {
            model.consent = WriteConsent::Granted;
            start_append(model);
        }
        ConfirmedAction::ApplyPlan(offer) => repair::apply_plan(model, offer.plan),
        ConfirmedAction::AwaitPlan => {}
        ConfirmedAction::RebuildIndex => {
            start_job(model, WorkerKind::Write, "rebuilding the index", Request::SaveIndex(IndexBuildMode::Full))
        }
    }
}

/// Does what the index's state needs.
pub(super) fn update_index(model: &mut Model) {
    match model.log_info.index.state {
        IndexState::Behind { .. } => catch_up_index(model),
        _ => start_job(model, WorkerKind::Write, "building the index", Request::SaveIndex(IndexBuildMode::Full)),
    }
}

/// Reads what the index has not seen, and saves it.
pub(super) fn catch_up_index(model: &mut Model) {
    start_job(model, WorkerKind::Write, "catching the index up", Request::SaveIndex(IndexBuildMode::Incremental));
}

fn start_append(model: &mut Model) {
    let event = match model.form.event() {
        Ok(event) => Box::new(event),
        Err(wrong) => {
            model.form.outcome = vec![wrong];
            return;
        }
    };
    let order = AppendRequest { event, durability: model.form.durability, count: model.form.count() };
    model.form.is_sending = true;
    model.form.outcome = vec!["appending...".into()];
    start_job(model, WorkerKind::Write, "appending", Request::Append(order));
}

/// Tells what appending has done.
pub(super) fn finish_append(model: &mut Model, done: &AppendResult, durability: Durability) {
    model.form.is_sending = false;
    model.form.record_latencies(durability, &done.latencies);
    let mut lines = Vec::new();
    let events = done.latencies.len() as u64;
    let mode = match durability {
        Durability::Buffered => "buffered",
        Durability::Synced => "synced",
    };
    if events > 0 {
        let mut sorted = done.latencies.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let (least, most) = (sorted.first().copied().unwrap_or_default(), sorted.last().copied().unwrap_or_default());
        let place = if events == 1 {
            format!("at offset {}", done.first_offset)
        } else {
            format!("at offsets {} to {}", done.first_offset, done.last_offset)
        };
        lines.push(format!("{} {mode}, {} bytes, {place}", format_count(events, "event"), format_number(done.bytes)));
        lines.push(if events == 1 {
            format!("it took {}", format_duration(middle))
        } else {
            format!(
                "each took {} to {}, half of them {} or less",
                format_duration(least),
                format_duration(most),
                format_duration(middle)
            )
        });
    }
    if !done.recovery_notes.is_empty() {
        repair::reload_log(model);
    }
    lines.extend(done.recovery_notes.iter().cloned());
    lines.extend(done.stop_reason.clone());
    model.form.outcome = lines;
}

/// The times of a mode as bars, for the form.
pub(crate) fn histogram_bars(times: &[std::time::Duration], width: usize) -> Vec<String> {
    let counted = latency_histogram(times);
    let most = counted.iter().map(|(_, n)| *n).max().unwrap_or_default().max(1);
    counted
        .into_iter()
        .map(|(up_to, n)| {
            let room = width.saturating_sub(20).max(1);
            let bar = if n == 0 { 0 } else { (n * room / most).max(1) };
            format!("≤ {:>8} {:>6} {}", format_duration(up_to), n, "■".repeat(bar))
        })
        .collect()
}

/// Tells what saving the index has done.
pub(super) fn finish_index_save(model: &mut Model, done: &IndexSaveResult) {
    let known = |events: Option<u64>| events.map(|n| format!(" with {}", format_count(n, "event"))).unwrap_or_default();
    let verb = match done.mode {
        IndexBuildMode::Incremental => "caught up",
        IndexBuildMode::Full => "built",
    };
    let told = format!(
        "index {verb} in {}: was {}{}, is {}{}",
        format_duration(done.elapsed),
        done.before.0,
        known(done.before.1),
        done.after.0,
        known(done.after.1)
    );
    model.append_notice(told, Tone::Plain);
    if done.mode == IndexBuildMode::Full {
        // All was verified, just now. What was found is looked at again, where the new index knows of it.
        model.scan.mark_rebuilt(done.verified_to);
        model.effects.push_back(Effect::RestartScan);
    }
}
