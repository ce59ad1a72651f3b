//! The words for repair: what can be done about a finding, how certain that is, and what it would change.

use serde::{Deserialize, Serialize};

/// What can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairAction {
    /// Writes the length that the checksum proves.
    RestoreLength,
    /// Writes the bits that the checksum points at.
    CorrectBits,
    /// Writes the log's header anew.
    RebuildHeader,
    /// Takes the range from another copy of the log.
    TakeFromDonor,
    /// Keeps the unfinished end in the journal and cuts it off.
    SetAsideTail,
    /// Fences the range off, so that every later offset stays.
    Gap,
}

impl RepairAction {
    /// Every action, with the name FORMAT.md gives it and whether it restores what was there.
    pub const ALL: [(RepairAction, &'static str, bool); 6] = [
        (RepairAction::RestoreLength, "restore_length", true),
        (RepairAction::CorrectBits, "correct_bits", true),
        (RepairAction::RebuildHeader, "rebuild_header", true),
        (RepairAction::TakeFromDonor, "take_from_donor", true),
        (RepairAction::SetAsideTail, "set_aside_tail", false),
        (RepairAction::Gap, "gap", false),
    ];

    /// The name FORMAT.md gives it.
    pub fn name(self) -> &'static str {
        self.table_row().1
    }

    /// True for what brings bytes back; false for what keeps the rest usable without them.
    pub fn can_restore(self) -> bool {
        self.table_row().2
    }

    fn table_row(self) -> &'static (RepairAction, &'static str, bool) {
        Self::ALL.iter().find(|row| row.0 == self).unwrap_or(&Self::ALL[0])
    }
}

/// How certain a fix is, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Somebody has to choose among candidates, of which none may be the truth.
    Choice,
    /// Accidents that look like it are rarer than 1 in 100.
    Likely,
    /// Proved by the checksum, or by an identical copy.
    Proven,
}

impl Certainty {
    /// The word FORMAT.md gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Choice => "choice",
        }
    }
}

/// Bytes that a fix changes: as many before as after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteChange {
    /// File offset of the first.
    pub offset: u64,
    /// As they stand.
    #[serde(with = "crate::format::hex")]
    pub before: Vec<u8>,
    /// As they will.
    #[serde(with = "crate::format::hex")]
    pub after: Vec<u8>,
}

/// One way in which a finding may have come about, and what would undo that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// How many accidental candidates at least as short one would expect here.
    #[serde(rename = "expected")]
    pub expected_false_positives: f64,
    /// What it changes, ascending.
    pub changes: Vec<ByteChange>,
}

/// What can be done about a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// The action.
    pub action: RepairAction,
    /// How certain it is; `None` for what restores nothing.
    pub certainty: Option<Certainty>,
    /// What it would change: one candidate, or several that somebody has to choose from, best first; none where the
    /// action is all there is to say.
    pub candidates: Vec<Candidate>,
    /// What was not searched, in words, where a search was stopped at its bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsearched: Option<String>,
    /// In a plan: the choice that takes its first candidate, or it, where it has none: a finding's start and a number,
    /// as in [`super::RepairOptions::choices`]. What is next counts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "choose")]
    pub choice: Option<(u64, usize)>,
}

impl Fix {
    /// An action that restores nothing and has no candidates.
    pub(crate) const fn without_candidates(action: RepairAction) -> Self {
        Self { action, certainty: None, candidates: Vec::new(), unsearched: None, choice: None }
    }

    /// An action with the one candidate there is.
    pub(crate) fn with_candidate(
        action: RepairAction,
        certainty: Certainty,
        expected: f64,
        changes: Vec<ByteChange>,
    ) -> Self {
        let candidates = vec![Candidate { expected_false_positives: expected, changes }];
        Self { action, certainty: Some(certainty), candidates, unsearched: None, choice: None }
    }

    /// True when a person or a word of theirs has to decide, beyond what is proven.
    pub fn is_undecided(&self) -> bool {
        self.certainty.is_some_and(|certainty| certainty < Certainty::Proven)
    }
}

/// The runs of bytes in which `after` differs from `before`, which starts at `offset`.
pub(super) fn diff_bytes(offset: u64, before: &[u8], after: &[u8]) -> Vec<ByteChange> {
    let mut changes: Vec<ByteChange> = Vec::new();
    for ((at, old), new) in (offset..).zip(before).zip(after) {
        if old == new {
            continue;
        }
        match changes.last_mut() {
            Some(change) if change.offset + change.after.len() as u64 == at => {
                change.before.push(*old);
                change.after.push(*new);
            }
            _ => changes.push(ByteChange { offset: at, before: vec![*old], after: vec![*new] }),
        }
    }
    changes
}
