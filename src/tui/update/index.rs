//! Starts builds of the index, asks for confirmation of a rebuild, and reports the result.

use super::requests::start_job;
use crate::format::DamageKind;
use crate::index::IndexState;
use crate::report::Tone;
use crate::report::units::{format_count, format_duration, format_size};
use crate::report::{index_line, index_meaning, safe_path_text};
use crate::tui::effect::Effect;
use crate::tui::message::{IndexSaveResult, IndexSummary};
use crate::tui::model::{ConfirmDialog, ConfirmedAction, Model, Overlay};
use crate::tui::request::{IndexBuildMode, Request, WorkerKind};

/// Catches up an index that is behind, and builds an index in any other state.
pub(super) fn update_index(model: &mut Model) {
    match model.log_info.index.state {
        IndexState::Behind { .. } => catch_up_index(model),
        _ => start_job(model, WorkerKind::Write, "building the index", Request::SaveIndex(IndexBuildMode::Full)),
    }
}

/// Extends the index by the part of the log that it does not cover yet, and saves it.
pub(super) fn catch_up_index(model: &mut Model) {
    start_job(model, WorkerKind::Write, "catching up the index", Request::SaveIndex(IndexBuildMode::Incremental));
}

/// Builds the index from the whole log, and saves it.
pub(super) fn rebuild_index(model: &mut Model) {
    start_job(model, WorkerKind::Write, "rebuilding the index", Request::SaveIndex(IndexBuildMode::Full));
}

/// Asks for confirmation before the index is built from the whole log and replaced.
pub(super) fn confirm_rebuild(model: &mut Model) {
    let index = &model.log_info.index;
    let mut lines = vec![
        safe_path_text(&index.path),
        format!("Reads the whole log ({}) and replaces this index.", format_size(model.log_info.bytes)),
        String::new(),
        format!("State now: {}. {}.", index.state.name(), capitalize(index_meaning(&index.state))),
    ];
    if let IndexState::Ahead { bytes } = index.state {
        let missing = model.scan.findings.iter().find(|finding| finding.kind == DamageKind::Truncated);
        let events = missing.and_then(|finding| finding.evidence.events_missing);
        let events = events.map(|events| format!(", {}", format_count(events, "event"))).unwrap_or_default();
        lines.push(format!(
            "Lost with it: the aggregates and the offsets of the missing events ({}{events}).",
            format_size(bytes)
        ));
        lines.push("The new index records that they are missing, and stays ahead.".into());
    }
    if index.seen_end.is_unknown() {
        lines.push("Lost with it: its record of how far the log was written, if it has one.".into());
    }
    let dialog = ConfirmDialog::new("Rebuild the index?", lines, Some("Rebuild"), ConfirmedAction::RebuildIndex);
    model.overlays.push(Overlay::Confirm(dialog));
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Reports the result of saving the index.
pub(super) fn finish_index_save(model: &mut Model, result: &IndexSaveResult) {
    let IndexSummary { state, events } = &result.after;
    let verb = match result.mode {
        IndexBuildMode::Full => "built",
        IndexBuildMode::Incremental if *state == IndexState::Fresh => "caught up",
        IndexBuildMode::Incremental => "saved",
    };
    let covered = events.map(|events| format!(", {} covered", format_count(events, "event"))).unwrap_or_default();
    let message = format!(
        "Index {verb} in {}: {} → {}{covered}",
        format_duration(result.elapsed),
        index_line(&result.before.state, None),
        index_line(state, None)
    );
    model.append_notice(message, Tone::Plain);
    if result.mode == IndexBuildMode::Full {
        // The build has verified the whole log. The scan starts again, now with the new index.
        model.scan.mark_rebuilt(result.verified_to);
        model.effects.push_back(Effect::RestartScan);
    }
}
