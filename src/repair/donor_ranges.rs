//! What a donor has for the damage that nothing better is known for: in lots, each taken as a whole or not at all.

use std::ops::Range;

use super::Certainty;
use super::decide::piece_new_end;
use super::donor::{Donor, DonorOffer, FrameRun, RefusalReason};
use super::fix_finder::ProposedFix;
use super::neighbours::Neighbours;
use crate::StorageError;
use crate::format::DamageKind;
use crate::inspect::LogView;

/// Adjacent pieces that valid frames of the donor fill from the first one's start to the last one's end: as few as that
/// takes, so that each frame is decided about by itself where the pieces are its frames.
#[derive(Debug, Clone)]
pub(super) struct DonorRange {
    /// Which of the pieces.
    pub(super) piece_indices: Range<usize>,
    /// Behind the last frame.
    pub(super) end: u64,
    pub(super) offer: DonorOffer,
}

/// What a donor has for some pieces, ascending, and what is to be said about the rest.
#[derive(Debug, Default)]
pub(super) struct DonorRanges {
    pub(super) ranges: Vec<DonorRange>,
    notes: Vec<(Range<u64>, String)>,
}

impl DonorRanges {
    /// For those of the pieces found that are `open`.
    pub(super) fn find(
        view: &LogView,
        donor: &Donor,
        found: &[ProposedFix],
        open: &[bool],
    ) -> Result<Self, StorageError> {
        let mut lots = Self::default();
        let is_open = |at: usize| open.get(at).is_some_and(|open| *open);
        let end_of = |at: usize| found.get(at).map(|piece| piece.finding.end);
        let mut from = 0;
        while from < found.len() {
            let mut to = from + 1;
            if is_open(from) {
                while is_open(to) && end_of(to - 1) == found.get(to).map(|piece| piece.finding.start) {
                    to += 1;
                }
                lots.add_adjacent_pieces(view, donor, from, found.get(from..to).unwrap_or_default())?;
            }
            from = to;
        }
        Ok(lots)
    }

    /// For adjacent pieces, the first of which is the one of number `base`.
    fn add_adjacent_pieces(
        &mut self,
        view: &LogView,
        donor: &Donor,
        base: usize,
        pieces: &[ProposedFix],
    ) -> Result<(), StorageError> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(()) };
        let file_end = view.log().len()?;
        let beside = Neighbours::find(view.log(), &(first.finding.start..last.finding.end), file_end)?;
        let seen = view.trusted_index().and_then(|index| index.last_seen_frame());
        let seen = seen.filter(|_| last.finding.kind == DamageKind::Truncated);
        // A frame that was torn is whole there, and whatever the log may have lost behind it; what an index has seen
        // behind it is a finding of its own.
        let is_torn = last.finding.end == file_end && view.trusted_index_end().is_none_or(|seen| seen <= file_end);
        let ends: Vec<u64> = pieces.iter().map(piece_new_end).collect();
        let mut at = 0;
        while let (Some(piece), Some(ends)) = (pieces.get(at), ends.get(at..)) {
            let start = piece.finding.start;
            let tiled = match donor.read_frames_to(start, ends)? {
                Ok((nth, held)) if ends.get(nth) == Some(&held.end) => Ok((nth, held)),
                Ok((nth, held)) if is_torn => {
                    let rest = donor.read_remaining_frames(held.end)?;
                    Ok((nth, FrameRun { end: rest.end, events: held.events + rest.events }))
                }
                Ok(_) => Err("its frames lie across the end of that"),
                Err(why) => Err(why),
            };
            match tiled {
                Ok((nth, FrameRun { end, events })) => {
                    let mut offer = donor.assess(start, events, &beside, seen)?;
                    if end > file_end && is_torn && !donor.has_same_bytes(view.log(), start..file_end)? {
                        offer.doubt = Some("what is there of the unfinished frame is another there");
                    }
                    if donor.has_same_header() {
                        self.note_doubt(start..end, &offer);
                    }
                    self.ranges.push(DonorRange { piece_indices: base + at..base + at + nth + 1, end, offer });
                    at += nth + 1;
                }
                Err(why) => {
                    self.note_refusal(piece.finding.start..piece.finding.end, why);
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn note_refusal(&mut self, range: Range<u64>, why: RefusalReason) {
        self.add_note(range, format!("nothing is taken from the donor: {why}"));
    }

    fn note_doubt(&mut self, range: Range<u64>, offer: &DonorOffer) {
        if let Some(why) = offer.doubt {
            self.add_note(range, format!("what the donor has there is only a choice: {why}"));
        }
    }

    /// Says the same of adjacent ranges once.
    fn add_note(&mut self, range: Range<u64>, said: String) {
        match self.notes.last_mut() {
            Some((last, before)) if last.end == range.start && *before == said => last.end = range.end,
            _ => self.notes.push((range, said)),
        }
    }

    /// The lot that the piece of this number lies in.
    pub(super) fn range_of_piece(&self, piece: usize) -> Option<&DonorRange> {
        let lot = self.ranges.get(self.ranges.partition_point(|lot| lot.piece_indices.end <= piece))?;
        lot.piece_indices.contains(&piece).then_some(lot)
    }

    /// What is to be said, in words.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.notes.iter().map(|(range, said)| format!("{}..{}: {said}", range.start, range.end))
    }
}

impl DonorRange {
    pub(super) fn is_proven(&self) -> bool {
        self.offer.certainty == Certainty::Proven
    }
}
