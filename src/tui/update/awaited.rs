//! Actions that wait for the row or the contents that they are about.
//!
//! Keys that are typed in a burst arrive before the rows that they lead to have been read. An action that is about the
//! selected row waits until that row is there, and the movements typed after it wait for their turn.

use crate::tui::actions::ActionId;
use crate::tui::model::{Model, RowNeed, Tab};

/// Returns what an action needs before it can run.
const fn need_of(model: &Model, id: ActionId) -> RowNeed {
    match id {
        ActionId::Repair if matches!(model.tab, Tab::Compare) => RowNeed::Table,
        ActionId::Retain => RowNeed::Table,
        _ if matches!(model.tab, Tab::Aggregates | Tab::Statistics | Tab::Compare | Tab::Segments)
            && is_about_line(id) =>
        {
            RowNeed::Table
        }
        ActionId::CopyJson
        | ActionId::AppendLike
        | ActionId::CopyPayload
        | ActionId::CopyValue
        | ActionId::CopyPath
        | ActionId::CopyHex
        | ActionId::FilterWithValue
        | ActionId::FilterWithoutValue
        | ActionId::FilterOnlyValue
        | ActionId::ToggleBytes
        | ActionId::ToggleFolds
        | ActionId::ToggleState
        | ActionId::NextView
        | ActionId::PreviousView
        | ActionId::LineEnd => RowNeed::Contents,
        ActionId::CopyOffset
        | ActionId::CopyCommand
        | ActionId::FilterAggregate
        | ActionId::NextDamage
        | ActionId::PreviousDamage
        | ActionId::SetMark
        | ActionId::SearchNext
        | ActionId::SearchPrevious
        | ActionId::Repair => RowNeed::Row,
        _ => RowNeed::Nothing,
    }
}

/// Returns whether an action moves the cursor within a list or table.
const fn moves_cursor(id: ActionId) -> bool {
    matches!(
        id,
        ActionId::Down
            | ActionId::Up
            | ActionId::HalfDown
            | ActionId::HalfUp
            | ActionId::PageDown
            | ActionId::PageUp
            | ActionId::First
            | ActionId::Last
    )
}

/// Returns whether an action moves the cursor in a table, or is about the line under it.
const fn is_about_line(id: ActionId) -> bool {
    moves_cursor(id) || matches!(id, ActionId::Activate)
}

/// Returns whether an action depends on the actions typed before it: it changes which row is selected, or uses the text
/// that they have copied or the filter that they have set.
const fn depends_on_earlier(id: ActionId) -> bool {
    moves_cursor(id)
        || matches!(
            id,
            ActionId::NextPane
                | ActionId::PreviousPane
                | ActionId::SearchNext
                | ActionId::SearchPrevious
                | ActionId::Activate
                | ActionId::JumpBack
                | ActionId::JumpForward
                | ActionId::GoToMark
                | ActionId::TabEvents
                | ActionId::TabAggregates
                | ActionId::TabFindings
                | ActionId::TabIndex
                | ActionId::TabRepairs
                | ActionId::TabStatistics
                | ActionId::TabCompare
                | ActionId::TabSegments
                | ActionId::Period
                | ActionId::SaveCopy
                | ActionId::FilterRemoveLast
                | ActionId::ToggleFindings
        )
}

/// Queues an action that has to wait, and returns true when it was queued.
pub(super) fn defer(model: &mut Model, id: ActionId) -> bool {
    if matches!(id, ActionId::Close | ActionId::Interrupt) {
        model.awaited.clear();
        return false;
    }
    let need = need_of(model, id);
    let waits =
        model.is_awaiting(need) || !model.awaited.is_empty() && (need != RowNeed::Nothing || depends_on_earlier(id));
    if waits {
        model.awaited.push_back(id);
    }
    waits
}

/// Removes and returns the first queued action, when what it needs has arrived.
pub(super) fn take_ready(model: &mut Model) -> Option<ActionId> {
    let is_ready = model.awaited.front().is_some_and(|id| !model.is_awaiting(need_of(model, *id)));
    if is_ready { model.awaited.pop_front() } else { None }
}
