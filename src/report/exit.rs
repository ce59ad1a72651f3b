//! Exit statuses, as one table, and which of several applies.

use crate::StorageError;
use crate::format::{Finding, Kind};
use crate::repair::{Action, Certainty, Fix, Piece, Plan};

/// How a command ends. What comes first here wins over what comes later: the lowest of 1, 2 and 6, then 3, 4, 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The tool failed, or the file is no log.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// Not done, because it must not be.
    Refused,
    /// Damage that costs events, or is undecided.
    Damage,
    /// Damage of which every piece can be restored.
    Restorable,
    /// No damage, but the index is not usable.
    Index,
    /// Done, and nothing found.
    Done,
}

impl Status {
    /// Every status with its number and what it means, by number.
    pub const ALL: [(Status, u8, &'static str); 7] = [
        (Status::Done, 0, "done; verify: no damage"),
        (Status::Failed, 1, "the tool failed, or the file is no log"),
        (Status::Usage, 2, "the command line cannot be understood"),
        (
            Status::Damage,
            3,
            "damage that costs events, or is undecided, left or left out; cat: damage was skipped; diff: the copies differ",
        ),
        (Status::Restorable, 4, "verify, repair --dry-run: damage of which every piece can be restored"),
        (
            Status::Index,
            5,
            "verify: no damage, but the index is foreign, corrupt or unsupported; index status: not fresh",
        ),
        (
            Status::Refused,
            6,
            "refused: locked, changed, truncated, version 0, not allowed, nobody said yes, a file in the way",
        ),
    ];

    /// The number a shell sees.
    pub fn number(self) -> u8 {
        Self::ALL.iter().find(|row| row.0 == self).map_or(1, |row| row.1)
    }

    /// Of two that apply, the one that is told.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.min(other)
    }

    /// What a finding makes of a log as it stands: no damage, damage that can be restored, or damage.
    pub fn of_finding(found: &Finding, fix: Option<&Fix>) -> Self {
        if found.kind.is_damage() { Self::of_damage([found.kind.name()], fix) } else { Self::Done }
    }

    /// What a plan makes of a log as it stands, before anything is repaired.
    pub fn before(plan: &Plan) -> Self {
        let steps = plan.steps.iter().map(|step| {
            let certainty = step.certainty;
            let chosen = Fix { action: step.action, certainty, candidates: Vec::new(), unsearched: None, choose: None };
            let fixes = std::iter::once(&chosen).chain(&step.also_possible);
            // One that restores is enough.
            fixes.map(|fix| Self::of_damage(step.pieces.iter().map(|piece| piece.kind.as_str()), Some(fix))).max()
        });
        let left = plan.left.iter().filter(|left| is_damage(&left.piece)).map(|left| {
            let of = |fix| Self::of_damage([left.piece.kind.as_str()], Some(fix));
            Some(left.also_possible.iter().map(of).max().unwrap_or(Self::Damage))
        });
        let forgets = plan.forgets.map(|_| Self::Damage);
        steps.chain(left).flatten().chain(forgets).fold(Self::Done, Self::or)
    }

    /// What a plan leaves once it is applied: events given up and damage left are told.
    pub fn after(plan: &Plan) -> Self {
        let whole = plan.given_up().is_none() && !plan.left.iter().any(|left| is_damage(&left.piece));
        if whole { Self::Done } else { Self::Damage }
    }

