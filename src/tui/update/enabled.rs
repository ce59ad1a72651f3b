//! Why an action cannot be run now, where it cannot.

use super::refresh;
use crate::file::WriterPresence;
use crate::format::DamageKind;
use crate::index::IndexState;
use crate::query::RowContent;
use crate::tui::actions::{self, ActionId};
use crate::tui::effect::WorkerKind;
use crate::tui::model::{
    Access, ConfirmDialog, ConfirmedAction, EscBehavior, Model, Overlay, PlanPreview, ScanState, Tab,
};

/// Why an action cannot be run; `None` when it can.
pub(crate) fn disabled_reason(model: &Model, id: ActionId) -> Option<String> {
    let writes = actions::action_by_id(id).is_some_and(|action| action.writes);
    if let Some(lost) = model.unavailable.as_ref().filter(|lost| writes || lost.has_no_data() && needs_log_data(id)) {
        return Some(lost.write_refusal());
    }
    if writes {
        if model.access == Access::ReadOnly {
            return Some("the screen was opened with --read-only".into());
        }
        if let Some(job) = model.job(WorkerKind::Write) {
            let stops = if job.on_esc == EscBehavior::CancelsJob { "; Esc stops it" } else { "" };
            return Some(format!("{} is under way{stops}", job.name));
        }
    }
    let why = match id {
        ActionId::Append => return append_refusal(model),
        ActionId::Repair | ActionId::RepairAll | ActionId::Undo => return repair_refusal(model, id),
        ActionId::ToggleCandidate if open_plan(model).is_none_or(|offer| offer.candidate_count() == 0) => {
            "no candidates are offered"
        }
        ActionId::AcceptLikely | ActionId::GapUndecided
            if !open_plan(model).is_some_and(PlanPreview::has_decisions) =>
        {
            "nothing is left to be decided"
        }
        ActionId::UpdateIndex => return update_index_refusal(&model.log_info.index.state),
        ActionId::SearchNext | ActionId::SearchPrevious if model.search.is_none() => {
            "there is no search yet: / starts one"
        }
        ActionId::FilterRemoveLast if model.list.filter.is_empty() => "there is no filter",
        ActionId::FilterAggregate => match refresh::selected_row(model).map(|row| row.content) {
            Some(RowContent::Event(event)) if event.aggregate_id.is_some() => return None,
            Some(RowContent::Event(_)) => "the event belongs to no aggregate",
            _ => "no event is under the cursor",
        },
        ActionId::Sort if model.tab != Tab::Aggregates => "only the aggregates are sorted: 2 shows them",
        ActionId::ScanStop if model.scan.state != ScanState::Running => "no scan is running",
        ActionId::ScanResume if model.scan.state == ScanState::Running => "the scan is running",
        ActionId::ScanResume if model.scan.has_read_all() => "the scan has seen everything",
        ActionId::CopyJson | ActionId::CopyPayload if selected_json(model).is_none() => "no event is under the cursor",
        ActionId::Copy | ActionId::CopyOffset | ActionId::CopyHex | ActionId::CopyCommand
            if refresh::selected_row(model).is_none() =>
        {
            "nothing is under the cursor"
        }
        _ => return None,
    };
    Some(why.into())
}

/// Whether an action looks for something in the log.
const fn needs_log_data(id: ActionId) -> bool {
    matches!(
        id,
        ActionId::Search
            | ActionId::SearchNext
            | ActionId::SearchPrevious
            | ActionId::NextDamage
            | ActionId::PreviousDamage
            | ActionId::Follow
            | ActionId::ScanStop
            | ActionId::ScanResume
    )
}

/// The plan that is shown.
fn open_plan(model: &Model) -> Option<&PlanPreview> {
    match model.overlays.last()? {
        Overlay::Confirm(ConfirmDialog { on_confirm: ConfirmedAction::ApplyPlan(offer), .. }) => Some(offer),
        _ => None,
    }
}

fn selected_json(model: &Model) -> Option<&str> {
    let contents = model.detail.contents.as_ref()?;
    let same = refresh::selected_row(model).is_some_and(|row| row.start == contents.details.row.start);
    contents.details.payload_text.as_deref().filter(|_| same)
}

fn append_refusal(model: &Model) -> Option<String> {
    if let Some(closed) = &model.log_info.read_only_reason {
        return Some(closed.clone());
    }
    match (&model.log_info.index.state, model.log_info.writer) {
        (IndexState::Ahead { .. }, _) => Some("the log is truncated: its index has seen events that are gone".into()),
        (_, WriterPresence::HoldsLock(pid)) => Some(format!("another process holds the writer's lock, pid {pid}")),
        _ => None,
    }
}

fn repair_refusal(model: &Model, id: ActionId) -> Option<String> {
    let facts = &model.log_info;
    if let Some(closed) = &facts.read_only_reason {
        let instead = if facts.version == 0 { "; chronicle migrate LOG -o NEW makes a repaired copy" } else { "" };
        return Some(format!("{closed}{instead}"));
    }
    match facts.writer {
        WriterPresence::HoldsLock(pid) => return Some(format!("another process holds the writer's lock, pid {pid}")),
        WriterPresence::HasFileOpen(pid) => {
            return Some(format!("another process has the log open for writing, pid {pid}"));
        }
        WriterPresence::NoneFound | WriterPresence::Unknown => {}
    }
    let unreadable = model.scan.findings.iter().find(|finding| finding.kind == DamageKind::Unreadable);
    if let (ActionId::Repair | ActionId::RepairAll, Some(bad)) = (id, unreadable) {
        let (start, end) = (bad.start, bad.end);
        return Some(format!(
            "the device refuses to read {start}..{end}; chronicle salvage LOG -o NEW writes what can be read into a new log"
        ));
    }
    let here = refresh::selected_row(model)
        .map(|row| row.content)
        .filter(|_| matches!(model.tab, Tab::Events | Tab::Findings));
    let why = match (id, here) {
        (ActionId::Repair, Some(RowContent::Finding(finding))) if finding.kind.is_damage() => return None,
        (ActionId::Repair, Some(RowContent::Finding(finding))) => {
            return Some(format!("{} is no damage", finding.kind.name()));
        }
        (ActionId::Repair, _) => "no damage is under the cursor; e goes to the next",
        (ActionId::RepairAll, _) if model.scan.has_read_all() && model.scan.damage_count() == 0 => "nothing is damaged",
        _ => return None,
    };
    Some(why.into())
}

fn update_index_refusal(state: &IndexState) -> Option<String> {
    match state {
        IndexState::Fresh => Some("the index is fresh; R rebuilds it all the same".into()),
        IndexState::Ahead { .. } => {
            Some("the index is ahead, the only witness of what is missing; R rebuilds it after asking".into())
        }
        IndexState::Unsupported { version } => {
            Some(format!("a newer program wrote the index (version {version}); R replaces it after asking"))
        }
        _ => None,
    }
}
