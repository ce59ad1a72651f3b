//! [`Timeline`]: the events that a filter shows and the damage between them, in equal intervals of time.

use std::ops::Range;

use super::counted_blocks::{CountedRange, counted_ranges};
use super::event_fold::{EventSelection, fold_events};
use super::event_times::{EventTimes, read_time};
use super::filter::{Filter, FindingRows};
use super::row::ReadStart;
use super::time_series::TimeSeries;
use super::timeline_interval::TimelineInterval;
use super::timeline_totals::{TimelineTotals, UnplacedDamage};
use crate::StorageError;
use crate::format::EventView;
use crate::index::AggregateIndex;
use crate::inspect::{LogView, OnProgress};

/// The widths of an interval that a user can read, up to one day, in milliseconds: those up to a minute divide a minute, those
/// up to an hour divide an hour, and the others divide a day. After a day, each width is twice the one before it.
const WIDTHS_MS: [u64; 46] = [
    1, 2, 3, 4, 5, 10, 15, 20, 25, 30, 40, 50, 100, 150, 200, 250, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 6000,
    10_000, 12_000, 15_000, 20_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 600_000, 900_000,
    1_200_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];

/// The options of [`read_timeline`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TimelineOptions {
    /// The largest number of intervals.
    pub max_intervals: usize,
    /// The size in bytes of the parts that are read at the same time. The result does not depend on it.
    pub part_bytes: u64,
}

impl TimelineOptions {
    /// Creates options for at most `max_intervals` intervals.
    pub const fn new(max_intervals: usize) -> Self {
        Self { max_intervals, part_bytes: 4 << 20 }
    }

    /// Sets the size of the parts that are read at the same time; the default is 4 MiB.
    #[must_use]
    pub const fn part_bytes(mut self, bytes: u64) -> Self {
        self.part_bytes = bytes;
        self
    }
}

/// The events that a filter shows and the damage between them, in equal intervals of time.
///
/// A damaged range is counted at the time of the event before it, or of the event after it when the one before was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    series: TimeSeries<TimelineInterval>,
    /// The end of the part of the log that was counted.
    covered_to: u64,
    /// Whether a later part of the log can be added.
    is_extensible: bool,
    events: u64,
    damage_outside: u64,
    counted_from_index: u64,
}

impl Timeline {
    /// Returns the width of an interval in milliseconds.
    pub const fn width_ms(&self) -> u64 {
        self.series.width_ms()
    }

    /// Returns the start of the first interval, in milliseconds since the Unix epoch.
    pub const fn start_ms(&self) -> u64 {
        self.series.start_ms()
    }

    /// Returns the number of intervals.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// True when there are no intervals, because the log has no events and no damage.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over the intervals, by ascending time.
    pub fn intervals(&self) -> impl Iterator<Item = &TimelineInterval> + '_ {
        self.series.iter()
    }

    /// Returns the interval at a position, counted from 0.
    pub fn interval(&self, position: usize) -> Option<&TimelineInterval> {
        self.series.get(position)
    }

    /// Returns the position of the interval that contains a time; `None` when the time is outside the timeline.
    pub fn position_of(&self, time_ms: u64) -> Option<usize> {
        self.series.position_of(time_ms)
    }

    /// Returns the number of events in all intervals.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Returns the number of damaged ranges that belong to no interval: those at times that the filter does not permit, and
    /// those without an event before or after them.
    pub const fn damage_outside(&self) -> u64 {
        self.damage_outside
    }

    /// Returns how many of the events were counted by the index and not read from the log.
    pub const fn counted_from_index(&self) -> u64 {
        self.counted_from_index
    }

    /// Returns the end of the part of the log that was counted, in bytes.
    pub const fn covered_to(&self) -> u64 {
        self.covered_to
    }

    /// True when [`extend_timeline`] can add what was appended to the log since. False when the log ended with damage, because
    /// more bytes may make an event of it, and when the last extension made the intervals wider, because [`read_timeline`]
    /// would choose a narrower width.
    pub const fn is_extensible(&self) -> bool {
        self.is_extensible
    }
}

