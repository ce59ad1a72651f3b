//! How often the screen is drawn: what somebody did shows at once, what happens behind it a few times a second, and never
//! more than sixty times a second.
//!
//! A key is answered by up to two frames in quick succession, the second when a worker's answer has come. So frames may
//! come in short bursts, while their rate stays bounded: the generic cell rate algorithm of ITU-T I.371.

use std::time::{Duration, Instant};

/// Between two frames, over time.
const FRAME_INTERVAL: Duration = Duration::from_millis(18);
/// How far frames may run ahead of that: four at once.
const BURST_TOLERANCE: Duration = Duration::from_millis(54);
/// Between two frames while nobody does anything.
const BACKGROUND_FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// When the next frame may be drawn.
#[derive(Debug, Default)]
pub(super) struct FrameLimiter {
    last_frame: Option<Instant>,
    /// When the frames drawn so far would have been drawn at an even rate.
    theoretical_time: Option<Instant>,
}

impl FrameLimiter {
    /// When the next frame is due; `None` for the first one.
    pub(super) fn next_frame_at(&self, urgent: bool) -> Option<Instant> {
        let last = self.last_frame?;
        let soonest = self.theoretical_time?.checked_sub(BURST_TOLERANCE).unwrap_or(last);
        Some(if urgent { soonest.max(last) } else { soonest.max(last + BACKGROUND_FRAME_INTERVAL) })
    }

    /// A frame was drawn.
    pub(super) fn record_frame(&mut self, now: Instant) {
        self.last_frame = Some(now);
        self.theoretical_time = Some(self.theoretical_time.map_or(now, |even| even.max(now)) + FRAME_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws whenever it may; the frames of the first second.
    fn frames(urgent: bool) -> Vec<Duration> {
        let start = Instant::now();
        let mut pace = FrameLimiter::default();
        let mut drawn = Vec::new();
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            if pace.next_frame_at(urgent).is_none_or(|due| due <= now) {
                pace.record_frame(now);
                drawn.push(now - start);
            }
        }
        drawn
    }

    #[test]
    fn a_key_and_its_answer_are_drawn_at_once_and_a_held_key_sixty_times_a_second() {
        let drawn = frames(true);
        assert!(drawn[3] <= Duration::from_millis(3), "{drawn:?}");
        assert!((50..=60).contains(&drawn.len()), "{}", drawn.len());
    }

    #[test]
    fn news_are_drawn_ten_times_a_second() {
        assert_eq!(frames(false).len(), 10);
    }
}
