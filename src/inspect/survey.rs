//! The vocabulary of a survey: what it reads, what it reports on the way, and its result.

use std::ops::{ControlFlow, Range};

use super::{HealthMap, Progress};
use crate::format::{DamageKind, Finding};
use crate::index::RangeSet;

/// The most findings that a [`Survey`] holds. Further ones are passed to the callback and counted.
pub const MAX_FINDINGS: usize = 10_000;

/// What a survey reads of a log, and how.
#[derive(Debug, Clone, Default)]
pub struct SurveyOptions {
    /// Payloads are not parsed: no `invalid_event`, no `clock`, no index.
    pub frames_only: bool,
    /// The survey starts at this offset, where a frame is expected, instead of the first frame.
    pub from: Option<u64>,
    /// The survey ends before the first frame that starts at this offset or later.
    pub until: Option<u64>,
    /// The time of the last readable event before `from`, in milliseconds since the epoch. An earlier time after it is a
    /// `clock` finding.
    pub previous_time: Option<u64>,
    /// The size in bytes of the parts that are read at the same time; `None` is 16 MiB. The findings do not depend on it.
    pub part_bytes: Option<u64>,
}

/// What a survey reports while it runs.
#[derive(Debug)]
pub enum SurveyUpdate<'a> {
    /// The survey has read up to a position of the log.
    Progress(Progress),
    /// A finding.
    Finding(&'a Finding),
}

/// The callback of a survey. `Break` cancels the survey, which then fails with
/// [`StorageError::Cancelled`](crate::StorageError::Cancelled).
pub type OnSurveyUpdate<'a> = dyn FnMut(SurveyUpdate) -> ControlFlow<()> + 'a;

/// The result of a survey.
#[derive(Debug, Default)]
pub struct Survey {
    /// Findings in ascending order of offsets, the first [`MAX_FINDINGS`] of them.
    pub findings: Vec<Finding>,
    /// The number of all findings.
    pub findings_total: u64,
    /// The number of findings that are damage.
    pub damage_total: u64,
    /// The last frame, when it is being written: no damage.
    pub in_flight: Option<Range<u64>>,
    /// The number of events; with `frames_only`, of valid frames that are no gaps.
    pub events: u64,
    /// The number of gap frames.
    pub gaps: u64,
    /// The offset up to which the log was read, without a frame in flight.
    pub scanned_to: u64,
    /// The ranges that were read, ascending.
    pub scanned_ranges: Vec<Range<u64>>,
    /// The damaged ranges among them.
    pub(crate) damaged_ranges: RangeSet,
    /// The health of each part of the file.
    pub map: HealthMap,
    /// The time of the last readable event, or [`SurveyOptions::previous_time`] where there is none.
    pub last_time: Option<u64>,
}

impl Survey {
    /// Adds the result of a survey of a later range of the same log.
    pub(super) fn merge(mut self, mut next: Self) -> Self {
        next.scanned_ranges.iter().for_each(|range| self.map.mark_verified(range.clone()));
        next.damaged_ranges.iter().for_each(|range| self.map.mark_damaged(range.clone()));
        let gaps = next.findings.iter().filter(|finding| finding.kind == DamageKind::Gap);
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
