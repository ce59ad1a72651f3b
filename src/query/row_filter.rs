//! The condition for a row: the filter and, in a search, the pattern. Converts a frame or a finding to its row.

use std::ops::Range;

use super::filter::Filter;
use super::payload_excerpt::ExcerptRequest;
use super::row::{EventSummary, LogRow, RowContent};
use super::search_pattern::SearchPattern;
use crate::format::{Finding, Frame, Version};
use crate::inspect::{FrameContent, classify_frame, gap_finding, invalid_event_finding};

/// The condition that a row must satisfy: a filter, and a pattern in a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowFilter<'a> {
    pub(super) filter: &'a Filter,
    /// The pattern of a search; only events that match it satisfy the condition.
    pub(super) pattern: Option<&'a SearchPattern>,
    /// What the rows of events contain of the payload.
    pub(super) excerpt: Option<&'a ExcerptRequest>,
}

impl RowFilter<'_> {
    /// Returns the row of the frame at offset `at`, when it satisfies the condition.
    pub(super) fn frame_row(&self, at: u64, frame: &Frame, version: Version) -> Option<LogRow> {
        let payload = frame.payload();
        if self.pattern.is_some_and(|pattern| !pattern.is_match(payload)) {
            return None;
        }
        let range = at..at + frame.len();
        match classify_frame(frame, version) {
            FrameContent::Event(event) => self
                .filter
                .matches_event(at, &event)
                .then(|| EventSummary::from_event(&event).with_excerpt(&event, self.excerpt))
                .map(|summary| make_row(range, RowContent::Event(summary))),
            FrameContent::Gap => self.finding_row(gap_finding(at, frame)),
            FrameContent::InvalidEvent(error) => self.finding_row(invalid_event_finding(at, frame, &error)),
        }
    }

    /// Returns the row of a finding, when it satisfies the condition.
    pub(super) fn finding_row(&self, finding: Finding) -> Option<LogRow> {
        (self.pattern.is_none() && self.filter.matches_finding(&finding))
            .then(|| make_row(finding.range(), RowContent::Finding(finding)))
    }

    /// Returns the row of an unfinished last frame, when it satisfies the condition.
    pub(super) fn in_flight_row(&self, range: Range<u64>) -> Option<LogRow> {
        (self.pattern.is_none() && self.filter.matches_in_flight()).then(|| make_row(range, RowContent::InFlight))
    }
}

fn make_row(range: Range<u64>, content: RowContent) -> LogRow {
    LogRow { start: range.start, end: range.end, content }
}
