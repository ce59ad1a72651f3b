//! Merges the parts of a survey in order, and keeps the state that passes from one part to the next.

use std::collections::VecDeque;
use std::ops::Range;

use super::part_scan::{PartEvent, PartResult, PartScanner, clock_finding};
use super::progress::{Progress, cancelled_if_break};
use super::survey::{MAX_FINDINGS, OnSurveyUpdate, Survey, SurveyUpdate};
use super::walk::LogWalk;
use crate::StorageError;
use crate::format::{DamageKind, Finding};
use crate::index::AggregateIndex;

/// A survey in progress.
pub(super) struct SurveyPass<'a> {
    pub(super) part_scanner: PartScanner<'a>,
    index: Option<&'a mut AggregateIndex>,
    on_update: &'a mut OnSurveyUpdate<'a>,
    survey: Survey,
    /// The time of the last event before `position`.
    previous_time: Option<u64>,
    /// The walk of the previous part, which may have read ahead.
    walk: Option<LogWalk>,
    /// The offset up to which parts were merged, where the next frame is expected.
    pub(super) position: u64,
    /// The offset up to which progress was reported.
    reported_to: u64,
    /// True while an unreadable header is not reported. It is reported together with an unreadable range that follows it.
    is_header_pending: bool,
    /// The segments that start after the position, ascending.
    segment_starts: VecDeque<u64>,
    /// The range of the header; empty until it is checked.
    header: Range<u64>,
}

impl<'a> SurveyPass<'a> {
    /// Creates a pass that starts at the offset `start`. Events are added to `index` when there is one.
    pub(super) fn new(
        part_scanner: PartScanner<'a>,
        start: u64,
        previous_time: Option<u64>,
        index: Option<&'a mut AggregateIndex>,
        on_update: &'a mut OnSurveyUpdate<'a>,
    ) -> Self {
        let segment_starts = part_scanner.view.segment_bases();
        Self {
            part_scanner,
            previous_time: previous_time.or(index.as_ref().and_then(|index| index.totals().last_time)),
            index,
            on_update,
            survey: Survey::default(),
            walk: None,
            position: start,
            reported_to: start,
            is_header_pending: false,
            segment_starts: segment_starts.into_iter().filter(|base| *base >= start).collect(),
            header: 0..0,
        }
    }

    /// Checks the header of the log, which ends at the start of the first frame.
    pub(super) fn check_header(&mut self) -> Result<(), StorageError> {
        let view = self.part_scanner.view;
        let first_segment = view.segments().and_then(|segments| segments.base_from(0));
        // Where the first segment is missing, the pass meets the start of this one later.
        if first_segment.is_some_and(|base| base >= view.log().first_frame_offset()) {
            return Ok(());
        }
        let findings = match first_segment {
            Some(base) => view.segment_findings(base),
            None => Vec::from_iter(view.header_finding()),
        };
        findings.into_iter().try_for_each(|finding| self.report_finding(finding))?;
        self.is_header_pending = view.has_unreadable_header();
        self.header = view.log().header_range();
        let Range { start, end } = self.header.clone();
        self.survey.map.mark_verified(start..end.min(self.part_scanner.file_end));
        Ok(())
    }

    /// Continues the scan to the first frame or damaged range that starts at `until` or later.
    pub(super) fn scan_until(&mut self, until: u64) -> Result<(), StorageError> {
        while self.position < until.min(self.part_scanner.file_end) {
            self.check_segment_start()?;
            let until = until.min(self.segment_starts.front().copied().unwrap_or(until));
            let part_scanner = self.part_scanner;
            let mut walk = self.take_walk();
            let result = part_scanner.scan_part(&mut walk, until, &mut |event| self.handle_part_event(event))?;
            self.walk = Some(walk);
            self.merge_part(result)?;
        }
        Ok(())
    }

    /// Reports the findings about a segment that starts at the position of the pass.
    pub(super) fn check_segment_start(&mut self) -> Result<(), StorageError> {
        while let Some(base) = self.segment_starts.front().copied().filter(|base| *base <= self.position) {
            self.segment_starts.pop_front();
            // A walk over missing bytes ends after the header of the segment that follows them, and the log can end within it.
            let first_frame = self.part_scanner.view.log().skip_segment_header(base);
            if base == self.position || first_frame.min(self.part_scanner.file_end) == self.position {
                let findings = self.part_scanner.view.segment_findings(base);
                findings.into_iter().try_for_each(|finding| self.report_finding(finding))?;
            }
        }
        Ok(())
    }

