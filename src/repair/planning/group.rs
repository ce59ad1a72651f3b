//! Groups of findings that share one decision.

use std::ops::Range;

use super::donor_ranges::DonorPart;
use super::donor_runs::DonorRun;
use crate::format::DamageKind;
use crate::repair::types::{ByteChange, Certainty, ExcessBytes, Fix, NextSegment, ProposedFix, RepairAction};

/// A range of the log that is decided as a whole: one finding, several adjacent ones, or the part of a finding that one
/// donor has or that no donor has.
#[derive(Debug)]
pub(super) struct PieceGroup {
    /// The range after the repair, in file offsets. It ends after the end of the log where the log has lost its end.
    pub(super) range: Range<u64>,
    /// The findings in the range, cut to it.
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
    /// Copy the frames of these consecutive runs of donors.
    TakeFromDonor(Vec<DonorRun>),
    /// Fill the end of the log with frames of donors, and with gaps where no donor has a frame.
    FillEnd(Vec<DonorPart>),
    /// Save the tail in the journal and cut it off.
    SetAsideTail,
    /// Leave the log unchanged, and remove the index's record of its lost end.
    ForgetLostEnd,
    /// Replace the range with a gap.
    FillWithGap,
    /// Write the file of a segment that is missing.
    WriteSegment(Box<SegmentContent>),
    /// Record that the range is lost. With a header, a new segment after it is the last one of the log.
    GiveUp(Option<NextSegment>),
    /// Cut the file of a sealed segment at its end.
    CutExcess(ExcessBytes),
    /// Leave the range, which is no damage, as it is.
    Keep,
    /// Leave the finding unrepaired, for this reason.
    LeaveUnrepaired(String),
}

/// The content of the file of a missing segment.
#[derive(Debug)]
pub(super) struct SegmentContent {
    /// The bytes of the header.
    pub(super) header: Vec<u8>,
    /// True when the header follows from other segments, because neither an index nor a donor has it.
    pub(super) is_header_composed: bool,
    /// The end of the log before, when the segment becomes the last one.
    pub(super) old_log_end: Option<u64>,
    /// The parts after the header, by ascending offset. A part without frames of a donor becomes a gap.
    pub(super) parts: Vec<DonorPart>,
}

impl Decision {
    /// Returns the action in the plan; `None` when the log is not changed.
    const fn action(&self) -> Option<RepairAction> {
        match self {
            Self::Edit { action, .. } => Some(*action),
            Self::TakeFromDonor(_) | Self::FillEnd(_) => Some(RepairAction::TakeFromDonor),
            Self::SetAsideTail => Some(RepairAction::SetAsideTail),
            Self::FillWithGap => Some(RepairAction::Gap),
            Self::WriteSegment(_) => Some(RepairAction::RestoreSegment),
            Self::GiveUp(_) => Some(RepairAction::GiveUp),
            Self::CutExcess(_) => Some(RepairAction::CutExcess),
            Self::ForgetLostEnd | Self::LeaveUnrepaired(_) | Self::Keep => None,
        }
    }
}

impl PieceGroup {
    /// Creates a group for the part `range` of `pieces`, to which the pieces are cut.
    pub(super) fn of_part(range: Range<u64>, pieces: &[ProposedFix], decision: Decision) -> Self {
        let is_inside = |piece: &&ProposedFix| {
            let end = piece.repaired_end();
            piece.finding.start < range.end && (range.start < end || is_empty(piece))
        };
        let cut = |piece: &ProposedFix| {
            let mut piece = piece.clone();
            piece.finding.start = piece.finding.start.max(range.start);
            piece.finding.end = piece.finding.end.min(range.end).max(piece.finding.start);
            piece
        };
        let first = pieces.partition_point(|piece| piece.repaired_end() < range.start && !is_empty(piece));
        let near = pieces.get(first..).unwrap_or_default().iter();
        let pieces = near.take_while(|piece| piece.finding.start < range.end).filter(is_inside).map(cut).collect();
        Self { range, pieces, available_fixes: Vec::new(), decision }
    }

    /// True when one of the pieces is the lost end of the log.
    pub(super) fn is_truncation(&self) -> bool {
        self.pieces.iter().any(|piece| piece.finding.kind == DamageKind::Truncated)
    }

    /// Returns the start of the lost end, when the decision gives it up together with the index's record of it.
    pub(super) fn forgotten_from(&self) -> Option<u64> {
        let gives_up = matches!(self.decision, Decision::SetAsideTail | Decision::ForgetLostEnd);
        (self.is_truncation() && gives_up).then_some(self.range.start)
    }

