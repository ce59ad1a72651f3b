//! The state of the timeline: the number of events over time above the list.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Model;
use crate::query::{Filter, FindingRows, RowContent, Timeline, TimelineInterval, time_span_words};

/// The state of the timeline.
#[derive(Debug, Clone, Default)]
pub(crate) struct TimelinePane {
    /// Whether the timeline is above the list.
    pub(crate) visibility: TimelineVisibility,
    /// The timeline that was read last. It is shown until another arrives.
    pub(crate) timeline: Option<Arc<Timeline>>,
    /// The key of `timeline`.
    pub(crate) shown: Option<TimelineKey>,
    /// The key of the last request.
    pub(crate) requested: Option<TimelineKey>,
    /// Size of the log when it was requested.
    pub(crate) requested_at_size: u64,
    /// Whether the request is still running.
    pub(crate) progress: TimelineProgress,
    /// Number of columns.
    pub(crate) width: usize,
    /// The time of the selected row of the list, in milliseconds since the Unix epoch.
    pub(crate) cursor_ms: Option<u64>,
    /// The time at which the selection of a span has started; `None` while no span is selected.
    pub(crate) anchor_ms: Option<u64>,
}

/// Whether the timeline is above the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TimelineVisibility {
    /// The list takes the space of the timeline.
    #[default]
    Hidden,
    /// The timeline is above the list.
    Shown,
}

/// Whether events are being counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum TimelineProgress {
    /// Nothing runs.
    #[default]
    Idle,
    /// The events are counted.
    Counting,
    /// The user has stopped the count.
    Stopped,
}

/// The key of a timeline: requests with equal keys have the same result.
#[derive(Debug, Clone)]
pub(crate) struct TimelineKey {
    /// The filter of the events.
    pub(crate) filter: Filter,
    /// The largest number of intervals.
    pub(crate) max_intervals: usize,
}

impl TimelineKey {
    /// Returns whether both keys have the same result.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.max_intervals == other.max_intervals && self.filter.is_same(&other.filter)
    }
}

/// One column of the timeline: one interval, or several that have no room for a column each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TimelineColumn {
    /// Start of the column, in milliseconds since the Unix epoch.
    pub(crate) start_ms: u64,
    /// Number of events.
    pub(crate) events: u64,
    /// Number of damaged ranges.
    pub(crate) damage: u64,
    /// Offset of the first event; `None` when there is none.
    pub(crate) first_offset: Option<u64>,
}

/// The columns of the timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TimelineColumns {
    /// The columns, by ascending time.
    pub(crate) columns: Vec<TimelineColumn>,
    /// The time that a column spans, in milliseconds.
    pub(crate) width_ms: u64,
}

impl TimelineColumns {
    /// Arranges the intervals of a timeline in at most `width` columns.
    fn new(timeline: &Timeline, width: usize) -> Self {
        let per_column = timeline.len().div_ceil(width.max(1)).max(1);
        let width_ms = timeline.width_ms().saturating_mul(per_column as u64);
        let intervals: Vec<TimelineInterval> = timeline.intervals().copied().collect();
        let start_of = |number: u64| timeline.start_ms().saturating_add(width_ms.saturating_mul(number));
        let columns = (0..).zip(intervals.chunks(per_column)).map(|(number, intervals)| TimelineColumn {
            start_ms: start_of(number),
            events: intervals.iter().map(|interval| interval.events).sum(),
            damage: intervals.iter().map(|interval| interval.damage).sum(),
            first_offset: intervals.iter().filter_map(|interval| interval.first_offset).min(),
        });
        Self { columns: columns.collect(), width_ms }
    }

    /// Returns the position of the column that contains a time.
    pub(crate) fn position_of(&self, time_ms: u64) -> Option<usize> {
        let after = self.columns.partition_point(|column| column.start_ms <= time_ms);
        let position = after.checked_sub(1)?;
        let start = self.columns.get(position)?.start_ms;
        (time_ms - start < self.width_ms).then_some(position)
    }

    /// Returns the end of a column, in milliseconds since the Unix epoch. The end is exclusive.
    pub(crate) fn end_ms(&self, position: usize) -> u64 {
        self.columns.get(position).map_or(0, |column| column.start_ms.saturating_add(self.width_ms))
    }

    /// Returns the largest number of events of a column.
    pub(crate) fn largest(&self) -> u64 {
        self.columns.iter().map(|column| column.events).max().unwrap_or_default()
    }

    /// Returns the nearest column with events after `from`, or before it; the outermost one when `from` is `None`.
    pub(crate) fn next_with_events(&self, from: Option<usize>, step: ColumnStep) -> Option<usize> {
        let has_events = |position: &usize| self.columns.get(*position).is_some_and(|column| column.events > 0);
        let count = self.columns.len();
        match step {
            ColumnStep::Earlier => (0..from.unwrap_or(count).min(count)).rev().find(has_events),
            ColumnStep::Later => (from.map_or(0, |from| from + 1)..count).find(has_events),
        }
    }
}

