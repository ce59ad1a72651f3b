//! [`plan_retention`]: finds the whole sealed segments at the front of a log that the limits of a retention remove.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::StorageError;
use crate::file::{SegmentCondition, SegmentSet};
use crate::format::EventView;
use crate::index::AggregateIndex;
use crate::inspect::{DamagePolicy, FrameContent, LogView, LogWalk, OnProgress, WalkItem, classify_frame};
use crate::repair::types::{
    EmptiedAggregates, PlannedSegment, RetentionLimit, RetentionPlan, WorkMeter, refused_error,
};

/// The number of frames after which the progress is reported.
const FRAMES_PER_CHECK: u64 = 4096;
/// The next step for a log that has no segments.
const MAKE_SEGMENTS: &str = "Copy the events to keep with `chronicle compact LOG -o NEW`";

/// Plans to remove the segments at the front of a log that one of `limits` allows to remove. Writes nothing.
///
/// Only whole sealed segments are removed, never the last one. The number of their events, their times and the aggregates
/// that lose all events come from the indexes; a segment without an index is read.
///
/// # Errors
/// `Refused` for a log in one file; `Io`, `Changed`, `OutOfMemory` when the log cannot be read; `Cancelled` when
/// `on_progress` breaks.
pub fn plan_retention(
    view: &LogView,
    limits: &[RetentionLimit],
    on_progress: &mut OnProgress,
) -> Result<RetentionPlan, StorageError> {
    let segments = view.segments().ok_or_else(|| {
        let reason = "retention removes whole segments, and the log is one file".to_owned();
        refused_error(view.path(), reason, MAKE_SEGMENTS)
    })?;
    let log_end = view.log().len()?;
    let (bases, old_start) = (segments.bases(), segments.log_start());
    let created_at_ms: Vec<Option<u64>> = bases.iter().map(|base| creation_time(view, *base)).collect();
    let removed = limits.iter().map(|limit| limit.removed_segments(&bases, &created_at_ms, log_end)).max();
    let removed = removed.unwrap_or_default();
    let new_start = if removed == 0 { old_start } else { bases.get(removed).copied().unwrap_or(old_start) };
    let meter = WorkMeter::new(new_start.saturating_sub(old_start), on_progress);
    let mut planned = Vec::new();
    for (at, base) in bases.iter().take(removed).enumerate() {
        let end = bases.get(at + 1).copied().unwrap_or(log_end);
        let sealed_at_ms = created_at_ms.get(at + 1).copied().flatten();
        planned.push(plan_segment(view, segments, *base..end, &meter)?.sealed_at(sealed_at_ms));
    }
    let active = bases.last().copied().unwrap_or(old_start)..log_end;
    let is_old = |ms: u64| created_at_ms.last().copied().flatten().is_some_and(|created| created <= ms);
    let limits_in_active = limits.iter().filter(|limit| match limit.offset(log_end) {
        Some(offset) => offset > active.start,
        None => matches!(limit, RetentionLimit::BeforeTime(ms) if is_old(*ms)),
    });
    let limits_in_active: Vec<RetentionLimit> = limits_in_active.copied().collect();
    Ok(RetentionPlan {
        path: view.path().to_owned(),
        log_id: segments.log_id(),
        limits: limits.to_vec(),
        old_start,
        new_start,
        emptied: if removed == 0 {
            Some(EmptiedAggregates::default())
        } else {
            emptied_aggregates(view, new_start..log_end, &meter)?
        },
        segments: planned,
        kept_segments: (bases.len() - removed) as u64,
        kept_bytes: log_end.saturating_sub(bases.get(removed).copied().unwrap_or(old_start)),
        active_over_limit: count_over_limit(view, active, &limits_in_active, &meter)?,
    })
}

impl RetentionLimit {
    /// Returns the offset before which the limit removes events, in a log that ends at `log_end`; `None` for a limit of time.
    fn offset(self, log_end: u64) -> Option<u64> {
        match self {
            Self::BeforeOffset(offset) => Some(offset),
            Self::KeepBytes(bytes) => Some(log_end.saturating_sub(bytes)),
            Self::BeforeTime(_) => None,
        }
    }

    /// Returns how many segments at the front the limit removes. The last segment always stays.
    fn removed_segments(self, bases: &[u64], created_at_ms: &[Option<u64>], log_end: u64) -> usize {
        match (self.offset(log_end), self) {
            (Some(offset), _) => bases.iter().skip(1).take_while(|base| **base <= offset).count(),
            // A later segment that was created in time shows that those before it were: one wrong clock pins nothing.
            (None, Self::BeforeTime(ms)) => {
                let is_in_time = |created: &Option<u64>| created.is_some_and(|created| created <= ms);
                created_at_ms.iter().rposition(is_in_time).unwrap_or_default()
            }
            (None, _) => 0,
        }
    }

