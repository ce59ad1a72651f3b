//! The numbers of an index at one place of the log, so that it can be cut back to there, and their bytes.

use super::sparse_grid::Coalesce;
use crate::format::index::{IndexHeader, put_varint, take_varint};

/// Numbers about the covered part of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// The end of the last valid frame.
    pub covered_to: u64,
    /// Events.
    pub events: u64,
    /// Valid frames: events, gaps and frames that are no events.
    pub frames: u64,
    /// Gaps.
    pub gaps: u64,
    /// Offset and checksum of the first frame.
    pub first_frame: Option<(u64, u32)>,
    /// Offset and checksum of the last frame.
    pub last_frame: Option<(u64, u32)>,
    /// Time of the last readable event.
    pub last_time: Option<u64>,
}

impl Totals {
    /// The numbers of this part of the log and of `part`, which lies behind.
    pub(super) fn combined_with(&self, part: &Self) -> Self {
        Self {
            covered_to: self.covered_to.max(part.covered_to),
            events: self.events + part.events,
            frames: self.frames + part.frames,
            gaps: self.gaps + part.gaps,
            first_frame: self.first_frame.or(part.first_frame),
            last_frame: part.last_frame.or(self.last_frame),
            last_time: part.last_time.or(self.last_time),
        }
    }
}

/// The numbers as they were at a frame boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) totals: Totals,
    /// By place of the names that were known there.
    pub(super) counts: Vec<u64>,
}

impl Checkpoint {
    /// The same for the whole log, where `totals` and `counts` are those of what lies before the part it was made in,
    /// and the part's names have these places.
    pub(super) fn rebased(&self, totals: &Totals, counts: &[u64], slots: &[usize]) -> Self {
        let mut whole = counts.to_vec();
        for (slot, count) in slots.iter().zip(&self.counts) {
            if whole.len() <= *slot {
                whole.resize(slot + 1, 0);
            }
            if let Some(own) = whole.get_mut(*slot) {
                *own += count;
            }
        }
        Self { totals: totals.combined_with(&self.totals), counts: whole }
    }
}

impl Coalesce for Checkpoint {
    fn coalesce(&mut self, _next: Self) {}
}

/// Appends a checkpoint: its numbers, then how many counts there are, then the counts, all of variable length.
pub(super) fn encode_checkpoint(checkpoint: &Checkpoint, out: &mut Vec<u8>) {
    let totals = &checkpoint.totals;
    let (first, last) = (totals.first_frame.unwrap_or_default(), totals.last_frame.unwrap_or_default());
    let has_time = u64::from(totals.last_time.is_some());
    let numbers = [totals.covered_to, totals.events, totals.frames, totals.gaps, first.0, u64::from(first.1)];
    let more = [last.0, u64::from(last.1), has_time, totals.last_time.unwrap_or_default()];
    for number in numbers.into_iter().chain(more).chain([checkpoint.counts.len() as u64]) {
        put_varint(number, out);
    }
    for count in &checkpoint.counts {
        put_varint(*count, out);
    }
}

/// Takes a checkpoint from the front of `rest`; `None` when it is none, or is out of the head's range.
pub(super) fn decode_checkpoint(rest: &mut &[u8], names: u64, head: &IndexHeader) -> Option<Checkpoint> {
    let mut next = || take_varint(rest);
    let (covered_to, events, frames, gaps) = (next()?, next()?, next()?, next()?);
    let first = (next()?, u32::try_from(next()?).ok()?);
    let last = (next()?, u32::try_from(next()?).ok()?);
    let (has_time, time, len) = (next()?, next()?, next()?);
    let some = frames > 0;
    let totals = Totals {
        covered_to,
        events,
        frames,
        gaps,
        first_frame: some.then_some(first),
        last_frame: some.then_some(last),
        last_time: (has_time == 1).then_some(time),
    };
    if covered_to > head.covered_to || len > names || events > head.events {
        return None;
    }
    let counts = (0..len).map(|_| take_varint(rest)).collect::<Option<Vec<_>>>()?;
    Some(Checkpoint { totals, counts })
}
