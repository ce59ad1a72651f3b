//! What may be read behind the screen in a second: one budget for all who read there.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Longest sleep before a stop is heard.
const MAX_SLEEP: Duration = Duration::from_millis(50);

/// Bytes a second, or no bound.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    bytes_per_second: Option<u64>,
    /// When all that was read so far would have been read at that rate.
    next_free_at: Mutex<Option<Instant>>,
}

impl RateLimiter {
    pub(crate) const fn new(rate: Option<u64>) -> Self {
        Self { bytes_per_second: rate, next_free_at: Mutex::new(None) }
    }

    /// True where there is a bound.
    pub(super) const fn is_limited(&self) -> bool {
        self.bytes_per_second.is_some()
    }

    /// Books bytes that were read, and waits until the budget has paid for them or `go_on` breaks.
    pub(super) fn throttle(&self, bytes: u64, check_stop: &mut dyn FnMut() -> ControlFlow<()>) -> ControlFlow<()> {
        let due = self.reserve(bytes, Instant::now());
        loop {
            check_stop()?;
            let left = due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return ControlFlow::Continue(());
            }
            thread::sleep(left.min(MAX_SLEEP));
        }
    }

    /// Books them; when they are paid for.
    fn reserve(&self, bytes: u64, now: Instant) -> Option<Instant> {
        let took = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second?.max(1) as f64);
        let mut even = self.next_free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = even.map_or(now, |even| even.max(now)) + took;
        *even = Some(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_read_share_one_rate_and_a_pause_earns_nothing() {
        let budget = RateLimiter::new(Some(1 << 20));
        let start = Instant::now();
        let after = |seconds| Some(start + Duration::from_secs(seconds));
        assert_eq!(budget.reserve(1 << 20, start), after(1));
        assert_eq!(budget.reserve(2 << 20, start), after(3), "another one reads at the same time");
        assert_eq!(budget.reserve(1 << 20, start + Duration::from_secs(100)), after(101));
        assert_eq!(RateLimiter::new(None).reserve(1 << 40, start), None);
    }

    #[test]
    fn who_waits_for_the_budget_hears_a_stop() {
        let budget = RateLimiter::new(Some(1));
        let mut asked = 0;
        let told = budget.throttle(1 << 30, &mut || {
            asked += 1;
            if asked < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert_eq!((told, asked), (ControlFlow::Break(()), 3));
    }
}
