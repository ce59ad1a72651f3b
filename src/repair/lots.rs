//! What a donor has for the damage that nothing better is known for: in lots, each taken as a whole or not at all.

use std::ops::Range;

use super::Certainty;
use super::decide::new_end;
use super::donor::{Donor, Held, Offer, Why};
use super::neighbours::Beside;
use super::propose::Proposed;
use crate::StorageError;
use crate::format::Kind;
use crate::inspect::LogView;

/// Adjacent pieces that valid frames of the donor fill from the first one's start to the last one's end: as few as that
/// takes, so that each frame is decided about by itself where the pieces are its frames.
#[derive(Debug, Clone)]
pub(super) struct Lot {
    /// Which of the pieces.
    pub(super) pieces: Range<usize>,
    /// Behind the last frame.
    pub(super) end: u64,
    pub(super) offer: Offer,
}

/// What a donor has for some pieces, ascending, and what is to be said about the rest.
#[derive(Debug, Default)]
pub(super) struct Lots {
    pub(super) all: Vec<Lot>,
    notes: Vec<(Range<u64>, String)>,
}

impl Lots {
    /// For those of the pieces found that are `open`.
    pub(super) fn of(view: &LogView, donor: &Donor, found: &[Proposed], open: &[bool]) -> Result<Self, StorageError> {
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
                lots.fill(view, donor, from, found.get(from..to).unwrap_or_default())?;
            }
            from = to;
        }
        Ok(lots)
    }

    /// For adjacent pieces, the first of which is the one of number `base`.
    fn fill(&mut self, view: &LogView, donor: &Donor, base: usize, pieces: &[Proposed]) -> Result<(), StorageError> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(()) };
        let file_end = view.log().len()?;
        let beside = Beside::of(view.log(), &(first.finding.start..last.finding.end), file_end)?;
        let seen = view.witness().and_then(|index| index.last_seen());
        let seen = seen.filter(|_| last.finding.kind == Kind::Truncated);
        // A frame that was torn is whole there, and whatever the log may have lost behind it; what an index has seen
        // behind it is a finding of its own.
        let is_torn = last.finding.end == file_end && view.witnessed_end().is_none_or(|seen| seen <= file_end);
        let ends: Vec<u64> = pieces.iter().map(new_end).collect();
        let mut at = 0;
        while let (Some(piece), Some(ends)) = (pieces.get(at), ends.get(at..)) {
            let start = piece.finding.start;
            let tiled = match donor.frames(start, ends)? {
                Ok((nth, held)) if ends.get(nth) == Some(&held.end) => Ok((nth, held)),
                Ok((nth, held)) if is_torn => {
                    let rest = donor.rest(held.end)?;
                    Ok((nth, Held { end: rest.end, events: held.events + rest.events }))
                }
                Ok(_) => Err("its frames lie across the end of that"),
                Err(why) => Err(why),
            };
            match tiled {
                Ok((nth, Held { end, events })) => {
                    let mut offer = donor.judge(start, events, &beside, seen)?;
                    if end > file_end && is_torn && !donor.agrees(view.log(), start..file_end)? {
                        offer.doubt = Some("what is there of the unfinished frame is another there");
                    }
                    if donor.has_same_header() {
                        self.doubt(start..end, &offer);
                    }
                    self.all.push(Lot { pieces: base + at..base + at + nth + 1, end, offer });
                    at += nth + 1;
                }
                Err(why) => {
                    self.refuse(piece.finding.start..piece.finding.end, why);
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, range: Range<u64>, why: Why) {
        self.note(range, format!("nothing is taken from the donor: {why}"));
    }

    fn doubt(&mut self, range: Range<u64>, offer: &Offer) {
        if let Some(why) = offer.doubt {
            self.note(range, format!("what the donor has there is only a choice: {why}"));
        }
    }

    /// Says the same of adjacent ranges once.
    fn note(&mut self, range: Range<u64>, said: String) {
        match self.notes.last_mut() {
            Some((last, before)) if last.end == range.start && *before == said => last.end = range.end,
            _ => self.notes.push((range, said)),
        }
    }

    /// The lot that the piece of this number lies in.
    pub(super) fn at(&self, piece: usize) -> Option<&Lot> {
        let lot = self.all.get(self.all.partition_point(|lot| lot.pieces.end <= piece))?;
        lot.pieces.contains(&piece).then_some(lot)
    }

    /// What is to be said, in words.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.notes.iter().map(|(range, said)| format!("{}..{}: {said}", range.start, range.end))
    }
}

impl Lot {
    pub(super) fn is_proven(&self) -> bool {
        self.offer.certainty == Certainty::Proven
    }
}
