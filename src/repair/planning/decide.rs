//! Decides what is done about each finding: by the user's options, from proven fixes down to a gap.

use std::path::Path;

use super::donor::{Donor, DonorOffer};
use super::donor_ranges::{DonorRange, DonorRanges};
use super::group::{Decision, PieceGroup};
use super::option_checks::check_options;
use crate::StorageError;
use crate::format::DamageKind;
use crate::inspect::LogView;
use crate::repair::types::{Certainty, Fix, ProposedFix, RepairAction, RepairOptions, refused_error};

/// What is done about every finding, and the notes about the donor.
#[derive(Debug)]
pub(super) struct Decisions {
    /// The groups of findings, by ascending offset.
    pub(super) groups: Vec<PieceGroup>,
    pub(super) notes: Vec<String>,
}

/// Decides about every finding of `found`, which is ascending.
///
/// Choices and proven fixes come first, finding by finding. What they leave open is taken from the donor where it has
/// it.
///
/// # Errors
/// `Refused` when an option does not fit the findings; `Io`, `Changed` when the log or the donor cannot be read.
pub(super) fn decide_fixes(
    view: &LogView,
    options: &RepairOptions,
    donor: Option<&Donor>,
    found: Vec<ProposedFix>,
) -> Result<Decisions, StorageError> {
    check_options(view.path(), options, &found)?;
    let donor_ranges = match donor {
        Some(donor) => DonorRanges::find(view, donor, &found, |piece| needs_donor(options, piece))?,
        None => DonorRanges::default(),
    };
    let mut groups: Vec<PieceGroup> = Vec::new();
    for (nth, piece) in found.into_iter().enumerate() {
        let donor_range = donor_ranges.range_of_piece(nth);
        let is_first = donor_range.is_none_or(|range| range.piece_indices.start == nth);
        let offer = PieceOffer {
            own_fix: piece.restoring_fix(),
            donor_range,
            selectable_range: donor_range.filter(|_| is_first),
        };
        let selected = offer.resolve_choice(view.path(), options, &piece)?;
        let available_fixes = offer.available_fixes(&piece);
        if !is_first
            && let Some(group) = groups.last_mut()
            && matches!(group.decision, Decision::TakeFromDonor { .. })
        {
            group.available_fixes.extend(available_fixes);
            group.pieces.push(piece);
            continue;
        }
        let decision = decide_piece(options, &piece, &offer, selected);
        groups.push(PieceGroup { available_fixes, pieces: vec![piece], decision });
    }
    let notes = donor.map_or(Ok(Vec::new()), |donor| donor_notes(donor, &donor_ranges, groups.last()))?;
    Ok(Decisions { groups, notes })
}

/// The notes about a donor: that its header differs, about its ranges, and that it continues after the log's end.
fn donor_notes(
    donor: &Donor,
    ranges: &DonorRanges,
    last_group: Option<&PieceGroup>,
) -> Result<Vec<String>, StorageError> {
    let taken_to = last_group.and_then(|group| match group.decision {
        Decision::TakeFromDonor { end, .. } => Some(end),
        _ => None,
    });
    let mut notes: Vec<String> = donor.header_mismatch_note().into_iter().chain(ranges.notes()).collect();
    // A lost end that is not taken from the donor has its own finding, which says how much is missing.
    let is_end_missing = last_group.is_some_and(PieceGroup::is_truncation) && taken_to.is_none();
    if !is_end_missing {
        notes.extend(donor.extra_frames_note(taken_to)?);
    }
    Ok(notes)
}

/// True for a damaged frame that is to be repaired and that neither a proven fix of its own nor a choice decides.
fn needs_donor(options: &RepairOptions, piece: &ProposedFix) -> bool {
    let is_damaged_frame = match piece.finding.kind {
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
    let own_fix = piece.restoring_fix();
    let is_proven = own_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Proven));
    let is_own_candidate = |number| own_fix.is_some_and(|fix| (1..=fix.candidates.len()).contains(&number));
    let is_chosen = options.choice_at(piece.finding.start).is_some_and(is_own_candidate);
    is_damaged_frame && options.is_selected(&piece.finding) && !is_proven && !is_chosen
}

/// What is offered for a finding: the candidates of its own fix, followed by the donor's range.
struct PieceOffer<'a> {
    own_fix: Option<&'a Fix>,
    /// The donor's range that the finding is part of.
    donor_range: Option<&'a DonorRange>,
    /// The same range, when the finding is its first one: only there it can be chosen.
    selectable_range: Option<&'a DonorRange>,
}

/// What the user has chosen for a finding.
#[derive(Debug, Clone, Copy)]
enum SelectedFix<'a> {
    OwnCandidate(usize),
    Donor(&'a DonorRange),
}

impl<'a> PieceOffer<'a> {
    fn candidate_count(&self) -> usize {
        self.own_fix.map_or(0, |fix| fix.candidates.len())
    }

