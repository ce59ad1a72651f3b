//! Checkpoints: the totals and counts of an index at one offset of the log, and their encoding. An index can be cut
//! back to a checkpoint.

use super::sparse_grid::Coalesce;
use crate::format::FrameIdentity;
use crate::format::index::{IndexHeader, put_varint, take_varint};

/// The totals of a part of the log: numbers of events and frames, its end, and its first and last frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// The end of the last valid frame.
    pub(crate) covered_to: u64,
    /// The number of events.
    pub(crate) events: u64,
    /// The number of valid frames: events, gaps, and frames whose payload is neither.
    pub(crate) frames: u64,
    /// The number of gaps.
    pub(crate) gaps: u64,
    /// The first frame.
    pub(crate) first_frame: Option<FrameIdentity>,
    /// The last frame.
    pub(crate) last_frame: Option<FrameIdentity>,
    /// The time of the last event, in milliseconds since the Unix epoch.
    pub(crate) last_time: Option<u64>,
}

impl Totals {
    /// Returns the totals of this part of the log and of `part`, which follows it, as one.
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

/// The totals and counts at a frame boundary, `totals.covered_to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) totals: Totals,
    /// The number of events of each name, by the name's slot.
    pub(super) counts: Vec<u64>,
}

impl Checkpoint {
    /// Converts a checkpoint of an index part to a checkpoint of the whole log. `totals` and `counts` are the values
    /// before the part, and `slots` maps each name slot of the part to the slot of that name in the whole index.
    pub(super) fn rebased(&self, totals: &Totals, counts: &[u64], slots: &[usize]) -> Self {
        let mut whole = counts.to_vec();
        for (slot, count) in slots.iter().zip(&self.counts) {
            if whole.len() <= *slot {
                whole.resize(slot + 1, 0);
            }
            if let Some(total) = whole.get_mut(*slot) {
                *total += count;
            }
        }
        Self { totals: totals.combined_with(&self.totals), counts: whole }
    }
}

impl Coalesce for Checkpoint {
    /// Keeps the earlier checkpoint, because checkpoints cannot be combined.
    fn coalesce(&mut self, _next: &Self) {}
}

/// Appends a checkpoint to `out`: its totals, the number of counts, and the counts, all as varints.
pub(super) fn encode_checkpoint(checkpoint: &Checkpoint, out: &mut Vec<u8>) {
    let totals = &checkpoint.totals;
    let (first, last) = (totals.first_frame.unwrap_or_default(), totals.last_frame.unwrap_or_default());
    let has_time = u64::from(totals.last_time.is_some());
    let numbers =
        [totals.covered_to, totals.events, totals.frames, totals.gaps, first.offset, u64::from(first.checksum)];
    let more_numbers = [last.offset, u64::from(last.checksum), has_time, totals.last_time.unwrap_or_default()];
    for number in numbers.into_iter().chain(more_numbers).chain([checkpoint.counts.len() as u64]) {
        put_varint(number, out);
    }
    for count in &checkpoint.counts {
        put_varint(*count, out);
    }
}

/// Decodes a checkpoint and removes it from the front of `rest`; `None` when the bytes are not a checkpoint, or when
/// its totals exceed those in the index header. `names` is the number of names in the index.
pub(super) fn decode_checkpoint(rest: &mut &[u8], names: u64, header: &IndexHeader) -> Option<Checkpoint> {
    let mut next = || take_varint(rest);
    let (covered_to, events, frames, gaps) = (next()?, next()?, next()?, next()?);
    let first = FrameIdentity { offset: next()?, checksum: u32::try_from(next()?).ok()? };
    let last = FrameIdentity { offset: next()?, checksum: u32::try_from(next()?).ok()? };
    let (has_time, time, len) = (next()?, next()?, next()?);
    let has_frames = frames > 0;
    let totals = Totals {
        covered_to,
        events,
        frames,
        gaps,
        first_frame: has_frames.then_some(first),
        last_frame: has_frames.then_some(last),
        last_time: (has_time == 1).then_some(time),
    };
    if covered_to > header.covered_to || len > names || events > header.events {
        return None;
    }
    let counts = (0..len).map(|_| take_varint(rest)).collect::<Option<Vec<_>>>()?;
    Some(Checkpoint { totals, counts })
}