/// A direction in the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnStep {
    /// To an earlier column.
    Earlier,
    /// To a later column.
    Later,
}

impl TimelinePane {
    /// Discards the timeline, because the bytes of the log have changed. The next refresh requests it again.
    pub(crate) fn discard(&mut self) {
        (self.requested, self.shown, self.timeline) = (None, None, None);
    }

    /// Returns the columns of the timeline; `None` while none was read.
    pub(crate) fn columns(&self) -> Option<TimelineColumns> {
        self.timeline.as_deref().map(|timeline| TimelineColumns::new(timeline, self.width))
    }

    /// Returns the selected columns: from the start of the span to the cursor, or the one at the cursor. `None` when the
    /// cursor is not at a column.
    pub(crate) fn selection(&self, columns: &TimelineColumns) -> Option<RangeInclusive<usize>> {
        let cursor = columns.position_of(self.cursor_ms?)?;
        let anchor = self.anchor_ms.and_then(|time| columns.position_of(time)).unwrap_or(cursor);
        Some(anchor.min(cursor)..=anchor.max(cursor))
    }

    /// Returns the filter words that select the events of these columns; `None` when a time is beyond the year 9999.
    pub(crate) fn words_of(columns: &TimelineColumns, selected: &RangeInclusive<usize>) -> Option<String> {
        let start = columns.columns.get(*selected.start())?.start_ms;
        time_span_words(start, columns.end_ms(*selected.end()))
    }
}

impl Model {
    /// Returns the key of the timeline for the present filter and width.
    pub(crate) fn timeline_key(&self) -> TimelineKey {
        let filter = self.list.filter.clone().with_finding_rows(FindingRows::Shown);
        TimelineKey { filter, max_intervals: self.timeline.width.max(1) }
    }

    /// Returns whether the timeline counts the events of the present filter.
    pub(crate) fn is_timeline_current(&self) -> bool {
        let key = self.timeline_key();
        self.timeline.shown.as_ref().is_some_and(|shown| shown.filter.is_same(&key.filter))
    }

    /// Returns the time of the selected row of the list: that of the event, or of the event before or after it in the
    /// window.
    pub(crate) fn selected_time(&self) -> Option<u64> {
        let time_at = |position: usize| match &self.list.rows.get(position)?.content {
            RowContent::Event(event) => Some(event.time_ms),
            RowContent::Header | RowContent::Finding(_) | RowContent::InFlight => None,
        };
        let cursor = self.list.cursor;
        let before = (0..=cursor).rev().find_map(time_at);
        before.or_else(|| (cursor..self.list.rows.len()).find_map(time_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns columns of 10 ms with these numbers of events.
    fn columns(events: &[u64]) -> TimelineColumns {
        let column = |(number, events): (u64, &u64)| TimelineColumn {
            start_ms: 100 + 10 * number,
            events: *events,
            ..TimelineColumn::default()
        };
        TimelineColumns { columns: (0..).zip(events).map(column).collect(), width_ms: 10 }
    }

    #[test]
    fn a_time_is_in_the_column_that_spans_it() {
        let columns = columns(&[1, 0, 2]);
        for (time, position) in
            [(99, None), (100, Some(0)), (109, Some(0)), (110, Some(1)), (129, Some(2)), (130, None)]
        {
            assert_eq!(columns.position_of(time), position, "{time}");
        }
        assert_eq!((columns.end_ms(2), columns.largest()), (130, 2));
    }

    #[test]
    fn a_step_skips_columns_without_events_and_stays_within_the_timeline() {
        let columns = columns(&[0, 3, 0, 0, 1, 0]);
        let next = |from, step| columns.next_with_events(from, step);
        assert_eq!((next(Some(1), ColumnStep::Later), next(Some(4), ColumnStep::Later)), (Some(4), None));
        assert_eq!((next(Some(4), ColumnStep::Earlier), next(Some(1), ColumnStep::Earlier)), (Some(1), None));
        assert_eq!((next(None, ColumnStep::Later), next(None, ColumnStep::Earlier)), (Some(1), Some(4)));
        assert_eq!(next(Some(99), ColumnStep::Earlier), Some(4));
    }

    #[test]
    fn the_selection_goes_from_its_start_to_the_cursor_in_both_directions() {
        let columns = columns(&[1, 1, 1, 1]);
        let mut pane = TimelinePane { cursor_ms: Some(115), ..TimelinePane::default() };
        assert_eq!(pane.selection(&columns), Some(1..=1));
        pane.anchor_ms = Some(130);
        assert_eq!(pane.selection(&columns), Some(1..=3));
        pane.anchor_ms = Some(100);
        assert_eq!(pane.selection(&columns), Some(0..=1));
        pane.cursor_ms = Some(99);
        assert_eq!(pane.selection(&columns), None);
        let words = TimelinePane::words_of(&columns, &(0..=1));
        assert_eq!(words.as_deref(), Some("after:1970-01-01T00:00:00.100Z before:1970-01-01T00:00:00.120Z"));
    }
}
