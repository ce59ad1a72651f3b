//! Selects the decision for each finding, by the user's options: a proven fix first, a gap last.

use std::path::Path;

use super::donor::Donor;
use super::donor_notes::donor_notes;
use super::donor_ranges::{DonorPart, DonorRange, DonorRanges, is_fillable};
use super::donor_runs::DonorRun;
use super::gap_limits::GapLimits;
use super::group::{Decision, PieceGroup};
use super::lost_segments::LostRangePlanner;
use super::option_checks::check_options;
use crate::StorageError;
use crate::format::DamageKind;
use crate::inspect::LogView;
use crate::repair::types::{
    CandidateChoice, Certainty, ExcessBytes, Fix, ProposedFix, RepairAction, RepairOptions, UnrepairedRange,
    refused_error,
};

/// The decisions about all findings, and the notes about the donors.
#[derive(Debug)]
pub(super) struct Decisions {
    /// The groups of findings, by ascending offset.
    pub(super) groups: Vec<PieceGroup>,
    /// Notes for the user about the donors.
    pub(super) notes: Vec<String>,
}

/// Decides about every finding of `found`, which is ascending.
///
/// Choices and proven fixes decide first, finding by finding. The ranges that remain undecided are filled with the frames
/// that donors have.
///
/// # Errors
/// `Refused` when an option does not fit the findings; `Io`, `Changed` when the log or a donor cannot be read.
pub(super) fn decide_fixes(
    view: &LogView,
    options: &RepairOptions,
    donors: &[Donor],
    found: &[ProposedFix],
) -> Result<Decisions, StorageError> {
    check_options(view.path(), options, found)?;
    let donor_ranges = DonorRanges::find(view, donors, found, |proposed| needs_donor(options, proposed))?;
    let log_end = view.log().len()?;
    let limits = GapLimits::read(view, options)?;
    let mut groups: Vec<PieceGroup> = Vec::new();
    let mut filled_to = 0;
    for (nth, proposed) in found.iter().enumerate() {
        let donor_range = donor_ranges.range_of_piece(nth);
        let offer = PieceOffer {
            local_fix: proposed.restoring_fix(),
            donor_range,
            selectable_range: donor_range.filter(|range| range.piece_indices.start == nth),
        };
        let selected = offer.resolve_choice(view.path(), options, proposed)?;
        if nth < filled_to {
            continue;
        }
        let available_fixes = offer.available_fixes(proposed);
        let use_of_donor = donor_use(options, &offer, selected);
        if options.is_selected(&proposed.finding)
            && !is_left_for_choice(options, &offer, use_of_donor)
            && let Some(lost) = view.lost_segments(&proposed.finding)?
            && !(options.forget_lost_end && lost.last.is_some())
        {
            let runs = taken_runs(donor_range, use_of_donor);
            let planner = LostRangePlanner { view, donors, proposed, lost: &lost, runs, limits: &limits };
            let mut parts = planner.decide()?;
            let is_written = parts.iter().any(|part| matches!(part.decision, Decision::WriteSegment(_)));
            // A choice does not move a file away.
            let is_left = |part: &&mut PieceGroup| matches!(part.decision, Decision::LeaveUnrepaired(_));
            if let Some(first) = parts.first_mut().filter(|part| !is_written && !is_left(part)) {
                first.available_fixes = available_fixes;
            }
            groups.append(&mut parts);
            continue;
        }
        if let Some(use_of_donor) = use_of_donor
            && let Some(range) = offer.selectable_range
        {
            filled_to = range.piece_indices.end;
            let pieces = found.get(range.piece_indices.clone()).unwrap_or_default();
            let undecided = undecided_reason(proposed, &offer);
            let filling = RangeFilling { options, pieces, log_end, undecided, use_of_donor };
            let mut filled = filling.decide_parts(&range.parts);
            let others = pieces.iter().skip(1).filter_map(|piece| piece.fix.clone());
            let all_fixes: Vec<Fix> = available_fixes.into_iter().chain(others).collect();
            // The offers are listed where a part of the range is left, and otherwise with the first part.
            let is_left = |group: &PieceGroup| matches!(group.decision, Decision::LeaveUnrepaired(_));
            let listed = filled.iter().position(is_left).unwrap_or_default();
            if let Some(group) = filled.get_mut(listed) {
                group.available_fixes = all_fixes;
            }
            groups.append(&mut filled);
            continue;
        }
        let decision = match proposed.finding.kind {
            // A range that was given up is no damage.
            DamageKind::Lost => Decision::Keep,
            _ if proposed.finding.evidence.excess_bytes.is_some() && options.is_selected(&proposed.finding) => {
                Decision::CutExcess(ExcessBytes::read(view.log(), proposed.finding.start)?)
            }
            _ => decide_piece(options, proposed, &offer, selected),
        };
        let range = proposed.finding.start..proposed.repaired_end();
        groups.push(PieceGroup { range, available_fixes, pieces: vec![proposed.clone()], decision });
    }
    for group in &mut groups {
        let growth = group.range.end.saturating_sub(group.range.start.max(log_end));
        if matches!(group.decision, Decision::FillWithGap)
            && let Some(reason) = limits.reason_against(growth)
        {
            group.decision = Decision::LeaveUnrepaired(reason);
        }
    }
    leave_after_undecided_end(&mut groups, log_end);
    let notes = donor_notes(donors, &donor_ranges, &groups, found, view.seen_end().offset())?;
    Ok(Decisions { groups, notes })
}

