//! Plain data of a retention: the limits, and the plan of what they remove from the front of a log.

use std::path::PathBuf;

use super::EmptiedAggregates;
use crate::format::LogId;

/// What a retention keeps. A segment is removed when one of the limits allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetentionLimit {
    /// Removes the segments whose events all lie before this offset.
    BeforeOffset(u64),
    /// Removes the segments that were complete at this time, in milliseconds since the Unix epoch: the next segment had been
    /// created. The times of events do not count.
    BeforeTime(u64),
    /// Keeps the newest segments that have at least this number of bytes together.
    KeepBytes(u64),
}

/// The segments that a retention removes, with their content. Applying it removes exactly these.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionPlan {
    /// The path of the log.
    pub path: PathBuf,
    /// The identity of the log.
    pub log_id: LogId,
    /// The limits that the plan was made for.
    pub limits: Vec<RetentionLimit>,
    /// The first offset of the log now.
    pub old_start: u64,
    /// The first offset of the log afterwards.
    pub new_start: u64,
    /// The segments that are removed, by ascending base.
    pub segments: Vec<PlannedSegment>,
    /// The aggregates that lose all of their events; `None` when no index shows them.
    pub emptied: Option<EmptiedAggregates>,
    /// How many segments stay, with the last one, to which events are appended.
    pub kept_segments: u64,
    /// How many bytes stay.
    pub kept_bytes: u64,
    /// How many events of the last segment are over a limit. They stay, because only whole sealed segments are removed.
    pub active_over_limit: u64,
}

/// One segment that a retention removes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedSegment {
    /// Offset of the segment in the log.
    pub base: u64,
    /// The size of its file, in bytes; 0 when it is missing.
    pub bytes: u64,
    /// The number of its events.
    pub events: u64,
    /// The earliest and the latest time of its events, in milliseconds since the Unix epoch; `None` when none of them has a
    /// readable time.
    pub times_ms: Option<(u64, u64)>,
    /// When the next segment was created, in milliseconds since the Unix epoch; `None` when its header is damaged.
    pub sealed_at_ms: Option<u64>,
}

impl RetentionPlan {
    /// The number of events that are removed.
    pub fn events(&self) -> u64 {
        self.segments.iter().map(|segment| segment.events).fold(0, u64::saturating_add)
    }

    /// The size of the files that are removed, in bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).fold(0, u64::saturating_add)
    }

    /// The earliest and the latest time of the removed events, in milliseconds since the Unix epoch.
    pub fn times_ms(&self) -> Option<(u64, u64)> {
        let times = self.segments.iter().filter_map(|segment| segment.times_ms);
        times.reduce(|(first, last), (other_first, other_last)| (first.min(other_first), last.max(other_last)))
    }
}

/// Formats the limits of a retention, as its record gives them.
pub(crate) fn describe_limits(limits: &[RetentionLimit]) -> String {
    let text = |limit: &RetentionLimit| match limit {
        RetentionLimit::BeforeOffset(offset) => format!("before offset {offset}"),
        RetentionLimit::BeforeTime(ms) => format!("complete at {ms} ms since 1970"),
        RetentionLimit::KeepBytes(bytes) => format!("not among the newest {bytes} bytes"),
    };
    limits.iter().map(text).collect::<Vec<_>>().join(", or ")
}
