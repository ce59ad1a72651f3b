//! Turns decided groups of findings into the steps of a plan.

use std::path::{Path, PathBuf};

use super::donor::Donor;
use super::donor_ranges::DonorPart;
use super::donor_runs::DonorRun;
use super::group::{Decision, PieceGroup, SegmentContent};
use super::loss::estimate_max_loss;
use super::neighbours::NeighbourSearch;
use super::step_output::{MIN_GAP, StepOutput};
use crate::StorageError;
use crate::format::{DamageKind, EventView, Finding, frame, hex};
use crate::inspect::LogView;
use crate::repair::types::{
    ByteChange, Certainty, Fix, GivenUpRange, Loss, NewSegment, PlannedPiece, ProposedFix, RepairAction, RepairStep,
    StepPart, StepWrite, UnrepairedRange, WorkMeter, starts_with,
};

/// Collects the steps of a plan, and the findings that it leaves unrepaired.
pub(super) struct StepBuilder<'a> {
    view: &'a LogView,
    donors: &'a [Donor<'a, 'a>],
    log_end: u64,
    steps: Vec<RepairStep>,
    unrepaired: Vec<UnrepairedRange>,
    composed_headers: Vec<u64>,
    /// The start of the last segment, and its header by the index, when the log ends within this header.
    cut_header: Option<(u64, Vec<u8>)>,
    neighbours: NeighbourSearch,
}

/// The steps of a plan, still without hashes and without descriptions of gaps.
pub(super) struct BuiltSteps {
    pub(super) steps: Vec<RepairStep>,
    /// The findings that the plan leaves unrepaired.
    pub(super) unrepaired: Vec<UnrepairedRange>,
    /// The bases of the missing segments whose headers are composed from other segments, ascending.
    pub(super) composed_headers: Vec<u64>,
}

impl<'a> StepBuilder<'a> {
    pub(super) fn new(view: &'a LogView, donors: &'a [Donor<'a, 'a>], log_end: u64) -> Self {
        let neighbours = NeighbourSearch::default();
        let (steps, unrepaired, composed_headers) = (Vec::new(), Vec::new(), Vec::new());
        let cut_header = cut_header(view, log_end);
        Self { view, donors, log_end, steps, unrepaired, composed_headers, cut_header, neighbours }
    }

    pub(super) fn finish(self) -> BuiltSteps {
        let Self { steps, unrepaired, composed_headers, .. } = self;
        BuiltSteps { steps, unrepaired, composed_headers }
    }

    /// Adds the step for a group, or adds its findings to the unrepaired ones.
    pub(super) fn add_group(&mut self, group: PieceGroup) -> Result<(), StorageError> {
        let mut step = self.base_step(&group)?;
        let is_truncation = group.is_truncation();
        match group.decision {
            Decision::ForgetLostEnd | Decision::Keep => return Ok(()),
            Decision::LeaveUnrepaired(reason) => {
                self.leave_unrepaired(group.pieces, step.alternatives, &reason);
                return Ok(());
            }
            Decision::Edit { action, certainty, changes } => {
                (step.action, step.certainty) = (action, Some(certainty));
                step.restored_events = self.count_restored_events(&step, &changes)?;
                step.write = StepWrite::Edits(changes);
                self.complete_cut_header(&mut step)?;
            }
            Decision::TakeFromDonor(runs) => {
                self.include_damaged_header(&mut step, runs.first());
                take_runs(&mut step, &runs);
                let from = runs.first().map(|run| self.donor_path(run)).unwrap_or_default();
                step.write = StepWrite::CopyFrom { from };
            }
            Decision::FillEnd(parts) => {
                let runs: Vec<DonorRun> = parts.iter().filter_map(|part| part.content.clone().ok()).collect();
                self.include_damaged_header(&mut step, parts.first().and_then(|part| part.content.as_ref().ok()));
                take_runs(&mut step, &runs);
                step.write =
                    StepWrite::Parts { description: String::new(), parts: self.join_parts(&parts), header: None };
                let gap_bytes = step.gaps().map(|gap| gap.end - gap.start).sum::<u64>();
                step.loss = Loss::up_to_bytes(gap_bytes);
            }
            Decision::WriteSegment(content) => self.write_segment(&mut step, group.range.start, &content),
            Decision::GiveUp(next) => {
                step.action = RepairAction::GiveUp;
                let end = group.range.end;
                // The log has bytes before its end that are the beginning of a frame in the lost range.
                let start = self.view.segments().map_or(group.range.start, |segments| {
                    segments.segment_at(group.range.start).missing().start.clamp(group.range.start, end)
                });
                let start = if next.is_some() { group.range.start.max(self.log_end) } else { start };
                (step.start, step.end, step.new_end) = (start, start, start);
                step.loss = Loss::up_to_bytes(end - start);
                step.write = StepWrite::GiveUp(GivenUpRange { end, next });
            }
            Decision::CutExcess(excess) => {
                step.action = RepairAction::CutExcess;
                step.write = StepWrite::CutExcess(excess);
            }
            Decision::SetAsideTail => {
                (step.action, step.new_end) = (RepairAction::SetAsideTail, step.start);
                if group.pieces.iter().any(|proposed| proposed.finding.kind == DamageKind::Garbage) {
                    step.loss = estimate_max_loss(&step.pieces, step.end);
                }
            }
            Decision::FillWithGap => {
                step.loss = estimate_max_loss(&step.pieces, step.new_end);
                step.write = StepWrite::Gap { description: String::new(), header: None };
            }
        }
        self.include_cut_header(&mut step);
        if step.gaps().any(|gap| gap.end.saturating_sub(gap.start) < MIN_GAP) {
            let reason = if is_truncation {
                "a gap needs at least 10 bytes: take the lost end from a --donor, or give it up with --forget"
            } else {
                "a gap needs at least 10 bytes: `chronicle salvage` writes a new log without this range"
            };
            self.leave_unrepaired(group.pieces, step.alternatives, reason);
            return Ok(());
        }
        self.steps.push(step);
        Ok(())
    }

