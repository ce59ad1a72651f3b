//! What is done about each piece: by wish, from certain to last resort.

use std::path::Path;

use super::donor::{Donor, DonorOffer};
use super::donor_ranges::{DonorRange, DonorRanges};
use super::fix_finder::ProposedFix;
use super::preconditions::refused_error;
use super::{ByteChange, Certainty, Fix, RepairAction, RepairOptions};
use crate::StorageError;
use crate::format::DamageKind;
use crate::inspect::LogView;

/// Pieces that are decided about together: one, or adjacent ones that a donor has as a whole.
#[derive(Debug)]
pub(super) struct PieceGroup {
    pub(super) pieces: Vec<ProposedFix>,
    /// All that is offered for them, each with the choice that takes it.
    available_fixes: Vec<Fix>,
    pub(super) decision: Decision,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Decision {
    Edit {
        action: RepairAction,
        certainty: Certainty,
        changes: Vec<ByteChange>,
    },
    TakeFromDonor {
        certainty: Certainty,
        events: u64,
        /// Behind the last frame that is taken.
        end: u64,
    },
    SetAsideTail,
    /// Nothing of the log; what the index alone knows of its lost end is dropped.
    ForgetLostEnd,
    FillWithGap,
    /// Nothing, and why.
    LeaveUnrepaired(String),
}

impl PieceGroup {
    pub(super) fn start(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.finding.start)
    }

    pub(super) fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.finding.end)
    }

    /// Where the end of the log starts that is given up with what the index knows of it.
    pub(super) fn forgotten_from(&self) -> Option<u64> {
        let truncated = self.pieces.iter().any(|piece| piece.finding.kind == DamageKind::Truncated);
        let forgets = matches!(self.decision, Decision::SetAsideTail | Decision::ForgetLostEnd);
        (truncated && forgets).then(|| self.start())
    }

    /// Behind what it becomes: where an index has seen the log end, for a log that lost its end.
    pub(super) fn new_end(&self) -> u64 {
        match self.decision {
            Decision::TakeFromDonor { end, .. } => end,
            _ => self.pieces.iter().map(piece_new_end).max().unwrap_or_default(),
        }
    }

    /// What was offered and is not done.
    pub(super) fn alternatives(&self) -> Vec<Fix> {
        let done = match &self.decision {
            Decision::Edit { action, .. } => Some(*action),
            Decision::TakeFromDonor { .. } => Some(RepairAction::TakeFromDonor),
            Decision::SetAsideTail => Some(RepairAction::SetAsideTail),
            Decision::FillWithGap => Some(RepairAction::Gap),
            Decision::ForgetLostEnd | Decision::LeaveUnrepaired(_) => None,
        };
        self.available_fixes
            .iter()
            .filter(|fix| Some(fix.action) != done || fix.candidates.len() > 1)
            .cloned()
            .collect()
    }

    /// Becomes one with the next where the same is done to both, next to each other; else that comes back.
    pub(super) fn try_merge(&mut self, mut next: Self) -> Option<Self> {
        if self.end() != next.start() {
            return Some(next);
        }
        match (&mut self.decision, &next.decision) {
            (Decision::FillWithGap, Decision::FillWithGap) => {}
            (
                Decision::TakeFromDonor { certainty, events, end },
                Decision::TakeFromDonor { certainty: same, events: more, end: to },
            ) if certainty == same => {
                (*events, *end) = (*events + more, *to);
            }
            _ => return Some(next),
        }
        self.pieces.append(&mut next.pieces);
        self.available_fixes.append(&mut next.available_fixes);
        None
    }
}

/// Behind what a piece becomes.
pub(super) fn piece_new_end(piece: &ProposedFix) -> u64 {
    let finding = &piece.finding;
    let seen = finding.evidence.log_end_offset.filter(|_| finding.kind == DamageKind::Truncated);
    seen.unwrap_or(finding.end).max(finding.end)
}

