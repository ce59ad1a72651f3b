//! Groups of findings that share one decision.

use crate::format::DamageKind;
use crate::repair::types::{ByteChange, Certainty, Fix, ProposedFix, RepairAction};

/// One finding, or adjacent findings that are decided together because a donor offers them as one range.
#[derive(Debug)]
pub(super) struct PieceGroup {
    pub(super) pieces: Vec<ProposedFix>,
    /// Every fix that is offered for the pieces, each with the choice that selects it.
    pub(super) available_fixes: Vec<Fix>,
    pub(super) decision: Decision,
}

/// The decision about a group of findings.
#[derive(Debug)]
pub(super) enum Decision {
    /// Change single bytes in place.
    Edit { action: RepairAction, certainty: Certainty, changes: Vec<ByteChange> },
    /// Copy frames of the donor, up to file offset `end`.
    TakeFromDonor { certainty: Certainty, events: u64, end: u64 },
    /// Save the tail in the journal and cut it off.
    SetAsideTail,
    /// Leave the log unchanged, and remove the index's record of its lost end.
    ForgetLostEnd,
    /// Replace the range with a gap.
    FillWithGap,
    /// Leave the finding unrepaired, for this reason.
    LeaveUnrepaired(String),
}

impl Decision {
    /// Returns the action in the plan; `None` when the log is not changed.
    const fn action(&self) -> Option<RepairAction> {
        match self {
            Self::Edit { action, .. } => Some(*action),
            Self::TakeFromDonor { .. } => Some(RepairAction::TakeFromDonor),
            Self::SetAsideTail => Some(RepairAction::SetAsideTail),
            Self::FillWithGap => Some(RepairAction::Gap),
            Self::ForgetLostEnd | Self::LeaveUnrepaired(_) => None,
        }
    }
}

impl PieceGroup {
    pub(super) fn start(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.finding.start)
    }

    pub(super) fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.finding.end)
    }

    /// True when one of the pieces is the lost end of the log.
    pub(super) fn is_truncation(&self) -> bool {
        self.pieces.iter().any(|piece| piece.finding.kind == DamageKind::Truncated)
    }

    /// Returns the start of the lost end, when the decision gives it up together with the index's record of it.
    pub(super) fn forgotten_from(&self) -> Option<u64> {
        let gives_up = matches!(self.decision, Decision::SetAsideTail | Decision::ForgetLostEnd);
        (self.is_truncation() && gives_up).then(|| self.start())
    }

    /// Returns the file offset after the range once it is repaired.
    pub(super) fn repaired_end(&self) -> u64 {
        match self.decision {
            Decision::TakeFromDonor { end, .. } => end,
            _ => self.pieces.iter().map(ProposedFix::repaired_end).max().unwrap_or_default(),
        }
    }

    /// Returns the fixes that are offered and not applied. A fix with several candidates stays listed, because its other
    /// candidates remain possible.
    pub(super) fn alternatives(&self) -> Vec<Fix> {
        let applied = self.decision.action();
        let is_alternative = |fix: &&Fix| Some(fix.action) != applied || fix.candidates.len() > 1;
        self.available_fixes.iter().filter(is_alternative).cloned().collect()
    }

    /// Merges `next` into this group when they are adjacent and become one step. Otherwise returns `next`.
    pub(super) fn try_merge(&mut self, mut next: Self) -> Option<Self> {
        if self.end() != next.start() {
            return Some(next);
        }
        match (&mut self.decision, &next.decision) {
            (Decision::FillWithGap, Decision::FillWithGap) => {}
            (
                Decision::TakeFromDonor { certainty, events, end },
                Decision::TakeFromDonor { certainty: next_certainty, events: next_events, end: next_end },
            ) if certainty == next_certainty => {
                (*events, *end) = (*events + next_events, *next_end);
            }
            _ => return Some(next),
        }
        self.pieces.append(&mut next.pieces);
        self.available_fixes.append(&mut next.available_fixes);
        None
    }
}

/// Merges adjacent groups that become one step: a gap fills them as one range, or the donor's frames are copied at once.
pub(super) fn merge_adjacent_groups(groups: Vec<PieceGroup>) -> Vec<PieceGroup> {
    let mut merged: Vec<PieceGroup> = Vec::new();
    for group in groups {
        let separate = match merged.last_mut() {
            Some(last) => last.try_merge(group),
            None => Some(group),
        };
        merged.extend(separate);
    }
    merged
}
