//! The notes of a plan about its donors.

use std::ops::Range;

use super::donor::Donor;
use super::donor_ranges::{DonorRanges, is_fillable};
use super::group::{Decision, PieceGroup};
use crate::StorageError;
use crate::format::Version;
use crate::repair::types::ProposedFix;

/// Returns the notes about the donors: a different header, how far each reaches, its frames, and the events that it has
/// after the log's end, which was at `seen_end` before by the index.
pub(super) fn donor_notes(
    donors: &[Donor],
    ranges: &DonorRanges,
    groups: &[PieceGroup],
    found: &[ProposedFix],
    seen_end: Option<u64>,
) -> Result<Vec<String>, StorageError> {
    let mut notes: Vec<String> = donors.iter().filter_map(Donor::header_mismatch_note).collect();
    // The steps of missing segments have their headers, which are no frames of a donor.
    let is_header = |range: &Range<u64>| {
        let writes = |group: &&PieceGroup| matches!(group.decision, Decision::WriteSegment(_));
        groups.iter().filter(writes).any(|group| {
            group.range.start <= range.start && range.end <= group.range.start + Version::V2.first_frame_offset()
        })
    };
    notes.extend(ranges.notes(is_header));
    let wanted_end = found.iter().filter(|proposed| is_fillable(proposed.finding.kind)).map(ProposedFix::repaired_end);
    let wanted_end = wanted_end.max().unwrap_or_default();
    let last = groups.last();
    let taken_to =
        last.filter(|group| matches!(group.decision, Decision::TakeFromDonor(_))).map(|group| group.range.end);
    // A lost end that is not taken from a donor is a finding, which reports how much is missing.
    let is_end_missing = last.is_some_and(PieceGroup::is_truncation) && taken_to.is_none();
    for donor in donors {
        notes.extend(donor.differing_frames_note()?);
        notes.extend(donor.reach_note(wanted_end)?);
        if !is_end_missing {
            notes.extend(donor.extra_frames_note(taken_to, seen_end)?);
        }
    }
    Ok(notes)
}