/// Decides about every piece found, ascending; and says what there is to say about the donor.
///
/// Wishes come first, finding by finding; what they leave open and the donor has is then decided about as it has it.
pub(super) fn decide_fixes(
    view: &LogView,
    options: &RepairOptions,
    donor: Option<&Donor>,
    found: Vec<ProposedFix>,
) -> Result<(Vec<PieceGroup>, Vec<String>), StorageError> {
    options.validate(view.path(), &found)?;
    let open: Vec<bool> = found.iter().map(|piece| needs_decision(options, piece)).collect();
    let lots = donor.map_or(Ok(DonorRanges::default()), |donor| DonorRanges::find(view, donor, &found, &open))?;
    let mut units: Vec<PieceGroup> = Vec::new();
    for (nth, piece) in found.into_iter().enumerate() {
        let lot = lots.range_of_piece(nth);
        let is_first = lot.is_none_or(|lot| lot.piece_indices.start == nth);
        let offer = PieceOffer { own_fix: restoring_fix(&piece), donor_range: lot.filter(|_| is_first) };
        let chosen = offer.resolve_choice(view.path(), options, &piece)?;
        if !is_first
            && let Some(unit) = units.last_mut()
            && matches!(unit.decision, Decision::TakeFromDonor { .. })
        {
            unit.available_fixes.extend(offer.available_fixes(&piece));
            unit.pieces.push(piece);
            continue;
        }
        let decision = decide_piece(options, &piece, &offer, chosen, lot);
        units.push(PieceGroup { available_fixes: offer.available_fixes(&piece), pieces: vec![piece], decision });
    }
    let mut notes: Vec<String> = lots.notes().collect();
    if let Some(donor) = donor {
        notes.splice(0..0, donor.header_mismatch_note());
        let taken = units.last().and_then(|unit| match unit.decision {
            Decision::TakeFromDonor { end, .. } => Some(end),
            _ => None,
        });
        let lost = units
            .last()
            .is_some_and(|unit| unit.pieces.iter().any(|piece| piece.finding.kind == DamageKind::Truncated));
        notes.extend(if lost && taken.is_none() { None } else { donor.extra_frames_note(view.log(), taken)? });
    }
    Ok((units, notes))
}

/// True for damage to frames that is to be repaired, and that neither its own bytes nor a choice decide about.
fn needs_decision(options: &RepairOptions, piece: &ProposedFix) -> bool {
    let kind = piece.finding.kind;
    let own = restoring_fix(piece);
    let proven = own.is_some_and(|fix| fix.certainty == Some(Certainty::Proven));
    let chosen = options
        .choice_at(piece.finding.start)
        .is_some_and(|n| own.is_some_and(|fix| (1..=fix.candidates.len()).contains(&n)));
    let of_frames = match kind {
        DamageKind::Zeros
        | DamageKind::Checksum
        | DamageKind::Length
        | DamageKind::TornTail
        | DamageKind::Garbage
        | DamageKind::Truncated => true,
        DamageKind::Header
        | DamageKind::InvalidEvent
        | DamageKind::Gap
        | DamageKind::Clock
        | DamageKind::Unreadable => false,
    };
    of_frames && options.is_selected(&piece.finding) && !proven && !chosen
}

fn restoring_fix(piece: &ProposedFix) -> Option<&Fix> {
    piece.fix.as_ref().filter(|fix| fix.action.can_restore())
}

/// What is offered for a finding: the candidates of its own fix, and behind them the donor.
struct PieceOffer<'a> {
    own_fix: Option<&'a Fix>,
    donor_range: Option<&'a DonorRange>,
}

/// What was chosen for a finding.
#[derive(Debug, Clone, Copy)]
enum SelectedFix {
    OwnCandidate(usize),
    Donor(u64, DonorOffer),
}