/// Leaves every part after an undecided one where the log has lost its end: a log has no holes.
fn leave_after_undecided_end(groups: &mut [PieceGroup], log_end: u64) {
    let mut is_left = false;
    for group in groups.iter_mut().filter(|group| group.range.end > log_end) {
        if is_left {
            let reason = "the bytes before it are undecided, and nothing can be written after them";
            group.decision = Decision::LeaveUnrepaired(reason.into());
        }
        is_left |= matches!(group.decision, Decision::LeaveUnrepaired(_));
    }
}

/// The frames of a donor range that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DonorUse {
    /// Only the proven ones.
    Proven,
    /// Also those that are only a choice, because the user has chosen them.
    All,
}

/// Returns the frames to take from the donor range that starts with a finding; `None` when none is taken.
fn donor_use(options: &RepairOptions, offer: &PieceOffer, selected: Option<SelectedFix>) -> Option<DonorUse> {
    let range = offer.selectable_range?;
    let is_likely = offer.local_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Likely));
    match selected {
        Some(SelectedFix::Donor) => Some(DonorUse::All),
        Some(SelectedFix::LocalCandidate(_)) => None,
        None if options.accept_likely && is_likely && !range.is_proven() => None,
        None => range.has_proven_part().then_some(DonorUse::Proven),
    }
}

/// True when a donor has frames for the range of a finding that are only offered as a choice, and the user has not chosen.
fn is_left_for_choice(options: &RepairOptions, offer: &PieceOffer, use_of_donor: Option<DonorUse>) -> bool {
    offer.donor_range.is_some() && use_of_donor.is_none() && !options.gap_undecided
}

/// Returns the frames of a donor range that are taken.
fn taken_runs(range: Option<&DonorRange>, use_of_donor: Option<DonorUse>) -> Vec<DonorRun> {
    let is_taken = |run: &&DonorRun| match use_of_donor {
        Some(DonorUse::All) => true,
        Some(DonorUse::Proven) => run.certainty() == Certainty::Proven,
        None => false,
    };
    let runs = range.into_iter().flat_map(|range| &range.parts).filter_map(|part| part.content.as_ref().ok());
    runs.filter(is_taken).cloned().collect()
}

/// A range of pieces that is filled with frames of donors, part by part.
struct RangeFilling<'a> {
    options: &'a RepairOptions,
    pieces: &'a [ProposedFix],
    log_end: u64,
    /// The reason why a part that needs a choice is left.
    undecided: String,
    use_of_donor: DonorUse,
}

impl RangeFilling<'_> {
    fn decide_parts(&self, parts: &[DonorPart]) -> Vec<PieceGroup> {
        let mut groups = Vec::new();
        let end = parts.last().map_or(0, |part| part.range.end);
        let lost_end = self.pieces.last().filter(|piece| piece.finding.kind == DamageKind::Truncated);
        for part in parts {
            let decision = match &part.content {
                Ok(run) if self.use_of_donor == DonorUse::All || run.certainty() == Certainty::Proven => {
                    Decision::TakeFromDonor(vec![run.clone()])
                }
                _ if self.options.forget_lost_end
                    && lost_end.is_some_and(|piece| piece.finding.start <= part.range.start) =>
                {
                    // Everything after the last frame that is taken is forgotten as one range.
                    let is_in_log = part.range.start < self.log_end;
                    let decision = if is_in_log { Decision::SetAsideTail } else { Decision::ForgetLostEnd };
                    groups.push(PieceGroup::of_part(part.range.start..end, self.pieces, decision));
                    return groups;
                }
                Ok(_) if !self.options.gap_undecided || self.is_header(part) => {
                    Decision::LeaveUnrepaired(self.undecided.clone())
                }
                Ok(_) => Decision::FillWithGap,
                Err(_) => self.decide_hole(part, end),
            };
            groups.push(PieceGroup::of_part(part.range.clone(), self.pieces, decision));
        }
        groups
    }

    /// True for the part that is the header of the log, over which a gap cannot be written.
    fn is_header(&self, part: &DonorPart) -> bool {
        // The header is before every other piece.
        let first = self.pieces.first().map(|piece| &piece.finding);
        first.is_some_and(|finding| finding.kind == DamageKind::Header && finding.range() == part.range)
    }

    /// Decides about a part for which no donor has a frame. `end` is the end of the last part.
    fn decide_hole(&self, part: &DonorPart, end: u64) -> Decision {
        let piece = self.pieces.get(self.pieces.partition_point(|piece| piece.repaired_end() <= part.range.start));
        match piece.and_then(|piece| piece.fix.as_ref()) {
            Some(fix) if fix.action.can_restore() && !self.options.gap_undecided => {
                Decision::LeaveUnrepaired(self.undecided.clone())
            }
            Some(fix) if fix.action == RepairAction::SetAsideTail && part.range.end == end => Decision::SetAsideTail,
            _ => Decision::FillWithGap,
        }
    }
}

