//! The one pass: every frame and every damaged range of a log, once, feeding findings, counts, map and index.

use std::ops::{ControlFlow, Range};

use super::part_scan::{PartEvent, PartResult, PartScanner, clock_finding};
use super::progress::{Progress, cancelled_if_break};
use super::tail::{TailActivity, classify_tail, observe_tail};
use super::{HealthMap, LogView, parallel_scan};
use crate::StorageError;
use crate::file::Scanner;
use crate::format::{DamageKind, Finding};
use crate::index::{AggregateIndex, RangeSet};

/// Findings kept in memory; those after them are told to the caller as they come, and counted.
pub const MAX_FINDINGS: usize = 10_000;
/// Bytes of a part: what is read before an index or another thread hears of it.
const DEFAULT_PART_BYTES: u64 = 16 << 20;

/// What a pass is to look at.
#[derive(Debug, Clone, Default)]
pub struct SurveyOptions {
    /// Leave out the payloads: no `invalid_event`, no `clock`, no index.
    pub frames_only: bool,
    /// From this offset, where a frame is expected, instead of the first frame.
    pub from: Option<u64>,
    /// Up to this offset, exclusive: the last frame looked at starts before it.
    pub until: Option<u64>,
    /// The time of the last readable event before, milliseconds since the epoch: an earlier one behind it is `clock`.
    pub previous_time: Option<u64>,
    /// Bytes of the parts that it is read in; none is 16 MiB. What is found is the same for any size.
    pub part_bytes: Option<u64>,
}

/// What a pass tells while it runs.
#[derive(Debug)]
pub enum SurveyUpdate<'a> {
    /// The pass has read up to a position of the log.
    Progress(Progress),
    /// It has found something.
    Finding(&'a Finding),
}

/// The callback of a pass. `Break` cancels the pass, which then fails with [`StorageError::Cancelled`].
pub type OnSurveyUpdate<'a> = dyn FnMut(SurveyUpdate) -> ControlFlow<()> + 'a;

/// What a pass has seen.
#[derive(Debug, Default)]
pub struct Survey {
    /// Findings, ascending, the first [`MAX_FINDINGS`] of them.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub findings_total: u64,
    /// How many of them are damage.
    pub damage_total: u64,
    /// A last frame that is being written: no damage.
    pub in_flight: Option<Range<u64>>,
    /// Events; with `frames_only`, valid frames that are no gaps.
    pub events: u64,
    /// Gap frames.
    pub gaps: u64,
    /// The end of what was looked at.
    pub scanned_to: u64,
    /// What was looked at, ascending.
    pub scanned_ranges: Vec<Range<u64>>,
    /// The damage that was met there.
    pub(crate) damaged_ranges: RangeSet,
    /// What is known of each part of the file.
    pub map: HealthMap,
    /// The time of the last readable event, or what the wish said.
    pub last_time: Option<u64>,
}

/// Runs over the log, adding what it meets to `index` when there is one, and telling `on` as it goes.
///
/// The log's end is fixed first. With an index, `wish.from` should be the end of what it covers. Memory: two chunks of a
/// mebibyte, or one frame where that is larger, for each thread, and with an index what that takes.
///
/// # Errors
/// `Stopped` when `on` breaks, and what was joined to the index by then stays; `Io`, `Changed`, `Memory` when the log
/// cannot be read.
pub fn survey(
    view: &LogView,
    options: &SurveyOptions,
    index: Option<&mut AggregateIndex>,
    on_update: &mut OnSurveyUpdate,
) -> Result<Survey, StorageError> {
    let file_end = view.log().len()?;
    let first = view.log().first_frame_offset();
    let start = options.from.unwrap_or(first).max(first).min(file_end.max(first));
    let mut index = index;
    if let Some(index) = &mut index {
        index.clear_tail_damage();
    }
    let part_scanner = PartScanner {
        view,
        frames_only: options.frames_only,
        builds_index: index.is_some(),
        file_end,
        max_damage_bytes: u64::MAX,
    };
    let mut pass = SurveyPass {
        part_scanner: part_scanner,
        previous_time: options.previous_time.or(index.as_ref().and_then(|index| index.totals().last_time)),
        index,
        on_update,
        survey: Survey::default(),
        scanner: None,
        position: start,
        reported_to: start,
        tail_changed: false,
        has_reported_truncation: false,
    };
    if options.from.is_none() {
        if let Some(finding) = view.header_finding() {
            pass.report_finding(finding)?;
        }
        pass.survey.map.mark_verified(0..first.min(file_end));
    }
    let until = options.until.unwrap_or(u64::MAX);
    let parts = split_into_parts(view, start..until.min(file_end), options.part_bytes.unwrap_or(DEFAULT_PART_BYTES));
    if view.threads() > 1 && parts.len() > 1 {
        parallel_scan::scan_parts_in_parallel(&mut pass, view.threads(), parts)?;
    } else {
        parts.into_iter().try_for_each(|part| pass.scan_until(part.end))?;
    }
    // The last part ends where it meets an end, be it one that moves.
    pass.scan_until(until)?;
    pass.finish(start, options.until.is_none())?;
    Ok(pass.survey)
}

