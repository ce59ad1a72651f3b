//! Decides about segments whose files are missing: each is written again as its own file where a donor has its frames, and
//! otherwise its range is given up.

use std::ops::Range;

use super::donor::Donor;
use super::donor_ranges::DonorPart;
use super::donor_runs::DonorRun;
use super::gap_limits::GapLimits;
use super::group::{Decision, PieceGroup, SegmentContent};
use super::step_output::MIN_GAP;
use crate::StorageError;
use crate::file::{ScanItem, SegmentCondition, SegmentSet};
use crate::format::frame::MAX_FRAME;
use crate::format::header::LogHeader;
use crate::format::{DamageKind, EventView, SegmentHeader, Version, hex, segment_file_name};
use crate::inspect::{LogView, LostLastSegment, LostSegments};
use crate::repair::types::{Fix, NextSegment, ProposedFix, RepairAction, read_neighbour};

/// The length of the header of a segment, in bytes.
const HEADER_BYTES: u64 = Version::V2.first_frame_offset();

/// The source of the header of a missing segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MissingHeaderSource {
    /// The copy in its index, or that of a donor.
    Copy,
    /// The segments next to it, and the frames.
    Composed,
}

/// The missing segments of one finding, with the frames that may be taken for them.
pub(super) struct LostRangePlanner<'a, 'd, 'm> {
    pub(super) view: &'a LogView,
    pub(super) donors: &'a [Donor<'d, 'm>],
    pub(super) proposed: &'a ProposedFix,
    pub(super) lost: &'a LostSegments,
    /// The frames of donors in the range of the finding, by ascending offset.
    pub(super) runs: Vec<DonorRun>,
    pub(super) limits: &'a GapLimits,
}

