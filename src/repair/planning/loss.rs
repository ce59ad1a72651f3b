//! The number of events that a plan gives up: counted in the index where it covers the range, otherwise estimated from
//! the size of the range.

use std::ops::Range;

use crate::StorageError;
use crate::format::DamageKind;
use crate::index::{IndexFault, IndexState};
use crate::inspect::LogView;
use crate::repair::types::{Loss, PlannedPiece, RepairAction, RepairStep, StepWrite, WorkMeter};

/// Number of aggregates, or of offsets of one aggregate, that are read between two checks for cancellation.
const AGGREGATES_PER_CHECK: u64 = 4096;

/// The end of a log that a plan gives up together with the index's record of it.
#[derive(Debug)]
pub(super) struct ForgottenEnd {
    /// The end of the log once the plan is applied.
    pub(super) start: u64,
    /// The end of the log that the index has recorded.
    pub(super) end: u64,
    /// The events between `start` and `end`.
    pub(super) loss: Loss,
}

/// Estimates the largest number of events in a range that ends at `end` and consists of `pieces`.
pub(super) fn estimate_max_loss(pieces: &[PlannedPiece], end: u64) -> Loss {
    let max_events = |piece: &PlannedPiece| match DamageKind::from_name(&piece.kind) {
        // The piece is exactly one frame.
        Some(DamageKind::Checksum) => 1,
        Some(
            DamageKind::Zeros
            | DamageKind::Length
            | DamageKind::TornTail
            | DamageKind::Garbage
            | DamageKind::Truncated
            | DamageKind::Lost
            | DamageKind::Header
            | DamageKind::InvalidEvent
            | DamageKind::Gap
            | DamageKind::Clock
            | DamageKind::Unreadable,
        )
        | None => 1.max((piece.end - piece.start) / Loss::MIN_EVENT_BYTES),
    };
    let bytes_after = pieces.last().map_or(0, |piece| end.saturating_sub(piece.end));
    let at_most = pieces.iter().map(max_events).sum::<u64>() + bytes_after / Loss::MIN_EVENT_BYTES;
    Loss { at_most, ..Loss::default() }
}

/// Replaces the estimated losses of `steps` and of the forgotten end with counts from the index.
///
/// # Errors
/// `Cancelled` when the caller of `meter` cancels; `Io`, `Changed` when the index or the log cannot be read.
pub(super) fn count_losses(
    view: &LogView,
    steps: &mut [RepairStep],
    mut forgotten: Option<&mut ForgottenEnd>,
    meter: &WorkMeter,
) -> Result<(), StorageError> {
    if let Some(end) = forgotten.as_deref_mut() {
        end.loss = Loss::up_to_bytes(end.end - end.start);
    }
    match count_by_postings(view, steps, forgotten.as_deref_mut(), meter) {
        // The estimates stay.
        Err(StorageError::UnusableIndex { reason, .. }) => view.mark_index_unusable(IndexState::Corrupt { reason }),
        counted => counted?,
    }
    for step in steps.iter_mut() {
        count_by_leftover_indexes(view, step);
    }
    let log_end = view.log().len()?;
    for step in steps.iter_mut().filter(|step| matches!(step.action, RepairAction::Gap | RepairAction::GiveUp)) {
        // The count of the index is about the end of the log.
        if let Some((lost_end, others)) = step.pieces.split_last()
            && lost_end.kind == DamageKind::Truncated.name()
            && lost_end.end == log_end
        {
            let other_events = if others.is_empty() { 0 } else { estimate_max_loss(others, lost_end.start).at_most };
            narrow_end_loss(view, lost_end.start, other_events, &mut step.loss)?;
        }
    }
    forgotten.map_or(Ok(()), |end| narrow_end_loss(view, end.start, 0, &mut end.loss))
}

/// Counts the events of the missing segments that a step gives up in the indexes that these have left. What no index covers stays
/// estimated.
fn count_by_leftover_indexes(view: &LogView, step: &mut RepairStep) {
    let StepWrite::GiveUp(lost) = &step.write else { return };
    let range = step.start..lost.end;
    let mut indexes = view.leftover_indexes(&range).into_iter().peekable();
    let (mut counted, mut uncounted) = (Loss::default(), range.end - range.start);
    while let Some((base, index)) = indexes.next() {
        let end = indexes.peek().map_or(range.end, |(next, _)| *next);
        let coverage = index.coverage();
        // An index that goes beyond its segment is about another one.
        if coverage.covered_to > end {
            continue;
        }
        let aggregates: Option<Vec<u64>> =
            index.iter().take(Loss::MAX_AGGREGATES).map(|found| found.ok().map(|found| found.id)).collect();
        let Some(aggregates) = aggregates else { continue };
        counted.merge(&Loss { at_least: coverage.events, at_most: coverage.events, aggregates });
        uncounted = uncounted.saturating_sub(coverage.covered_to.saturating_sub(base));
    }
    if counted.at_least > 0 {
        counted.merge(&Loss::up_to_bytes(uncounted));
        step.loss = counted;
    }
}