    /// Takes the walk of the previous part when it ends at the position of the pass; otherwise creates a walk.
    fn take_walk(&mut self) -> LogWalk {
        let walk = self.walk.take().filter(|walk| walk.position() == self.position);
        walk.unwrap_or_else(|| self.part_scanner.walk_from(self.position))
    }

    /// Handles a report of a part.
    pub(super) fn handle_part_event(&mut self, event: PartEvent) -> Result<(), StorageError> {
        match event {
            PartEvent::Progress(at) => self.report_progress(at),
            PartEvent::Finding(finding) => self.report_finding(*finding),
            PartEvent::DamagedRange(range) => {
                if let Some(index) = &mut self.index {
                    index.add_build_damage(range);
                }
                Ok(())
            }
            PartEvent::InFlight(range) => {
                self.survey.in_flight = Some(range);
                Ok(())
            }
            PartEvent::FirstEvent { range, time_ms } => match self.previous_time {
                Some(previous_ms) if time_ms < previous_ms => {
                    self.report_finding(clock_finding(range, time_ms, previous_ms))
                }
                _ => Ok(()),
            },
        }
    }

    /// Adds the totals of a part, and moves the position to its end.
    pub(super) fn merge_part(&mut self, result: PartResult) -> Result<(), StorageError> {
        self.position = result.position;
        self.survey.events += result.events;
        self.survey.gaps += result.gaps;
        self.previous_time = result.last_time.or(self.previous_time);
        if let (Some(index), Some(part)) = (&mut self.index, result.index) {
            index.append_part(part)?;
        }
        Ok(())
    }

    /// Reports a lost end of the log, when an index has recorded a later end and the log ends with a valid frame.
    pub(super) fn check_truncation(&mut self) -> Result<(), StorageError> {
        // The last segment has no byte of a frame when the log ends within its header.
        self.check_segment_start()?;
        let walk = self.take_walk();
        walk.truncation()?.map_or(Ok(()), |finding| self.report_finding(finding))
    }

    /// Ends a pass that started at `start`: records in the health map and in the index which range was read.
    pub(super) fn finish(mut self, start: u64) -> Result<Survey, StorageError> {
        self.report_pending_header()?;
        let position = self.position.min(self.part_scanner.file_end);
        let scanned_to = self.survey.in_flight.as_ref().map_or(position, |unfinished| unfinished.start);
        self.survey.scanned_to = scanned_to;
        self.survey.last_time = self.previous_time;
        self.survey.map.mark_verified(start..scanned_to);
        self.survey.scanned_ranges.push(Range { start, end: scanned_to });
        if let Some(index) = &mut self.index {
            index.set_scanned_to(scanned_to);
        }
        self.report_progress(position)?;
        Ok(self.survey)
    }

    /// Reports that the device cannot read the header, unless this was reported with the range that follows the header.
    fn report_pending_header(&mut self) -> Result<(), StorageError> {
        if !std::mem::take(&mut self.is_header_pending) {
            return Ok(());
        }
        self.report_finding(Finding::new(DamageKind::Unreadable, self.header.clone()))
    }

    #[cold]
    fn report_finding(&mut self, finding: Finding) -> Result<(), StorageError> {
        let mut finding = finding;
        if self.is_header_pending {
            self.part_scanner.view.include_unreadable_header(&mut finding);
            self.is_header_pending = finding.start > 0;
            self.report_pending_header()?;
        }
        self.survey.findings_total += 1;
        self.survey.damage_total += u64::from(finding.kind.is_damage());
        self.survey.map.mark_finding(&finding);
        if finding.kind.is_listed_in_index() {
            self.survey.damaged_ranges.add(finding.range());
        }
        let answer = (self.on_update)(SurveyUpdate::Finding(&finding));
        if self.survey.findings.len() < MAX_FINDINGS {
            self.survey.findings.push(finding);
        }
        cancelled_if_break(answer)
    }

    #[cold]
    fn report_progress(&mut self, at: u64) -> Result<(), StorageError> {
        self.reported_to = self.reported_to.max(at);
        let progress = Progress { position: self.reported_to, total: self.part_scanner.file_end };
        cancelled_if_break((self.on_update)(SurveyUpdate::Progress(progress)))
    }
}
