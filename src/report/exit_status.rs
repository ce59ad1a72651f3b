//! The exit statuses of the commands: their numbers and meanings, and the rule for when several apply.

use crate::StorageError;
use crate::format::{DamageKind, Finding, Version};
use crate::repair::{Certainty, Fix, Plan, PlannedPiece, RepairAction};

/// The exit status of a command. The variants are ordered by precedence: if several apply, the first one is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// The command failed, or the file is not a log.
    Failed,
    /// The command line is invalid.
    Usage,
    /// The command was refused before it changed the log.
    Refused,
    /// The log has damage that costs events or needs a decision.
    Damage,
    /// The log has damage, all of it restorable.
    Restorable,
    /// The log has no damage, but its index is unusable.
    IndexUnusable,
    /// The command succeeded; `verify` found no damage.
    Done,
}

impl ExitStatus {
    /// Every status, ordered by its number.
    pub(crate) const ALL: [Self; 7] =
        [Self::Done, Self::Failed, Self::Usage, Self::Damage, Self::Restorable, Self::IndexUnusable, Self::Refused];

    /// Returns the exit code of the process.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Damage => 3,
            Self::Restorable => 4,
            Self::IndexUnusable => 5,
            Self::Refused => 6,
        }
    }

    /// Returns the meaning of the status, as the help and the manual page list it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "success; verify: no damage",
            Self::Failed => "failure: an I/O error, or the file is not a log",
            Self::Usage => "invalid command line",
            Self::Damage => {
                "damage that costs events, needs a decision, or was left; cat: damage was skipped; show: damage at the offset; diff: the copies differ"
            }
            Self::Restorable => "verify, repair --dry-run: damage, all of it restorable",
            Self::IndexUnusable => {
                "verify: no damage, but the index is foreign, corrupt, unreadable or unsupported; index status: the index is not fresh"
            }
            Self::Refused => {
                "refused: the log is locked, changed, truncated, read-only or version 0; not confirmed; a file already exists"
            }
        }
    }

    /// Returns the status that takes precedence if both apply.
    #[must_use]
    pub(crate) fn combine(self, other: Self) -> Self {
        self.min(other)
    }

    /// Returns the status for a log with this finding, before any repair.
    pub(crate) fn for_finding(finding: &Finding, fix: Option<&Fix>, version: Version) -> Self {
        if version == Version::V0 && finding.kind == DamageKind::TornTail {
            // A torn tail holds no event. No fix exists in place, but `migrate` leaves the tail out of the new log.
            return Self::Restorable;
        }
        if finding.kind.is_damage() { Self::for_damage([finding.kind.name()], fix) } else { Self::Done }
    }

    /// Returns the status for the log of a plan before the plan is applied.
    pub(crate) fn before_repair(plan: &Plan) -> Self {
        let steps = plan.steps.iter().map(|step| {
            let certainty = step.certainty;
            let planned =
                Fix { action: step.action, certainty, candidates: Vec::new(), unsearched: None, choice: None };
            let fixes = std::iter::once(&planned).chain(&step.alternatives);
            // One fix that restores the range is enough.
            fixes.map(|fix| Self::for_damage(step.pieces.iter().map(|piece| piece.kind.as_str()), Some(fix))).max()
        });
        let unrepaired = plan.unrepaired.iter().filter(|range| is_damage_piece(&range.piece)).map(|range| {
            let status_with = |fix| Self::for_damage([range.piece.kind.as_str()], Some(fix));
            Some(range.alternatives.iter().map(status_with).max().unwrap_or(Self::Damage))
        });
        let lost_end = plan.forgotten_index_end.map(|_| Self::Damage);
        steps.chain(unrepaired).flatten().chain(lost_end).fold(Self::Done, Self::combine)
    }

    /// Returns the status after a plan is applied: `Damage` if the plan gives up events or leaves damage.
    pub(crate) fn after_repair(plan: &Plan) -> Self {
        let leaves_damage = plan.unrepaired.iter().any(|range| is_damage_piece(&range.piece));
        if plan.total_loss().is_zero() && !leaves_damage { Self::Done } else { Self::Damage }
    }

    fn for_damage<'k>(kinds: impl IntoIterator<Item = &'k str>, fix: Option<&Fix>) -> Self {
        let restorable = fix.is_some_and(|fix| match fix.action {
            RepairAction::SetAsideTail => {
                kinds.into_iter().all(|kind| DamageKind::from_name(kind).is_some_and(holds_no_event))
            }
            action => action.can_restore() && fix.certainty.is_some_and(|certainty| certainty >= Certainty::Likely),
        });
        if restorable { Self::Restorable } else { Self::Damage }
    }

    /// Returns the status of a command that fails with this error.
    pub(crate) fn for_error(error: &StorageError) -> Self {
        match error {
            StorageError::Locked { .. }
            | StorageError::Changed { .. }
            | StorageError::Refused { .. }
            | StorageError::Version0ReadOnly { .. }
            | StorageError::ReadOnly { .. }
            | StorageError::Truncated { .. }
            | StorageError::UnknownFlags { forbids: "write", .. }
            | StorageError::AlreadyExists { .. } => Self::Refused,
            StorageError::InsideFrame { .. } | StorageError::Removed { .. } => Self::Usage,
            StorageError::Damaged { .. } | StorageError::IndexedEventMissing { .. } => Self::Damage,
            StorageError::Gap { .. } | StorageError::Lost { .. } => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// True when a range of this kind cannot hold an acknowledged event, so that cutting it off loses none.
const fn holds_no_event(kind: DamageKind) -> bool {
    match kind {
        DamageKind::TornTail | DamageKind::Zeros => true,
        DamageKind::Checksum
        | DamageKind::Length
        | DamageKind::Garbage
        | DamageKind::Truncated
        | DamageKind::Header
        | DamageKind::InvalidEvent
        | DamageKind::Lost
        | DamageKind::Gap
        | DamageKind::Clock
        | DamageKind::Unreadable => false,
    }
}

/// True unless the kind of the piece is known to be information, such as a gap. A plan file can contain kinds that this
/// version does not know; they count as damage.
fn is_damage_piece(piece: &PlannedPiece) -> bool {
    DamageKind::from_name(&piece.kind).is_none_or(DamageKind::is_damage)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::repair::UnrepairedRange;

    #[test]
    fn statuses_take_precedence_in_the_order_1_2_6_3_4_5_0() {
        let by_precedence: Vec<u8> = {
            let mut all: Vec<ExitStatus> = ExitStatus::ALL.to_vec();
            all.sort();
            all.into_iter().map(ExitStatus::code).collect()
        };
        assert_eq!(by_precedence, [1, 2, 6, 3, 4, 5, 0]);
        assert_eq!(ExitStatus::Done.combine(ExitStatus::IndexUnusable).combine(ExitStatus::Damage), ExitStatus::Damage);
        assert_eq!(ExitStatus::ALL.map(ExitStatus::code), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_refusal_and_a_failure_have_different_statuses() {
        let path = PathBuf::from("a.log");
        let refused = StorageError::UnknownFlags { path: path.clone(), found: 0x100, forbids: "write" };
        let unreadable = StorageError::UnknownFlags { path: path.clone(), found: 1, forbids: "read" };
        assert_eq!((ExitStatus::for_error(&refused).code(), ExitStatus::for_error(&unreadable).code()), (6, 1));
        assert_eq!(ExitStatus::for_error(&StorageError::TooShort { path, bytes: 3, expected: 16 }).code(), 1);
    }

    fn fix(action: RepairAction, certainty: Option<Certainty>) -> Fix {
        Fix { action, certainty, candidates: Vec::new(), unsearched: None, choice: None }
    }

    #[test]
    fn a_finding_is_restorable_by_a_likely_fix_or_by_setting_aside_bytes_without_events() {
        let status =
            |kind, fix: Option<Fix>| ExitStatus::for_finding(&Finding::new(kind, 16..30), fix.as_ref(), Version::V1);
        let bits = |certainty| Some(fix(RepairAction::CorrectBits, Some(certainty)));
        assert_eq!(status(DamageKind::Checksum, bits(Certainty::Proven)), ExitStatus::Restorable);
        assert_eq!(status(DamageKind::Checksum, bits(Certainty::Likely)), ExitStatus::Restorable);
        assert_eq!(status(DamageKind::Checksum, bits(Certainty::Choice)), ExitStatus::Damage);
        assert_eq!(status(DamageKind::InvalidEvent, None), ExitStatus::Damage);
        assert_eq!(status(DamageKind::Clock, None), ExitStatus::Done);
        let set_aside = |kind| status(kind, Some(fix(RepairAction::SetAsideTail, None)));
        let statuses = [set_aside(DamageKind::TornTail), set_aside(DamageKind::Zeros), set_aside(DamageKind::Garbage)];
        assert_eq!(statuses, [ExitStatus::Restorable, ExitStatus::Restorable, ExitStatus::Damage]);
        assert_eq!(status(DamageKind::Garbage, Some(fix(RepairAction::Gap, None))), ExitStatus::Damage);
    }

    #[test]
    fn a_torn_tail_of_version_0_is_restorable_because_migrate_leaves_it_out() {
        let status = |kind, version| ExitStatus::for_finding(&Finding::new(kind, 16..30), None, version);
        assert_eq!(status(DamageKind::TornTail, Version::V0), ExitStatus::Restorable);
        assert_eq!(status(DamageKind::TornTail, Version::V1), ExitStatus::Damage);
        assert_eq!(status(DamageKind::Garbage, Version::V0), ExitStatus::Damage);
    }

    #[test]
    fn a_plan_has_a_status_before_and_after_it_is_applied() {
        let step = |action, certainty, kind: &str, alternatives: Vec<Fix>| {
            serde_json::json!({
                "action": action, "certainty": certainty, "start": 16, "end": 30, "new_end": 30,
                "pieces": [{ "kind": kind, "start": 16, "end": 30 }], "write": "cut", "restored": 0,
                "given_up": { "at_least": 0, "at_most": 0, "aggregates": [] }, "also_possible": alternatives,
                "before": "", "after": "", "neighbours": [],
            })
        };
        let plan = |steps: Vec<serde_json::Value>| -> Plan {
            let log = serde_json::json!({
                "path": "a.log", "header": "", "first_checksum": null, "file": null, "bytes": 30,
            });
            let plan = serde_json::json!({
                "plan": 1, "id": "ab", "log": log, "steps": steps, "left": [], "lock_ms": 1,
            });
            serde_json::from_value(plan).unwrap()
        };
        let bits = || step(RepairAction::CorrectBits, Some(Certainty::Proven), "checksum", Vec::new());
        let likely = fix(RepairAction::CorrectBits, Some(Certainty::Likely));
        assert_eq!(ExitStatus::before_repair(&plan(vec![])), ExitStatus::Done);
        assert_eq!(ExitStatus::before_repair(&plan(vec![bits()])), ExitStatus::Restorable);
        let gap = step(RepairAction::Gap, None, "checksum", vec![likely.clone()]);
        assert_eq!(
            ExitStatus::before_repair(&plan(vec![bits(), gap])),
            ExitStatus::Restorable,
            "an alternative restores it"
        );
        assert_eq!(
            ExitStatus::before_repair(&plan(vec![bits(), step(RepairAction::Gap, None, "garbage", vec![])])),
            ExitStatus::Damage
        );
        assert_eq!(
            ExitStatus::before_repair(&plan(vec![step(RepairAction::SetAsideTail, None, "zeros", vec![])])),
            ExitStatus::Restorable
        );

        let mut undecided = plan(vec![bits()]);
        assert_eq!(ExitStatus::after_repair(&undecided), ExitStatus::Done);
        let piece = |kind: &str| PlannedPiece { kind: kind.into(), start: 40, end: 50 };
        let unrepaired =
            |kind, alternatives| UnrepairedRange { piece: piece(kind), reason: "undecided".into(), alternatives };
        undecided.unrepaired = vec![unrepaired("gap", vec![])];
        assert_eq!(
            (ExitStatus::before_repair(&undecided), ExitStatus::after_repair(&undecided)),
            (ExitStatus::Restorable, ExitStatus::Done)
        );
        undecided.unrepaired = vec![unrepaired("checksum", vec![likely])];
        assert_eq!(
            (ExitStatus::before_repair(&undecided), ExitStatus::after_repair(&undecided)),
            (ExitStatus::Restorable, ExitStatus::Damage)
        );
        undecided.unrepaired = vec![unrepaired("invalid_event", vec![])];
        assert_eq!(ExitStatus::before_repair(&undecided), ExitStatus::Damage);
        let mut lossy = plan(vec![bits()]);
        lossy.forgotten_index_end = Some(99);
        lossy.forgotten_loss.at_most = 1;
        assert_eq!(
            (ExitStatus::before_repair(&lossy), ExitStatus::after_repair(&lossy)),
            (ExitStatus::Damage, ExitStatus::Damage)
        );
    }
}
