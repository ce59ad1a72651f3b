//! One part of a log, scanned and judged: what it tells on the way, and what it comes to.
//!
//! A part knows nothing of what lies before it, so that several can be read at the same time; what needs to know (an
//! event's time against the one before, the log's end) is left to who puts the parts together.

use std::ops::Range;

use super::LogView;
use super::damage_pieces::DamagePieces;
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::{DamageKind, EventView, Evidence, Finding, Frame, gap};
use crate::index;

/// Distance of two reports of progress, in bytes.
const PROGRESS_INTERVAL: u64 = 1 << 20;

/// How parts of a log are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartScanner<'a> {
    pub(super) view: &'a LogView,
    /// Leave out the payloads.
    pub(super) frames_only: bool,
    /// Gather an index.
    pub(super) builds_index: bool,
    /// The log's end, fixed.
    pub(super) file_end: u64,
    /// Damage of more bytes than this, and a frame that there is no memory for, end the part before it.
    pub(super) max_damage_bytes: u64,
}

/// What a part tells on the way, by ascending place.
#[derive(Debug)]
pub(super) enum PartEvent {
    /// It has come to this offset.
    Progress(u64),
    /// It has found something.
    Finding(Box<Finding>),
    /// A damaged range, told before the pieces of it.
    Damaged(Range<u64>),
    /// Its first event, and that one's time: whether it is late depends on what lies before.
    FirstEvent(Range<u64>, u64),
}

/// What a part comes to.
#[derive(Debug, Default)]
pub(super) struct PartResult {
    /// Where the next part starts.
    pub(super) position: u64,
    pub(super) events: u64,
    pub(super) gaps: u64,
    pub(super) last_time: Option<u64>,
    pub(super) index: Option<index::IndexPart>,
    /// The damaged range that the log ends with, not judged yet.
    pub(super) damaged_tail: Option<Range<u64>>,
}

/// Who hears what a part tells, and may stop it.
pub(super) type PartEventVisitor<'a> = dyn FnMut(PartEvent) -> Result<(), StorageError> + 'a;

impl PartScanner<'_> {
    /// A scanner from a place on, to the log's end.
    pub(super) fn scanner_from(&self, from: u64) -> Scanner {
        Scanner::new(self.view.log().clone(), from..self.file_end.max(from))
    }

    /// Scans from where a scanner stands to the first frame or damaged range that starts at `until` or later.
    ///
    /// # Errors
    /// As [`super::run_survey`], and what `say` answers.
    pub(super) fn scan_part(
        &self,
        scanner: &mut Scanner,
        until: u64,
        visit: &mut PartEventVisitor,
    ) -> Result<PartResult, StorageError> {
        let told = scanner.position();
        let done = PartResult { index: self.builds_index.then(index::IndexPart::default), ..PartResult::default() };
        let mut part = PartPass { part_scanner: *self, result: done, visit: visit, reported_to: told };
        let mut ended_at = None;
        while scanner.position() < until {
            let here = scanner.position();
            let item = match scanner.next_item() {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(StorageError::OutOfMemory { .. }) if self.max_damage_bytes < u64::MAX => {
                    ended_at = Some(here);
                    break;
                }
                Err(error) => return Err(error),
            };
            match item {
                ScanItem::Damaged(range) if range.end - range.start > self.max_damage_bytes => {
                    ended_at = Some(range.start);
                    break;
                }
                ScanItem::Frame(at, frame) => part.visit_frame(at, &frame)?,
                ScanItem::Unreadable(range) => {
                    (part.visit)(PartEvent::Damaged(range.clone()))?;
                    part.report_finding(Finding::new(DamageKind::Unreadable, range))?;
                }
                ScanItem::Damaged(range) if range.end == self.file_end => {
                    part.result.damaged_tail = Some(range);
                    break;
                }
                ScanItem::Damaged(range) => {
                    (part.visit)(PartEvent::Damaged(range.clone()))?;
                    let witnessed_end = self.view.trusted_index_end();
                    for piece in DamagePieces::new(self.view.log(), range, self.file_end, witnessed_end)? {
                        part.report_finding(piece?.finding)?;
                    }
                }
            }
        }
        let mut done = part.result;
        done.position = ended_at.unwrap_or(scanner.position()).min(self.file_end);
        done.index.iter_mut().for_each(index::IndexPart::sort_postings);
        Ok(done)
    }
}

struct PartPass<'a, 's> {
    part_scanner: PartScanner<'a>,
    result: PartResult,
    visit: &'s mut PartEventVisitor<'s>,
    /// Up to here progress was told.
    reported_to: u64,
}

impl PartPass<'_, '_> {
    #[inline]
    fn visit_frame(&mut self, at: u64, frame: &Frame) -> Result<(), StorageError> {
        let payload = frame.payload();
        let end = at + frame.len();
        if gap::is_gap(payload) {
            self.visit_gap(at, frame)?;
        } else if self.part_scanner.frames_only {
            self.result.events += 1;
        } else {
            match EventView::parse(payload, self.part_scanner.view.log().version()) {
                Ok(event) => self.visit_event(at, frame, &event)?,
                Err(invalid) => {
                    if let Some(index) = &mut self.result.index {
                        index.add_non_event(at, frame);
                    }
                    let evidence = Evidence {
                        reason: Some(invalid.reason.into()),
                        bad_byte_offset: Some(at + 4 + invalid.offset as u64),
                        ..Evidence::default()
                    };
                    self.report_finding(Finding::new(DamageKind::InvalidEvent, at..end).with_evidence(evidence))?;
                }
            }
        }
        if end - self.reported_to >= PROGRESS_INTERVAL {
            self.reported_to = end;
            (self.visit)(PartEvent::Progress(end))?;
        }
        Ok(())
    }

    #[inline]
    fn visit_event(&mut self, at: u64, frame: &Frame, event: &EventView) -> Result<(), StorageError> {
        self.result.events += 1;
        if let Some(index) = &mut self.result.index {
            index.add_event(at, frame, event);
        }
        let time = event.write_timestamp_ms();
        match self.result.last_time.replace(time) {
            None => (self.visit)(PartEvent::FirstEvent(at..at + frame.len(), time)),
            Some(previous) if time < previous => {
                self.report_finding(clock_finding(at..at + frame.len(), time, previous))
            }
            Some(_) => Ok(()),
        }
    }

    #[cold]
    fn visit_gap(&mut self, at: u64, frame: &Frame) -> Result<(), StorageError> {
        self.result.gaps += 1;
        if let Some(index) = &mut self.result.index {
            index.add_gap(at, frame);
        }
        let content = gap::gap_content(frame.payload()).map(str::to_owned);
        let evidence = Evidence { content, ..Evidence::default() };
        self.report_finding(Finding::new(DamageKind::Gap, at..at + frame.len()).with_evidence(evidence))
    }

    #[cold]
    fn report_finding(&mut self, finding: Finding) -> Result<(), StorageError> {
        (self.visit)(PartEvent::Finding(Box::new(finding)))
    }
}

/// The finding that an event's time is less than that of the one before it.
pub(super) fn clock_finding(range: Range<u64>, time_ms: u64, previous_time_ms: u64) -> Finding {
    let evidence = Evidence { time_ms: Some(time_ms), previous_time_ms: Some(previous_time_ms), ..Evidence::default() };
    Finding::new(DamageKind::Clock, range).with_evidence(evidence)
}