/// Counts the events that `filter` shows in at most [`TimelineOptions::max_intervals`] intervals of time.
///
/// The intervals cover the times of the log that the filter permits, also those without events. Events are counted from the
/// blocks of the index where a block lies in one interval and the filter shows all of its events; the rest is read from the
/// log with [`LogView::threads`] threads. Memory use is that of the intervals.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("accounts.log");
/// use std::ops::ControlFlow;
///
/// use chronicle::query::{Filter, TimelineOptions, read_timeline};
/// use chronicle::{Event, EventLog};
///
/// let mut log = EventLog::create(&path)?;
/// for kind in ["Created", "Updated", "Updated"] {
///     let event = Event::builder().event_type(kind).namespace("accounts").schema_id("Person").schema_version(1);
///     log.append(&event.payload_json("{}").build()?)?;
/// }
/// let filter = Filter::parse("type:Updated", 0)?;
/// let timeline =
///     read_timeline(log.view(), None, &filter, TimelineOptions::new(60), &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(timeline.intervals().map(|interval| interval.events).sum::<u64>(), 2);
/// # Ok(())
/// # }
/// ```
pub fn read_timeline(
    view: &LogView,
    index: Option<&AggregateIndex>,
    filter: &Filter,
    options: TimelineOptions,
    on_progress: &mut OnProgress,
) -> Result<Timeline, StorageError> {
    let filter = filter.clone().with_finding_rows(FindingRows::Shown);
    let max_intervals = options.max_intervals.max(1);
    let times = times_of_axis(view, index, &filter)?;
    let width_ms = times.map_or(1, |(first, last)| interval_width(first, last, max_intervals));
    let new_totals = || TimelineTotals::new(TimeSeries::new(width_ms, max_intervals), filter.time_bounds());
    let mut totals = new_totals();
    if let Some((first, last)) = times {
        totals.series.extend_to(first);
        totals.series.extend_to(last);
    }
    let counted =
        index.map(|index| counted_ranges(view.log(), index, &filter, |time_ms| time_ms / width_ms)).unwrap_or_default();
    for CountedRange { range, time_ms, events } in &counted {
        let first_offset = Some(range.start);
        totals.series.add(*time_ms, TimelineInterval { events: *events, damage: 0, first_offset });
    }
    let skipped: Vec<Range<u64>> = counted.iter().map(|counted| counted.range.clone()).collect();
    let end = view.log().len()?;
    let from = view.log().first_frame_offset().min(end);
    let part_bytes = options.part_bytes.max(1);
    let selection = EventSelection { view, index, filter: &filter, from, end, part_bytes, skipped: &skipped };
    fold_events(selection, &mut totals, &new_totals, on_progress)?;
    // The part that the index covers was read, or excluded by the index.
    let indexed_to = index.map_or(0, |index| index.coverage().covered_to);
    if indexed_to <= end {
        totals.covered_to = totals.covered_to.max(indexed_to);
    }
    finish(view, totals, counted.iter().map(|counted| counted.events).sum())
}

/// Adds what was appended to the log since `timeline` was read with the same filter.
///
/// # Errors
/// As for [`read_timeline`].
pub fn extend_timeline(
    timeline: &Timeline,
    view: &LogView,
    filter: &Filter,
    on_progress: &mut OnProgress,
) -> Result<Timeline, StorageError> {
    let filter = filter.clone().with_finding_rows(FindingRows::Shown);
    let (width_ms, max_intervals) = (timeline.width_ms(), timeline.series.max_intervals());
    let permitted = filter.time_bounds();
    let mut totals = TimelineTotals::new(timeline.series.clone(), permitted);
    totals.covered_to = timeline.covered_to;
    totals.damage_outside = timeline.damage_outside;
    let end = view.log().len()?;
    let from = timeline.covered_to.max(view.log().first_frame_offset()).min(end);
    let selection = EventSelection { view, index: None, filter: &filter, from, end, part_bytes: 4 << 20, skipped: &[] };
    let new_totals = || TimelineTotals::new(TimeSeries::new(width_ms, max_intervals), permitted);
    fold_events(selection, &mut totals, &new_totals, on_progress)?;
    let extended = finish(view, totals, timeline.counted_from_index)?;
    let is_extensible = extended.is_extensible && extended.width_ms() == width_ms;
    Ok(Timeline { is_extensible, ..extended })
}