    fn of_damage<'k>(kinds: impl IntoIterator<Item = &'k str>, fix: Option<&Fix>) -> Self {
        let restorable = fix.is_some_and(|fix| match fix.action {
            Action::SetAsideTail => {
                kinds.into_iter().all(|kind| kind == Kind::TornTail.name() || kind == Kind::Zeros.name())
            }
            action => action.restores() && fix.certainty.is_some_and(|certainty| certainty >= Certainty::Likely),
        });
        if restorable { Self::Restorable } else { Self::Damage }
    }

    /// What an error ends a command with.
    pub fn of(error: &StorageError) -> Self {
        match error {
            StorageError::Locked { .. }
            | StorageError::Changed { .. }
            | StorageError::Refused { .. }
            | StorageError::Version0 { .. }
            | StorageError::ReadOnly { .. }
            | StorageError::Truncated { .. }
            | StorageError::UnknownFlags { forbids: "write", .. }
            | StorageError::Exists { .. } => Self::Refused,
            StorageError::InsideFrame { .. } => Self::Usage,
            StorageError::Damaged { .. } | StorageError::LostEvent { .. } => Self::Damage,
            StorageError::Gap { .. } => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// A kind that nobody knows is not made light of.
fn is_damage(piece: &Piece) -> bool {
    Kind::from_name(&piece.kind).is_none_or(Kind::is_damage)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::repair::Left;

    #[test]
    fn the_lowest_of_1_2_6_wins_and_then_3_4_5() {
        let by_rank: Vec<u8> = {
            let mut all: Vec<Status> = Status::ALL.iter().map(|row| row.0).collect();
            all.sort();
            all.into_iter().map(Status::number).collect()
        };
        assert_eq!(by_rank, [1, 2, 6, 3, 4, 5, 0]);
        assert_eq!(Status::Done.or(Status::Index).or(Status::Damage), Status::Damage);
        assert_eq!(Status::ALL.map(|row| row.1), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_must_not_be_done_is_not_what_cannot() {
        let path = PathBuf::from("a.log");
        let refused = StorageError::UnknownFlags { path: path.clone(), found: 0x100, forbids: "write" };
        let unreadable = StorageError::UnknownFlags { path: path.clone(), found: 1, forbids: "read" };
        assert_eq!((Status::of(&refused).number(), Status::of(&unreadable).number()), (6, 1));
        assert_eq!(Status::of(&StorageError::TooShort { path, bytes: 3 }).number(), 1);
    }

    fn fix(action: Action, certainty: Option<Certainty>) -> Fix {
        Fix { action, certainty, candidates: Vec::new(), unsearched: None, choose: None }
    }

    #[test]
    fn a_finding_is_restorable_by_what_is_likely_or_by_setting_its_own_kind_aside() {
        let of = |kind, fix: Option<Fix>| Status::of_finding(&Finding::new(kind, 16..30), fix.as_ref());
        let bits = |certainty| Some(fix(Action::CorrectBits, Some(certainty)));
        assert_eq!(of(Kind::Checksum, bits(Certainty::Proven)), Status::Restorable);
        assert_eq!(of(Kind::Checksum, bits(Certainty::Likely)), Status::Restorable);
        assert_eq!(of(Kind::Checksum, bits(Certainty::Choice)), Status::Damage);
        assert_eq!(of(Kind::InvalidEvent, None), Status::Damage);
        assert_eq!(of(Kind::Clock, None), Status::Done);
        let aside = |kind| of(kind, Some(fix(Action::SetAsideTail, None)));
        let three = [aside(Kind::TornTail), aside(Kind::Zeros), aside(Kind::Garbage)];
        assert_eq!(three, [Status::Restorable, Status::Restorable, Status::Damage]);
        assert_eq!(of(Kind::Garbage, Some(fix(Action::Gap, None))), Status::Damage);
    }

    #[test]
    fn a_plan_says_how_the_log_stands_and_how_it_will() {
        let step = |action, certainty, kind: &str, also_possible: Vec<Fix>| {
            serde_json::json!({
                "action": action, "certainty": certainty, "start": 16, "end": 30, "new_end": 30,
                "pieces": [{ "kind": kind, "start": 16, "end": 30 }], "write": "cut", "restored": 0,
                "given_up": { "at_least": 0, "at_most": 0, "aggregates": [] }, "also_possible": also_possible,
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
        let bits = || step(Action::CorrectBits, Some(Certainty::Proven), "checksum", Vec::new());
        let likely = fix(Action::CorrectBits, Some(Certainty::Likely));
        assert_eq!(Status::before(&plan(vec![])), Status::Done);
        assert_eq!(Status::before(&plan(vec![bits()])), Status::Restorable);
        let fenced = step(Action::Gap, None, "checksum", vec![likely.clone()]);
        assert_eq!(Status::before(&plan(vec![bits(), fenced])), Status::Restorable, "it need not be given up");
        assert_eq!(Status::before(&plan(vec![bits(), step(Action::Gap, None, "garbage", vec![])])), Status::Damage);
        assert_eq!(Status::before(&plan(vec![step(Action::SetAsideTail, None, "zeros", vec![])])), Status::Restorable);

        let mut undecided = plan(vec![bits()]);
        assert_eq!(Status::after(&undecided), Status::Done);
        let piece = |kind: &str| Piece { kind: kind.into(), start: 40, end: 50 };
        let left = |kind, also_possible| Left { piece: piece(kind), why: "nobody decided".into(), also_possible };
        undecided.left = vec![left("gap", vec![])];
        assert_eq!((Status::before(&undecided), Status::after(&undecided)), (Status::Restorable, Status::Done));
        undecided.left = vec![left("checksum", vec![likely])];
        assert_eq!((Status::before(&undecided), Status::after(&undecided)), (Status::Restorable, Status::Damage));
        undecided.left = vec![left("invalid_event", vec![])];
        assert_eq!(Status::before(&undecided), Status::Damage);
        let mut lossy = plan(vec![bits()]);
        lossy.forgets = Some(99);
        lossy.forgotten.at_most = 1;
        assert_eq!((Status::before(&lossy), Status::after(&lossy)), (Status::Damage, Status::Damage));
    }
}
