//! Statistics of the events that a filter shows: numbers of events, bytes and times, in groups.

use super::event_fold::{EventSelection, fold_events};
use super::event_tally::EventTally;
use super::filter::Filter;
use super::group_by::{GroupBy, GroupKey};
use super::group_table::{GroupTable, KeySpace};
use super::time_histogram::TimeHistogram;
use crate::StorageError;
use crate::index::{AggregateIndex, AggregateSummary, CountedName, NameKind};
use crate::inspect::{LogView, OnProgress};

/// The number of groups that are listed, unless [`StatisticsOptions::max_groups`] sets another.
const DEFAULT_MAX_GROUPS: usize = 10_000;

/// The options of [`collect_statistics`].
///
/// ```
/// use chronicle::query::{GroupBy, StatisticsOptions};
///
/// let options = StatisticsOptions::new(GroupBy::Aggregate).max_groups(20);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StatisticsOptions {
    /// The property by which events are grouped.
    pub by: GroupBy,
    /// The largest number of groups that are listed. The others are counted together.
    pub max_groups: usize,
    /// What is collected about each group.
    pub detail: StatisticsDetail,
    /// The memory that the groups may take while they are collected, in bytes. When they need more, the log is read again
    /// for the rest of them.
    pub max_memory: usize,
    /// The size in bytes of the parts that are read at the same time. The result does not depend on it.
    pub part_bytes: u64,
}

/// What statistics contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatisticsDetail {
    /// Events, bytes, first and last time, and the distribution over time. Every event is read.
    Full,
    /// The number of events only. It is taken from the index where the index knows it.
    Counts,
}

impl StatisticsOptions {
    /// Creates options that list the 10 000 largest groups, with all details.
    pub const fn new(by: GroupBy) -> Self {
        Self {
            by,
            max_groups: DEFAULT_MAX_GROUPS,
            detail: StatisticsDetail::Full,
            max_memory: 128 << 20,
            part_bytes: 4 << 20,
        }
    }

    /// Sets the largest number of groups that are listed.
    #[must_use]
    pub const fn max_groups(mut self, groups: usize) -> Self {
        self.max_groups = groups;
        self
    }

    /// Collects only the numbers of events, from the index where the index knows them.
    #[must_use]
    pub const fn counts_only(mut self) -> Self {
        self.detail = StatisticsDetail::Counts;
        self
    }

    /// Sets the size of the parts that are read at the same time; the default is 4 MiB.
    #[must_use]
    pub const fn part_bytes(mut self, bytes: u64) -> Self {
        self.part_bytes = bytes;
        self
    }

    /// Sets the memory that the groups may take while they are collected, in bytes.
    #[must_use]
    pub const fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }
}

/// The events of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatisticsGroup {
    /// The value that the events share.
    pub key: GroupKey,
    /// The totals of the events.
    pub tally: EventTally,
    /// The distribution of the events over time, with the same width as [`Statistics::histogram`]; `None` when it was not
    /// recorded, because the groups are times or too many.
    pub histogram: Option<TimeHistogram>,
}

/// Statistics of the events that a filter shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The property by which events are grouped.
    pub by: GroupBy,
    /// The totals of all events. The bytes are 0 when events were counted from the index.
    pub total: EventTally,
    /// The distribution of all events over time; empty when events were counted from the index.
    pub histogram: TimeHistogram,
    /// The largest groups, by descending number of events; intervals of time by ascending time.
    pub groups: Vec<StatisticsGroup>,
    /// The number of groups that are not listed.
    pub other_groups: u64,
    /// The totals of the groups that are not listed.
    pub others: EventTally,
    /// The number of damaged ranges and frames that are not events among the ranges that were read.
    pub damage: u64,
    /// The number of gaps among the ranges that were read.
    pub gaps: u64,
    /// The offset up to which events were counted from the index; 0 when all of them were read from the log.
    pub counted_to: u64,
    /// The number of times that the log was read. More than one when the groups did not fit in memory.
    pub passes: u32,
}

