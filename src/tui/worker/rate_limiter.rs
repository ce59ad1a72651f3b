//! The read rate limit of background work (`--rate`), shared by the scan and the hit search.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Longest uninterrupted sleep. A request to stop takes effect within this time.
const MAX_SLEEP: Duration = Duration::from_millis(50);

/// Limits reads to a number of bytes per second, or does not limit them.
#[derive(Debug)]
pub(super) struct RateLimiter {
    bytes_per_second: Option<u64>,
    /// The time at which all bytes reserved so far are read, at exactly the permitted rate.
    next_free_at: Mutex<Option<Instant>>,
}

impl RateLimiter {
    /// Creates a limiter for `rate` bytes per second; `None` is unlimited.
    pub(super) const fn new(rate: Option<u64>) -> Self {
        Self { bytes_per_second: rate, next_free_at: Mutex::new(None) }
    }

    /// Returns true when the rate is limited.
    pub(super) const fn is_limited(&self) -> bool {
        self.bytes_per_second.is_some()
    }

    /// Reserves `bytes` that were just read, and sleeps until the rate allows them or `check_stop` breaks.
    pub(super) fn throttle(&self, bytes: u64, check_stop: &mut dyn FnMut() -> ControlFlow<()>) -> ControlFlow<()> {
        let due = self.reserve(bytes, Instant::now());
        loop {
            check_stop()?;
            let remaining = due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()));
            if remaining.is_zero() {
                return ControlFlow::Continue(());
            }
            thread::sleep(remaining.min(MAX_SLEEP));
        }
    }

    /// Adds `bytes` to the reservations of all readers, and returns the time until which the caller has to wait.
    ///
    /// Idle time does not accumulate: a reservation never starts before `now`.
    fn reserve(&self, bytes: u64, now: Instant) -> Option<Instant> {
        let duration = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second?.max(1) as f64);
        let mut next_free_at = self.next_free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = next_free_at.map_or(now, |free_at| free_at.max(now)) + duration;
        *next_free_at = Some(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_readers_share_one_rate_and_idle_time_does_not_accumulate() {
        let limiter = RateLimiter::new(Some(1 << 20));
        let start = Instant::now();
        let after = |seconds| Some(start + Duration::from_secs(seconds));
        assert_eq!(limiter.reserve(1 << 20, start), after(1));
        assert_eq!(limiter.reserve(2 << 20, start), after(3), "a second reader at the same time");
        assert_eq!(limiter.reserve(1 << 20, start + Duration::from_secs(100)), after(101));
        assert_eq!(RateLimiter::new(None).reserve(1 << 40, start), None);
    }

    #[test]
    fn a_throttled_reader_can_be_stopped() {
        let limiter = RateLimiter::new(Some(1));
        let mut checks = 0;
        let flow = limiter.throttle(1 << 30, &mut || {
            checks += 1;
            if checks < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert_eq!((flow, checks), (ControlFlow::Break(()), 3));
    }
}
