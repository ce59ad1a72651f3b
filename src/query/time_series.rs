//! [`TimeSeries`]: totals of events in equal intervals of time, in bounded memory.
//!
//! The range of times need not be known first: an interval becomes wider when the times no longer fit.

use std::collections::VecDeque;

/// The widths to which intervals grow, up to one day, in milliseconds. Each divides the next, so that intervals can be
/// joined exactly. After a day, each width is twice the one before it.
const WIDTHS_MS: [u64; 18] = [
    1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000,
    43_200_000, 86_400_000,
];

/// The largest number of intervals that are joined to one of a width of the list.
const MAX_FACTOR: u64 = 5;

/// The totals of the events in one interval.
pub(super) trait IntervalTotals: Default {
    /// Adds the totals of a later part of the log.
    fn merge(&mut self, next: Self);

    /// True when nothing was counted.
    fn is_empty(&self) -> bool;
}

impl IntervalTotals for u64 {
    fn merge(&mut self, next: Self) {
        *self += next;
    }

    fn is_empty(&self) -> bool {
        *self == 0
    }
}

/// Totals in consecutive intervals of equal width. Intervals start at multiples of the width since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeSeries<T> {
    /// The width of an interval in milliseconds.
    width_ms: u64,
    /// The number of the first interval, counted from the Unix epoch.
    first: u64,
    intervals: VecDeque<T>,
    /// The largest number of intervals.
    max_intervals: usize,
}

impl<T: IntervalTotals> TimeSeries<T> {
    /// Creates an empty series with at most `max_intervals` intervals, of which there is at least one. They are at least
    /// `width_ms` milliseconds wide.
    pub(super) fn new(width_ms: u64, max_intervals: usize) -> Self {
        Self { width_ms: width_ms.max(1), first: 0, intervals: VecDeque::new(), max_intervals: max_intervals.max(1) }
    }

    /// Returns the width of an interval in milliseconds.
    pub(super) const fn width_ms(&self) -> u64 {
        self.width_ms
    }

    /// Returns the start of the first interval, in milliseconds since the Unix epoch.
    pub(super) const fn start_ms(&self) -> u64 {
        self.first.saturating_mul(self.width_ms)
    }

    /// Returns the largest number of intervals.
    pub(super) const fn max_intervals(&self) -> usize {
        self.max_intervals
    }

    /// Returns the number of intervals.
    pub(super) fn len(&self) -> usize {
        self.intervals.len()
    }

    /// Iterates over the intervals, by ascending time.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.intervals.iter()
    }

    /// Returns the totals of the interval at a position.
    pub(super) fn get(&self, position: usize) -> Option<&T> {
        self.intervals.get(position)
    }

    /// Returns the position of the interval that contains a time; `None` when the time is outside the series.
    pub(super) fn position_of(&self, time_ms: u64) -> Option<usize> {
        let position = (time_ms / self.width_ms).checked_sub(self.first)?;
        usize::try_from(position).ok().filter(|position| *position < self.intervals.len())
    }

    /// Adds totals to the interval of a time, in milliseconds since the Unix epoch, and extends the series to it.
    pub(super) fn add(&mut self, time_ms: u64, totals: T) {
        if self.position_of(time_ms).is_none() {
            self.extend_to(time_ms);
        }
        if let Some(known) = self.position_of(time_ms).and_then(|position| self.intervals.get_mut(position)) {
            known.merge(totals);
        }
    }

    /// Adds the totals of another series.
    pub(super) fn merge(&mut self, mut other: Self) {
        while other.width_ms < self.width_ms {
            other.widen();
        }
        while self.width_ms < other.width_ms {
            self.widen();
        }
        let (width, first) = (other.width_ms, other.first);
        for (interval, totals) in (first..=u64::MAX).zip(other.intervals).filter(|(_, totals)| !totals.is_empty()) {
            // The width can grow while totals are added, so each interval is identified by its start.
            self.add(interval.saturating_mul(width), totals);
        }
    }

    /// Joins intervals until their width is at least `width_ms`, which must be one of the widths of a series.
    pub(super) fn widen_to(&mut self, width_ms: u64) {
        while self.width_ms < width_ms {
            self.widen();
        }
    }

    /// Extends the series to the interval of a time, with empty intervals.
    pub(super) fn extend_to(&mut self, time_ms: u64) {
        while !self.can_include(time_ms / self.width_ms) {
            self.widen();
        }
        let interval = time_ms / self.width_ms;
        if self.intervals.is_empty() {
            self.first = interval;
        }
        while interval < self.first {
            self.intervals.push_front(T::default());
            self.first -= 1;
        }
        let position = (interval - self.first) as usize;
        if position >= self.intervals.len() {
            self.intervals.resize_with(position + 1, T::default);
        }
    }

    /// True when the series can be extended to an interval without more than the largest number of intervals.
    fn can_include(&self, interval: u64) -> bool {
        let Some(last) = (self.intervals.len() as u64).checked_sub(1).map(|last| self.first + last) else {
            return true;
        };
        interval.max(last) - interval.min(self.first) < self.max_intervals as u64
    }

    /// Joins neighbouring intervals to intervals of the next width: the next one of the list when it is a small multiple of
    /// the present width, else twice that width.
    fn widen(&mut self) {
        let is_multiple = |width: &u64| {
            let factor = *width / self.width_ms;
            width.is_multiple_of(self.width_ms) && (2..=MAX_FACTOR).contains(&factor)
        };
        let wider = WIDTHS_MS.iter().copied().find(is_multiple);
        let width = wider.unwrap_or_else(|| self.width_ms.saturating_mul(2));
        let (factor, old_first) = (width / self.width_ms, self.first);
        let old = std::mem::take(&mut self.intervals);
        self.width_ms = width;
        self.first = old_first / factor;
        for (interval, totals) in (old_first..=u64::MAX).zip(old) {
            let position = (interval / factor - self.first) as usize;
            if position >= self.intervals.len() {
                self.intervals.resize_with(position + 1, T::default);
            }
            if let Some(known) = self.intervals.get_mut(position) {
                known.merge(totals);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_width_divides_the_next() {
        let factor = |pair: &[u64]| pair[1].is_multiple_of(pair[0]).then(|| pair[1] / pair[0]);
        assert!(WIDTHS_MS.windows(2).all(|pair| factor(pair).is_some_and(|factor| (2..=MAX_FACTOR).contains(&factor))));
    }

    #[test]
    fn a_width_outside_the_list_grows_to_its_multiples() {
        let mut series: TimeSeries<u64> = TimeSeries::new(2000, 4);
        for time in [2000, 3999, 4000, 9000] {
            series.add(time, 1);
        }
        assert_eq!((series.width_ms(), series.start_ms()), (2000, 2000));
        assert_eq!(series.iter().copied().collect::<Vec<_>>(), [2, 1, 0, 1]);
        series.add(10_000, 1);
        assert_eq!((series.width_ms(), series.start_ms()), (10_000, 0));
        assert_eq!(series.iter().copied().collect::<Vec<_>>(), [4, 1]);
    }

    #[test]
    fn a_series_is_extended_with_empty_intervals_in_both_directions() {
        let mut series: TimeSeries<u64> = TimeSeries::new(10, 8);
        series.add(50, 3);
        series.extend_to(31);
        series.extend_to(79);
        assert_eq!((series.start_ms(), series.max_intervals()), (30, 8));
        assert_eq!(series.iter().copied().collect::<Vec<_>>(), [0, 0, 3, 0, 0]);
        assert_eq!((series.get(2), series.get(5), series.position_of(59)), (Some(&3), None, Some(2)));
    }
}