impl PieceOffer<'_> {
    fn candidate_count(&self) -> usize {
        self.own_fix.map_or(0, |fix| fix.candidates.len())
    }

    fn resolve_choice(
        &self,
        path: &Path,
        options: &RepairOptions,
        piece: &ProposedFix,
    ) -> Result<Option<SelectedFix>, StorageError> {
        let start = piece.finding.start;
        let Some(n) = options.choice_at(start) else { return Ok(None) };
        let own = self.candidate_count();
        let chosen = match self.donor_range {
            _ if (1..=own).contains(&n) => Some(SelectedFix::OwnCandidate(n - 1)),
            Some(lot) if n == own + 1 => Some(SelectedFix::Donor(lot.end, lot.offer)),
            _ => None,
        };
        chosen.map(Some).ok_or_else(|| {
            let offered = own + usize::from(self.donor_range.is_some());
            let why = format!("{n} is none of the {offered} candidates for the damage at offset {start}");
            refused_error(path, why, "See the candidates with `chronicle repair --dry-run`")
        })
    }

    /// As a plan tells it, each with its choice.
    fn available_fixes(&self, piece: &ProposedFix) -> Vec<Fix> {
        let start = piece.finding.start;
        let own = piece.fix.iter().map(|fix| Fix { choice: self.own_fix.map(|_| (start, 1)), ..fix.clone() });
        let donor = self.donor_range.map(|lot| Fix {
            certainty: Some(lot.offer.certainty),
            choice: Some((start, self.candidate_count() + 1)),
            ..Fix::without_candidates(RepairAction::TakeFromDonor)
        });
        own.chain(donor).collect()
    }
}

/// What is done about a piece; `lot` is the one that it lies in.
fn decide_piece(
    options: &RepairOptions,
    piece: &ProposedFix,
    offer: &PieceOffer,
    chosen: Option<SelectedFix>,
    donor_range: Option<&DonorRange>,
) -> Decision {
    let kind = piece.finding.kind;
    if !options.is_selected(&piece.finding) {
        return Decision::LeaveUnrepaired("not among the findings chosen".into());
    }
    if kind == DamageKind::InvalidEvent {
        let why = "its checksum holds: the bytes are as their writer wrote them, and no repair knows better";
        return Decision::LeaveUnrepaired(why.into());
    }
    let take =
        |end, offer: DonorOffer| Decision::TakeFromDonor { certainty: offer.certainty, events: offer.events, end };
    let edit = |nth: usize| {
        let (fix, candidate) = offer.own_fix.and_then(|fix| Some((fix, fix.candidates.get(nth)?)))?;
        Some(Decision::Edit { action: fix.action, certainty: fix.certainty?, changes: candidate.changes.clone() })
    };
    let proven = offer.donor_range.filter(|lot| lot.is_proven());
    let certain = match (chosen, offer.own_fix.and_then(|fix| fix.certainty), proven) {
        (Some(SelectedFix::OwnCandidate(nth)), ..) => edit(nth),
        (Some(SelectedFix::Donor(end, offer)), ..) => Some(take(end, offer)),
        (None, Some(Certainty::Proven), _) => edit(0),
        (None, _, Some(lot)) => Some(take(lot.end, lot.offer)),
        (None, Some(Certainty::Likely), None) if options.accept_likely => edit(0),
        _ => None,
    };
    if let Some(decision) = certain {
        return decision;
    }
    if options.forget_lost_end && kind == DamageKind::Truncated {
        return if piece.finding.range().is_empty() { Decision::ForgetLostEnd } else { Decision::SetAsideTail };
    }
    if (offer.own_fix.is_some() || donor_range.is_some()) && (!options.gap_undecided || kind == DamageKind::Header) {
        return Decision::LeaveUnrepaired(undecided_reason(piece, offer, donor_range));
    }
    match &piece.fix {
        Some(fix) if fix.action == RepairAction::SetAsideTail => Decision::SetAsideTail,
        _ => Decision::FillWithGap,
    }
}

/// Why a piece that something is offered for is left, and how to decide.
fn undecided_reason(piece: &ProposedFix, offer: &PieceOffer, donor_range: Option<&DonorRange>) -> String {
    let (start, kind) = (piece.finding.start, piece.finding.kind);
    let likely = offer.own_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Likely));
    let accept = if likely { "--accept likely, " } else { "" };
    let choose = match offer.candidate_count() + usize::from(offer.donor_range.is_some()) {
        0 => String::new(),
        1 => format!("--choose {start}=1"),
        _ => format!("--choose {start}=N"),
    };
    let with = donor_range
        .filter(|_| offer.donor_range.is_none())
        .map_or("", |_| "the choice of the donor for the damage before it");
    let between = if choose.is_empty() || with.is_empty() { "" } else { ", " };
    let fence = if kind == DamageKind::Header { "" } else { ", or --gap-undecided" };
    format!("nobody has decided: {accept}{choose}{between}{with}{fence}")
}