    /// Number of choices: the own candidates, and the donor's range.
    fn choice_count(&self) -> usize {
        self.candidate_count() + usize::from(self.selectable_range.is_some())
    }

    /// Returns what the options choose for the finding.
    ///
    /// # Errors
    /// `Refused` when the chosen number is not among those offered.
    fn resolve_choice(
        &self,
        path: &Path,
        options: &RepairOptions,
        piece: &ProposedFix,
    ) -> Result<Option<SelectedFix<'a>>, StorageError> {
        let start = piece.finding.start;
        let Some(number) = options.choice_at(start) else { return Ok(None) };
        let own = self.candidate_count();
        match self.selectable_range {
            _ if (1..=own).contains(&number) => Ok(Some(SelectedFix::OwnCandidate(number - 1))),
            Some(range) if number == own + 1 => Ok(Some(SelectedFix::Donor(range))),
            _ => {
                let offered = self.choice_count();
                let reason =
                    format!("{number} is not one of the {offered} candidates for the damage at offset {start}");
                Err(refused_error(path, reason, "List the candidates with `chronicle repair --dry-run`"))
            }
        }
    }

    /// The fixes as a plan lists them, each with the choice that selects it.
    fn available_fixes(&self, piece: &ProposedFix) -> Vec<Fix> {
        let start = piece.finding.start;
        let own = piece.fix.iter().map(|fix| Fix { choice: self.own_fix.map(|_| (start, 1)), ..fix.clone() });
        let donor = self.selectable_range.map(|range| Fix {
            certainty: Some(range.offer.certainty),
            choice: Some((start, self.candidate_count() + 1)),
            ..Fix::without_candidates(RepairAction::TakeFromDonor)
        });
        own.chain(donor).collect()
    }

    /// The decision to apply the own candidate with this index.
    fn edit(&self, index: usize) -> Option<Decision> {
        let fix = self.own_fix?;
        let changes = fix.candidates.get(index)?.changes.clone();
        Some(Decision::Edit { action: fix.action, certainty: fix.certainty?, changes })
    }
}

/// Decides about one finding.
fn decide_piece(
    options: &RepairOptions,
    piece: &ProposedFix,
    offer: &PieceOffer,
    selected: Option<SelectedFix>,
) -> Decision {
    let kind = piece.finding.kind;
    if !options.is_selected(&piece.finding) {
        return Decision::LeaveUnrepaired("not selected".into());
    }
    if kind == DamageKind::InvalidEvent {
        let reason = "its checksum is valid: the bytes are as they were written, so there is nothing to restore";
        return Decision::LeaveUnrepaired(reason.into());
    }
    let take = |range: &DonorRange| {
        let DonorOffer { certainty, events, .. } = range.offer;
        Decision::TakeFromDonor { certainty, events, end: range.end }
    };
    let own_certainty = offer.own_fix.and_then(|fix| fix.certainty);
    let proven_range = offer.selectable_range.filter(|range| range.is_proven());
    let accepted = match (selected, own_certainty, proven_range) {
        (Some(SelectedFix::OwnCandidate(index)), ..) => offer.edit(index),
        (None, Some(Certainty::Proven), _) => offer.edit(0),
        (Some(SelectedFix::Donor(range)), ..) | (None, _, Some(range)) => Some(take(range)),
        (None, Some(Certainty::Likely), None) if options.accept_likely => offer.edit(0),
        _ => None,
    };
    if let Some(decision) = accepted {
        return decision;
    }
    if options.forget_lost_end && kind == DamageKind::Truncated {
        return if piece.finding.range().is_empty() { Decision::ForgetLostEnd } else { Decision::SetAsideTail };
    }
    let is_offered = offer.own_fix.is_some() || offer.donor_range.is_some();
    if is_offered && (!options.gap_undecided || kind == DamageKind::Header) {
        return Decision::LeaveUnrepaired(undecided_reason(piece, offer));
    }
    match &piece.fix {
        Some(fix) if fix.action == RepairAction::SetAsideTail => Decision::SetAsideTail,
        _ => Decision::FillWithGap,
    }
}

/// Why a finding with an offer is left unrepaired, and which options would decide about it.
fn undecided_reason(piece: &ProposedFix, offer: &PieceOffer) -> String {
    let (start, kind) = (piece.finding.start, piece.finding.kind);
    let mut options = Vec::new();
    if offer.own_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Likely)) {
        options.push("--accept likely".to_owned());
    }
    match offer.choice_count() {
        0 => {}
        1 => options.push(format!("--choose {start}=1")),
        _ => options.push(format!("--choose {start}=N")),
    }
    if offer.donor_range.is_some() && offer.selectable_range.is_none() {
        options.push("the choice of the donor for the damage before it".to_owned());
    }
    if kind != DamageKind::Header {
        options.push("--gap-undecided".to_owned());
    }
    let options = match options.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => options.concat(),
    };
    format!("you have not chosen yet: use {options}")
}
