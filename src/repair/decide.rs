//! What is done about each piece: by wish, from certain to last resort.

use std::path::Path;

use super::donor::{Donor, Offer};
use super::guard::refused;
use super::lots::{Lot, Lots};
use super::propose::Proposed;
use super::{Action, Certainty, Change, Fix, Wishes};
use crate::StorageError;
use crate::format::Kind;
use crate::inspect::LogView;

/// Pieces that are decided about together: one, or adjacent ones that a donor has as a whole.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) pieces: Vec<Proposed>,
    /// All that is offered for them, each with the choice that takes it.
    offered: Vec<Fix>,
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
        /// Behind the last frame that is taken.
        end: u64,
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
        match self.decision {
            Decision::Take { end, .. } => end,
            _ => self.pieces.iter().map(new_end).max().unwrap_or_default(),
        }
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
        self.offered.iter().filter(|fix| Some(fix.action) != done || fix.candidates.len() > 1).cloned().collect()
    }

    /// Becomes one with the next where the same is done to both, next to each other; else that comes back.
    pub(super) fn join(&mut self, mut next: Self) -> Option<Self> {
        if self.end() != next.start() {
            return Some(next);
        }
        match (&mut self.decision, &next.decision) {
            (Decision::Fence, Decision::Fence) => {}
            (Decision::Take { certainty, events, end }, Decision::Take { certainty: same, events: more, end: to })
                if certainty == same =>
            {
                (*events, *end) = (*events + more, *to);
            }
            _ => return Some(next),
        }
        self.pieces.append(&mut next.pieces);
        self.offered.append(&mut next.offered);
        None
    }
}

/// Behind what a piece becomes.
pub(super) fn new_end(piece: &Proposed) -> u64 {
    let finding = &piece.finding;
    let seen = finding.evidence.log_end_offset.filter(|_| finding.kind == Kind::Truncated);
    seen.unwrap_or(finding.end).max(finding.end)
}

/// Decides about every piece found, ascending; and says what there is to say about the donor.
///
/// Wishes come first, finding by finding; what they leave open and the donor has is then decided about as it has it.
pub(super) fn decide(
    view: &LogView,
    wishes: &Wishes,
    donor: Option<&Donor>,
    found: Vec<Proposed>,
) -> Result<(Vec<Unit>, Vec<String>), StorageError> {
    wishes.check(view.path(), &found)?;
    let open: Vec<bool> = found.iter().map(|piece| is_open(wishes, piece)).collect();
    let lots = donor.map_or(Ok(Lots::default()), |donor| Lots::of(view, donor, &found, &open))?;
    let mut units: Vec<Unit> = Vec::new();
    for (nth, piece) in found.into_iter().enumerate() {
        let lot = lots.at(nth);
        let is_first = lot.is_none_or(|lot| lot.pieces.start == nth);
        let offer = Offered { own: restoring(&piece), lot: lot.filter(|_| is_first) };
        let chosen = offer.chosen(view.path(), wishes, &piece)?;
        if !is_first
            && let Some(unit) = units.last_mut()
            && matches!(unit.decision, Decision::Take { .. })
        {
            unit.offered.extend(offer.fixes(&piece));
            unit.pieces.push(piece);
            continue;
        }
        let decision = one(wishes, &piece, &offer, chosen, lot);
        units.push(Unit { offered: offer.fixes(&piece), pieces: vec![piece], decision });
    }
    let mut notes: Vec<String> = lots.notes().collect();
    if let Some(donor) = donor {
        notes.splice(0..0, donor.stranger());
        let taken = units.last().and_then(|unit| match unit.decision {
            Decision::Take { end, .. } => Some(end),
            _ => None,
        });
        let lost =
            units.last().is_some_and(|unit| unit.pieces.iter().any(|piece| piece.finding.kind == Kind::Truncated));
        notes.extend(if lost && taken.is_none() { None } else { donor.goes_on(view.log(), taken)? });
    }
    Ok((units, notes))
}

/// True for damage to frames that is to be repaired, and that neither its own bytes nor a choice decide about.
fn is_open(wishes: &Wishes, piece: &Proposed) -> bool {
    let kind = piece.finding.kind;
    let own = restoring(piece);
    let proven = own.is_some_and(|fix| fix.certainty == Some(Certainty::Proven));
    let chosen = wishes
        .chosen(piece.finding.start)
        .is_some_and(|n| own.is_some_and(|fix| (1..=fix.candidates.len()).contains(&n)));
    let of_frames = kind.is_damage() && !matches!(kind, Kind::Header | Kind::InvalidEvent | Kind::Unreadable);
    of_frames && wishes.select(&piece.finding) && !proven && !chosen
}

fn restoring(piece: &Proposed) -> Option<&Fix> {
    piece.fix.as_ref().filter(|fix| fix.action.restores())
}