impl LostRangePlanner<'_, '_, '_> {
    /// Decides about the range of the finding, part by part, by ascending offset.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when a donor cannot be read.
    pub(super) fn decide(&self) -> Result<Vec<PieceGroup>, StorageError> {
        let (start, end) = (self.proposed.finding.start, self.lost.absent.end);
        if let Some(reason) =
            reason_against_range(self.view, self.lost).filter(|_| self.proposed.finding.kind != DamageKind::Lost)
        {
            let decision = Decision::LeaveUnrepaired(reason);
            return Ok(vec![PieceGroup::of_part(start..end, std::slice::from_ref(self.proposed), decision)]);
        }
        let bases = self.segment_bases();
        let first = bases.first().copied().unwrap_or(end);
        let mut groups = Vec::new();
        if start < first && self.ends_before_lost_segment(&(start..first)) {
            self.restore_last_end(start..first, end, &mut groups);
            return Ok(groups);
        }
        if start < first {
            self.decide_end_of_segment(start..first, &mut groups);
        }
        let mut before = self.lost.before;
        for (at, base) in bases.iter().enumerate() {
            let range = *base..bases.get(at + 1).copied().unwrap_or(end);
            let header = self.header_of(&range, before)?;
            before = header.and_then(|(header, _)| header.segment).or(before);
            let decision = match header {
                Some(header) => self.decide_segment(&range, header)?,
                None => self.give_up(),
            };
            groups.push(PieceGroup::of_part(range, std::slice::from_ref(self.proposed), decision));
        }
        self.end_log(&mut groups);
        Ok(groups)
    }

    /// Returns the offsets at which missing segments start: those of donors, those that have left their index, and the start of the
    /// range when the donor has a frame there after a header.
    fn segment_bases(&self) -> Vec<u64> {
        let absent = &self.lost.absent;
        let of_donor = |donor: &Donor| donor.log().storage().segments().map(SegmentSet::bases).unwrap_or_default();
        let mut bases: Vec<u64> =
            self.donors.iter().flat_map(of_donor).chain(self.view.indexed_bases(absent)).collect();
        bases.extend(self.lost.last.map(|last| last.segment.base));
        let follows_header = self.runs.iter().any(|run| run.range.start == absent.start.saturating_add(HEADER_BYTES));
        if follows_header && self.proposed.finding.start == absent.start {
            bases.push(absent.start);
        }
        bases.retain(|base| absent.contains(base));
        bases.sort_unstable();
        bases.dedup();
        bases
    }

    /// Decides about the end of the segment before the missing ones, which was cut, or about a range in which no segment is known
    /// to start: frames of a donor are written there, and what follows the last one is given up.
    fn decide_end_of_segment(&self, range: Range<u64>, groups: &mut Vec<PieceGroup>) {
        let pieces = std::slice::from_ref(self.proposed);
        // Without a segment before it, no file can hold the range.
        let has_file = self.view.segments().is_some_and(|segments| segments.segment_at(range.start).base < range.start);
        let runs = self.runs_in(&range).into_iter().filter(|_| has_file);
        let parts = fill(range.start, None, runs.collect());
        let filled_to = parts.last().map_or(range.start, |part| part.range.end);
        for part in parts {
            let decision = part.content.map_or(Decision::FillWithGap, |run| Decision::TakeFromDonor(vec![run]));
            groups.push(PieceGroup::of_part(part.range, pieces, decision));
        }
        if filled_to < range.end {
            groups.push(PieceGroup::of_part(filled_to..range.end, pieces, self.give_up()));
        }
    }

    /// True when the log ends within a segment before lost ones, and this segment can be restored: a donor has frames of `range`, or
    /// the header is cut, without which the segment is damaged also when its range is given up.
    fn ends_before_lost_segment(&self, range: &Range<u64>) -> bool {
        self.lost.last.is_some() && (!self.runs_in(range).is_empty() || is_header_cut(self.view, self.lost))
    }

    /// Decides about the end of the last segment that is left, and leaves the lost ones after it up to `end` to the next repair: a plan
    /// changes the end of the log once.
    fn restore_last_end(&self, range: Range<u64>, end: u64, groups: &mut Vec<PieceGroup>) {
        let pieces = std::slice::from_ref(self.proposed);
        for part in fill(range.start, Some(range.end), self.runs_in(&range)) {
            let decision = part.content.map_or(Decision::FillWithGap, |run| Decision::TakeFromDonor(vec![run]));
            groups.push(PieceGroup::of_part(part.range, pieces, decision));
        }
        let reason = "the segment before it has lost its end, which is restored first: repair again after that";
        groups.push(PieceGroup::of_part(range.end..end, pieces, Decision::LeaveUnrepaired(reason.into())));
    }

    /// Decides about the segment with this range and header.
    fn decide_segment(
        &self,
        range: &Range<u64>,
        (header, source): (LogHeader, MissingHeaderSource),
    ) -> Result<Decision, StorageError> {
        let first = range.start.saturating_add(HEADER_BYTES);
        let runs = self.runs_in(&(first..range.end));
        let is_empty = first == range.end && self.donor_header(range.start)?.is_some();
        if runs.is_empty() && !is_empty {
            return Ok(self.give_up());
        }
        if let Some(reason) = reason_against_file(self.view, range.start) {
            return Ok(Decision::LeaveUnrepaired(reason));
        }
        let parts = fill(first, Some(range.end), runs);
        let gaps = parts.iter().filter(|part| part.content.is_err()).map(|part| part.range.end - part.range.start);
        if gaps.clone().any(|bytes| bytes < MIN_GAP) || self.limits.reason_against(gaps.sum()).is_some() {
            return Ok(self.give_up());
        }
        let old_log_end = self.lost.last.filter(|_| range.end == self.lost.absent.end).map(|_| self.lost.absent.start);
        Ok(Decision::WriteSegment(Box::new(SegmentContent {
            header: header.encode().to_vec(),
            is_header_composed: source == MissingHeaderSource::Composed,
            old_log_end,
            parts,
        })))
    }

    /// Returns the decision about a range that no donor has: a range that was given up before stays so.
    fn give_up(&self) -> Decision {
        if self.proposed.finding.kind == DamageKind::Lost {
            return Decision::Keep;
        }
        Decision::GiveUp(None)
    }

    /// Makes the log go on after a range that is given up at its end.
    fn end_log(&self, groups: &mut [PieceGroup]) {
        let Some(last) = self.lost.last else { return };
        let Some(group) = groups.last_mut() else { return };
        if !matches!(group.decision, Decision::GiveUp(None)) {
            return;
        }
        let Some(next) = next_segment(self.lost, &last) else {
            let reason = "its index does not show where the last segment ended: name a donor, or copy its file back";
            group.decision = Decision::LeaveUnrepaired(reason.into());
            return;
        };
        group.decision = Decision::GiveUp(Some(next));
    }

    /// Returns the frames of donors in a range, cut to it.
    fn runs_in(&self, range: &Range<u64>) -> Vec<DonorRun> {
        let inside = self.runs.iter().filter_map(|run| {
            let (start, end) = (run.range.start.max(range.start), run.range.end.min(range.end));
            // A run that starts with the header of the log goes on with its first frame.
            (start < end).then(|| DonorRun { range: start..end, ..run.clone() })
        });
        inside.collect()
    }

    /// Returns the header of the missing segment with this range: the copy in its index, that of a donor, or one that follows from
    /// the segments next to it and from the frames; `None` when nothing shows its number or its time.
    fn header_of(
        &self,
        range: &Range<u64>,
        before: Option<SegmentHeader>,
    ) -> Result<Option<(LogHeader, MissingHeaderSource)>, StorageError> {
        let follows = |header: &LogHeader| {
            let number = header.segment.map(|segment| segment.number);
            let is_after = before.is_none_or(|before| number > Some(before.number));
            is_after && self.lost.after.is_none_or(|after| number < Some(after.number))
        };
        if let Some(header) = self.view.header_in_index(range.start).filter(follows) {
            return Ok(Some((header, MissingHeaderSource::Copy)));
        }
        if let Some(header) = self.donor_header(range.start)?.filter(follows) {
            return Ok(Some((header, MissingHeaderSource::Copy)));
        }
        Ok(self.compose_header(range, before)?.map(|header| (header, MissingHeaderSource::Composed)))
    }

    /// Composes the header of a missing segment. A creation time that is not known becomes that of the first event.
    fn compose_header(
        &self,
        range: &Range<u64>,
        before: Option<SegmentHeader>,
    ) -> Result<Option<LogHeader>, StorageError> {
        let Some(segments) = self.view.segments() else { return Ok(None) };
        let between = |before: SegmentHeader| {
            let bases = segments.bases();
            bases.iter().filter(|base| before.base < **base && **base < range.start).count() as u32
        };
        let number = before.map(|before| before.number.checked_add(1 + between(before)));
        let number = number.or_else(|| self.lost.after.map(|after| after.number.checked_sub(1))).flatten();
        let created_at_ms = self.first_event_time(range)?;
        let (Some(number), Some(created_at_ms)) = (number, created_at_ms) else { return Ok(None) };
        let prev_checksum = self.checksum_before(range.start)?.unwrap_or_default();
        let log_start = before.map_or_else(|| segments.log_start(), |before| before.log_start);
        let segment = SegmentHeader { log_id: segments.log_id(), base: range.start, number, prev_checksum, log_start };
        Ok(Some(LogHeader { flags: 0, created_at_ms, segment: Some(segment) }))
    }

    /// Returns the checksum of the frame that ends at `offset`, in a donor or in the log.
    fn checksum_before(&self, offset: u64) -> Result<Option<u32>, StorageError> {
        for run in self.runs.iter().filter(|run| run.range.start < offset && offset <= run.range.end) {
            let Some(donor) = self.donors.get(run.donor) else { continue };
            let mut scanner = donor.scan_frames(run.range.start..offset);
            let mut last = None;
            while let Some(item) = scanner.next_item()? {
                if let ScanItem::Frame(at, frame) = item {
                    last = Some((at + frame.len(), frame.checksum()));
                }
            }
            return Ok(last.filter(|(end, _)| *end == offset).map(|(_, checksum)| checksum));
        }
        let spans = crate::file::spans_before(self.view.log(), offset.min(self.view.log().len()?), 1)?;
        let start = spans.last().map(|span| span.range().clone()).filter(|range| range.end == offset);
        let Some(range) = start else { return Ok(None) };
        Ok(read_neighbour(self.view.log(), range.start)?.map(|frame| frame.checksum))
    }

    /// Returns the time of the first event of a donor in a range.
    fn first_event_time(&self, range: &Range<u64>) -> Result<Option<u64>, StorageError> {
        let Some(run) = self.runs_in(&(range.start.saturating_add(HEADER_BYTES)..range.end)).into_iter().next() else {
            return Ok(None);
        };
        let Some(donor) = self.donors.get(run.donor) else { return Ok(None) };
        let mut scanner = donor.scan_frames(run.range);
        Ok(match scanner.next_item()? {
            Some(ScanItem::Frame(_, frame)) => {
                EventView::parse(frame.payload(), Version::V2).ok().map(|event| event.write_timestamp_ms())
            }
            _ => None,
        })
    }

    /// Returns the header that a donor has for the segment at `base` of this log.
    fn donor_header(&self, base: u64) -> Result<Option<LogHeader>, StorageError> {
        for donor in self.donors {
            if !donor.log().storage().segments().is_some_and(|segments| segments.bases().contains(&base)) {
                continue;
            }
            let mut bytes = vec![0; HEADER_BYTES as usize];
            let read = donor.log().read_at(&mut bytes, base)?;
            let header = LogHeader::decode(bytes.get(..read).unwrap_or_default()).ok();
            let log_id = self.view.segments().map(SegmentSet::log_id);
            let is_same = |segment: SegmentHeader| Some(segment.log_id) == log_id && segment.base == base;
            if let Some(header) = header.filter(|header| header.segment.is_some_and(is_same)) {
                return Ok(Some(header));
            }
        }
        Ok(None)
    }
}

