//! The ranges that a donor offers for undecided findings. A range is taken completely or not at all.

use std::ops::Range;

use super::donor::{CROSSES_END, Donor, DonorOffer, FrameRun, RefusalReason};
use super::neighbours::Neighbours;
use crate::StorageError;
use crate::format::DamageKind;
use crate::inspect::LogView;
use crate::repair::types::{Certainty, ProposedFix};

/// Adjacent pieces that frames of the donor fill from the start of the first to the end of the last.
///
/// A range has as few pieces as possible. Where every piece is one frame, every frame is decided separately.
#[derive(Debug, Clone)]
pub(super) struct DonorRange {
    /// Indices of the pieces.
    pub(super) piece_indices: Range<usize>,
    /// File offset after the last frame of the donor.
    pub(super) end: u64,
    pub(super) offer: DonorOffer,
}

impl DonorRange {
    pub(super) fn is_proven(&self) -> bool {
        self.offer.certainty == Certainty::Proven
    }
}

/// The ranges of a donor for a list of pieces, and notes about the pieces without a proven range.
#[derive(Debug, Default)]
pub(super) struct DonorRanges {
    /// The ranges, by ascending offset.
    ranges: Vec<DonorRange>,
    /// The notes, each with the range of the log that it is about.
    notes: Vec<(Range<u64>, String)>,
}

impl DonorRanges {
    /// Finds the donor's ranges for the undecided pieces of `found`.
    pub(super) fn find(
        view: &LogView,
        donor: &Donor,
        found: &[ProposedFix],
        is_undecided: impl Fn(&ProposedFix) -> bool,
    ) -> Result<Self, StorageError> {
        let mut ranges = Self::default();
        let is_joined =
            |a: &ProposedFix, b: &ProposedFix| is_undecided(a) && is_undecided(b) && a.finding.end == b.finding.start;
        let mut first = 0;
        for pieces in found.chunk_by(is_joined) {
            if pieces.first().is_some_and(&is_undecided) {
                ranges.add_adjacent_pieces(view, donor, first, pieces)?;
            }
            first += pieces.len();
        }
        Ok(ranges)
    }

    /// Adds the ranges for adjacent pieces. `first_index` is the index of the first of them.
    fn add_adjacent_pieces(
        &mut self,
        view: &LogView,
        donor: &Donor,
        first_index: usize,
        pieces: &[ProposedFix],
    ) -> Result<(), StorageError> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(()) };
        let log_end = view.log().len()?;
        let neighbours = Neighbours::find(view.log(), &(first.finding.start..last.finding.end), log_end)?;
        let last_seen = view.trusted_index().and_then(|index| index.last_seen_frame());
        let last_seen = last_seen.filter(|_| last.finding.kind == DamageKind::Truncated);
        // The donor may have the complete frame of a torn tail, and the frames that followed it. When an index has seen
        // a later end of the log, these frames belong to the finding for the lost end instead.
        let is_torn = last.finding.end == log_end && view.trusted_index_end().is_none_or(|seen| seen <= log_end);
        let ends: Vec<u64> = pieces.iter().map(ProposedFix::repaired_end).collect();
        let mut at = 0;
        while let (Some(piece), Some(ends)) = (pieces.get(at), ends.get(at..)) {
            let start = piece.finding.start;
            let tiled = match donor.read_frames_to(start, ends)? {
                Ok(run) if ends.get(run.end_index) == Some(&run.frames.end) => Ok((run.end_index, run.frames)),
                Ok(run) if is_torn => {
                    let rest = donor.read_remaining_frames(run.frames.end)?;
                    Ok((run.end_index, FrameRun { end: rest.end, events: run.frames.events + rest.events }))
                }
                Ok(_) => Err(CROSSES_END),
                Err(reason) => Err(reason),
            };
            match tiled {
                Ok((last_piece, FrameRun { end, events })) => {
                    let mut offer = donor.rate(start, events, &neighbours, last_seen)?;
                    if end > log_end && is_torn && !donor.has_same_bytes(start..log_end)? {
                        offer.doubt = Some("its bytes of the unfinished frame differ");
                    }
                    if donor.has_same_header() {
                        self.note_doubt(start..end, &offer);
                    }
                    let piece_indices = first_index + at..first_index + at + last_piece + 1;
                    self.ranges.push(DonorRange { piece_indices, end, offer });
                    at += last_piece + 1;
                }
                Err(reason) => {
                    self.note_refusal(piece.finding.range(), reason);
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn note_refusal(&mut self, range: Range<u64>, reason: RefusalReason) {
        self.add_note(range, format!("nothing is taken from the donor: {reason}"));
    }

    fn note_doubt(&mut self, range: Range<u64>, offer: &DonorOffer) {
        if let Some(reason) = offer.doubt {
            self.add_note(range, format!("the donor's bytes are only offered as a choice: {reason}"));
        }
    }

    /// Adds a note. Adjacent ranges with the same note share it.
    fn add_note(&mut self, range: Range<u64>, note: String) {
        match self.notes.last_mut() {
            Some((last, previous)) if last.end == range.start && *previous == note => last.end = range.end,
            _ => self.notes.push((range, note)),
        }
    }

    /// Returns the range that contains the piece with this index.
    pub(super) fn range_of_piece(&self, piece: usize) -> Option<&DonorRange> {
        let at = self.ranges.partition_point(|range| range.piece_indices.end <= piece);
        self.ranges.get(at).filter(|range| range.piece_indices.contains(&piece))
    }

    /// Returns the notes as text, each after the range of the log that it is about.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.notes.iter().map(|(range, note)| format!("{}..{}: {note}", range.start, range.end))
    }
}