    /// Returns a step for the group's range that does not write anything yet.
    fn base_step(&mut self, group: &PieceGroup) -> Result<RepairStep, StorageError> {
        let range = group.range.start..group.range.end.min(self.log_end).max(group.range.start);
        // The part of a lost end that follows another part has no bytes in the log yet.
        let in_log = range.start.min(self.log_end)..range.end.min(self.log_end);
        Ok(RepairStep {
            action: RepairAction::Gap,
            certainty: None,
            start: range.start,
            end: range.end,
            new_end: group.range.end,
            pieces: group.pieces.iter().map(|proposed| planned_piece(&proposed.finding)).collect(),
            write: StepWrite::Truncate,
            restored_events: 0,
            loss: Loss::default(),
            alternatives: group.alternatives(),
            before_sha256: Vec::new(),
            after_sha256: Vec::new(),
            neighbours: self.neighbours.find(self.view.log(), &in_log, self.log_end)?.into_vec(),
        })
    }

    /// Makes `step` one that writes the file of the missing segment at `base`.
    fn write_segment(&mut self, step: &mut RepairStep, base: u64, content: &SegmentContent) {
        let runs: Vec<DonorRun> = content.parts.iter().filter_map(|part| part.content.clone().ok()).collect();
        take_runs(step, &runs);
        step.action = RepairAction::RestoreSegment;
        self.composed_headers.extend(content.is_header_composed.then_some(base));
        // The file does not exist yet, so the range has no bytes before.
        (step.start, step.end) = (base, base);
        step.write = StepWrite::Segment(NewSegment {
            header: hex::encode(&content.header),
            old_log_end: content.old_log_end,
            description: String::new(),
            parts: self.join_parts(&content.parts),
        });
        step.loss = Loss::up_to_bytes(step.gaps().map(|gap| gap.end - gap.start).sum());
    }

    /// Extends a step that starts within the header over the whole header when the bytes before it are not those of the donor.
    /// A damaged header before the step has its own decision.
    fn include_damaged_header(&self, step: &mut RepairStep, first: Option<&DonorRun>) {
        let header = first.and_then(|run| self.donors.get(run.donor)).and_then(Donor::shared_header);
        let header = header.as_ref().filter(|header| step.start < header.len() as u64);
        let kept = header.and_then(|header| header.get(..usize::try_from(step.start).ok()?));
        if kept.is_some_and(|kept| !starts_with(self.view.log(), kept)) {
            step.start = 0;
        }
    }

    /// Makes a step at the end of a log that was cut within the header of its last segment write this header too, from the index.
    fn include_cut_header(&self, step: &mut RepairStep) {
        let Some((base, header)) = &self.cut_header else { return };
        let first_frame = base + header.len() as u64;
        if step.start < *base || step.new_end <= first_frame {
            return;
        }
        let written = Some(hex::encode(header));
        match &mut step.write {
            StepWrite::Gap { header, .. } => *header = written,
            // A donor has the header of the first segment next to its frames.
            StepWrite::Parts { parts, header, .. } if *base > 0 => {
                parts.retain(|part| part.end > first_frame);
                *header = written;
            }
            _ => return,
        }
        step.start = *base;
    }

