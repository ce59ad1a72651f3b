//! Selects the decision for each finding, by the user's options: a proven fix first, a gap last.

use std::path::Path;

use super::donor::{Donor, DonorOffer};
use super::donor_ranges::{DonorRange, DonorRanges};
use super::gap_limits::GapLimits;
use super::group::{Decision, PieceGroup};
use super::option_checks::check_options;
use crate::StorageError;
use crate::format::DamageKind;
use crate::inspect::LogView;
use crate::repair::types::{CandidateChoice, Certainty, Fix, ProposedFix, RepairAction, RepairOptions, refused_error};

/// The decisions about all findings, and the notes about the donor.
#[derive(Debug)]
pub(super) struct Decisions {
    /// The groups of findings, by ascending offset.
    pub(super) groups: Vec<PieceGroup>,
    /// Notes for the user about the donor.
    pub(super) notes: Vec<String>,
}

/// Decides about every finding of `found`, which is ascending.
///
/// Choices and proven fixes decide first, finding by finding. The ranges that remain undecided are taken from the donor
/// where the donor has them.
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
        Some(donor) => DonorRanges::find(view, donor, &found, |proposed| needs_donor(options, proposed))?,
        None => DonorRanges::default(),
    };
    let limits = GapLimits::read(view, options)?;
    let mut groups: Vec<PieceGroup> = Vec::new();
    for (nth, proposed) in found.into_iter().enumerate() {
        let donor_range = donor_ranges.range_of_piece(nth);
        let is_first = donor_range.is_none_or(|range| range.piece_indices.start == nth);
        let offer = PieceOffer {
            local_fix: proposed.restoring_fix(),
            donor_range,
            selectable_range: donor_range.filter(|_| is_first),
        };
        let selected = offer.resolve_choice(view.path(), options, &proposed)?;
        let available_fixes = offer.available_fixes(&proposed);
        if !is_first
            && let Some(group) = groups.last_mut()
            && matches!(group.decision, Decision::TakeFromDonor { .. })
        {
            group.available_fixes.extend(available_fixes);
            group.pieces.push(proposed);
            continue;
        }
        let decision = decide_piece(options, &proposed, &offer, selected);
        let decision = match limits.reason_against(&proposed) {
            Some(reason) if matches!(decision, Decision::FillWithGap) => Decision::LeaveUnrepaired(reason),
            _ => decision,
        };
        groups.push(PieceGroup { available_fixes, pieces: vec![proposed], decision });
    }
    let notes = donor.map_or(Ok(Vec::new()), |donor| donor_notes(donor, &donor_ranges, groups.last()))?;
    Ok(Decisions { groups, notes })
}

/// Returns the notes about a donor: a different header, its ranges, and the events that it has after the log's end.
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
    // A lost end that is not taken from the donor is a finding, which reports how much is missing.
    let is_end_missing = last_group.is_some_and(PieceGroup::is_truncation) && taken_to.is_none();
    if !is_end_missing {
        notes.extend(donor.extra_frames_note(taken_to)?);
    }
    Ok(notes)
}

/// True for a damaged frame that the options select, without a proven local fix and without a chosen candidate.
fn needs_donor(options: &RepairOptions, proposed: &ProposedFix) -> bool {
    let is_damaged_frame = match proposed.finding.kind {
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
    let local_fix = proposed.restoring_fix();
    let is_proven = local_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Proven));
    let is_local_candidate = |number| local_fix.is_some_and(|fix| (1..=fix.candidates.len()).contains(&number));
    let is_chosen = options.choice_at(proposed.finding.start).is_some_and(is_local_candidate);
    is_damaged_frame && options.is_selected(&proposed.finding) && !is_proven && !is_chosen
}

/// The offers for a finding: the candidates of its local fix, followed by the donor's range.
struct PieceOffer<'a> {
    /// The fix that was found in the log itself, without the donor.
    local_fix: Option<&'a Fix>,
    /// The donor's range that the finding is part of.
    donor_range: Option<&'a DonorRange>,
    /// The donor's range, when the finding is the first of the range: a range is chosen by its first finding.
    selectable_range: Option<&'a DonorRange>,
}

/// The user's choice for a finding.
#[derive(Debug, Clone, Copy)]
enum SelectedFix<'a> {
    /// The candidate of the local fix with this index.
    LocalCandidate(usize),
    /// The donor's range for the finding.
    Donor(&'a DonorRange),
}

