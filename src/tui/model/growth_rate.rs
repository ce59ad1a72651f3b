//! The rate at which the log grows, over the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

use crate::tui::session_time::SessionTime;

/// Length of the interval over which the rate is measured.
const INTERVAL: Duration = Duration::from_secs(3);
/// Shortest time that a rate is computed for, so that one append is not shown as a burst.
const MIN_ELAPSED: Duration = Duration::from_secs(1);

/// The sizes of the log at the times of the last seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct GrowthRate {
    /// Ascending by time. The first is the last one before the interval, when there is one.
    samples: VecDeque<GrowthSample>,
}

/// The size of the log at a time.
#[derive(Debug, Clone, Copy)]
struct GrowthSample {
    time: Duration,
    bytes: u64,
    /// Number of events; `None` while they are not counted.
    events: Option<u64>,
}

/// How much the log grows in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GrowthPerSecond {
    /// Number of events; `None` while they are not counted.
    pub(crate) events: Option<u64>,
    /// Number of bytes.
    pub(crate) bytes: u64,
}

impl GrowthRate {
    /// Records the size of the log. A size that is smaller than the last one starts the measurement again.
    pub(crate) fn record(&mut self, now: SessionTime, bytes: u64, events: Option<u64>) {
        let sample = GrowthSample { time: now.0, bytes, events };
        self.expire(now);
        match self.samples.back_mut() {
            Some(last) if last.bytes > bytes => self.samples.clear(),
            // The events of a size are counted shortly after the size is known.
            Some(last) if last.bytes == bytes => {
                last.events = events;
                return;
            }
            // After a pause, the growth belongs to the last second and not to the pause.
            Some(last) if now.0.saturating_sub(last.time) > INTERVAL => {
                last.time = now.0.saturating_sub(MIN_ELAPSED);
            }
            _ => {}
        }
        self.samples.push_back(sample);
    }

    /// Drops the sizes before the interval that ends now, except the last of them.
    pub(crate) fn expire(&mut self, now: SessionTime) {
        let start = now.0.saturating_sub(INTERVAL);
        while self.samples.get(1).is_some_and(|second| second.time <= start) {
            self.samples.pop_front();
        }
    }

    /// Returns whether the log has grown in the interval, so that its rate changes as time passes.
    pub(crate) fn is_growing(&self) -> bool {
        self.samples.len() > 1
    }

    /// Returns the rate; zero when the log has not grown.
    pub(crate) fn per_second(&self, now: SessionTime) -> GrowthPerSecond {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return GrowthPerSecond { events: None, bytes: 0 };
        };
        let millis = now.0.saturating_sub(first.time).clamp(MIN_ELAPSED, INTERVAL * 2).as_millis() as u64;
        let rate = |from: u64, to: u64| to.saturating_sub(from).saturating_mul(1000) / millis;
        GrowthPerSecond {
            events: first.events.zip(last.events).map(|(from, to)| rate(from, to)),
            bytes: rate(first.bytes, last.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SessionTime {
        SessionTime(Duration::from_millis(millis))
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rate = GrowthRate::default();
        assert_eq!(rate.per_second(at(0)), GrowthPerSecond { events: None, bytes: 0 });
        for n in 0..=100 {
            rate.record(at(n * 100), n * 1000, Some(n * 10));
        }
        assert_eq!(rate.per_second(at(10_000)), GrowthPerSecond { events: Some(100), bytes: 10_000 });
        assert!(rate.is_growing() && rate.samples.len() < 40);
        rate.expire(at(14_000));
        assert!(!rate.is_growing());
        assert_eq!(rate.per_second(at(14_000)), GrowthPerSecond { events: Some(0), bytes: 0 });
    }

    #[test]
    fn growth_after_a_pause_belongs_to_the_last_second() {
        let mut rate = GrowthRate::default();
        rate.record(at(0), 1000, Some(1));
        rate.record(at(60_000), 3000, None);
        rate.record(at(60_100), 3000, Some(11));
        assert_eq!(rate.per_second(at(60_000)), GrowthPerSecond { events: Some(10), bytes: 2000 });
    }

    #[test]
    fn a_log_that_becomes_shorter_starts_again() {
        let mut rate = GrowthRate::default();
        rate.record(at(0), 5000, Some(50));
        rate.record(at(100), 100, Some(1));
        assert_eq!(rate.per_second(at(100)), GrowthPerSecond { events: Some(0), bytes: 0 });
        rate.record(at(200), 1100, Some(6));
        assert_eq!(rate.per_second(at(200)), GrowthPerSecond { events: Some(5), bytes: 1000 });
    }
}
