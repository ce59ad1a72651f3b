//! Formats what the plan of an erasure has besides that of a repair, and the plan that makes erasures final.

use crate::repair::{
    EmptiedAggregates, Loss, Plan, PlannedErasure, PlannedPurge, PurgedContent, PurgedJournal, RepairStep,
};

use super::safe_path_text;
use super::units::{DisplayZone, format_count, format_number, format_timestamp};

/// Maximum number of ranges of an erasure that a text lists.
const MAX_STEPS_SHOWN: usize = 20;
/// Maximum number of aggregates that a line lists.
const MAX_AGGREGATES_SHOWN: usize = 5;

/// What no erasure can promise, in one sentence.
pub(crate) const NOT_REACHED: &str = "not reached: other copies of the log (backups, replicas, exports, snapshots of the file \
     system) and blocks that a file system or a flash device has replaced";

/// Returns the note of a plan about damaged ranges, in which no event was selected; `None` when there are none.
pub(crate) fn damaged_ranges_note(damaged_ranges: u64) -> Option<String> {
    (damaged_ranges > 0).then(|| {
        format!(
            "{} not examined: events that match can be in them, and stay in any copy that is made of them",
            format_count(damaged_ranges, "damaged range")
        )
    })
}

/// Returns the steps that a text lists, and a line with the number of those that it leaves out. All steps of a plan that
/// erases nothing are listed.
pub(super) fn shown_steps(plan: &Plan) -> (&[RepairStep], Option<String>) {
    let all = plan.steps.as_slice();
    match all.split_at_checked(MAX_STEPS_SHOWN) {
        Some((shown, [_, ..])) if plan.erases.is_some() => (shown, Some(omitted_line(all.len() - shown.len()))),
        _ => (all, None),
    }
}

fn omitted_line(ranges: usize) -> String {
    format!("and {} (--json and --plan FILE list them)", format_count(ranges as u64, "more range"))
}

/// Formats the totals of an erasure as one sentence: events, bytes, aggregates that lose all events, first and last time.
pub(super) fn erasure_headline(plan: &Plan, erasure: &PlannedErasure) -> String {
    let path = safe_path_text(&plan.log.path);
    if plan.steps.is_empty() {
        return format!("{path}: no event is selected, nothing to erase");
    }
    let (events, ranges) = (format_count(erasure.events, "event"), format_count(plan.steps.len() as u64, "range"));
    let bytes = format_count(plan.changed_bytes(), "byte");
    let times = erasure.times_ms.map(|(first, last)| {
        let time = |ms| format_timestamp(ms, DisplayZone::Utc);
        if first == last {
            format!(", written {}", time(first))
        } else {
            format!(", written {} to {}", time(first), time(last))
        }
    });
    let emptied = emptied_text(erasure).map(|text| format!("; {text}"));
    let (times, emptied) = (times.unwrap_or_default(), emptied.unwrap_or_default());
    format!("erasure in {path}: {events} in {ranges}, {bytes}{times}{emptied}")
}

/// Formats the aggregates that lose all of their events; `None` when each keeps one.
pub(crate) fn emptied_text(erasure: &PlannedErasure) -> Option<String> {
    emptied_aggregates_text(&erasure.emptied)
}

/// Formats aggregates that lose all of their events; `None` when there are none.
pub(super) fn emptied_aggregates_text(emptied: &EmptiedAggregates) -> Option<String> {
    if emptied.is_empty() {
        return None;
    }
    let mut ids: Vec<String> = emptied.ids.iter().take(MAX_AGGREGATES_SHOWN).map(u64::to_string).collect();
    let more = emptied.count.saturating_sub(ids.len() as u64);
    ids.extend((more > 0).then(|| format!("{} more", format_number(more))));
    let verb = if emptied.count == 1 { "loses all its events" } else { "lose all their events" };
    Some(format!("{} {verb} ({})", format_count(emptied.count, "aggregate"), ids.join(", ")))
}