/// Collects statistics of the events that `filter` shows.
///
/// `index` shows which parts of the log need not be read for the filter. With [`StatisticsOptions::counts_only`] and without
/// a filter, it also supplies the numbers of events in the part of the log that it covers; these are not verified. The log
/// is read with [`LogView::threads`] threads. Memory use is bounded by [`StatisticsOptions::max_memory`].
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
/// use chronicle::query::{Filter, GroupBy, StatisticsOptions, collect_statistics};
/// use chronicle::{Event, EventLog};
///
/// let mut log = EventLog::create(&path)?;
/// for kind in ["Created", "Updated", "Updated"] {
///     let event = Event::builder().event_type(kind).namespace("accounts").schema_id("Person").schema_version(1);
///     log.append(&event.payload_json("{}").build()?)?;
/// }
/// let options = StatisticsOptions::new(GroupBy::Type);
/// let statistics =
///     collect_statistics(log.view(), None, &Filter::default(), &options, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(statistics.groups.iter().map(|group| group.tally.events).collect::<Vec<_>>(), [2, 1]);
/// # Ok(())
/// # }
/// ```
pub fn collect_statistics(
    view: &LogView,
    index: Option<&AggregateIndex>,
    filter: &Filter,
    options: &StatisticsOptions,
    on_progress: &mut OnProgress,
) -> Result<Statistics, StorageError> {
    let end = view.log().len()?;
    let mut result = Statistics::new(options.by.clone());
    let mut spaces = vec![KeySpace::ALL];
    while let Some(space) = spaces.pop() {
        let new_table = || GroupTable::new(&options.by, space, options.max_memory);
        let (mut table, mut from) = (new_table(), view.log().first_frame_offset().min(end));
        let counting_index = index.filter(|index| {
            let covered = index.coverage().covered_to;
            let is_usable = index.covers_log_start() && (from..=end).contains(&covered);
            options.detail == StatisticsDetail::Counts && filter.is_empty() && is_usable
        });
        if let Some(index) = counting_index {
            match add_indexed_counts(index, &options.by, &mut table) {
                IndexedCounts::Added => from = index.coverage().covered_to,
                IndexedCounts::Unknown => table = new_table(),
            }
            result.counted_to = if table.total.events > 0 { from } else { 0 };
        }
        let part_bytes = options.part_bytes.max(1);
        let selection = EventSelection { view, index, filter, from, end, part_bytes, skipped: &[] };
        fold_events(selection, &mut table, &|| GroupTable::for_part(&options.by), on_progress)?;
        spaces.extend(table.take_postponed());
        result.add_pass(table, options.max_groups);
    }
    result.finish();
    Ok(result)
}

/// Whether an index knows the number of events of each group.
enum IndexedCounts {
    /// The numbers were added to a table.
    Added,
    /// The index does not know the numbers, or a page of it is corrupt. The table must not be used.
    Unknown,
}

/// Adds the numbers of events that an index knows.
fn add_indexed_counts(index: &AggregateIndex, by: &GroupBy, table: &mut GroupTable) -> IndexedCounts {
    let counted = |events| EventTally { events, ..EventTally::default() };
    let kind = match by {
        GroupBy::Type => NameKind::Type,
        GroupBy::Namespace => NameKind::Namespace,
        GroupBy::Schema => NameKind::Schema,
        GroupBy::Aggregate => {
            let mut without_aggregate = index.coverage().events;
            for aggregate in index.iter() {
                let Ok(AggregateSummary { id, events, .. }) = aggregate else { return IndexedCounts::Unknown };
                without_aggregate = without_aggregate.saturating_sub(events);
                table.add_counted(GroupKey::Number(id), counted(events));
            }
            if without_aggregate > 0 {
                table.add_counted(GroupKey::Missing, counted(without_aggregate));
            }
            return IndexedCounts::Added;
        }
        _ => return IndexedCounts::Unknown,
    };
    let names = index.counts().iter().filter(|(name, events)| name.kind == kind && *events > 0);
    for (CountedName { text, .. }, events) in names {
        let key = text.as_ref().map_or(GroupKey::Others, |text| GroupKey::Text(text.clone()));
        table.add_counted(key, counted(events));
    }
    IndexedCounts::Added
}

impl Statistics {
    fn new(by: GroupBy) -> Self {
        Self {
            by,
            total: EventTally::default(),
            histogram: GroupTable::new_histogram(),
            groups: Vec::new(),
            other_groups: 0,
            others: EventTally::default(),
            damage: 0,
            gaps: 0,
            counted_to: 0,
            passes: 0,
        }
    }

    /// Adds the groups of one pass over the log, and keeps the `max_groups` largest. Every pass reads the same events, so the
    /// totals are those of the first one.
    fn add_pass(&mut self, table: GroupTable, max_groups: usize) {
        if self.passes == 0 {
            self.total = table.total;
            self.histogram = table.histogram;
            (self.damage, self.gaps) = (table.damage, table.gaps);
        }
        self.passes += 1;
        self.groups.extend(table.groups.into_iter().map(|(key, group)| StatisticsGroup {
            key,
            tally: group.tally,
            histogram: group.histogram.map(|histogram| *histogram),
        }));
        let by_time = self.by.is_time();
        let largest_first = |a: &StatisticsGroup, b: &StatisticsGroup| {
            if by_time {
                b.key.cmp(&a.key)
            } else {
                b.tally.events.cmp(&a.tally.events).then_with(|| a.key.cmp(&b.key))
            }
        };
        self.groups.sort_unstable_by(largest_first);
        for group in self.groups.drain(max_groups.min(self.groups.len())..) {
            self.other_groups += 1;
            self.others.merge(&group.tally);
        }
    }

    /// Brings the groups into their final form, after the last pass.
    fn finish(&mut self) {
        if self.counted_to > 0 {
            // The histogram has only the events after the part that the index covers.
            self.histogram = GroupTable::new_histogram();
        }
        if self.by.is_time() {
            // The latest intervals are kept, and listed in the order of time.
            self.groups.reverse();
        }
        let is_too_many = self.groups.iter().any(|group| group.histogram.is_none());
        for group in &mut self.groups {
            group.histogram = group.histogram.take().filter(|_| !is_too_many);
            group.histogram.iter_mut().for_each(|histogram| histogram.widen_to(self.histogram.width_ms()));
        }
    }
}
