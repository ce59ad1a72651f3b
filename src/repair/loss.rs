//! What is given up: counted from the index where it has seen the range whole, bounded by its size where not.

use std::ops::{ControlFlow, Range};

use super::{Loss, PlannedPiece, RepairAction, RepairStep};
use crate::StorageError;
use crate::format::DamageKind;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// The shortest event that Chronicle writes, with its frame, in bytes.
const MIN_EVENT_BYTES: u64 = 107;
/// Aggregates looked through between two looks whether to go on.
const AGGREGATES_PER_CHECK: u64 = 4096;

/// What the pieces of a range that ends at `end` can hold at most.
pub(super) fn estimate_max_loss(pieces: &[PlannedPiece], end: u64) -> Loss {
    let of = |piece: &PlannedPiece| match DamageKind::from_name(&piece.kind) {
        // One frame, in its place.
        Some(DamageKind::Checksum) => 1,
        Some(
            DamageKind::Zeros
            | DamageKind::Length
            | DamageKind::TornTail
            | DamageKind::Garbage
            | DamageKind::Truncated
            | DamageKind::Header
            | DamageKind::InvalidEvent
            | DamageKind::Gap
            | DamageKind::Clock
            | DamageKind::Unreadable,
        )
        | None => 1.max((piece.end - piece.start) / MIN_EVENT_BYTES),
    };
    let behind = pieces.last().map_or(0, |piece| end.saturating_sub(piece.end)) / MIN_EVENT_BYTES;
    Loss { at_most: pieces.iter().map(of).sum::<u64>() + behind, ..Loss::default() }
}

/// Counts what the index knows of the ranges that steps give up, and of what is forgotten: from where the log ends to
/// where an index has seen it end.
pub(super) fn count_losses(
    view: &LogView,
    steps: &mut [RepairStep],
    mut forgotten: Option<(u64, u64, &mut Loss)>,
    on: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    let again = forgotten.as_mut().map(|(from, to, loss)| (*from, *to, &mut **loss));
    count_from_postings(view, steps, again, on)?;
    for step in steps.iter_mut().filter(|step| step.action == RepairAction::Gap) {
        if let Some((lost, others)) = step.pieces.split_last()
            && lost.kind == DamageKind::Truncated.name()
        {
            let others = if others.is_empty() { 0 } else { estimate_max_loss(others, lost.start).at_most };
            narrow_lost_end(view, lost.start, others, &mut step.loss)?;
        }
    }
    forgotten.map_or(Ok(()), |(from, _, loss)| narrow_lost_end(view, from, 0, loss))
}

/// The same number for an end that is gone as its finding has: by the events before it, or as an index that was built
/// since carries it on. Of what else the range holds, there are `others` at most.
fn narrow_lost_end(view: &LogView, from: u64, others: u64, loss: &mut Loss) -> Result<(), StorageError> {
    if loss.at_least < loss.at_most
        && let Some((lost, _)) = view.count_lost_events(from)?
    {
        loss.at_least = loss.at_least.max(lost);
        loss.at_most = loss.at_most.min(lost + others).max(loss.at_least);
    }
    Ok(())
}

/// Counts by the postings, which name the events of aggregates.
fn count_from_postings(
    view: &LogView,
    steps: &mut [RepairStep],
    forgotten: Option<(u64, u64, &mut Loss)>,
    on: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), StorageError> {
    let Some(index) = view.trusted_index().and_then(|index| AggregateIndex::from_persisted(index).ok()) else {
        return Ok(());
    };
    let covered_to = index.coverage().covered_to;
    let known = |range: &Range<u64>| {
        range.end <= covered_to
            && index.build_damage().iter().all(|bad| bad.end <= range.start || range.end <= bad.start)
    };
    let fenced = steps.iter_mut().filter(|step| step.action == RepairAction::Gap && !step.loss.is_zero());
    let mut ranges: Vec<(Range<u64>, &mut Loss)> =
        fenced.map(|step| (step.start..step.new_end, &mut step.loss)).collect();
    if let Some((from, to, loss)) = forgotten {
        *loss = Loss { at_most: 1.max((to - from) / MIN_EVENT_BYTES), ..Loss::default() };
        ranges.push((from..to, loss));
    }
    ranges.retain(|(range, _)| known(range));
    if ranges.is_empty() {
        return Ok(());
    }
    let bounds: Vec<u64> = ranges.iter().map(|(_, loss)| loss.at_most).collect();
    for (_, loss) in &mut ranges {
        **loss = Loss::default();
    }
    let mut named = 0;
    for (n, aggregate) in (0u64..).zip(index.iter()) {
        if n % AGGREGATES_PER_CHECK == 0 && on(covered_to, covered_to).is_break() {
            return Err(StorageError::Cancelled);
        }
        let fault = |fault: crate::index::IndexFault| fault.into_error(view.index_path());
        let aggregate = aggregate.map_err(fault)?;
        named += aggregate.events;
        let touched = |range: &Range<u64>| aggregate.first < range.end && range.start <= aggregate.last;
        if !ranges.iter().any(|(range, _)| touched(range)) {
            continue;
        }
        for offset in index.offsets(aggregate.id).map_err(fault)? {
            let offset = offset.map_err(fault)?;
            let at = ranges.partition_point(|(range, _)| range.end <= offset);
            if let Some((_, loss)) = ranges.get_mut(at).filter(|(range, _)| range.contains(&offset)) {
                loss.at_least += 1;
                loss.at_most += 1;
                if loss.aggregates.last() != Some(&aggregate.id) && loss.aggregates.len() < Loss::MAX_AGGREGATES {
                    loss.aggregates.push(aggregate.id);
                }
            }
        }
    }
    if named < index.coverage().events {
        // Events of no aggregate have no posting: how many of them lay there is not known.
        for ((_, loss), bound) in ranges.iter_mut().zip(bounds) {
            loss.at_most = loss.at_most.max(bound);
        }
    }
    Ok(())
}
