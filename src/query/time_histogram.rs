//! [`TimeHistogram`]: the number of events in equal intervals of time, in bounded memory.

use super::time_series::TimeSeries;

/// The number of events in consecutive intervals of equal width. Intervals start at multiples of the width since the Unix
/// epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeHistogram {
    series: TimeSeries<u64>,
}

impl TimeHistogram {
    /// Creates an empty histogram with at most `max_intervals` intervals, of which there is at least one.
    pub(super) fn new(max_intervals: usize) -> Self {
        Self { series: TimeSeries::new(1, max_intervals) }
    }

    /// Returns the width of an interval in milliseconds.
    pub const fn width_ms(&self) -> u64 {
        self.series.width_ms()
    }

    /// Returns the start of the first interval, in milliseconds since the Unix epoch.
    pub const fn start_ms(&self) -> u64 {
        self.series.start_ms()
    }

    /// Returns the number of intervals: from the one with the earliest event to the one with the latest.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// True when no event was counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over the numbers of events, by ascending time.
    pub fn counts(&self) -> impl Iterator<Item = u64> + '_ {
        self.series.iter().copied()
    }

    /// Returns the position of the interval that contains a time; `None` when the time is outside the histogram.
    pub fn position_of(&self, time_ms: u64) -> Option<usize> {
        self.series.position_of(time_ms)
    }

    /// Counts an event with this time, in milliseconds since the Unix epoch.
    pub(super) fn add(&mut self, time_ms: u64) {
        self.series.add(time_ms, 1);
    }

    /// Adds the counts of another histogram.
    pub(super) fn merge(&mut self, other: Self) {
        self.series.merge(other.series);
    }

    /// Joins intervals until their width is at least `width_ms`, which must be one of the widths of a histogram.
    pub(super) fn widen_to(&mut self, width_ms: u64) {
        self.series.widen_to(width_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn histogram(times: &[u64]) -> TimeHistogram {
        let mut histogram = TimeHistogram::new(8);
        for time in times {
            histogram.add(*time);
        }
        histogram
    }

    #[test]
    fn intervals_become_wider_until_all_times_fit() {
        let counted = histogram(&[HOUR, HOUR + 7, HOUR - 2]);
        assert_eq!((counted.width_ms(), counted.start_ms()), (5, HOUR - 5));
        assert_eq!(counted.counts().collect::<Vec<_>>(), [1, 1, 1]);
        let counted = histogram(&[HOUR, 5 * HOUR, HOUR + 1, 3 * HOUR]);
        assert_eq!((counted.width_ms(), counted.start_ms()), (HOUR, HOUR));
        assert_eq!(counted.counts().collect::<Vec<_>>(), [2, 0, 1, 0, 1]);
        assert_eq!((counted.position_of(3 * HOUR), counted.position_of(6 * HOUR)), (Some(2), None));
    }

    #[test]
    fn the_result_does_not_depend_on_the_order_of_the_times() {
        let mut times = [7, 90_000_000, 12 * HOUR, 3, 86_400_000, 1];
        let expected = histogram(&times);
        for _ in 0..times.len() {
            times.rotate_left(1);
            assert_eq!(histogram(&times), expected);
            let (one, other) = times.split_at(2);
            let mut merged = histogram(one);
            merged.merge(histogram(other));
            assert_eq!(merged, expected);
        }
    }

    #[test]
    fn any_time_can_be_counted() {
        let counted = histogram(&[u64::MAX, 0, u64::MAX - 1]);
        assert_eq!(counted.counts().sum::<u64>(), 3);
        assert!(counted.len() <= 8);
        let mut smallest = TimeHistogram::new(0);
        smallest.add(1);
        smallest.add(HOUR);
        assert_eq!(smallest.len(), 1);
    }
}