/// Returns the fix of a finding about lost segments when no donor has their frames; `None` when a plan leaves it unrepaired.
pub(super) fn fix_without_donor(view: &LogView, lost: &LostSegments) -> Option<Fix> {
    if reason_against_range(view, lost).is_some() {
        return None;
    }
    match &lost.last {
        Some(_) if is_header_cut(view, lost) => Some(Fix::without_candidates(RepairAction::Gap)),
        Some(segment) if next_segment(lost, segment).is_none() => None,
        _ => Some(Fix::without_candidates(RepairAction::GiveUp)),
    }
}

/// True when the log ends, before lost segments, within the header of a segment.
fn is_header_cut(view: &LogView, lost: &LostSegments) -> bool {
    view.log().start_of_cut_header(lost.absent.start).is_some()
}

/// Returns the reason why nothing is decided about the whole range: a file at its start is not the segment that its name says,
/// or one at its end, which can be this segment under another name.
fn reason_against_range(view: &LogView, lost: &LostSegments) -> Option<String> {
    let Range { start, end } = lost.absent;
    let is_missing = |base: u64| {
        view.segments().is_some_and(|segments| segments.segment_at(base).condition == SegmentCondition::Missing)
    };
    let at_end = || is_missing(end).then(|| reason_against_file(view, end)).flatten();
    reason_against_file(view, start).or_else(at_end)
}

