//! Fixes: the action that a repair proposes for a finding, its certainty, and the bytes that it changes.

use serde::{Deserialize, Serialize};

use super::CandidateChoice;
use crate::format::{DamageKind, Finding};

/// An action by which a repair handles a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RepairAction {
    /// Write the frame length that the checksum proves.
    RestoreLength,
    /// Flip the bits that explain the checksum mismatch.
    CorrectBits,
    /// Write the log's header again.
    RebuildHeader,
    /// Copy the range from another copy of the log.
    TakeFromDonor,
    /// Save the unfinished end of the log in the journal and cut it off.
    SetAsideTail,
    /// Replace the range with gap frames, so that every later offset stays as it is.
    Gap,
    /// Write the file of a missing segment again, with the frames of another copy of the log.
    RestoreSegment,
    /// Record that a range of which no segment is left is lost.
    GiveUp,
    /// Save the bytes after the end of a sealed segment in the journal and cut them off its file.
    CutExcess,
    /// Replace an event with a gap that has nothing of it, so that every later offset stays as it is.
    Erase,
}

impl RepairAction {
    /// Every action: first those that restore lost bytes.
    pub const ALL: [Self; 10] = [
        Self::RestoreLength,
        Self::CorrectBits,
        Self::RebuildHeader,
        Self::TakeFromDonor,
        Self::RestoreSegment,
        Self::SetAsideTail,
        Self::Gap,
        Self::GiveUp,
        Self::CutExcess,
        Self::Erase,
    ];

    /// The action's name in JSON and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RestoreLength => "restore_length",
            Self::CorrectBits => "correct_bits",
            Self::RebuildHeader => "rebuild_header",
            Self::TakeFromDonor => "take_from_donor",
            Self::SetAsideTail => "set_aside_tail",
            Self::Gap => "gap",
            Self::RestoreSegment => "restore_segment",
            Self::GiveUp => "give_up",
            Self::CutExcess => "cut_excess",
            Self::Erase => "erase",
        }
    }

    /// The meaning of the action, in one sentence.
    #[cfg(feature = "app")]
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::RestoreLength => "Write the frame length that the checksum proves.",
            Self::CorrectBits => "Flip the bits that explain the checksum mismatch.",
            Self::RebuildHeader => "Write the log's header again.",
            Self::TakeFromDonor => "Copy the range from another copy of the log.",
            Self::SetAsideTail => "Save the unfinished end of the log in the journal and cut it off.",
            Self::Gap => {
                "Replace the range with a gap, so that every later offset stays as it is. Nothing is restored."
            }
            Self::RestoreSegment => "Write the file of a missing segment again, from another copy of the log.",
            Self::GiveUp => {
                "Record in `log.json` that a range is lost because no segment has it. Later offsets stay as they are."
            }
            Self::CutExcess => {
                "Save the bytes after the end of a sealed segment in the journal and cut them off its file."
            }
            Self::Erase => "Replace an event with a gap that has nothing of it, as `chronicle erase` does.",
        }
    }

    /// True for an action that restores lost bytes; false for one that only keeps the rest of the log usable.
    pub const fn can_restore(self) -> bool {
        match self {
            Self::RestoreLength
            | Self::CorrectBits
            | Self::RebuildHeader
            | Self::TakeFromDonor
            | Self::RestoreSegment => true,
            Self::SetAsideTail | Self::Gap | Self::GiveUp | Self::CutExcess | Self::Erase => false,
        }
    }
}

/// The certainty of a fix, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The user has to choose among candidates, and possibly none of them is right.
    Choice,
    /// Chance alone would produce such a fix in fewer than 1 of 100 cases.
    Likely,
    /// Proven by the checksum or by an identical copy.
    Proven,
}

impl Certainty {
    /// The certainty's name in JSON and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Choice => "choice",
        }
    }

    /// The meaning of the certainty, in one sentence.
    #[cfg(feature = "app")]
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Proven => "The checksum or an identical copy proves that the bytes are the original ones.",
            Self::Likely => "Chance alone would produce such a fix in fewer than 1 of 100 cases.",
            Self::Choice => "Several fixes fit, and possibly none of them is right: the user chooses.",
        }
    }
}

/// A run of bytes that a fix changes; `before` and `after` have the same length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteChange {
    /// File offset of the first byte.
    pub offset: u64,
    /// The bytes before the fix.
    #[serde(with = "crate::format::hex")]
    pub before: Vec<u8>,
    /// The bytes after the fix.
    #[serde(with = "crate::format::hex")]
    pub after: Vec<u8>,
}

/// One possible explanation of damage, with the changes that would reverse it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Expected number of explanations, at most as long as this one, that would fit by chance alone.
    #[serde(rename = "expected")]
    pub expected_false_positives: f64,
    /// The changes, by ascending offset.
    pub changes: Vec<ByteChange>,
}

/// A fix for a finding: the action, and the candidates where there are several ways to apply it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// The action of the fix.
    pub action: RepairAction,
    /// The certainty of the restored bytes; `None` for an action that restores nothing.
    pub certainty: Option<Certainty>,
    /// The possible changes, best first: one, or several from which the user has to choose. Empty for an action whose
    /// bytes follow from the range alone, such as a gap.
    pub candidates: Vec<Candidate>,
    /// Description of the patterns that were not searched, when the search reached its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsearched: Option<String>,
    /// In a plan: the choice that selects the first candidate, or the fix itself when it has no candidates.
    ///
    /// The other candidates have the numbers that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "choose")]
    pub choice: Option<CandidateChoice>,
}

impl Fix {
    /// A fix without candidates.
    pub(crate) const fn without_candidates(action: RepairAction) -> Self {
        Self { action, certainty: None, candidates: Vec::new(), unsearched: None, choice: None }
    }

    /// A fix with exactly one candidate.
    pub(crate) fn with_candidate(action: RepairAction, certainty: Certainty, candidate: Candidate) -> Self {
        Self { action, certainty: Some(certainty), candidates: vec![candidate], unsearched: None, choice: None }
    }

    /// True when the fix is less than proven, so that the user has to accept or choose it.
    pub fn is_undecided(&self) -> bool {
        self.certainty.is_some_and(|certainty| certainty < Certainty::Proven)
    }
}

/// A finding with the fix that a repair proposes for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedFix {
    /// The finding of a survey.
    pub finding: Finding,
    /// The proposed fix; `None` when no repair in place is possible.
    pub fix: Option<Fix>,
}

impl ProposedFix {
    /// File offset after the range once it is repaired. It differs from the finding's end only for a `truncated` log,
    /// which is filled up to the end that an index has seen.
    pub(crate) fn repaired_end(&self) -> u64 {
        let finding = &self.finding;
        let seen_end = finding.evidence.log_end_offset.filter(|_| finding.kind == DamageKind::Truncated);
        seen_end.unwrap_or(finding.end).max(finding.end)
    }

    /// The fix, when it restores lost bytes.
    pub(crate) fn restoring_fix(&self) -> Option<&Fix> {
        self.fix.as_ref().filter(|fix| fix.action.can_restore())
    }
}

/// Returns the runs of bytes in which `after` differs from `before`, which starts at file offset `offset`.
pub(crate) fn diff_bytes(offset: u64, before: &[u8], after: &[u8]) -> Vec<ByteChange> {
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
