//! The options of a survey, its reports while it runs, and its result.

use std::ops::{ControlFlow, Range};

use super::{HealthMap, Progress};
use crate::format::{DamageKind, Finding};
use crate::index::RangeSet;

/// Largest number of findings in a [`Survey`]. Further findings are passed to the callback and counted.
pub const MAX_FINDINGS: usize = 10_000;

/// The options of a survey: the range of the log that is read, and the depth.
///
/// ```
/// let options = chronicle::SurveyOptions::new().from(4096).until(1 << 20).frames_only();
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SurveyOptions {
    /// Do not parse payloads. The survey then reports no `invalid_event` and no `clock`, and extends no index.
    pub frames_only: bool,
    /// Start at this offset, where a frame is expected, instead of the first frame. The header is then not checked.
    pub from: Option<u64>,
    /// End before the first frame that starts at this offset or later. A lost end of the log is then not reported.
    pub until: Option<u64>,
    /// The time of the last readable event before `from`, in milliseconds since the Unix epoch. A first event with an
    /// earlier time is a `clock` finding.
    pub previous_time: Option<u64>,
    /// The size in bytes of the parts that are read at the same time; `None` is 16 MiB. The findings do not depend on it.
    pub part_bytes: Option<u64>,
}

impl SurveyOptions {
    /// Creates the default options: the whole log, with its payloads.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads frames without parsing their payloads. The survey then reports no `invalid_event` and no
    /// `clock`, and extends no index.
    #[must_use]
    pub fn frames_only(mut self) -> Self {
        self.frames_only = true;
        self
    }

    /// Starts at this offset, where a frame is expected, instead of the first frame. The header is then not checked.
    #[must_use]
    pub fn from(mut self, offset: u64) -> Self {
        self.from = Some(offset);
        self
    }

    /// Ends before the first frame that starts at this offset or later. A lost end of the log is then not reported.
    #[must_use]
    pub fn until(mut self, offset: u64) -> Self {
        self.until = Some(offset);
        self
    }

    /// Sets the time of the last readable event before the start, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn previous_time(mut self, time_ms: u64) -> Self {
        self.previous_time = Some(time_ms);
        self
    }

    /// Sets the size of the parts that are read at the same time; the default is 16 MiB.
    #[must_use]
    pub fn part_bytes(mut self, bytes: u64) -> Self {
        self.part_bytes = Some(bytes);
        self
    }
}

/// A report of a running survey.
#[derive(Debug)]
#[non_exhaustive]
pub enum SurveyUpdate<'a> {
    /// The survey has read up to a position of the log.
    Progress(Progress),
    /// A finding was made.
    Finding(&'a Finding),
}

/// The callback of a survey. `Break` cancels the survey, which then fails with
/// [`StorageError::Cancelled`](crate::StorageError::Cancelled).
pub type OnSurveyUpdate<'a> = dyn FnMut(SurveyUpdate) -> ControlFlow<()> + 'a;

/// The result of a survey.
#[derive(Debug, Default)]
pub struct Survey {
    /// The first [`MAX_FINDINGS`] findings, by ascending offset.
    pub findings: Vec<Finding>,
    /// The number of all findings.
    pub findings_total: u64,
    /// The number of findings that are damage.
    pub damage_total: u64,
    /// The last frame, when it is being written. It is not damage.
    pub in_flight: Option<Range<u64>>,
    /// The number of events; with `frames_only`, the number of valid frames that are not gaps.
    pub events: u64,
    /// The number of gap frames.
    pub gaps: u64,
    /// The offset up to which the log was read, without a frame in flight.
    pub scanned_to: u64,
    /// The ranges that were read, ascending.
    pub scanned_ranges: Vec<Range<u64>>,
    /// The damaged ranges in the ranges that were read.
    pub(crate) damaged_ranges: RangeSet,
    /// The health of each part of the file.
    pub map: HealthMap,
    /// The time of the last readable event, or [`SurveyOptions::previous_time`] when there is none.
    pub last_time: Option<u64>,
}

impl Survey {
    /// Adds the result of a survey of a later range of the same log.
    pub(super) fn merge(mut self, mut next: Self) -> Self {
        next.scanned_ranges.iter().for_each(|range| self.map.mark_verified(range.clone()));
        next.damaged_ranges.iter().for_each(|range| self.map.mark_damaged(range.clone()));
        let gaps = next.findings.iter().filter(|finding| matches!(finding.kind, DamageKind::Gap | DamageKind::Lost));
        gaps.for_each(|gap| self.map.mark_gap(gap.range()));
        let available = MAX_FINDINGS.saturating_sub(self.findings.len());
        self.findings.extend(next.findings.drain(..).take(available));
        Self {
            findings_total: self.findings_total + next.findings_total,
            damage_total: self.damage_total + next.damage_total,
            in_flight: next.in_flight.or(self.in_flight),
            events: self.events + next.events,
            gaps: self.gaps + next.gaps,
            scanned_to: next.scanned_to,
            scanned_ranges: [self.scanned_ranges, next.scanned_ranges].concat(),
            damaged_ranges: self.damaged_ranges.union(next.damaged_ranges),
            last_time: next.last_time,
            ..self
        }
    }
}
