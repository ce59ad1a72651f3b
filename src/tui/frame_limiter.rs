//! Limits how often the screen is drawn: at once after input, ten times a second for background updates, and at most
//! sixty times a second.
//!
//! A key leads to up to two frames in quick succession, the second when a worker has responded. Frames may therefore
//! come in short bursts while their rate over time stays bounded: the generic cell rate algorithm of ITU-T I.371.

use std::time::{Duration, Instant};

/// Interval between two frames, averaged over time.
const FRAME_INTERVAL: Duration = Duration::from_millis(18);
/// Longest time that frames may be ahead of that interval: it permits four frames at once.
const BURST_TOLERANCE: Duration = Duration::from_millis(54);
/// Shortest interval between two frames for background updates.
const BACKGROUND_FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// Why a frame has to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FramePriority {
    /// Only background updates have arrived since the last frame.
    Background,
    /// Input has arrived since the last frame, or the response to it.
    Interactive,
}

/// Decides when the next frame may be drawn.
#[derive(Debug, Default)]
pub(super) struct FrameLimiter {
    last_frame: Option<Instant>,
    /// The theoretical arrival time of the algorithm: when the next frame would be due if all frames so far had been
    /// evenly spaced.
    theoretical_time: Option<Instant>,
}

impl FrameLimiter {
    /// Returns when the next frame is due; `None` for the first one.
    pub(super) fn next_frame_at(&self, priority: FramePriority) -> Option<Instant> {
        let last = self.last_frame?;
        let earliest = self.theoretical_time?.checked_sub(BURST_TOLERANCE).unwrap_or(last);
        Some(match priority {
            FramePriority::Interactive => earliest.max(last),
            FramePriority::Background => earliest.max(last + BACKGROUND_FRAME_INTERVAL),
        })
    }

    /// Records that a frame was drawn.
    pub(super) fn record_frame(&mut self, now: Instant) {
        self.last_frame = Some(now);
        self.theoretical_time = Some(self.theoretical_time.map_or(now, |due| due.max(now)) + FRAME_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws a frame whenever one is permitted. Returns the times of the frames in the first second.
    fn draw_for_a_second(priority: FramePriority) -> Vec<Duration> {
        let start = Instant::now();
        let mut limiter = FrameLimiter::default();
        let mut drawn = Vec::new();
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            if limiter.next_frame_at(priority).is_none_or(|due| due <= now) {
                limiter.record_frame(now);
                drawn.push(now - start);
            }
        }
        drawn
    }

    #[test]
    fn a_key_and_its_response_are_drawn_at_once_and_a_held_key_sixty_times_a_second() {
        let drawn = draw_for_a_second(FramePriority::Interactive);
        assert!(drawn[3] <= Duration::from_millis(3), "{drawn:?}");
        assert!((50..=60).contains(&drawn.len()), "{}", drawn.len());
    }

    #[test]
    fn background_updates_are_drawn_ten_times_a_second() {
        assert_eq!(draw_for_a_second(FramePriority::Background).len(), 10);
    }
}
