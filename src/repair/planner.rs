//! Making a plan: one pass over the log, a decision about every damaged piece, and what each will cost.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use super::after::{After, MIN_GAP, Source};
use super::decide::{Decision, Unit, decide};
use super::donor::Donor;
use super::guard::{one_name, refused};
use super::identity::{identity, sha256, sha256_of};
use super::loss::{at_most, known_losses};
use super::neighbours::Beside;
use super::propose::{Proposed, Proposer};
use super::{Action, Change, Fix, Left, Loss, PLAN_VERSION, Piece, Plan, Step, Wishes, Write, hex};
use crate::StorageError;
use crate::file::{Place, place};
use crate::format::{EventView, Finding, Kind, Version, frame};
use crate::inspect::{LogView, Step as PassStep, Wish, survey};

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
    wishes: &Wishes,
    donor: Option<&Path>,
    on: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Plan, StorageError> {
    let path = view.path();
    if view.log().version() == Version::V0 {
        return Err(StorageError::Version0 { path: path.to_owned() });
    }
    if let Some(found) = view.forbidding_flags() {
        return Err(StorageError::UnknownFlags { path: path.to_owned(), found, forbids: "write" });
    }
    one_name(view.log())?;
    let log_identity = identity(view.log())?;
    let donor = donor.map(|path| Donor::open(view, path)).transpose()?;
    let found = damage(view, wishes.at, on)?;
    if let Some(bad) = found.iter().find(|proposed| proposed.finding.kind == Kind::Unreadable) {
        let why = format!("the device refuses to read {}..{}", bad.finding.start, bad.finding.end);
        return Err(refused(path, why, "Write what can be read into a new log with `chronicle salvage`"));
    }
    let (units, notes) = decide(view, wishes, donor.as_ref(), found)?;
    let mut maker = Maker { view, donor: donor.as_ref(), end: log_identity.bytes, steps: Vec::new(), left: Vec::new() };
    let forgotten_from = units.iter().find_map(Unit::forgets_from);
    if forgotten_from.is_some() && log_identity.bytes < view.log().first_frame() {
        let why = "of the log not even the header is left, and without its index nothing says that it was one".into();
        return Err(refused(
            path,
            why,
            "Leave --forget out: the lost end is fenced off, with the header that the index knows",
        ));
    }
    let forgets = forgotten_from.and_then(|_| view.witnessed_end());
    let id = sha256_of(format!("{:?} {forgets:?} {units:?}", log_identity.header).as_bytes());
    let id: String = hex::of(&id).chars().take(ID_DIGITS).collect();
    for run in runs(units) {
        maker.take(run, &id)?;
    }
    let Maker { mut steps, left, .. } = maker;
    let mut forgotten = Loss::default();
    known_losses(view, &mut steps, forgotten_from.zip(forgets).map(|(from, end)| (from, end, &mut forgotten)), on)?;
    let mut plan = Plan {
        plan: PLAN_VERSION,
        id,
        undoes: None,
        lock_ms: lock_ms(&steps),
        log: log_identity,
        steps,
        left,
        notes,
        forgets,
        forgotten,
    };
    for step in &mut plan.steps {
        step.before = sha256(view.log(), step.range())?;
        let source = donor.as_ref().filter(|_| step.action == Action::TakeFromDonor);
        let source = source.map_or(Source::Nowhere, |donor| Source::Copy(donor.log()));
        step.after = After::of(step, source).sha256(view.log())?;
    }
    let lost = plan.given_up().at_most;
    match wishes.max_loss {
        Some(most) if lost > most => {
            let why = format!("the plan would give up as many as {lost} events, and no more than {most} are allowed");
            Err(refused(path, why, "See the plan with --dry-run, and allow more or leave ranges out with --except"))
        }
        _ => Ok(plan),
    }
}

/// A name for a plan out of all that it does.
pub(super) fn name_plan(plan: &mut Plan) {
    let all = format!("{:?} {:?} {:?}", plan.undoes, plan.log, plan.steps);
    plan.id = hex::of(&sha256_of(all.as_bytes())).chars().take(ID_DIGITS).collect();
}

/// How long the lock is held, in milliseconds: a few syncs, and the ranges read and written at 100 MB/s.
pub(super) fn lock_ms(steps: &[Step]) -> u64 {
    let bytes: u64 = steps.iter().map(|step| 2 * step.end.max(step.new_end).saturating_sub(step.start)).sum();
    50 + bytes / 100_000
}

