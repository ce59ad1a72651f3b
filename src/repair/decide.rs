//! What is done about each piece: by wish, from certain to last resort.

use super::donor::{Donor, Offer};
use super::guard::refused;
use super::neighbours::Beside;
use super::propose::Proposed;
use super::{Action, Certainty, Change, Fix, Wishes};
use crate::StorageError;
use crate::format::Kind;
use crate::inspect::LogView;

/// Pieces that are decided about together: one, or adjacent ones that a donor has as a whole.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) pieces: Vec<Proposed>,
    offer: Option<Offer>,
    pub(super) decision: Decision,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Decision {
    Edit {
        action: Action,
        certainty: Certainty,
        changes: Vec<Change>,
    },
    Take {
        certainty: Certainty,
        events: u64,
    },
    SetAside,
    /// Nothing of the log; what the index alone knows of its lost end is dropped.
    Forget,
    Fence,
    /// Nothing, and why.
    Leave(String),
}

impl Unit {
    pub(super) fn start(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.finding.start)
    }

    pub(super) fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.finding.end)
    }

    /// Where the end of the log starts that is given up with what the index knows of it.
    pub(super) fn forgets_from(&self) -> Option<u64> {
        let truncated = self.pieces.iter().any(|piece| piece.finding.kind == Kind::Truncated);
        let forgets = matches!(self.decision, Decision::SetAside | Decision::Forget);
        (truncated && forgets).then(|| self.start())
    }

    /// Behind what it becomes: where an index has seen the log end, for a log that lost its end.
    pub(super) fn new_end(&self) -> u64 {
        self.pieces.iter().map(new_end).max().unwrap_or_default()
    }

    /// What was offered and is not done.
    pub(super) fn also_possible(&self) -> Vec<Fix> {
        let done = match &self.decision {
            Decision::Edit { action, .. } => Some(*action),
            Decision::Take { .. } => Some(Action::TakeFromDonor),
            Decision::SetAside => Some(Action::SetAsideTail),
            Decision::Fence => Some(Action::Gap),
            Decision::Forget | Decision::Leave(_) => None,
        };
        let donor =
            self.offer.map(|offer| Fix { certainty: Some(offer.certainty), ..Fix::plain(Action::TakeFromDonor) });
        let all = self.pieces.iter().filter_map(|piece| piece.fix.clone()).chain(donor);
        all.filter(|fix| Some(fix.action) != done || fix.candidates.len() > 1).collect()
    }
}

fn new_end(piece: &Proposed) -> u64 {
    let finding = &piece.finding;
    let seen = finding.evidence.log_end_offset.filter(|_| finding.kind == Kind::Truncated);
    seen.unwrap_or(finding.end).max(finding.end)
}

/// Decides about every piece found, ascending.
pub(super) fn decide(
    view: &LogView,
    wishes: &Wishes,
    donor: Option<&Donor>,
    found: Vec<Proposed>,
) -> Result<Vec<Unit>, StorageError> {
    for (start, _) in &wishes.choices {
        if !found.iter().any(|proposed| proposed.finding.start == *start) {
            return Err(refused(
                view.path(),
                format!("no damage starts at offset {start}, so there is nothing to choose there"),
                "See `chronicle verify` for what does",
            ));
        }
    }
    for selector in wishes.only.iter().filter(|_| wishes.at.is_none()) {
        if !found.iter().any(|proposed| selector.fits(proposed.finding.kind, proposed.finding.start)) {
            let why = match selector {
                super::Selector::Start(start) => format!("no damage starts at offset {start}"),
                super::Selector::Kind(kind) => format!("no damage is `{}`", kind.name()),
            };
            return Err(refused(view.path(), why, "See `chronicle verify` for what is damaged, and where it starts"));
        }
    }
    let mut units = group(view, donor, found)?;
    for unit in &mut units {
        unit.decision = one(view, wishes, unit)?;
    }
    Ok(units)
}

/// Adjacent pieces without a proven fix of their own that a donor has as a whole become one unit.
fn group(view: &LogView, donor: Option<&Donor>, found: Vec<Proposed>) -> Result<Vec<Unit>, StorageError> {
    let alone = |piece, offer| Unit { pieces: vec![piece], offer, decision: Decision::Fence };
    let Some(donor) = donor else { return Ok(found.into_iter().map(|piece| alone(piece, None)).collect()) };
    let end = view.log().len()?;
    let last = view.witness().map(|index| (index.head().last_offset, index.head().log_checksum));
    let offer = |start: u64, old_end: u64, new_end: u64| {
        let beside = Beside::of(view.log(), &(start..old_end), end)?;
        donor.offer(&(start..new_end), &beside, last.filter(|_| new_end > end))
    };
    let mut units: Vec<Unit> = Vec::new();
    let mut found = found.into_iter().peekable();
    while let Some(first) = found.next() {
        let mut pieces = vec![first];
        while let (Some(last), Some(next)) = (pieces.last(), found.peek())
            && is_open(last)
            && is_open(next)
            && last.finding.end == next.finding.start
            && let Some(next) = found.next()
        {
            pieces.push(next);
        }
        let (Some(start), Some(old_end)) =
            (pieces.first().map(|p| p.finding.start), pieces.last().map(|p| p.finding.end))
        else {
            continue;
        };
        let as_one = pieces.iter().map(new_end).max().unwrap_or(old_end);
        if pieces.len() > 1
            && let Some(offered) = offer(start, old_end, as_one)?
        {
            units.push(Unit { pieces, offer: Some(offered), decision: Decision::Fence });
            continue;
        }
        for piece in pieces {
            let takes = is_open(&piece);
            let offered = if takes { offer(piece.finding.start, piece.finding.end, new_end(&piece))? } else { None };
            units.push(alone(piece, offered));
        }
    }
    Ok(units)
}

