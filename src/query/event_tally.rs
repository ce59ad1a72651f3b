//! [`EventTally`]: the number, the size and the times of some events.

/// Totals of a number of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventTally {
    /// The number of events.
    pub events: u64,
    /// The size of their frames in bytes.
    pub bytes: u64,
    /// The earliest and the latest write time, in milliseconds since the Unix epoch; `None` when there is no event, and
    /// when the events were counted from the index.
    pub times: Option<(u64, u64)>,
}

impl EventTally {
    /// Adds an event with the size of its frame in bytes and its time.
    #[inline]
    pub(super) fn add(&mut self, bytes: u64, time_ms: u64) {
        self.events += 1;
        self.bytes += bytes;
        self.times =
            Some(self.times.map_or((time_ms, time_ms), |(first, last)| (first.min(time_ms), last.max(time_ms))));
    }

    /// Adds other totals.
    pub(super) fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}
