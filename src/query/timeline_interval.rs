//! [`TimelineInterval`]: the counts of one interval of a timeline.

use super::time_series::IntervalTotals;

/// One interval of a timeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineInterval {
    /// The number of events that the filter shows.
    pub events: u64,
    /// The number of damaged ranges whose neighbours have a time in the interval.
    pub damage: u64,
    /// The offset of the first of the events; `None` when there is none.
    pub first_offset: Option<u64>,
}

impl IntervalTotals for TimelineInterval {
    fn merge(&mut self, next: Self) {
        self.events += next.events;
        self.damage += next.damage;
        self.first_offset = match (self.first_offset, next.first_offset) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    fn is_empty(&self) -> bool {
        self.events == 0 && self.damage == 0
    }
}
