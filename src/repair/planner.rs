//! Making a plan: one pass over the log, a decision about every damaged piece, and what each will cost.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use super::decide::{Decision, PieceGroup, decide_fixes};
use super::donor::Donor;
use super::fix_finder::{FixFinder, ProposedFix};
use super::identity::{read_identity, sha256_of_bytes, sha256_of_range};
use super::loss::{count_losses, estimate_max_loss};
use super::neighbours::Neighbours;
use super::preconditions::{refuse_hard_links, refused_error};
use super::step_output::{ByteSource, MIN_GAP, StepOutput};
use super::{
    ByteChange, Fix, Loss, PLAN_VERSION, Plan, PlannedPiece, RepairAction, RepairOptions, RepairStep, StepWrite,
    UnrepairedRange,
};
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::format::{DamageKind, EventView, Finding, Version, frame, hex};
use crate::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};

/// Digits of a plan's name.
const ID_DIGITS: usize = 12;

/// Plans a repair of the log of `view` by `wishes`, taking intact ranges from the copy at `donor` where there is one.
/// Reads the log once; `on` is told how far it is (offset, of this end). Writes nothing.
///
/// # Errors
/// `Refused` where no repair in place is possible or allowed, where a choice names no candidate, and where more events
/// would be given up than `wishes.max_loss`; `Version0`, `UnknownFlags`; `Stopped` when `on` breaks; what a pass fails
/// with.
pub fn plan_repair(
    view: &LogView,
    options: &RepairOptions,
    donor: Option<&Path>,
    on: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Plan, StorageError> {
    let path = view.path();
    if view.log().version() == Version::V0 {
        return Err(StorageError::Version0ReadOnly { path: path.to_owned() });
    }
    if let Some(found) = view.write_blocking_flags() {
        return Err(StorageError::UnknownFlags { path: path.to_owned(), found, forbids: "write" });
    }
    refuse_hard_links(view.log())?;
    let log_identity = read_identity(view.log())?;
    let donor = donor.map(|path| Donor::open(view, path)).transpose()?;
    let found = find_damage(view, options.damage_offset, on)?;
    if let Some(bad) = found.iter().find(|proposed| proposed.finding.kind == DamageKind::Unreadable) {
        let why = format!("the device refuses to read {}..{}", bad.finding.start, bad.finding.end);
        return Err(refused_error(path, why, "Write what can be read into a new log with `chronicle salvage`"));
    }
    let (units, notes) = decide_fixes(view, options, donor.as_ref(), found)?;
    let mut maker = PlanBuilder {
        view,
        donor: donor.as_ref(),
        log_end: log_identity.bytes,
        steps: Vec::new(),
        unrepaired: Vec::new(),
    };
    let forgotten_from = units.iter().find_map(PieceGroup::forgotten_from);
    if forgotten_from.is_some() && log_identity.bytes < view.log().first_frame_offset() {
        let why = "of the log not even the header is left, and without its index nothing says that it was one".into();
        return Err(refused_error(
            path,
            why,
            "Leave --forget out: the lost end is fenced off, with the header that the index knows",
        ));
    }
    let forgets = forgotten_from.and_then(|_| view.trusted_index_end());
    let id = sha256_of_bytes(format!("{:?} {forgets:?} {units:?}", log_identity.header).as_bytes());
    let id: String = hex::encode(&id).chars().take(ID_DIGITS).collect();
    for run in merge_adjacent_groups(units) {
        maker.add_group(run, &id)?;
    }
    let PlanBuilder { mut steps, unrepaired: left, .. } = maker;
    let mut forgotten = Loss::default();
    count_losses(view, &mut steps, forgotten_from.zip(forgets).map(|(from, end)| (from, end, &mut forgotten)), on)?;
    let mut plan = Plan {
        layout_version: PLAN_VERSION,
        id,
        undoes: None,
        estimated_lock_ms: estimate_lock_ms(&steps),
        log: log_identity,
        steps,
        unrepaired: left,
        notes,
        forgotten_index_end: forgets,
        forgotten_loss: forgotten,
    };
    for step in &mut plan.steps {
        step.before_sha256 = sha256_of_range(view.log(), step.range())?;
        let source = donor.as_ref().filter(|_| step.action == RepairAction::TakeFromDonor);
        let source = source.map_or(ByteSource::Unavailable, |donor| ByteSource::Donor(donor.log()));
        step.after_sha256 = StepOutput::new(step, source).sha256(view.log())?;
    }
    let lost = plan.total_loss().at_most;
    match options.max_lost_events {
        Some(most) if lost > most => {
            let why = format!("the plan would give up as many as {lost} events, and no more than {most} are allowed");
            Err(refused_error(
                path,
                why,
                "See the plan with --dry-run, and allow more or leave ranges out with --except",
            ))
        }
        _ => Ok(plan),
    }
}

/// A name for a plan out of all that it does.
pub(super) fn assign_plan_id(plan: &mut Plan) {
    let all = format!("{:?} {:?} {:?}", plan.undoes, plan.log, plan.steps);
    plan.id = hex::encode(&sha256_of_bytes(all.as_bytes())).chars().take(ID_DIGITS).collect();
}

/// How long the lock is held, in milliseconds: a few syncs, and the ranges read and written at 100 MB/s.
pub(super) fn estimate_lock_ms(steps: &[RepairStep]) -> u64 {
    let bytes: u64 = steps.iter().map(|step| 2 * step.end.max(step.new_end).saturating_sub(step.start)).sum();
    50 + bytes / 100_000
}

/// The damage of the log, or that at `at`, each piece with what can be done about it.
fn find_damage(
    view: &LogView,
    at: Option<u64>,
    on: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Vec<ProposedFix>, StorageError> {
    let mut proposer = FixFinder::new(view)?;
    let mut found = Vec::new();
    let end = view.log().len()?;
    let mut wish = SurveyOptions::default();
    if let Some(at) = at {
        if at < view.log().first_frame_offset().min(end) {
            let header = view.header_finding();
            return header.map_or(Ok(Vec::new()), |finding| proposer.push(&finding));
        }
        match locate_offset(view.log(), at, end)? {
            OffsetLocation::Damaged(range) | OffsetLocation::FrameStart(range) | OffsetLocation::InsideFrame(range) => {
                wish = SurveyOptions { from: Some(range.start), until: Some(range.start + 1), ..wish };
            }
            OffsetLocation::PastEnd => {
                let truncated = view.truncation_finding(end, end)?;
                return truncated.map_or(Ok(Vec::new()), |finding| proposer.push(&finding));
            }
        }
    }
    let mut failed = None;
    let passed = survey(view, &wish, None, &mut |step| match step {
        SurveyUpdate::Progress(progress) => on(progress.position, progress.total),
        SurveyUpdate::Finding(finding) if !finding.kind.is_damage() => ControlFlow::Continue(()),
        SurveyUpdate::Finding(finding) => match proposer.push(finding) {
            Ok(mut decided) => {
                found.append(&mut decided);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
    });
    if let Some(error) = failed {
        return Err(error);
    }
    passed?;
    found.append(&mut proposer.finish());
    if let Some(at) = at {
        let here = |finding: &Finding| finding.range().contains(&at) || finding.range().is_empty();
        found.retain(|proposed| here(&proposed.finding));
    }
    Ok(found)
}

/// Units that become one step: adjacent ones that are fenced off are filled as one range, and what a donor has is taken as
/// one.
fn merge_adjacent_groups(units: Vec<PieceGroup>) -> Vec<PieceGroup> {
    let mut runs: Vec<PieceGroup> = Vec::new();
    for unit in units {
        let apart = match runs.last_mut() {
            Some(last) => last.try_merge(unit),
            None => Some(unit),
        };
        runs.extend(apart);
    }
    runs
}

struct PlanBuilder<'a> {
    view: &'a LogView,
    donor: Option<&'a Donor>,
    log_end: u64,
    steps: Vec<RepairStep>,
    unrepaired: Vec<UnrepairedRange>,
}

impl PlanBuilder<'_> {
    fn add_group(&mut self, unit: PieceGroup, id: &str) -> Result<(), StorageError> {
        let range = unit.start()..unit.end();
        let mut step = RepairStep {
            action: RepairAction::Gap,
            certainty: None,
            start: range.start,
            end: range.end,
            new_end: unit.new_end(),
            pieces: unit.pieces.iter().map(|proposed| planned_piece(&proposed.finding)).collect(),
            write: StepWrite::Truncate,
            restored_events: 0,
            loss: Loss::default(),
            alternatives: unit.alternatives(),
            before_sha256: Vec::new(),
            after_sha256: Vec::new(),
            neighbours: Neighbours::find(self.view.log(), &range, self.log_end)?.into_vec(),
        };
        match unit.decision {
            Decision::ForgetLostEnd => return Ok(()),
            Decision::LeaveUnrepaired(why) => {
                self.leave_unrepaired(unit.pieces, step.alternatives, &why);
                return Ok(());
            }
            Decision::Edit { action, certainty, changes } => {
                (step.action, step.certainty) = (action, Some(certainty));
                step.restored_events = self.count_restored_events(&step, &changes)?;
                step.write = StepWrite::Edits(changes);
            }
            Decision::TakeFromDonor { certainty, events, .. } => {
                (step.action, step.certainty, step.restored_events) =
                    (RepairAction::TakeFromDonor, Some(certainty), events);
                step.write = StepWrite::CopyFrom { from: self.donor.map_or(Path::new(""), Donor::path).to_owned() };
            }
            Decision::SetAsideTail => {
                (step.action, step.new_end) = (RepairAction::SetAsideTail, step.start);
                if unit.pieces.iter().any(|proposed| proposed.finding.kind == DamageKind::Garbage) {
                    step.loss = estimate_max_loss(&step.pieces, step.end);
                }
            }
            Decision::FillWithGap => {
                // What was cut off with the header takes that with it.
                let first = self.view.log().first_frame_offset();
                let header = self.view.trusted_index().filter(|_| step.end < first && step.new_end > first);
                let header = header.map(|index| hex::encode(&index.head().log_header));
                if header.is_some() {
                    step.start = 0;
                }
                let fenced = step.start + header.as_ref().map_or(0, |_| first)..step.new_end;
                if fenced.end - fenced.start < MIN_GAP {
                    self.leave_unrepaired(
                        unit.pieces,
                        step.alternatives,
                        "no gap fits into fewer than 10 bytes: salvage writes a log without them",
                    );
                    return Ok(());
                }
                step.loss = estimate_max_loss(&step.pieces, step.new_end);
                step.write = StepWrite::Gap { description: gap_description(id, &step.pieces, &fenced), header };
            }
        }
        self.steps.push(step);
        Ok(())
    }

    /// Each piece by itself, with what is offered for it.
    fn leave_unrepaired(&mut self, pieces: Vec<ProposedFix>, mut offered: Vec<Fix>, why: &str) {
        for proposed in pieces {
            let (start, own) = (proposed.finding.start, proposed.fix);
            let chosen_there = |fix: &mut Fix| fix.choice.is_some_and(|choose| choose.0 == start);
            let mut also_possible: Vec<Fix> = offered.extract_if(.., chosen_there).collect();
            if also_possible.iter().all(|fix| fix.action == RepairAction::TakeFromDonor) {
                also_possible.splice(0..0, own);
            }
            self.unrepaired.push(UnrepairedRange {
                piece: planned_piece(&proposed.finding),
                reason: why.into(),
                alternatives: also_possible,
            });
        }
    }

    /// 1 when the range, changed like this, is a frame with an event.
    fn count_restored_events(&self, step: &RepairStep, changes: &[ByteChange]) -> Result<u64, StorageError> {
        if step.action == RepairAction::RebuildHeader {
            return Ok(0);
        }
        let edited = RepairStep { write: StepWrite::Edits(changes.to_vec()), ..step.clone() };
        let mut bytes = Vec::new();
        StepOutput::new(&edited, ByteSource::Unavailable).for_each_chunk(self.view.log(), &mut |_, _, after| {
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

/// What a gap says about itself.
fn gap_description(id: &str, pieces: &[PlannedPiece], range: &Range<u64>) -> String {
    let mut kinds: Vec<&str> = pieces.iter().map(|piece| piece.kind.as_str()).collect();
    kinds.dedup();
    let kinds = kinds.iter().take(3).copied().collect::<Vec<_>>().join("+");
    format!("{{\"repair\":\"{id}\",\"kind\":\"{kinds}\",\"start\":{},\"end\":{}}}", range.start, range.end)
}