impl<'a> PieceOffer<'a> {
    fn candidate_count(&self) -> usize {
        self.local_fix.map_or(0, |fix| fix.candidates.len())
    }

    /// Number of choices: the candidates of the local fix, and the donor's range.
    fn choice_count(&self) -> usize {
        self.candidate_count() + usize::from(self.selectable_range.is_some())
    }

    /// Returns the choice that the options contain for the finding.
    ///
    /// # Errors
    /// `Refused` when the chosen number is not among those offered.
    fn resolve_choice(
        &self,
        path: &Path,
        options: &RepairOptions,
        proposed: &ProposedFix,
    ) -> Result<Option<SelectedFix<'a>>, StorageError> {
        let start = proposed.finding.start;
        let Some(number) = options.choice_at(start) else { return Ok(None) };
        let local = self.candidate_count();
        match self.selectable_range {
            _ if (1..=local).contains(&number) => Ok(Some(SelectedFix::LocalCandidate(number - 1))),
            Some(range) if number == local + 1 => Ok(Some(SelectedFix::Donor(range))),
            _ => {
                let offered = self.choice_count();
                let reason =
                    format!("{number} is not one of the {offered} candidates for the damage at offset {start}");
                Err(refused_error(path, reason, "List the candidates with `chronicle repair --dry-run`"))
            }
        }
    }

    /// Returns the fixes as a plan lists them, each with the choice that selects it.
    fn available_fixes(&self, proposed: &ProposedFix) -> Vec<Fix> {
        let start = proposed.finding.start;
        let local = proposed
            .fix
            .iter()
            .map(|fix| Fix { choice: self.local_fix.map(|_| CandidateChoice::new(start, 1)), ..fix.clone() });
        let donor = self.selectable_range.map(|range| Fix {
            certainty: Some(range.offer.certainty),
            choice: Some(CandidateChoice::new(start, self.candidate_count() + 1)),
            ..Fix::without_candidates(RepairAction::TakeFromDonor)
        });
        local.chain(donor).collect()
    }

    /// Returns the decision to apply the candidate of the local fix with this index.
    fn edit(&self, index: usize) -> Option<Decision> {
        let fix = self.local_fix?;
        let changes = fix.candidates.get(index)?.changes.clone();
        Some(Decision::Edit { action: fix.action, certainty: fix.certainty?, changes })
    }
}

/// Decides about one finding.
fn decide_piece(
    options: &RepairOptions,
    proposed: &ProposedFix,
    offer: &PieceOffer,
    selected: Option<SelectedFix>,
) -> Decision {
    let kind = proposed.finding.kind;
    if !options.is_selected(&proposed.finding) {
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
    let local_certainty = offer.local_fix.and_then(|fix| fix.certainty);
    let proven_range = offer.selectable_range.filter(|range| range.is_proven());
    let accepted = match (selected, local_certainty, proven_range) {
        (Some(SelectedFix::LocalCandidate(index)), ..) => offer.edit(index),
        (None, Some(Certainty::Proven), _) => offer.edit(0),
        (Some(SelectedFix::Donor(range)), ..) | (None, _, Some(range)) => Some(take(range)),
        (None, Some(Certainty::Likely), None) if options.accept_likely => offer.edit(0),
        _ => None,
    };
    if let Some(decision) = accepted {
        return decision;
    }
    if options.forget_lost_end && kind == DamageKind::Truncated {
        return if proposed.finding.range().is_empty() { Decision::ForgetLostEnd } else { Decision::SetAsideTail };
    }
    let is_offered = offer.local_fix.is_some() || offer.donor_range.is_some();
    if is_offered && (!options.gap_undecided || kind == DamageKind::Header) {
        return Decision::LeaveUnrepaired(undecided_reason(proposed, offer));
    }
    match &proposed.fix {
        Some(fix) if fix.action == RepairAction::SetAsideTail => Decision::SetAsideTail,
        _ => Decision::FillWithGap,
    }
}

/// Returns the reason why a finding with an offer is left unrepaired, with the options that would decide about it.
fn undecided_reason(proposed: &ProposedFix, offer: &PieceOffer) -> String {
    let (start, kind) = (proposed.finding.start, proposed.finding.kind);
    let mut options = Vec::new();
    if offer.local_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Likely)) {
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