/// Formats a number of erased events.
pub(super) fn erased_text(events: u64) -> String {
    format!("{} erased", format_count(events, "event"))
}

/// Formats what an erasure does not reach, and whether it can be undone; no line for other plans.
pub(super) fn erasure_closing_lines(plan: &Plan) -> Vec<String> {
    let is_final = match (&plan.erases, &plan.purges) {
        (None, None) => return Vec::new(),
        (Some(_), _) if plan.steps.is_empty() => return Vec::new(),
        (Some(erasure), _) => erasure.is_final,
        (None, Some(_)) => true,
    };
    let mut lines = vec![NOT_REACHED.to_owned()];
    lines.extend(
        is_final.then(|| "final: the saved bytes are destroyed, and nothing brings the events back".to_owned()),
    );
    lines
}

/// Formats the totals of a purge as one sentence.
pub(super) fn purge_headline(plan: &Plan, purge: &PlannedPurge) -> String {
    let bytes = purge.journals.iter().map(overwritten_bytes).fold(0, u64::saturating_add);
    let (erasures, verb) = erasures_text(purge);
    format!(
        "purge in {}: {erasures} {verb} final; {} overwritten in {}",
        safe_path_text(&plan.log.path),
        format_count(bytes, "byte"),
        format_count(purge.journals.len() as u64, "journal")
    )
}

/// Formats the numbers of the erasures that a purge makes final, with the verb that follows them.
fn erasures_text(purge: &PlannedPurge) -> (String, &'static str) {
    let numbers: Vec<String> = purge.erasures.iter().map(u32::to_string).collect();
    match numbers.as_slice() {
        [only] => (format!("erasure {only}"), "becomes"),
        several => (format!("erasures {}", several.join(", ")), "become"),
    }
}

/// Formats one line for each journal that a purge overwrites.
pub(super) fn purged_journal_lines(purge: &PlannedPurge) -> impl Iterator<Item = String> {
    purge.journals.iter().map(|journal| {
        let bytes = format_count(overwritten_bytes(journal), "byte");
        let number = journal.number;
        match &journal.content {
            PurgedContent::Record { .. } => {
                format!("journal {number}: {bytes} overwritten; a record without old bytes stays")
            }
            PurgedContent::Index { .. } => {
                format!("journal {number}: {bytes} of its saved index overwritten; its repair can still be undone")
            }
        }
    })
}

const fn overwritten_bytes(journal: &PurgedJournal) -> u64 {
    match journal.content {
        PurgedContent::Record { .. } => journal.bytes,
        PurgedContent::Index { start, end } => end.saturating_sub(start),
    }
}

/// Summarizes a purge in the repair history.
pub(super) fn purge_summary(purge: &PlannedPurge) -> String {
    format!("{} made final", erasures_text(purge).0)
}

/// Summarizes an erasure in the repair history.
pub(super) fn erasure_summary(erasure: &PlannedErasure, loss: &Loss) -> String {
    let reason = erasure.reason.as_ref().map(|reason| format!(", because: {reason}")).unwrap_or_default();
    format!("{}{reason}", erased_text(loss.at_most))
}

/// The words for what a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlanWords {
    /// What the plan is.
    pub(crate) noun: &'static str,
    /// The label of its progress.
    pub(crate) running: &'static str,
}

impl PlanWords {
    /// The words of a plan that erases events.
    pub(crate) const ERASURE: Self = Self { noun: "erasure", running: "erasing" };
    /// The words of a plan that makes erasures final.
    pub(crate) const PURGE: Self = Self { noun: "purge", running: "purging" };

    /// Returns the words of a plan.
    pub(crate) const fn of(plan: &Plan) -> Self {
        match (&plan.undoes, &plan.erases, &plan.purges) {
            (Some(_), ..) => Self { noun: "undo", running: "undoing" },
            (None, Some(_), _) => Self::ERASURE,
            (None, None, Some(_)) => Self::PURGE,
            (None, None, None) => Self { noun: "repair", running: "repairing" },
        }
    }
}