    /// True when the decision fills the range with frames.
    const fn is_filled(&self) -> bool {
        match &self.decision {
            Decision::TakeFromDonor(_) | Decision::FillWithGap | Decision::FillEnd(_) => true,
            Decision::Edit { .. }
            | Decision::SetAsideTail
            | Decision::ForgetLostEnd
            | Decision::LeaveUnrepaired(_)
            | Decision::WriteSegment(_)
            | Decision::GiveUp(_)
            | Decision::CutExcess(_)
            | Decision::Keep => false,
        }
    }

    /// Takes the parts that fill the range out of the decision; none when the decision does not fill it with frames.
    fn take_filling(&mut self) -> Vec<DonorPart> {
        match std::mem::replace(&mut self.decision, Decision::FillWithGap) {
            Decision::TakeFromDonor(runs) => {
                runs.into_iter().map(|run| DonorPart { range: run.range.clone(), content: Ok(run) }).collect()
            }
            Decision::FillWithGap => vec![DonorPart { range: self.range.clone(), content: Err("a gap") }],
            Decision::FillEnd(parts) => parts,
            other => {
                self.decision = other;
                Vec::new()
            }
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
        if self.range.end != next.range.start {
            return Some(next);
        }
        match (&mut self.decision, &mut next.decision) {
            (Decision::FillWithGap, Decision::FillWithGap) => {}
            (Decision::GiveUp(last @ None), Decision::GiveUp(next_segment)) => *last = next_segment.take(),
            (Decision::TakeFromDonor(runs), Decision::TakeFromDonor(next_runs)) if is_same_source(runs, next_runs) => {
                runs.append(next_runs);
            }
            _ => return Some(next),
        }
        self.absorb(next);
        None
    }

    /// Merges `next` into this group when both fill the end of the log, which one step has to fill. Otherwise returns
    /// `next`.
    fn try_merge_end(&mut self, mut next: Self, log_end: u64) -> Option<Self> {
        let is_adjacent = self.range.end == next.range.start && next.range.start > log_end;
        if !is_adjacent || !self.is_filled() || !next.is_filled() {
            return Some(next);
        }
        let mut parts = self.take_filling();
        parts.append(&mut next.take_filling());
        self.decision = Decision::FillEnd(parts);
        self.absorb(next);
        None
    }

    fn absorb(&mut self, mut next: Self) {
        self.range.end = next.range.end;
        self.available_fixes.append(&mut next.available_fixes);
        for piece in next.pieces {
            let (finding, last) = (&piece.finding, self.pieces.last_mut().map(|last| &mut last.finding));
            match last.filter(|last| last.kind == finding.kind && last.evidence == finding.evidence) {
                // A finding that was cut in two is one piece again. A part after the end of the log is empty.
                Some(last) if last.end == finding.start => last.end = finding.end,
                Some(_) if finding.range().is_empty() => {}
                _ => self.pieces.push(piece),
            }
        }
    }
}

/// True for a piece without bytes, also after the repair. Only the last piece of a log can be empty.
fn is_empty(piece: &ProposedFix) -> bool {
    piece.finding.start == piece.repaired_end()
}

/// True when two lists of runs have one donor and one certainty.
fn is_same_source(runs: &[DonorRun], next: &[DonorRun]) -> bool {
    let (Some(last), Some(first)) = (runs.last(), next.first()) else { return false };
    last.donor == first.donor && last.certainty() == first.certainty()
}

/// Merges adjacent groups that become one step: a gap fills them as one range, the frames of a donor are copied at once,
/// or they fill the end of the log, which ends at `log_end` now.
///
/// A group at `header_start`, where the last segment of a log that ends within its header starts, stays a step of its own.
pub(super) fn merge_adjacent_groups(
    groups: Vec<PieceGroup>,
    log_end: u64,
    header_start: Option<u64>,
) -> Vec<PieceGroup> {
    let is_separate = |next: &PieceGroup| header_start == Some(next.range.start);
    let merged = merge_with(groups, |last, next| if is_separate(&next) { Some(next) } else { last.try_merge(next) });
    merge_with(merged, |last, next| if is_separate(&next) { Some(next) } else { last.try_merge_end(next, log_end) })
}

fn merge_with(
    groups: Vec<PieceGroup>,
    merge: impl Fn(&mut PieceGroup, PieceGroup) -> Option<PieceGroup>,
) -> Vec<PieceGroup> {
    let mut merged: Vec<PieceGroup> = Vec::new();
    for group in groups {
        let separate = match merged.last_mut() {
            Some(last) => merge(last, group),
            None => Some(group),
        };
        merged.extend(separate);
    }
    merged
}