    /// Makes a step for the header of the last segment, within which the log ends, write the whole header.
    fn complete_cut_header(&self, step: &mut RepairStep) -> Result<(), StorageError> {
        if self.view.log().start_of_cut_header(self.log_end) != Some(step.start) {
            return Ok(());
        }
        if let Some(header) = self.view.damaged_header_at(step.start)? {
            let bytes = header.expected.bytes;
            step.new_end = step.start + bytes.len() as u64;
            step.write =
                StepWrite::Parts { description: String::new(), parts: Vec::new(), header: Some(hex::encode(&bytes)) };
        }
        Ok(())
    }

    fn donor_path(&self, run: &DonorRun) -> PathBuf {
        self.donors.get(run.donor).map_or(Path::new(""), Donor::path).to_owned()
    }

    /// Returns the parts of a step. Adjacent parts with the same source are one.
    fn join_parts(&self, parts: &[DonorPart]) -> Vec<StepPart> {
        let mut joined: Vec<StepPart> = Vec::new();
        for part in parts {
            let from = part.content.as_ref().ok().map(|run| self.donor_path(run));
            match joined.last_mut() {
                Some(last) if last.from == from => last.end = part.range.end,
                _ => joined.push(StepPart { end: part.range.end, from }),
            }
        }
        joined
    }

    /// Adds each finding to the unrepaired ones, with the fixes that are offered for it.
    fn leave_unrepaired(&mut self, pieces: Vec<ProposedFix>, mut offered: Vec<Fix>, reason: &str) {
        for (nth, ProposedFix { finding, fix }) in pieces.into_iter().enumerate() {
            // A finding that was cut has a later start than the choice that decides about it.
            let is_chosen_here = |fix: &mut Fix| {
                fix.choice.is_some_and(|choice| {
                    choice.finding_start == finding.start || (nth == 0 && choice.finding_start < finding.start)
                })
            };
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
        StepOutput::new(self.view.log().format(), &edited, None).for_each_chunk(
            self.view.log(),
            &WorkMeter::silent(),
            &mut |_, _, after| {
                bytes.extend_from_slice(after);
                Ok(())
            },
        )?;
        Ok(match frame::decode(&bytes, self.view.log().format(), step.start) {
            frame::DecodeResult::Complete(frame) => {
                u64::from(EventView::parse(frame.payload(), self.view.log().version()).is_ok())
            }
            _ => 0,
        })
    }
}

/// Returns the start of the last segment of a log that ends within its header, and the header by the index; `None` for other logs.
fn cut_header(view: &LogView, log_end: u64) -> Option<(u64, Vec<u8>)> {
    let base = view.log().start_of_cut_header(log_end)?;
    let header = match view.segments() {
        Some(_) => view.header_in_index(base)?.encode().to_vec(),
        None => view.identified_index()?.header().log_header.to_vec(),
    };
    Some((base, header))
}

fn planned_piece(finding: &Finding) -> PlannedPiece {
    PlannedPiece { kind: finding.kind.name().into(), start: finding.start, end: finding.end }
}

/// Makes `step` one that copies the frames of these runs.
fn take_runs(step: &mut RepairStep, runs: &[DonorRun]) {
    step.action = RepairAction::TakeFromDonor;
    step.certainty = Some(runs.iter().map(DonorRun::certainty).min().unwrap_or(Certainty::Choice));
    step.restored_events = runs.iter().map(|run| run.events).sum();
}

/// Sets the descriptions of all gaps: the plan's id, the kinds of damage, and the range that the step fills, of which a
/// gap can be a part.
pub(super) fn describe_gaps(plan_id: &str, steps: &mut [RepairStep]) {
    for step in steps {
        let Some(first_gap) = step.gaps().next() else { continue };
        // One text is in all gaps of a step. The header that can precede a single gap is not a part of the range.
        let is_filled = matches!(step.write, StepWrite::Parts { .. } | StepWrite::Segment(_));
        let start = if is_filled { step.start } else { first_gap.start };
        let mut kinds: Vec<&str> = step.pieces.iter().map(|piece| piece.kind.as_str()).collect();
        kinds.dedup();
        let kinds = kinds.iter().take(3).copied().collect::<Vec<_>>().join("+");
        let text =
            format!("{{\"repair\":\"{plan_id}\",\"kind\":\"{kinds}\",\"start\":{start},\"end\":{}}}", step.new_end);
        if let StepWrite::Gap { description, .. }
        | StepWrite::Parts { description, .. }
        | StepWrite::Segment(NewSegment { description, .. }) = &mut step.write
        {
            *description = text;
        }
    }
}