/// True for damage to frames that its own bytes do not prove a fix for.
fn is_open(piece: &Proposed) -> bool {
    let kind = piece.finding.kind;
    let proven = piece.fix.as_ref().is_some_and(|fix| fix.certainty == Some(Certainty::Proven));
    kind.is_damage() && !matches!(kind, Kind::Header | Kind::InvalidEvent | Kind::Unreadable) && !proven
}

fn one(view: &LogView, wishes: &Wishes, unit: &Unit) -> Result<Decision, StorageError> {
    let Some(first) = unit.pieces.first() else { return Ok(Decision::Leave(String::new())) };
    let (kind, start) = (first.finding.kind, first.finding.start);
    let selected = |piece: &Proposed| {
        let fits = |selector: &super::Selector| selector.fits(piece.finding.kind, piece.finding.start);
        (wishes.only.is_empty() || wishes.only.iter().any(fits)) && !wishes.except.iter().any(fits)
    };
    if !unit.pieces.iter().all(selected) {
        return Ok(Decision::Leave("not among the findings chosen".into()));
    }
    if kind == Kind::InvalidEvent {
        let why = "its checksum holds: the bytes are as their writer wrote them, and no repair knows better";
        return Ok(Decision::Leave(why.into()));
    }
    let chosen = wishes.choices.iter().rev().find(|choice| choice.0 == start).map(|choice| choice.1);
    let take = |offer: Offer| Decision::Take { certainty: offer.certainty, events: offer.events };
    let edit = |fix: &Fix, nth: usize, certainty| {
        let candidate = fix.candidates.get(nth)?;
        Some(Decision::Edit { action: fix.action, certainty, changes: candidate.changes.clone() })
    };
    let own = first.fix.as_ref().filter(|_| unit.pieces.len() == 1);
    let restoring = own.filter(|fix| fix.action.restores());
    if let Some(n) = chosen {
        let of_own = restoring.and_then(|fix| edit(fix, n.checked_sub(1)?, fix.certainty?));
        let of_donor = unit.offer.filter(|_| restoring.is_none() && n == 1).map(take);
        return of_own.or(of_donor).ok_or_else(|| {
            let offered = restoring.map_or(usize::from(unit.offer.is_some()), |fix| fix.candidates.len());
            let why = format!("{n} is none of the {offered} candidates for the damage at offset {start}");
            refused(view.path(), why, "See the candidates with `chronicle repair --dry-run`")
        });
    }
    if let Some(fix) = restoring
        && fix.certainty == Some(Certainty::Proven)
        && let Some(decision) = edit(fix, 0, Certainty::Proven)
    {
        return Ok(decision);
    }
    if let Some(offer) = unit.offer.filter(|offer| offer.certainty == Certainty::Proven) {
        return Ok(take(offer));
    }
    if let Some(fix) = restoring
        && fix.certainty == Some(Certainty::Likely)
        && wishes.accept_likely
        && let Some(decision) = edit(fix, 0, Certainty::Likely)
    {
        return Ok(decision);
    }
    if wishes.forget && kind == Kind::Truncated {
        return Ok(if first.finding.range().is_empty() { Decision::Forget } else { Decision::SetAside });
    }
    if (restoring.is_some() || unit.offer.is_some()) && (!wishes.fence_undecided || kind == Kind::Header) {
        return Ok(Decision::Leave(undecided(start, restoring, kind)));
    }
    if own.is_some_and(|fix| fix.action == Action::SetAsideTail) {
        return Ok(Decision::SetAside);
    }
    Ok(Decision::Fence)
}

/// Why a piece that something is offered for is left, and how to decide.
fn undecided(start: u64, fix: Option<&Fix>, kind: Kind) -> String {
    let likely = fix.is_some_and(|fix| fix.certainty == Some(Certainty::Likely));
    let accept = if likely { "--accept likely, " } else { "" };
    let which = if fix.is_some_and(|fix| fix.candidates.len() > 1) { "N" } else { "1" };
    let fence = if kind == Kind::Header { "" } else { ", or --fence-undecided" };
    format!("nobody has decided: {accept}--choose {start}={which}{fence}")
}