/// The ranges that parts start in. Where an index knows an event near their borders, they are cut there.
fn split_into_parts(view: &LogView, range: Range<u64>, bytes: u64) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let border = start.saturating_add(bytes.max(1));
        let anchor = view.trusted_index().and_then(|index| index.anchor_before(border)).map(|anchor| anchor.offset);
        let end = anchor.filter(|anchor| *anchor > start + bytes / 2).unwrap_or(border).min(range.end);
        parts.push(start..end);
        start = end;
    }
    parts
}

/// The parts of a log put together, one behind the other.
pub(super) struct SurveyPass<'a> {
    pub(super) part_scanner: PartScanner<'a>,
    index: Option<&'a mut AggregateIndex>,
    on_update: &'a mut OnSurveyUpdate<'a>,
    survey: Survey,
    previous_time: Option<u64>,
    /// The scanner of the part before, which has read on.
    scanner: Option<Scanner>,
    /// Up to here parts were taken in: a frame is expected here.
    pub(super) position: u64,
    /// Up to here progress was told.
    reported_to: u64,
    /// The log's end moved when it was looked at a second time.
    tail_changed: bool,
    /// The log's lost end stands among the findings.
    has_reported_truncation: bool,
}

impl SurveyPass<'_> {
    /// Scans on to the first frame or damaged range that starts at `until` or later.
    pub(super) fn scan_until(&mut self, until: u64) -> Result<(), StorageError> {
        while self.position < until.min(self.part_scanner.file_end) {
            let part_scanner = self.part_scanner;
            let here = self.scanner.take().filter(|scanner| scanner.position() == self.position);
            let mut scanner = here.unwrap_or_else(|| part_scanner.scanner_from(self.position));
            let done = part_scanner.scan_part(&mut scanner, until, &mut |note| self.handle_part_event(note))?;
            self.scanner = Some(scanner);
            self.merge_part(done)?;
        }
        Ok(())
    }

    /// Hears what a part tells.
    pub(super) fn handle_part_event(&mut self, note: PartEvent) -> Result<(), StorageError> {
        match note {
            PartEvent::Progress(at) => self.report_progress(at),
            PartEvent::Finding(finding) => self.report_finding(*finding),
            PartEvent::Damaged(range) => {
                self.record_damage(range);
                Ok(())
            }
            PartEvent::FirstEvent(range, time) => match self.previous_time {
                Some(previous) if time < previous => self.report_finding(clock_finding(range, time, previous)),
                _ => Ok(()),
            },
        }
    }

    /// Takes in what a part has come to.
    pub(super) fn merge_part(&mut self, result: PartResult) -> Result<(), StorageError> {
        self.position = result.position;
        self.survey.events += result.events;
        self.survey.gaps += result.gaps;
        self.previous_time = result.last_time.or(self.previous_time);
        if let (Some(index), Some(part)) = (&mut self.index, result.index) {
            index.append_part(part)?;
        }
        match result.damaged_tail {
            Some(range) => self.handle_damaged_tail(range),
            None => Ok(()),
        }
    }

    /// The damaged range that the log ends with, after a second look at it.
    fn handle_damaged_tail(&mut self, range: Range<u64>) -> Result<(), StorageError> {
        let view = self.part_scanner.view;
        let ending = if self.tail_changed { TailActivity::Changing } else { observe_tail(view.log(), &range)? };
        if !self.tail_changed && ending == TailActivity::Changing {
            // What was damage a moment ago may be whole by now. The end stays where it was fixed.
            (self.tail_changed, self.position) = (true, range.start);
            return self.scan_until(u64::MAX);
        }
        let start = range.start;
        let unfinished = classify_tail(view, range.clone(), ending, &mut |finding| self.report_finding(finding))?;
        let end = unfinished.as_ref().map_or(range.end, |unfinished| unfinished.start);
        self.survey.in_flight = unfinished;
        self.record_damage(start..end);
        Ok(())
    }

    fn record_damage(&mut self, range: Range<u64>) {
        if let Some(index) = &mut self.index {
            index.add_build_damage(range);
        }
    }

    /// Ends the pass: a log that lost its end cleanly, the watermark of the index, the map.
    fn finish(&mut self, start: u64, whole: bool) -> Result<(), StorageError> {
        let file_end = self.part_scanner.file_end;
        if whole
            && !self.has_reported_truncation
            && self.survey.in_flight.is_none()
            && let Some(finding) = self.part_scanner.view.truncation_finding(file_end, file_end)?
        {
            self.report_finding(finding)?;
        }
        let position = self.position.min(file_end);
        let scanned_to = self.survey.in_flight.as_ref().map_or(position, |unfinished| unfinished.start);
        self.survey.scanned_to = scanned_to;
        self.survey.last_time = self.previous_time;
        self.survey.map.mark_verified(start..scanned_to);
        self.survey.scanned_ranges.push(start..scanned_to);
        if let Some(index) = &mut self.index {
            index.set_scanned_to(scanned_to);
        }
        self.report_progress(position)
    }

    #[cold]
    fn report_finding(&mut self, finding: Finding) -> Result<(), StorageError> {
        self.survey.findings_total += 1;
        self.has_reported_truncation |= finding.kind == DamageKind::Truncated;
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
