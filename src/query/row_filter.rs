//! The condition that a row must meet: the filter and, while searching, the pattern. Turns a frame into its row.

use std::ops::Range;

use super::filter::Filter;
use super::row::{EventSummary, LogRow, RowContent};
use super::search_pattern::SearchPattern;
use crate::format::{DamageKind, EventView, Evidence, Finding, Frame, Version, gap};

/// What is to be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowFilter<'a> {
    pub(super) filter: &'a Filter,
    /// With a pattern, events that match it and nothing else.
    pub(super) pattern: Option<&'a SearchPattern>,
}

impl RowFilter<'_> {
    /// The row of a frame, when it is to be seen.
    pub(super) fn frame_row(&self, at: u64, frame: &Frame, version: Version) -> Option<LogRow> {
        let payload = frame.payload();
        if self.pattern.is_some_and(|pattern| !pattern.is_match(payload)) {
            return None;
        }
        let range = at..at + frame.len();
        match EventView::parse(payload, version) {
            Ok(event) => self
                .filter
                .matches_event(at, &event)
                .then(|| make_row(range, RowContent::Event(EventSummary::from_event(&event)))),
            Err(_) if gap::is_gap(payload) => {
                let content = gap::gap_content(payload).map(str::to_owned);
                self.finding_row(
                    Finding::new(DamageKind::Gap, range).with_evidence(Evidence { content, ..Evidence::default() }),
                )
            }
            Err(invalid) => {
                let evidence = Evidence {
                    reason: Some(invalid.reason.into()),
                    bad_byte_offset: Some(at + 4 + invalid.offset as u64),
                    ..Evidence::default()
                };
                self.finding_row(Finding::new(DamageKind::InvalidEvent, range).with_evidence(evidence))
            }
        }
    }

    /// The row of a finding, when it is to be seen.
    pub(super) fn finding_row(&self, finding: Finding) -> Option<LogRow> {
        (self.pattern.is_none() && self.filter.matches_finding(&finding))
            .then(|| make_row(finding.range(), RowContent::Finding(finding)))
    }

    pub(super) fn in_flight_row(&self, range: Range<u64>) -> Option<LogRow> {
        (self.pattern.is_none() && self.filter.matches_in_flight()).then(|| make_row(range, RowContent::InFlight))
    }
}

fn make_row(range: Range<u64>, content: RowContent) -> LogRow {
    LogRow { start: range.start, end: range.end, content }
}