    /// True when an event at this offset is over the limit.
    fn excludes(self, offset: u64, event: &EventView, log_end: u64) -> bool {
        match self {
            Self::BeforeTime(ms) => event.write_timestamp_ms() < ms,
            other => other.offset(log_end).is_some_and(|limit| offset < limit),
        }
    }
}

impl PlannedSegment {
    fn sealed_at(self, sealed_at_ms: Option<u64>) -> Self {
        Self { sealed_at_ms, ..self }
    }
}

/// Returns the creation time in the intact header of a segment.
fn creation_time(view: &LogView, base: u64) -> Option<u64> {
    let segment = view.segment_view(base).ok()?;
    segment.intact_header().and(segment.created_at_ms())
}

/// Describes the segment with this range: by its index, or by reading it.
fn plan_segment(
    view: &LogView,
    segments: &dyn SegmentSet,
    range: Range<u64>,
    meter: &WorkMeter,
) -> Result<PlannedSegment, StorageError> {
    let bounds = segments.segment_at(range.start);
    let bytes = match bounds.condition {
        SegmentCondition::Present => bounds.data_end - bounds.base + segments.excess_bytes(range.start),
        _ => 0,
    };
    let empty = PlannedSegment { base: range.start, bytes, events: 0, times_ms: None, sealed_at_ms: None };
    if let Some(index) = complete_index(view, &range) {
        meter.advance(range.end - range.start)?;
        let times = index.blocks().map(|block| block.time_range);
        let times_ms = times.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
        return Ok(PlannedSegment { events: index.coverage().events, times_ms, ..empty });
    }
    let mut planned = empty;
    for_each_event(view, range, meter, &mut |_, event| {
        let time = event.write_timestamp_ms();
        let (first, last) = planned.times_ms.unwrap_or((time, time));
        planned.times_ms = Some((first.min(time), last.max(time)));
        planned.events += 1;
    })?;
    Ok(planned)
}

/// Returns the index of a sealed segment, when it covers the segment to its end.
fn complete_index(view: &LogView, range: &Range<u64>) -> Option<AggregateIndex> {
    let segment = view.segment_view(range.start).ok()?;
    let index = AggregateIndex::from_persisted(segment.trusted_index()?).ok()?;
    (index.coverage().scanned_to == range.end).then_some(index)
}

/// Returns the aggregates with no event in `kept`, the part of the log that stays; `None` when the indexes do not show them.
fn emptied_aggregates(
    view: &LogView,
    kept: Range<u64>,
    meter: &WorkMeter,
) -> Result<Option<EmptiedAggregates>, StorageError> {
    let index = view.load_index();
    let covered = index.coverage().scanned_to;
    if !index.covers_log_start() || covered < kept.start {
        return Ok(None);
    }
    let mut not_indexed = BTreeSet::new();
    for_each_event(view, covered..kept.end, meter, &mut |_, event| not_indexed.extend(event.aggregate_id()))?;
    let mut emptied = EmptiedAggregates::default();
    for summary in index.iter() {
        let Ok(summary) = summary else { return Ok(None) };
        if summary.last < kept.start && !not_indexed.contains(&summary.id) {
            emptied.push(summary.id);
        }
    }
    Ok(Some(emptied))
}

/// Counts the events in `range` that are over one of `limits`.
fn count_over_limit(
    view: &LogView,
    range: Range<u64>,
    limits: &[RetentionLimit],
    meter: &WorkMeter,
) -> Result<u64, StorageError> {
    let (log_end, mut count) = (range.end, 0);
    if !limits.is_empty() {
        for_each_event(view, range, meter, &mut |offset, event| {
            count += u64::from(limits.iter().any(|limit| limit.excludes(offset, event, log_end)));
        })?;
    }
    Ok(count)
}

/// Calls `visit` with the offset of each event in `range`. Damage is skipped.
fn for_each_event(
    view: &LogView,
    range: Range<u64>,
    meter: &WorkMeter,
    visit: &mut dyn FnMut(u64, &EventView),
) -> Result<(), StorageError> {
    let (version, log_end) = (view.log().version(), view.log().len()?);
    let mut walk = LogWalk::new(view, range.clone(), log_end).with_policy(DamagePolicy::Skip);
    let (mut frames, mut reported) = (0u64, range.start);
    while let Some(item) = walk.next_before(range.end)? {
        if let WalkItem::Frame(at, frame) = item
            && let FrameContent::Event(event) = classify_frame(&frame, version)
        {
            visit(at, &event);
        }
        frames += 1;
        if frames.is_multiple_of(FRAMES_PER_CHECK) {
            meter.advance(walk.position() - reported)?;
            reported = walk.position();
        }
    }
    meter.advance(range.end.saturating_sub(reported))
}
