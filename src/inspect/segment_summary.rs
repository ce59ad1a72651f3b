//! [`SegmentSummary`]: the facts about one segment of a log that need no pass over it.

use super::LogView;
use crate::file::{SegmentBounds, SegmentCondition};
use crate::index::IndexState;

/// One segment of a log. All offsets are offsets in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentSummary {
    /// The number of the segment, from 0; `None` when its header cannot be decoded.
    pub number: Option<u32>,
    /// Offset of the first byte of the segment.
    pub base: u64,
    /// The end of the bytes in its file.
    pub data_end: u64,
    /// The offset at which the next segment starts; `None` in the active segment.
    pub sealed_at: Option<u64>,
    /// When the segment was created, in milliseconds since the Unix epoch; `None` when its header cannot be decoded.
    pub created_at_ms: Option<u64>,
    /// Number of events according to its index; `None` without a trusted index.
    pub events: Option<u64>,
    /// The end of the part that its index has read, as an offset in the log; `None` without a trusted index.
    pub indexed_to: Option<u64>,
    /// Time of the first event according to its index, in milliseconds since the Unix epoch.
    pub first_time_ms: Option<u64>,
    /// Time of the last event according to its index, in milliseconds since the Unix epoch.
    pub last_time_ms: Option<u64>,
    /// Number of damaged ranges according to its index.
    pub known_damage: Option<u64>,
    /// Number of bytes before the next segment that no segment has and that a repair gave up.
    pub lost_bytes: u64,
    /// The state of its index.
    pub index_state: IndexState,
    /// Whether its file can be read.
    pub condition: SegmentCondition,
}

impl LogView {
    /// Returns the segments of a log in a folder, in order; none for a log in one file. Opens each segment and its index.
    pub fn segment_summaries(&self) -> Vec<SegmentSummary> {
        let bases = self.segment_bases();
        bases.into_iter().filter_map(|base| self.segment_summary(base)).collect()
    }

    /// Returns how many bytes after the end of a segment were given up.
    fn lost_bytes(&self, bounds: &SegmentBounds) -> u64 {
        let missing = bounds.missing();
        let lost = self.segments().filter(|_| !missing.is_empty()).map(|segments| segments.lost_parts(&missing));
        lost.unwrap_or_default().iter().map(|part| part.end - part.start).sum()
    }

    /// Returns the facts about the segment at `base`; `None` for a log in one file. Opens the segment and its index.
    pub(crate) fn segment_summary(&self, base: u64) -> Option<SegmentSummary> {
        let bounds = self.segments()?.segment_at(base);
        let sealed_at = (bounds.end != u64::MAX).then_some(bounds.end);
        let mut summary = SegmentSummary {
            number: None,
            base,
            data_end: if sealed_at.is_some() { bounds.data_end } else { self.log().len().unwrap_or(base) },
            sealed_at,
            created_at_ms: None,
            events: None,
            indexed_to: None,
            first_time_ms: None,
            last_time_ms: None,
            known_damage: None,
            lost_bytes: self.lost_bytes(&bounds),
            index_state: IndexState::Missing,
            condition: bounds.condition,
        };
        let Ok(segment) = self.segment_view(base) else { return Some(summary) };
        summary.number = segment.segment_header().map(|header| header.number);
        summary.created_at_ms = summary.number.and(segment.created_at_ms());
        summary.index_state = segment.index_state().clone();
        if let Some(index) = segment.trusted_content() {
            let totals = index.totals();
            (summary.events, summary.last_time_ms) = (Some(totals.events), totals.last_time);
            summary.indexed_to = Some(index.coverage().scanned_to);
            // The anchor of the first block is the first event.
            summary.first_time_ms = index.anchors().next().map(|anchor| anchor.timestamp_ms);
            summary.known_damage = Some(index.known_damage().count() as u64);
        }
        Some(summary)
    }
}