/// Returns the earliest and the latest time of the log that the filter permits; `None` when the log has no events, as far as
/// that is known without reading it.
fn times_of_axis(
    view: &LogView,
    index: Option<&AggregateIndex>,
    filter: &Filter,
) -> Result<Option<(u64, u64)>, StorageError> {
    let at_ends = EventTimes::read(view)?.map(|EventTimes { first_ms, last_ms }| (first_ms, last_ms));
    let blocks = index.into_iter().flat_map(AggregateIndex::blocks).map(|block| block.time_range);
    let known = at_ends.into_iter().map(|(one, other)| (one.min(other), one.max(other))).chain(blocks);
    let all = known.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let Some(((first, last), bounds)) = all.zip(filter.time_bounds()) else { return Ok(None) };
    let permitted = (first.max(bounds.0), last.min(bounds.1));
    Ok((permitted.0 <= permitted.1).then_some(permitted))
}

/// Returns the smallest readable width with which `max_intervals` intervals cover the times from `first_ms` to `last_ms`.
fn interval_width(first_ms: u64, last_ms: u64, max_intervals: usize) -> u64 {
    readable_width(|width| last_ms / width - first_ms / width < max_intervals as u64)
}

/// Returns the smallest readable width of an interval, in milliseconds, with a property that all larger ones have too; the
/// largest possible width when none has it.
pub(crate) fn readable_width(has_property: impl Fn(u64) -> bool) -> u64 {
    let longer = std::iter::successors(WIDTHS_MS.last().copied(), |width| width.checked_mul(2)).skip(1);
    WIDTHS_MS.into_iter().chain(longer).find(|width| has_property(*width)).unwrap_or(u64::MAX)
}

/// Finds the times of damage that is still without one, and creates the timeline.
fn finish(view: &LogView, mut totals: TimelineTotals, counted_from_index: u64) -> Result<Timeline, StorageError> {
    for UnplacedDamage { start, end } in std::mem::take(&mut totals.unplaced) {
        let mut buf = Vec::new();
        let next = view.log().read_frame_at(end, &mut buf)?;
        let next = next.as_ref().and_then(|frame| EventView::parse(frame.payload(), view.log().version()).ok());
        let time = match next {
            Some(event) => Some(event.write_timestamp_ms()),
            None => read_time(view, ReadStart::backward(start))?,
        };
        totals.add_damage_at(time);
    }
    let TimelineTotals { series, damage_outside, covered_to, ends_with_damage, .. } = totals;
    let events = series.iter().map(|interval| interval.events).sum();
    Ok(Timeline { series, covered_to, is_extensible: !ends_with_damage, events, damage_outside, counted_from_index })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_readable_and_few_intervals_are_wasted() {
        let divides = |unit: u64, width: &u64| *width > unit || unit.is_multiple_of(*width);
        for width in WIDTHS_MS {
            let units = [60_000, 3_600_000, 86_400_000];
            assert!(units.iter().find(|unit| **unit >= width).is_some_and(|unit| divides(*unit, &width)), "{width}");
        }
        assert!(WIDTHS_MS.windows(2).all(|pair| pair[0] < pair[1] && pair[1] <= 2 * pair[0]));
        assert_eq!(interval_width(0, 269_999, 120), 3000);
        assert_eq!(interval_width(0, 0, 1), 1);
        assert_eq!(interval_width(0, 400 * 86_400_000, 100), 8 * 86_400_000);
        assert_eq!(interval_width(5, u64::MAX, 1), u64::MAX);
    }
}
