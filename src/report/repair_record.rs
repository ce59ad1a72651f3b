//! Formats the repair history as text: one line for each repair.

use super::erasure::{erasure_summary, purge_summary};
use super::plan::{loss_text, restored_text};
use super::safe_path_text;
use super::units::{DisplayZone, format_minute, format_number};
use crate::repair::{ChangesInLog, Plan, RecoveryOutcome, RepairAction, RepairRecord, RepairState};

/// Formats an entry of the repair history as one line: number, time, state and summary.
pub(crate) fn record_line(record: &RepairRecord) -> String {
    let RepairRecord { number, begun_ms, .. } = record;
    let begun = format_minute(*begun_ms, DisplayZone::Utc);
    format!("{number:>4}  {begun}  {}; {}", record_state_text(record), record_summary(record))
}

/// Summarizes a repair: its actions, the events restored and the events given up.
pub(crate) fn record_summary(record: &RepairRecord) -> String {
    let plan = &record.plan;
    if let Some(purge) = &plan.purges {
        return purge_summary(purge);
    }
    match (plan.undoes, &plan.erases) {
        (Some(undone), _) => format!("undo of repair {undone}"),
        (None, Some(erasure)) => erasure_summary(erasure, &plan.total_loss()),
        (None, None) => format!(
            "{}: {}, {}",
            action_counts(plan),
            restored_text(plan.restored_events()),
            loss_text(&plan.total_loss())
        ),
    }
}

/// Reports in one sentence that an interrupted repair was completed or rolled back.
pub(crate) fn recovery_line(recovered: &RecoveryOutcome) -> String {
    let RecoveryOutcome { number, journal, completed } = recovered;
    let outcome = if *completed { "now completed" } else { "rolled back: the log is as it was before the repair" };
    format!("repair {number} was interrupted, {outcome} ({})", safe_path_text(journal))
}

/// Counts the steps by action: `2 correct_bits, 1 gap`.
fn action_counts(plan: &Plan) -> String {
    let steps_with = |action: RepairAction| plan.steps.iter().filter(|step| step.action == action).count();
    let named = RepairAction::ALL
        .into_iter()
        .map(|action| (steps_with(action), action.name()))
        .filter(|(number, _)| *number > 0);
    let mut counts: Vec<String> =
        named.map(|(number, name)| format!("{} {name}", format_number(number as u64))).collect();
    if plan.forgotten_index_end.is_some() {
        counts.push("lost end dropped".into());
    }
    counts.join(", ")
}

fn record_state_text(record: &RepairRecord) -> String {
    match (record.state, record.undone_by) {
        (RepairState::Applied, Some(by)) => format!("undone by {by}"),
        (RepairState::Applied, None) => match record.in_log {
            ChangesInLog::All => "applied".into(),
            ChangesInLog::Some => "applied; a part of its changes is no longer in the log".into(),
            ChangesInLog::None => {
                "no longer in the log: another file was put in its place, or its changes were overwritten".into()
            }
        },
        (RepairState::Unfinished, _) => {
            "journal incomplete: the repair changed nothing, or the journal is damaged".into()
        }
        (RepairState::Pending, _) => {
            "PENDING: the next append, `repair` or `undo` completes it or rolls it back".into()
        }
        (RepairState::Purged, _) => "final: the bytes from before it are destroyed, and it cannot be undone".into(),
        (RepairState::RolledBack, _) => "rolled back after an interruption".into(),
    }
}
