//! How often the screen is drawn: what somebody did shows at once, what happens behind it a few times a second, and never
//! more than sixty times a second.
//!
//! A key is answered by up to two frames in quick succession, the second when a worker's answer has come. So frames may
//! come in short bursts, while their rate stays bounded: the generic cell rate algorithm of ITU-T I.371.

use std::time::{Duration, Instant};

/// Between two frames, over time.
const FRAME: Duration = Duration::from_millis(18);
/// How far frames may run ahead of that: four at once.
const BURST: Duration = Duration::from_millis(54);
/// Between two frames while nobody does anything.
const NEWS: Duration = Duration::from_millis(100);

/// When the next frame may be drawn.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Instant>,
    /// When the frames drawn so far would have been drawn at an even rate.
    even: Option<Instant>,
}

impl Pace {
    /// When the next frame is due; `None` for the first one.
    pub(super) fn due(&self, urgent: bool) -> Option<Instant> {
        let last = self.last?;
        let soonest = self.even?.checked_sub(BURST).unwrap_or(last);
        Some(if urgent { soonest.max(last) } else { soonest.max(last + NEWS) })
    }

    /// A frame was drawn.
    pub(super) fn drew(&mut self, now: Instant) {
        self.last = Some(now);
        self.even = Some(self.even.map_or(now, |even| even.max(now)) + FRAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws whenever it may; the frames of the first second.
    fn frames(urgent: bool) -> Vec<Duration> {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut drawn = Vec::new();
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            if pace.due(urgent).is_none_or(|due| due <= now) {
                pace.drew(now);
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
