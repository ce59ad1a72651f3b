//! The numbers of an index at one place of the log, and their bytes.

use super::build::{Checkpoint, Totals};
use crate::format::index::{Head, put_varint, take_varint};

/// Appends a checkpoint: its numbers, then how many counts there are, then the counts, all of variable length.
pub(super) fn encode_checkpoint(checkpoint: &Checkpoint, out: &mut Vec<u8>) {
    let totals = &checkpoint.totals;
    let (first, last) = (totals.first.unwrap_or_default(), totals.last.unwrap_or_default());
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
pub(super) fn decode_checkpoint(rest: &mut &[u8], names: u64, head: &Head) -> Option<Checkpoint> {
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
        first: some.then_some(first),
        last: some.then_some(last),
        last_time: (has_time == 1).then_some(time),
    };
    if covered_to > head.covered_to || len > names || events > head.events {
        return None;
    }
    let counts = (0..len).map(|_| take_varint(rest)).collect::<Option<Vec<_>>>()?;
    Some(Checkpoint { totals, counts })
}
