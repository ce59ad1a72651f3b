//! What an erasure selects and removes, as plain data.

use serde::{Deserialize, Serialize};

use super::Loss;

/// What a plan erases, beside its steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedErasure {
    /// When the erasure was planned, in milliseconds since the Unix epoch. The gaps have this time.
    #[serde(rename = "at")]
    pub at_ms: u64,
    /// The reason that the user gave. The gaps have it where it fits.
    #[serde(rename = "why", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Number of events that are erased.
    pub events: u64,
    /// The aggregates whose events are all erased: their number and the first [`Loss::MAX_AGGREGATES`] ids.
    #[serde(default, skip_serializing_if = "EmptiedAggregates::is_empty")]
    pub emptied: EmptiedAggregates,
    /// The earliest and the latest time of the erased events, in milliseconds since the Unix epoch; `None` when none of them
    /// has a readable time.
    #[serde(rename = "times", default, skip_serializing_if = "Option::is_none")]
    pub times_ms: Option<(u64, u64)>,
    /// True when the caller makes the erasure final as soon as it is applied.
    #[serde(rename = "final", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_final: bool,
}

/// The aggregates whose events are all erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptiedAggregates {
    /// Their number.
    pub count: u64,
    /// The first [`Loss::MAX_AGGREGATES`] ids, ascending.
    pub ids: Vec<u64>,
}

impl EmptiedAggregates {
    /// True when every aggregate keeps an event.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds an aggregate. The ids must be added in ascending order.
    pub(crate) fn push(&mut self, id: u64) {
        self.count += 1;
        if self.ids.len() < Loss::MAX_AGGREGATES {
            self.ids.push(id);
        }
    }
}

/// The events that an erasure replaces, and the reason that the gaps give.
///
/// ```
/// let options = chronicle::repair::EraseOptions::new([64, 312]).reason("request 4711");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EraseOptions {
    /// The offsets of the events, in any order.
    pub offsets: Vec<u64>,
    /// The reason that the gaps give.
    pub reason: Option<String>,
    /// When the erasure was planned, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Notes for the user about the selection of the events, which the plan repeats.
    pub notes: Vec<String>,
    /// True when the caller makes the erasure final as soon as it is applied. The plan says so.
    pub is_final: bool,
}

impl EraseOptions {
    /// The largest number of events that one plan erases. A plan is held in memory.
    pub const MAX_EVENTS: usize = 200_000;

    /// Creates the options that erase the events at these offsets now, without a reason.
    pub fn new(offsets: impl IntoIterator<Item = u64>) -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Self { offsets: offsets.into_iter().collect(), now_ms, ..Self::default() }
    }

    /// Sets the reason, which has at most 1000 bytes.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the time of the erasure, in milliseconds since the Unix epoch; the default is the present time.
    #[must_use]
    pub const fn at(mut self, now_ms: u64) -> Self {
        self.now_ms = now_ms;
        self
    }
}
