//! The rule of a compaction, and its application to the events of a log, one after the other.

use std::cell::RefCell;
use std::fmt;

use super::latest::LatestOffsets;
use super::summary::CopySummary;
use crate::StorageError;
use crate::format::EventView;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// A condition that selects events by their offset and content.
pub type EventCondition<'a> = dyn Fn(u64, &EventView) -> bool + 'a;

/// The events that a compaction keeps: those that satisfy every condition that was set.
#[derive(Clone, Copy, Default)]
pub struct CompactRule<'a> {
    latest_of: Option<&'a AggregateIndex>,
    condition: Option<&'a EventCondition<'a>>,
}

impl fmt::Debug for CompactRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactRule").finish_non_exhaustive()
    }
}

impl<'a> CompactRule<'a> {
    /// Creates a rule without a condition, which keeps every event.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps only the latest event of each aggregate, and every event without an aggregate. `index` is the index of the
    /// log; events after the part that it covers are left out.
    #[must_use]
    pub const fn latest(self, index: &'a AggregateIndex) -> Self {
        Self { latest_of: Some(index), ..self }
    }

    /// Keeps only the events for which `condition` is true.
    #[must_use]
    pub const fn condition(self, condition: &'a EventCondition<'a>) -> Self {
        Self { condition: Some(condition), ..self }
    }
}

/// A compaction rule that is applied to the events of a log, in their order.
pub(super) struct EventSelector<'a> {
    latest: Option<LatestOffsets<'a>>,
    condition: Option<&'a EventCondition<'a>>,
    counts: SelectedCounts,
}

/// The numbers of events that a rule has kept and dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SelectedCounts {
    /// Number of events that are not copied.
    pub(super) dropped: u64,
    /// Those of them that were appended after the index was brought up to date.
    pub(super) late: u64,
}

/// An [`EventSelector`] that a copy shares, without its lifetime.
pub(super) trait SelectEvents {
    /// See [`EventSelector::keeps`].
    ///
    /// # Errors
    /// Those of [`EventSelector::keeps`].
    fn keeps(&self, view: &LogView, offset: u64, event: &EventView) -> Result<bool, StorageError>;

    /// See [`EventSelector::finish`].
    ///
    /// # Errors
    /// Those of [`EventSelector::finish`].
    fn finish(&self, view: &LogView) -> Result<SelectedCounts, StorageError>;
}

impl SelectEvents for RefCell<EventSelector<'_>> {
    fn keeps(&self, view: &LogView, offset: u64, event: &EventView) -> Result<bool, StorageError> {
        self.borrow_mut().keeps(view, offset, event)
    }

    fn finish(&self, view: &LogView) -> Result<SelectedCounts, StorageError> {
        self.borrow().finish(view)
    }
}

impl<'a> EventSelector<'a> {
    pub(super) fn new(rule: &CompactRule<'a>) -> Self {
        Self {
            latest: rule.latest_of.map(LatestOffsets::new),
            condition: rule.condition,
            counts: SelectedCounts::default(),
        }
    }

    /// True when the rule keeps the event at `offset`.
    ///
    /// # Errors
    /// `UnusableIndex`, `Io` when the index cannot be read.
    pub(super) fn keeps(&mut self, view: &LogView, offset: u64, event: &EventView) -> Result<bool, StorageError> {
        let is_latest = match &mut self.latest {
            Some(latest) if offset >= latest.end() => {
                self.counts.late += 1;
                false
            }
            Some(latest) => latest.visit(view, offset, event.aggregate_id())?,
            None => true,
        };
        let is_kept = is_latest && self.condition.is_none_or(|condition| condition(offset, event));
        self.counts.dropped += u64::from(!is_kept);
        Ok(is_kept)
    }

    /// Returns the numbers of events, and checks that the index was that of the log.
    ///
    /// # Errors
    /// `Changed` when it was not; `UnusableIndex`, `Io` when it cannot be read.
    pub(super) fn finish(&self, view: &LogView) -> Result<SelectedCounts, StorageError> {
        self.latest.as_ref().map_or(Ok(()), |latest| latest.check(view))?;
        Ok(self.counts)
    }
}

/// Adds the events that a rule has dropped to a summary.
pub(super) fn add_counts(summary: &mut CopySummary, SelectedCounts { dropped, late }: SelectedCounts) {
    summary.events_dropped = dropped;
    if late > 0 {
        summary
            .notes
            .push(format!("{late} of the dropped events were appended after the index was brought up to date"));
    }
}