/// What is offered for a finding: the candidates of its own fix, and behind them the donor.
struct Offered<'a> {
    own: Option<&'a Fix>,
    lot: Option<&'a Lot>,
}

/// What was chosen for a finding.
#[derive(Debug, Clone, Copy)]
enum Chosen {
    Own(usize),
    Donor(u64, Offer),
}

impl Offered<'_> {
    fn candidates(&self) -> usize {
        self.own.map_or(0, |fix| fix.candidates.len())
    }

    fn chosen(&self, path: &Path, wishes: &Wishes, piece: &Proposed) -> Result<Option<Chosen>, StorageError> {
        let start = piece.finding.start;
        let Some(n) = wishes.chosen(start) else { return Ok(None) };
        let own = self.candidates();
        let chosen = match self.lot {
            _ if (1..=own).contains(&n) => Some(Chosen::Own(n - 1)),
            Some(lot) if n == own + 1 => Some(Chosen::Donor(lot.end, lot.offer)),
            _ => None,
        };
        chosen.map(Some).ok_or_else(|| {
            let offered = own + usize::from(self.lot.is_some());
            let why = format!("{n} is none of the {offered} candidates for the damage at offset {start}");
            refused(path, why, "See the candidates with `chronicle repair --dry-run`")
        })
    }

    /// As a plan tells it, each with its choice.
    fn fixes(&self, piece: &Proposed) -> Vec<Fix> {
        let start = piece.finding.start;
        let own = piece.fix.iter().map(|fix| Fix { choose: self.own.map(|_| (start, 1)), ..fix.clone() });
        let donor = self.lot.map(|lot| Fix {
            certainty: Some(lot.offer.certainty),
            choose: Some((start, self.candidates() + 1)),
            ..Fix::plain(Action::TakeFromDonor)
        });
        own.chain(donor).collect()
    }
}

/// What is done about a piece; `lot` is the one that it lies in.
fn one(wishes: &Wishes, piece: &Proposed, offer: &Offered, chosen: Option<Chosen>, lot: Option<&Lot>) -> Decision {
    let kind = piece.finding.kind;
    if !wishes.select(&piece.finding) {
        return Decision::Leave("not among the findings chosen".into());
    }
    if kind == Kind::InvalidEvent {
        let why = "its checksum holds: the bytes are as their writer wrote them, and no repair knows better";
        return Decision::Leave(why.into());
    }
    let take = |end, offer: Offer| Decision::Take { certainty: offer.certainty, events: offer.events, end };
    let edit = |nth: usize| {
        let (fix, candidate) = offer.own.and_then(|fix| Some((fix, fix.candidates.get(nth)?)))?;
        Some(Decision::Edit { action: fix.action, certainty: fix.certainty?, changes: candidate.changes.clone() })
    };
    let proven = offer.lot.filter(|lot| lot.is_proven());
    let certain = match (chosen, offer.own.and_then(|fix| fix.certainty), proven) {
        (Some(Chosen::Own(nth)), ..) => edit(nth),
        (Some(Chosen::Donor(end, offer)), ..) => Some(take(end, offer)),
        (None, Some(Certainty::Proven), _) => edit(0),
        (None, _, Some(lot)) => Some(take(lot.end, lot.offer)),
        (None, Some(Certainty::Likely), None) if wishes.accept_likely => edit(0),
        _ => None,
    };
    if let Some(decision) = certain {
        return decision;
    }
    if wishes.forget && kind == Kind::Truncated {
        return if piece.finding.range().is_empty() { Decision::Forget } else { Decision::SetAside };
    }
    if (offer.own.is_some() || lot.is_some()) && (!wishes.fence_undecided || kind == Kind::Header) {
        return Decision::Leave(undecided(piece, offer, lot));
    }
    match &piece.fix {
        Some(fix) if fix.action == Action::SetAsideTail => Decision::SetAside,
        _ => Decision::Fence,
    }
}

/// Why a piece that something is offered for is left, and how to decide.
fn undecided(piece: &Proposed, offer: &Offered, lot: Option<&Lot>) -> String {
    let (start, kind) = (piece.finding.start, piece.finding.kind);
    let likely = offer.own.is_some_and(|fix| fix.certainty == Some(Certainty::Likely));
    let accept = if likely { "--accept likely, " } else { "" };
    let choose = match offer.candidates() + usize::from(offer.lot.is_some()) {
        0 => String::new(),
        1 => format!("--choose {start}=1"),
        _ => format!("--choose {start}=N"),
    };
    let with = lot.filter(|_| offer.lot.is_none()).map_or("", |_| "the choice of the donor for the damage before it");
    let between = if choose.is_empty() || with.is_empty() { "" } else { ", " };
    let fence = if kind == Kind::Header { "" } else { ", or --fence-undecided" };
    format!("nobody has decided: {accept}{choose}{between}{with}{fence}")
}