/// True for a damaged frame that the options select, without a proven local fix and without a chosen candidate.
fn needs_donor(options: &RepairOptions, proposed: &ProposedFix) -> bool {
    let is_damaged_frame = is_fillable(proposed.finding.kind);
    let local_fix = proposed.restoring_fix();
    let is_proven = local_fix.is_some_and(|fix| fix.certainty == Some(Certainty::Proven));
    let is_local_candidate = |number| local_fix.is_some_and(|fix| (1..=fix.candidates.len()).contains(&number));
    let is_chosen = options.choice_at(proposed.finding.start).is_some_and(is_local_candidate);
    // Bytes after the end of a segment are at no offset of the log.
    let is_damaged_frame = is_damaged_frame && proposed.finding.evidence.excess_bytes.is_none();
    is_damaged_frame && options.is_selected(&proposed.finding) && !is_proven && !is_chosen
}

/// The offers for a finding: the candidates of its local fix, followed by the frames of donors.
struct PieceOffer<'a> {
    /// The fix that was found in the log itself, without a donor.
    local_fix: Option<&'a Fix>,
    /// The donor's range that the finding is part of.
    donor_range: Option<&'a DonorRange>,
    /// The donor's range, when the finding is the first of the range: a range is chosen by its first finding.
    selectable_range: Option<&'a DonorRange>,
}

/// The user's choice for a finding.
#[derive(Debug, Clone, Copy)]
enum SelectedFix {
    /// The candidate of the local fix with this index.
    LocalCandidate(usize),
    /// All frames of donors in the range that starts with the finding.
    Donor,
}

impl PieceOffer<'_> {
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
    ) -> Result<Option<SelectedFix>, StorageError> {
        let start = proposed.finding.start;
        let Some(number) = options.choice_at(start) else { return Ok(None) };
        let local = self.candidate_count();
        match self.selectable_range {
            _ if (1..=local).contains(&number) => Ok(Some(SelectedFix::LocalCandidate(number - 1))),
            Some(_) if number == local + 1 => Ok(Some(SelectedFix::Donor)),
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
            certainty: Some(range.certainty()),
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
        return Decision::LeaveUnrepaired(UnrepairedRange::NOT_SELECTED.into());
    }
    if kind == DamageKind::InvalidEvent {
        let reason = "its checksum is valid: the bytes are as they were written, so there is nothing to restore";
        return Decision::LeaveUnrepaired(reason.into());
    }
    let accepted = match (selected, offer.local_fix.and_then(|fix| fix.certainty)) {
        (Some(SelectedFix::LocalCandidate(index)), _) => offer.edit(index),
        (_, Some(Certainty::Proven)) => offer.edit(0),
        (_, Some(Certainty::Likely)) if options.accept_likely => offer.edit(0),
        _ => None,
    };
    if let Some(decision) = accepted {
        return decision;
    }
    if options.forget_lost_end && kind == DamageKind::Truncated && proposed.repaired_end() > proposed.finding.end {
        return if proposed.finding.range().is_empty() { Decision::ForgetLostEnd } else { Decision::SetAsideTail };
    }
    // An end that is set aside without a donor is set aside with one too: it is saved, and the donor may be another log.
    if proposed.fix.as_ref().is_some_and(|fix| fix.action == RepairAction::SetAsideTail) {
        return Decision::SetAsideTail;
    }
    if kind == DamageKind::Header && offer.choice_count() == 0 {
        let reason =
            "nothing shows what the header was: name a donor with the same events, or restore the index of the log";
        return Decision::LeaveUnrepaired(reason.into());
    }
    let is_offered = offer.local_fix.is_some() || offer.donor_range.is_some();
    if is_offered && (!options.gap_undecided || kind == DamageKind::Header) {
        return Decision::LeaveUnrepaired(undecided_reason(proposed, offer));
    }
    Decision::FillWithGap
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
    if kind == DamageKind::Truncated {
        options.push("--forget".to_owned());
    }
    let options = match options.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => options.concat(),
    };
    format!("you have not chosen yet: use {options}")
}
