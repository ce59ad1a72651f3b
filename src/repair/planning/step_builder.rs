//! Turns decided groups of findings into the steps of a plan.

use std::ops::Range;
use std::path::Path;

use super::donor::Donor;
use super::group::{Decision, PieceGroup};
use super::loss::estimate_max_loss;
use super::neighbours::Neighbours;
use super::step_output::{MIN_GAP, StepOutput};
use crate::StorageError;
use crate::format::{DamageKind, EventView, Finding, Version, frame, hex};
use crate::inspect::LogView;
use crate::repair::types::{
    ByteChange, Fix, Loss, PlannedPiece, ProposedFix, RepairAction, RepairStep, StepWrite, UnrepairedRange, WorkMeter,
};

/// Collects the steps of a plan, and the findings that it leaves unrepaired.
pub(super) struct StepBuilder<'a> {
    view: &'a LogView,
    donor: Option<&'a Donor<'a, 'a>>,
    log_end: u64,
    steps: Vec<RepairStep>,
    unrepaired: Vec<UnrepairedRange>,
}

impl<'a> StepBuilder<'a> {
    pub(super) const fn new(view: &'a LogView, donor: Option<&'a Donor<'a, 'a>>, log_end: u64) -> Self {
        Self { view, donor, log_end, steps: Vec::new(), unrepaired: Vec::new() }
    }

    /// Returns the steps, still without hashes and without descriptions of gaps, and the unrepaired findings.
    pub(super) fn finish(self) -> (Vec<RepairStep>, Vec<UnrepairedRange>) {
        (self.steps, self.unrepaired)
    }

    /// Adds the step for a group, or adds its findings to the unrepaired ones.
    pub(super) fn add_group(&mut self, group: PieceGroup) -> Result<(), StorageError> {
        let mut step = self.base_step(&group)?;
        match group.decision {
            Decision::ForgetLostEnd => return Ok(()),
            Decision::LeaveUnrepaired(reason) => {
                self.leave_unrepaired(group.pieces, step.alternatives, &reason);
                return Ok(());
            }
            Decision::Edit { action, certainty, changes } => {
                (step.action, step.certainty) = (action, Some(certainty));
                step.restored_events = self.count_restored_events(&step, &changes)?;
                step.write = StepWrite::Edits(changes);
            }
            Decision::TakeFromDonor { certainty, events, .. } => {
                step.action = RepairAction::TakeFromDonor;
                (step.certainty, step.restored_events) = (Some(certainty), events);
                step.write = StepWrite::CopyFrom { from: self.donor.map_or(Path::new(""), Donor::path).to_owned() };
            }
            Decision::SetAsideTail => {
                (step.action, step.new_end) = (RepairAction::SetAsideTail, step.start);
                if group.pieces.iter().any(|proposed| proposed.finding.kind == DamageKind::Garbage) {
                    step.loss = estimate_max_loss(&step.pieces, step.end);
                }
            }
            Decision::FillWithGap => {
                // A log that was cut within its header also gets its header back, from the index.
                let first = self.view.log().first_frame_offset();
                let header = self.view.trusted_index().filter(|_| step.end < first && step.new_end > first);
                let header = header.map(|index| hex::encode(&index.header().log_header));
                if header.is_some() {
                    step.start = 0;
                }
                step.loss = estimate_max_loss(&step.pieces, step.new_end);
                step.write = StepWrite::Gap { description: String::new(), header };
                let gap = gap_range(&step).unwrap_or_default();
                if gap.end - gap.start < MIN_GAP {
                    let reason =
                        "a gap needs at least 10 bytes: `chronicle salvage` writes a new log without this range";
                    self.leave_unrepaired(group.pieces, step.alternatives, reason);
                    return Ok(());
                }
            }
        }
        self.steps.push(step);
        Ok(())
    }

    /// Returns a step for the group's range that does not write anything yet.
    fn base_step(&self, group: &PieceGroup) -> Result<RepairStep, StorageError> {
        let range = group.start()..group.end();
        Ok(RepairStep {
            action: RepairAction::Gap,
            certainty: None,
            start: range.start,
            end: range.end,
            new_end: group.repaired_end(),
            pieces: group.pieces.iter().map(|proposed| planned_piece(&proposed.finding)).collect(),
            write: StepWrite::Truncate,
            restored_events: 0,
            loss: Loss::default(),
            alternatives: group.alternatives(),
            before_sha256: Vec::new(),
            after_sha256: Vec::new(),
            neighbours: Neighbours::find(self.view.log(), &range, self.log_end)?.into_vec(),
        })
    }

    /// Adds each finding to the unrepaired ones, with the fixes that are offered for it.
    fn leave_unrepaired(&mut self, pieces: Vec<ProposedFix>, mut offered: Vec<Fix>, reason: &str) {
        for ProposedFix { finding, fix } in pieces {
            let is_chosen_here = |fix: &mut Fix| fix.choice.is_some_and(|choice| choice.finding_start == finding.start);
            let mut alternatives: Vec<Fix> = offered.extract_if(.., is_chosen_here).collect();
            if alternatives.iter().all(|fix| fix.action == RepairAction::TakeFromDonor) {
                alternatives.splice(0..0, fix);
            }
            self.unrepaired.push(UnrepairedRange {
                piece: planned_piece(&finding),
                reason: reason.into(),
                alternatives,
            });
        }
    }

    /// Returns 1 when the step's range, with these changes, is a frame with a valid event, and otherwise 0.
    fn count_restored_events(&self, step: &RepairStep, changes: &[ByteChange]) -> Result<u64, StorageError> {
        if step.action == RepairAction::RebuildHeader {
            return Ok(0);
        }
        let edited = RepairStep { write: StepWrite::Edits(changes.to_vec()), ..step.clone() };
        let mut bytes = Vec::new();
        // The range is one frame, so the loop is short.
        StepOutput::new(&edited, None).for_each_chunk(self.view.log(), &WorkMeter::silent(), &mut |_, _, after| {
            bytes.extend_from_slice(after);
            Ok(())
        })?;
        Ok(match frame::decode(&bytes, Version::V1) {
            frame::DecodeResult::Complete(frame) => u64::from(EventView::parse(frame.payload(), Version::V1).is_ok()),
            _ => 0,
        })
    }
}

fn planned_piece(finding: &Finding) -> PlannedPiece {
    PlannedPiece { kind: finding.kind.name().into(), start: finding.start, end: finding.end }
}

/// Returns the range that a step fills with gap frames; `None` for a step that writes no gap.
fn gap_range(step: &RepairStep) -> Option<Range<u64>> {
    let StepWrite::Gap { header, .. } = &step.write else { return None };
    let header_len = header.as_ref().map_or(0, |header| header.len() as u64 / 2);
    Some(step.start + header_len..step.new_end)
}

/// Sets the descriptions of all gaps: the plan's id, the kinds of damage and the range.
pub(super) fn describe_gaps(plan_id: &str, steps: &mut [RepairStep]) {
    for step in steps {
        let Some(range) = gap_range(step) else { continue };
        let mut kinds: Vec<&str> = step.pieces.iter().map(|piece| piece.kind.as_str()).collect();
        kinds.dedup();
        let kinds = kinds.iter().take(3).copied().collect::<Vec<_>>().join("+");
        let text = format!(
            "{{\"repair\":\"{plan_id}\",\"kind\":\"{kinds}\",\"start\":{},\"end\":{}}}",
            range.start, range.end
        );
        if let StepWrite::Gap { description, .. } = &mut step.write {
            *description = text;
        }
    }
}
