//! [`LostSegments`]: what the rest of a log shows about segments whose files are missing.

use std::ops::Range;
use std::sync::Arc;

use super::LogView;
use super::log_view::open_index;
use crate::StorageError;
use crate::file::{SegmentCondition, SegmentSet};
use crate::format::header::LogHeader;
use crate::format::{DamageKind, Finding, FrameIdentity, SegmentHeader, base_of_index_file};
use crate::index::{AggregateIndex, index_path};

/// A range of a log that belongs to segments of which there are no files.
#[derive(Debug, Clone)]
pub(crate) struct LostSegments {
    /// The range of which the log has no byte.
    pub(crate) absent: Range<u64>,
    /// The header of the nearest segment before the range that has an intact one.
    pub(crate) before: Option<SegmentHeader>,
    /// The header of the nearest segment after the range that has an intact one.
    pub(crate) after: Option<SegmentHeader>,
    /// The last segment of the log, when it is one of those that are missing.
    pub(crate) last: Option<LostLastSegment>,
}

/// The last segment of a log, of which only the index is left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LostLastSegment {
    /// Its header, with the fields of version 2.
    pub(crate) header: LogHeader,
    pub(crate) segment: SegmentHeader,
    /// The last frame that the index has seen.
    pub(crate) last_frame: Option<FrameIdentity>,
}

impl LogView {
    /// Returns the segments that a finding about missing bytes is about; `None` when the file of a segment was cut instead, and for
    /// other findings.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub(crate) fn lost_segments(&self, finding: &Finding) -> Result<Option<LostSegments>, StorageError> {
        let is_missing = matches!(finding.kind, DamageKind::Truncated | DamageKind::Lost);
        let Some(segments) = self.segments().filter(|_| is_missing) else { return Ok(None) };
        let log_end = self.log().len()?;
        let seen_end = finding.evidence.log_end_offset.unwrap_or(finding.end).max(finding.end);
        if seen_end > log_end {
            // A file without a byte is there.
            let is_lost = |base: u64| (log_end..seen_end).contains(&base) && segments.base_from(base) != Some(base);
            let last = self.lost_last_segment().filter(|last| is_lost(last.segment.base));
            let before = || self.nearest_header(segments.bases().into_iter().rev());
            return Ok(last.map(|last| LostSegments {
                absent: log_end..seen_end,
                before: before(),
                after: None,
                last: Some(last),
            }));
        }
        let bounds = segments.segment_at(finding.start);
        let absent = bounds.missing().start.clamp(finding.start, finding.end)..finding.end;
        let bases = segments.bases();
        let (first_after, first) =
            (bases.partition_point(|base| *base < absent.end), bases.partition_point(|base| *base < absent.start));
        // A file that is no segment of this log can have the name of one.
        let before = self.nearest_header(bases.iter().take(first).rev().copied());
        let after = self.nearest_header(bases.iter().skip(first_after).copied());
        let lost = LostSegments { before, after, last: None, absent };
        let is_lost = finding.kind == DamageKind::Lost
            || bounds.condition != SegmentCondition::Present
            || are_numbers_left_out(&bases, &lost)
            || self.has_index_in(&lost.absent);
        Ok(is_lost.then_some(lost))
    }

    /// Returns the intact header of the first of these segments that has one.
    fn nearest_header(&self, bases: impl Iterator<Item = u64>) -> Option<SegmentHeader> {
        let mut bases = bases;
        bases.find_map(|base| self.segment_view(base).ok()?.segment_header())
    }

    /// True when a segment that starts in this range has left its index.
    fn has_index_in(&self, range: &Range<u64>) -> bool {
        self.indexed_bases(range).next().is_some()
    }

    /// Iterates over the segments that start in this range and have an index with their header, ascending.
    pub(crate) fn indexed_bases(&self, range: &Range<u64>) -> impl Iterator<Item = u64> {
        let files = self.segments().and_then(|segments| self.disk().list(segments.folder()).ok()).unwrap_or_default();
        let bases = files.iter().filter_map(|path| base_of_index_file(path));
        let inside: Vec<u64> = bases.filter(|base| range.contains(base)).collect();
        let with_header = |base: &u64| self.header_in_index(*base).is_some();
        inside.into_iter().filter(with_header).collect::<Vec<_>>().into_iter()
    }

    /// Returns the header of the segment at `base` that its index has a copy of; `None` without a trusted index of this segment.
    pub(crate) fn header_in_index(&self, base: u64) -> Option<LogHeader> {
        let segments = self.segments()?;
        let path = index_path(&segments.segment_path(base));
        let index = open_index(self.disk().as_ref(), self.log().storage(), &path).ok()?;
        let header = LogHeader::decode(&index.header().log_header).ok()?;
        let is_same = |segment: SegmentHeader| segment.log_id == segments.log_id() && segment.base == base;
        header.segment.is_some_and(is_same).then_some(header)
    }

    /// Returns the segments that start in this range and have left their index, by ascending base, each with the index.
    pub(crate) fn leftover_indexes(&self, range: &Range<u64>) -> Vec<(u64, AggregateIndex)> {
        let Some(segments) = self.segments() else { return Vec::new() };
        let load = |base: u64| {
            let path = index_path(&segments.segment_path(base));
            let index = open_index(self.disk().as_ref(), self.log().storage(), &path).ok()?;
            AggregateIndex::from_persisted(&Arc::new(index)).ok().map(|index| (base, index))
        };
        self.indexed_bases(range).filter_map(load).collect()
    }

    /// Returns the frames that the indexes of missing segments have recorded, by ascending offset.
    pub(crate) fn frames_of_lost_segments(&self) -> Vec<FrameIdentity> {
        let Some(segments) = self.segments() else { return Vec::new() };
        let mut frames = Vec::new();
        for base in segments.missing_ranges().iter().flat_map(|range| self.indexed_bases(range)) {
            let path = index_path(&segments.segment_path(base));
            let Ok(index) = open_index(self.disk().as_ref(), self.log().storage(), &path) else { continue };
            let index = Arc::new(index);
            frames.extend(index.last_seen_frame());
            let Ok(loaded) = AggregateIndex::from_persisted(&index) else { continue };
            frames.extend(loaded.anchors().map(|at| FrameIdentity { offset: at.offset, checksum: at.checksum }));
        }
        frames
    }

    /// Returns the segment after the end of the log of which only the index is left.
    fn lost_last_segment(&self) -> Option<LostLastSegment> {
        let index = self.identified_index()?;
        let header = LogHeader::decode(&index.header().log_header).ok()?;
        let segment =
            header.segment.filter(|segment| Some(segment.log_id) == self.segments().map(SegmentSet::log_id))?;
        Some(LostLastSegment { header, segment, last_frame: index.last_seen_frame() })
    }
}

/// True when the numbers of the segments around a range show that others were between them.
fn are_numbers_left_out(bases: &[u64], lost: &LostSegments) -> bool {
    let (Some(before), Some(after)) = (lost.before, lost.after) else { return false };
    let between = bases.iter().filter(|base| before.base < **base && **base < after.base).count() as u64;
    u64::from(after.number) > u64::from(before.number) + 1 + between
}
