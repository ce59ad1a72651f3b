//! Why an action cannot be run now, where it cannot.

use super::settle;
use crate::file::Seen;
use crate::format::Kind;
use crate::index::IndexState;
use crate::query::What;
use crate::tui::actions::{self, Id};
use crate::tui::effect::Lane;
use crate::tui::model::{Access, Esc, Layer, Model, Offer, Question, ScanState, Tab, Then};

/// Why an action cannot be run; `None` when it can.
pub(crate) fn why_not(model: &Model, id: Id) -> Option<String> {
    let writes = actions::of(id).is_some_and(|action| action.writes);
    if let Some(lost) = model.lost.as_ref().filter(|lost| writes || lost.is_empty() && reads(id)) {
        return Some(lost.why());
    }
    if writes {
        if model.access == Access::ReadOnly {
            return Some("the screen was opened with --read-only".into());
        }
        if let Some(job) = model.job(Lane::Write) {
            let stops = if job.esc == Esc::Stops { "; Esc stops it" } else { "" };
            return Some(format!("{} is under way{stops}", job.name));
        }
    }
    let why = match id {
        Id::Append => return append(model),
        Id::Repair | Id::RepairAll | Id::Undo => return repair(model, id),
        Id::Candidate if offer(model).is_none_or(|offer| offer.candidates() == 0) => "no candidates are offered",
        Id::AcceptLikely | Id::FenceUndecided if !offer(model).is_some_and(Offer::is_open) => {
            "nothing is left to be decided"
        }
        Id::UpdateIndex => return update_index(&model.facts.index.state),
        Id::SearchNext | Id::SearchPrevious if model.search.is_none() => "there is no search yet: / starts one",
        Id::FilterDrop if model.list.filter.is_empty() => "there is no filter",
        Id::FilterAggregate => match settle::chosen(model).map(|row| row.what) {
            Some(What::Event(event)) if event.aggregate_id.is_some() => return None,
            Some(What::Event(_)) => "the event belongs to no aggregate",
            _ => "no event is under the cursor",
        },
        Id::Sort if model.tab != Tab::Aggregates => "only the aggregates are sorted: 2 shows them",
        Id::ScanStop if model.scan.state != ScanState::Running => "no scan is running",
        Id::ScanGo if model.scan.state == ScanState::Running => "the scan is running",
        Id::ScanGo if model.scan.has_read_all() => "the scan has seen everything",
        Id::CopyJson | Id::CopyPayload if json(model).is_none() => "no event is under the cursor",
        Id::Copy | Id::CopyOffset | Id::CopyHex | Id::CopyCommand if settle::chosen(model).is_none() => {
            "nothing is under the cursor"
        }
        _ => return None,
    };
    Some(why.into())
}

/// Whether an action looks for something in the log.
const fn reads(id: Id) -> bool {
    matches!(
        id,
        Id::Search
            | Id::SearchNext
            | Id::SearchPrevious
            | Id::NextDamage
            | Id::PreviousDamage
            | Id::Follow
            | Id::ScanStop
            | Id::ScanGo
    )
}

/// The plan that is shown.
fn offer(model: &Model) -> Option<&Offer> {
    match model.layers.last()? {
        Layer::Question(Question { then: Then::Apply(offer), .. }) => Some(offer),
        _ => None,
    }
}

fn json(model: &Model) -> Option<&str> {
    let contents = model.detail.contents.as_ref()?;
    let same = settle::chosen(model).is_some_and(|row| row.start == contents.row.start);
    contents.json.as_deref().filter(|_| same)
}

fn append(model: &Model) -> Option<String> {
    if let Some(closed) = &model.facts.closed {
        return Some(closed.clone());
    }
    match (&model.facts.index.state, model.facts.writer) {
        (IndexState::Ahead { .. }, _) => Some("the log is truncated: its index has seen events that are gone".into()),
        (_, Seen::Lock(pid)) => Some(format!("another process holds the writer's lock, pid {pid}")),
        _ => None,
    }
}

fn repair(model: &Model, id: Id) -> Option<String> {
    let facts = &model.facts;
    if let Some(closed) = &facts.closed {
        let instead = if facts.version == 0 { "; chronicle migrate LOG -o NEW makes a repaired copy" } else { "" };
        return Some(format!("{closed}{instead}"));
    }
    match facts.writer {
        Seen::Lock(pid) => return Some(format!("another process holds the writer's lock, pid {pid}")),
        Seen::Open(pid) => return Some(format!("another process has the log open for writing, pid {pid}")),
        Seen::Nobody | Seen::Unknown => {}
    }
    let unreadable = model.scan.findings.iter().find(|finding| finding.kind == Kind::Unreadable);
    if let (Id::Repair | Id::RepairAll, Some(bad)) = (id, unreadable) {
        let (start, end) = (bad.start, bad.end);
        return Some(format!(
            "the device refuses to read {start}..{end}; chronicle salvage LOG -o NEW writes what can be read into a new log"
        ));
    }
    let here = settle::chosen(model).map(|row| row.what).filter(|_| matches!(model.tab, Tab::Events | Tab::Findings));
    let why = match (id, here) {
        (Id::Repair, Some(What::Finding(finding))) if finding.kind.is_damage() => return None,
        (Id::Repair, Some(What::Finding(finding))) => return Some(format!("{} is no damage", finding.kind.name())),
        (Id::Repair, _) => "no damage is under the cursor; e goes to the next",
        (Id::RepairAll, _) if model.scan.has_read_all() && model.scan.damaged() == 0 => "nothing is damaged",
        _ => return None,
    };
    Some(why.into())
}

fn update_index(state: &IndexState) -> Option<String> {
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