/// The damage of the log, or that at `at`, each piece with what can be done about it.
fn damage(
    view: &LogView,
    at: Option<u64>,
    on: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Vec<Proposed>, StorageError> {
    let mut proposer = Proposer::new(view)?;
    let mut found = Vec::new();
    let end = view.log().len()?;
    let mut wish = Wish::default();
    if let Some(at) = at {
        if at < view.log().first_frame().min(end) {
            let header = view.header_finding();
            return header.map_or(Ok(Vec::new()), |finding| proposer.push(&finding));
        }
        match place(view.log(), at, end)? {
            Place::Damaged(range) | Place::Frame(range) | Place::Inside(range) => {
                wish = Wish { from: Some(range.start), until: Some(range.start + 1), ..wish };
            }
            Place::End => {
                let truncated = view.truncated(end, end)?;
                return truncated.map_or(Ok(Vec::new()), |finding| proposer.push(&finding));
            }
        }
    }
    let mut failed = None;
    let passed = survey(view, &wish, None, &mut |step| match step {
        PassStep::Progress(done, total) => on(done, total),
        PassStep::Finding(finding) if !finding.kind.is_damage() => ControlFlow::Continue(()),
        PassStep::Finding(finding) => match proposer.push(finding) {
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
fn runs(units: Vec<Unit>) -> Vec<Unit> {
    let mut runs: Vec<Unit> = Vec::new();
    for unit in units {
        let apart = match runs.last_mut() {
            Some(last) => last.join(unit),
            None => Some(unit),
        };
        runs.extend(apart);
    }
    runs
}

struct Maker<'a> {
    view: &'a LogView,
    donor: Option<&'a Donor>,
    end: u64,
    steps: Vec<Step>,
    left: Vec<Left>,
}

impl Maker<'_> {
    fn take(&mut self, unit: Unit, id: &str) -> Result<(), StorageError> {
        let range = unit.start()..unit.end();
        let mut step = Step {
            action: Action::Gap,
            certainty: None,
            start: range.start,
            end: range.end,
            new_end: unit.new_end(),
            pieces: unit.pieces.iter().map(|proposed| piece(&proposed.finding)).collect(),
            write: Write::Cut,
            restored: 0,
            given_up: Loss::default(),
            also_possible: unit.also_possible(),
            before: Vec::new(),
            after: Vec::new(),
            neighbours: Beside::of(self.view.log(), &range, self.end)?.both(),
        };
        match unit.decision {
            Decision::Forget => return Ok(()),
            Decision::Leave(why) => {
                self.leave(unit.pieces, step.also_possible, &why);
                return Ok(());
            }
            Decision::Edit { action, certainty, changes } => {
                (step.action, step.certainty) = (action, Some(certainty));
                step.restored = self.restored(&step, &changes)?;
                step.write = Write::Edits(changes);
            }
            Decision::Take { certainty, events, .. } => {
                (step.action, step.certainty, step.restored) = (Action::TakeFromDonor, Some(certainty), events);
                step.write = Write::Taken { from: self.donor.map_or(Path::new(""), Donor::path).to_owned() };
            }
            Decision::SetAside => {
                (step.action, step.new_end) = (Action::SetAsideTail, step.start);
                if unit.pieces.iter().any(|proposed| proposed.finding.kind == Kind::Garbage) {
                    step.given_up = at_most(&step.pieces, step.end);
                }
            }
            Decision::Fence => {
                // What was cut off with the header takes that with it.
                let first = self.view.log().first_frame();
                let header = self.view.witness().filter(|_| step.end < first && step.new_end > first);
                let header = header.map(|index| hex::of(&index.head().log_header));
                if header.is_some() {
                    step.start = 0;
                }
                let fenced = step.start + header.as_ref().map_or(0, |_| first)..step.new_end;
                if fenced.end - fenced.start < MIN_GAP {
                    self.leave(
                        unit.pieces,
                        step.also_possible,
                        "no gap fits into fewer than 10 bytes: salvage writes a log without them",
                    );
                    return Ok(());
                }
                step.given_up = at_most(&step.pieces, step.new_end);
                step.write = Write::Gap { says: says(id, &step.pieces, &fenced), header };
            }
        }
        self.steps.push(step);
        Ok(())
    }

    /// Each piece by itself, with what is offered for it.
    fn leave(&mut self, pieces: Vec<Proposed>, mut offered: Vec<Fix>, why: &str) {
        for proposed in pieces {
            let (start, own) = (proposed.finding.start, proposed.fix);
            let chosen_there = |fix: &mut Fix| fix.choose.is_some_and(|choose| choose.0 == start);
            let mut also_possible: Vec<Fix> = offered.extract_if(.., chosen_there).collect();
            if also_possible.iter().all(|fix| fix.action == Action::TakeFromDonor) {
                also_possible.splice(0..0, own);
            }
            self.left.push(Left { piece: piece(&proposed.finding), why: why.into(), also_possible });
        }
    }

    /// 1 when the range, changed like this, is a frame with an event.
    fn restored(&self, step: &Step, changes: &[Change]) -> Result<u64, StorageError> {
        if step.action == Action::RebuildHeader {
            return Ok(0);
        }
        let edited = Step { write: Write::Edits(changes.to_vec()), ..step.clone() };
        let mut bytes = Vec::new();
        After::of(&edited, Source::Nowhere).each_chunk(self.view.log(), &mut |_, _, after| {
            bytes.extend_from_slice(after);
            Ok(())
        })?;
        Ok(match frame::decode(&bytes, Version::V1) {
            frame::Decoded::Complete(frame) => u64::from(EventView::parse(frame.payload(), Version::V1).is_ok()),
            _ => 0,
        })
    }
}

fn piece(finding: &Finding) -> Piece {
    Piece { kind: finding.kind.name().into(), start: finding.start, end: finding.end }
}

/// What a gap says about itself.
fn says(id: &str, pieces: &[Piece], range: &Range<u64>) -> String {
    let mut kinds: Vec<&str> = pieces.iter().map(|piece| piece.kind.as_str()).collect();
    kinds.dedup();
    let kinds = kinds.iter().take(3).copied().collect::<Vec<_>>().join("+");
    format!("{{\"repair\":\"{id}\",\"kind\":\"{kinds}\",\"start\":{},\"end\":{}}}", range.start, range.end)
}