/// Narrows the loss at the end of the log to the number that the `truncated` finding reports.
///
/// That number follows from the count of events before the end, or from the record that a rebuilt index has kept of the
/// lost end. The range may contain up to `other_events` more.
fn narrow_end_loss(view: &LogView, start: u64, other_events: u64, loss: &mut Loss) -> Result<(), StorageError> {
    if loss.at_least < loss.at_most
        && let Some(lost) = view.count_lost_events(start)?
    {
        loss.at_least = loss.at_least.max(lost.events);
        loss.at_most = loss.at_most.min(lost.events + other_events).max(loss.at_least);
    }
    Ok(())
}

/// Counts the events in the ranges that are given up by the postings of the index: its lists of offsets by aggregate.
fn count_by_postings(
    view: &LogView,
    steps: &mut [RepairStep],
    mut forgotten: Option<&mut ForgottenEnd>,
    meter: &WorkMeter,
) -> Result<(), StorageError> {
    let Some(index) = view.trusted_content() else {
        return Ok(());
    };
    let covered_to = index.coverage().covered_to;
    let is_fully_indexed = |range: &Range<u64>| {
        range.end <= covered_to
            && index.build_damage().iter().all(|bad| bad.end <= range.start || range.end <= bad.start)
    };
    let mut ranges: Vec<LossRange> = Vec::new();
    for (nth, step) in steps.iter().enumerate().filter(|(_, step)| !step.loss.is_zero()) {
        let gaps: Vec<Range<u64>> = step.gaps().collect();
        if gaps.iter().all(is_fully_indexed) {
            ranges.extend(gaps.into_iter().map(|range| LossRange { step: Some(nth), range, loss: Loss::default() }));
        }
    }
    if let Some(end) = &mut forgotten {
        let range = end.start..end.end;
        if is_fully_indexed(&range) {
            ranges.push(LossRange { step: None, range, loss: Loss::default() });
        }
    }
    if ranges.is_empty() {
        return Ok(());
    }
    let to_error = |fault: IndexFault| fault.into_error(view.index_path());
    let mut events_with_aggregate = 0;
    for (n, aggregate) in (0u64..).zip(index.iter()) {
        if n % AGGREGATES_PER_CHECK == 0 {
            meter.advance(0)?;
        }
        let aggregate = aggregate.map_err(to_error)?;
        events_with_aggregate += aggregate.events;
        let overlaps = |range: &Range<u64>| aggregate.first < range.end && range.start <= aggregate.last;
        if !ranges.iter().any(|counted| overlaps(&counted.range)) {
            continue;
        }
        for (n, offset) in (1u64..).zip(index.offsets(aggregate.id).map_err(to_error)?) {
            let offset = offset.map_err(to_error)?;
            if n % AGGREGATES_PER_CHECK == 0 {
                meter.advance(0)?;
            }
            let at = ranges.partition_point(|counted| counted.range.end <= offset);
            if let Some(LossRange { loss, .. }) = ranges.get_mut(at).filter(|counted| counted.range.contains(&offset)) {
                loss.at_least += 1;
                loss.at_most += 1;
                if loss.aggregates.last() != Some(&aggregate.id) && loss.aggregates.len() < Loss::MAX_AGGREGATES {
                    loss.aggregates.push(aggregate.id);
                }
            }
        }
    }
    // Events without an aggregate are in no posting list, so their number in a range is unknown.
    let is_complete = events_with_aggregate >= index.coverage().events;
    for (nth, counted) in ranges.iter().enumerate() {
        let loss = match counted.step {
            Some(step) => steps.get_mut(step).map(|step| &mut step.loss),
            None => forgotten.as_deref_mut().map(|end| &mut end.loss),
        };
        let Some(loss) = loss else { continue };
        let is_first = ranges.get(nth.wrapping_sub(1)).is_none_or(|before| before.step != counted.step);
        let estimate = loss.at_most;
        if is_first {
            *loss = Loss::default();
        }
        loss.merge(&counted.loss);
        if !is_complete {
            loss.at_most = loss.at_most.max(estimate);
        }
    }
    Ok(())
}

/// A range whose events are counted, for a step or for the forgotten end.
struct LossRange {
    /// Index of the step; `None` for the forgotten end.
    step: Option<usize>,
    range: Range<u64>,
    loss: Loss,
}
