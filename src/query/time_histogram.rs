//! [`TimeHistogram`]: the number of events in equal intervals of time, in bounded memory.
//!
//! The range of times need not be known first: an interval becomes wider when the times no longer fit.

use std::collections::VecDeque;

/// The widths of intervals up to one day, in milliseconds. Each divides the next, so that intervals can be joined exactly.
/// After a day, each width is twice the one before it.
const WIDTHS_MS: [u64; 18] = [
    1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000,
    43_200_000, 86_400_000,
];

/// The number of events in consecutive intervals of equal width. Intervals start at multiples of the width since the Unix
/// epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeHistogram {
    /// The width of an interval in milliseconds.
    width_ms: u64,
    /// The number of the first interval, counted from the Unix epoch.
    first: u64,
    counts: VecDeque<u64>,
    /// The largest number of intervals.
    max_intervals: usize,
}

impl TimeHistogram {
    /// Creates an empty histogram with at most `max_intervals` intervals, of which there is at least one.
    pub(super) fn new(max_intervals: usize) -> Self {
        Self { width_ms: 1, first: 0, counts: VecDeque::new(), max_intervals: max_intervals.max(1) }
    }

    /// Returns the width of an interval in milliseconds.
    pub const fn width_ms(&self) -> u64 {
        self.width_ms
    }

    /// Returns the start of the first interval, in milliseconds since the Unix epoch.
    pub const fn start_ms(&self) -> u64 {
        self.first.saturating_mul(self.width_ms)
    }

    /// Returns the number of intervals: from the one with the earliest event to the one with the latest.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// True when no event was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Iterates over the numbers of events, by ascending time.
    pub fn counts(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().copied()
    }

    /// Returns the position of the interval that contains a time; `None` when the time is outside the histogram.
    pub fn position_of(&self, time_ms: u64) -> Option<usize> {
        let position = (time_ms / self.width_ms).checked_sub(self.first)?;
        usize::try_from(position).ok().filter(|position| *position < self.counts.len())
    }

    /// Counts an event with this time, in milliseconds since the Unix epoch.
    pub(super) fn add(&mut self, time_ms: u64) {
        if let Some(count) = self.position_of(time_ms).and_then(|position| self.counts.get_mut(position)) {
            *count += 1;
        } else {
            self.add_outside(time_ms, 1);
        }
    }

    /// Adds the counts of another histogram.
    pub(super) fn merge(&mut self, mut other: Self) {
        while other.width_ms < self.width_ms {
            other.widen();
        }
        while self.width_ms < other.width_ms {
            self.widen();
        }
        let (width, first) = (other.width_ms, other.first);
        for (interval, count) in (first..=u64::MAX).zip(other.counts).filter(|(_, count)| *count > 0) {
            // The width can grow while counts are added, so each interval is identified by its start.
            self.add_outside(interval.saturating_mul(width), count);
        }
    }

    /// Joins intervals until their width is at least `width_ms`, which must be one of the widths of a histogram.
    pub(super) fn widen_to(&mut self, width_ms: u64) {
        while self.width_ms < width_ms {
            self.widen();
        }
    }

    /// Counts `count` events in the interval of a time, and extends the histogram to that interval.
    fn add_outside(&mut self, time_ms: u64, count: u64) {
        while !self.can_include(time_ms / self.width_ms) {
            self.widen();
        }
        let interval = time_ms / self.width_ms;
        if self.counts.is_empty() {
            self.first = interval;
        }
        while interval < self.first {
            self.counts.push_front(0);
            self.first -= 1;
        }
        let position = (interval - self.first) as usize;
        if position >= self.counts.len() {
            self.counts.resize(position + 1, 0);
        }
        if let Some(total) = self.counts.get_mut(position) {
            *total += count;
        }
    }

    /// True when the histogram can be extended to an interval without more than the largest number of intervals.
    fn can_include(&self, interval: u64) -> bool {
        let Some(last) = (self.counts.len() as u64).checked_sub(1).map(|last| self.first + last) else { return true };
        interval.max(last) - interval.min(self.first) < self.max_intervals as u64
    }

    /// Joins neighbouring intervals to intervals of the next width.
    fn widen(&mut self) {
        let wider = WIDTHS_MS.iter().copied().find(|width| *width > self.width_ms);
        let width = wider.unwrap_or_else(|| self.width_ms.saturating_mul(2));
        let (factor, old_first) = (width / self.width_ms, self.first);
        let old = std::mem::take(&mut self.counts);
        self.width_ms = width;
        self.first = old_first / factor;
        for (interval, count) in (old_first..=u64::MAX).zip(old) {
            let position = (interval / factor - self.first) as usize;
            if position >= self.counts.len() {
                self.counts.resize(position + 1, 0);
            }
            if let Some(total) = self.counts.get_mut(position) {
                *total += count;
            }
        }
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
    fn each_width_divides_the_next() {
        assert!(WIDTHS_MS.windows(2).all(|pair| pair[1] > pair[0] && pair[1] % pair[0] == 0));
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
        assert_eq!(TimeHistogram::new(0).max_intervals, 1);
    }
}