/// Returns the reason why nothing is decided about the segment at `base` when another file has its name; `None` when there is no
/// such file.
fn reason_against_file(view: &LogView, base: u64) -> Option<String> {
    let segments = view.segments()?;
    let bounds = segments.segment_at(base);
    let base = if bounds.condition == SegmentCondition::Missing { bounds.base } else { base };
    let path = segments.segment_path(base);
    view.disk().identity(&path).is_ok().then(|| {
        format!("{} is no segment of this log: move this file away, and repair again", segment_file_name(base))
    })
}

/// Returns the segment with which the log goes on after its lost end; `None` when the index of the last segment does not show where
/// it ended.
fn next_segment(lost: &LostSegments, found: &LostLastSegment) -> Option<NextSegment> {
    let end = lost.absent.end;
    let number = found.segment.number.checked_add(1)?;
    let last_frame = found.last_frame.filter(|frame| {
        frame.offset < end && end - frame.offset <= MAX_FRAME as u64 && found.segment.base < frame.offset
    });
    if last_frame.is_none() && end != found.segment.base + HEADER_BYTES {
        return None;
    }
    let prev_checksum = last_frame.map_or(0, |frame| frame.checksum);
    let segment = SegmentHeader { base: end, number, prev_checksum, ..found.segment };
    let header = LogHeader { segment: Some(segment), ..found.header }.encode();
    Some(NextSegment { header: hex::encode(&header), old_log_end: lost.absent.start })
}

/// Returns the parts from `start` on: the runs, the holes between them, and the hole after the last one up to `end`.
fn fill(start: u64, end: Option<u64>, runs: Vec<DonorRun>) -> Vec<DonorPart> {
    let mut parts = Vec::new();
    let mut at = start;
    let hole = |range: Range<u64>| DonorPart { range, content: Err("no copy has it") };
    for run in runs {
        if at < run.range.start {
            parts.push(hole(at..run.range.start));
        }
        at = run.range.end;
        parts.push(DonorPart { range: run.range.clone(), content: Ok(run) });
    }
    if let Some(end) = end.filter(|end| at < *end) {
        parts.push(hole(at..end));
    }
    parts
}
