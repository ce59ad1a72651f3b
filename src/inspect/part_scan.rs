//! Scans one part of a log: reports findings and progress, and returns totals.
//!
//! The scan of a part does not depend on earlier parts, so several parts can be scanned at the same time. Checks that
//! depend on the previous part, such as the order of times, are made when the parts are merged.

use std::ops::Range;

use super::LogView;
use super::damage_policy::DamagePolicy;
use super::frame_content::{FrameContent, classify_with_names, gap_finding, invalid_event_finding};
use super::walk::{LogWalk, WalkItem};
use crate::StorageError;
use crate::format::{DamageKind, EventView, Evidence, Finding, Frame, SeenNames, Version, gap};
use crate::index::IndexPart;

/// Number of bytes between two progress reports.
const PROGRESS_INTERVAL: u64 = 1 << 20;

/// Scans parts of a log, all with the same depth.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartScanner<'a> {
    pub(super) view: &'a LogView,
    pub(super) depth: ScanDepth,
    /// The end of the log, fixed before the pass.
    pub(super) file_end: u64,
}

/// The depth of a scan: the content of a frame that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanDepth {
    /// Lengths and checksums are read, and payloads are not parsed.
    Frames,
    /// Payloads are parsed too.
    Events,
    /// Payloads are parsed too, and added to an index.
    Index,
}

/// A report about a part while it is scanned. Reports are in ascending order of offsets.
#[derive(Debug)]
pub(super) enum PartEvent {
    /// The part was read up to this offset.
    Progress(u64),
    /// A finding was made.
    Finding(Box<Finding>),
    /// A damaged range, after the findings about its pieces.
    DamagedRange(Range<u64>),
    /// The last frame of the log, which is being written.
    InFlight(Range<u64>),
    /// The first event of the part and its time, which is compared with the time of the last event before the part.
    FirstEvent { range: Range<u64>, time_ms: u64 },
}

/// The totals of a part.
#[derive(Debug, Default)]
pub(super) struct PartResult {
    /// The offset at which the next part starts.
    pub(super) position: u64,
    pub(super) events: u64,
    pub(super) gaps: u64,
    /// The time of the last event, in milliseconds since the Unix epoch.
    pub(super) last_time: Option<u64>,
    pub(super) index: Option<IndexPart>,
}

/// The callback of a part. Its error ends the scan.
pub(super) type PartEventVisitor<'a> = dyn FnMut(PartEvent) -> Result<(), StorageError> + 'a;

impl PartScanner<'_> {
    /// Returns a walk from the offset `from`, where a frame is expected, to the end of the log.
    pub(super) fn walk_from(&self, from: u64) -> LogWalk {
        LogWalk::new(self.view, from..self.file_end.max(from), self.file_end)
    }

    /// Returns a walk with bounded memory. It ends before a frame or damaged range of more than `max_bytes` bytes, and before
    /// a damaged end of the log.
    pub(super) fn bounded_walk(&self, max_bytes: u64) -> LogWalk {
        self.walk_from(0).with_policy(DamagePolicy::Defer { max_bytes })
    }

    /// Scans from the position of `walk` to the first frame or damaged range that starts at `until` or later.
    ///
    /// # Errors
    /// See [`LogWalk::next_before`]. An error of `visit` is returned too.
    pub(super) fn scan_part(
        &self,
        walk: &mut LogWalk,
        until: u64,
        visit: &mut PartEventVisitor,
    ) -> Result<PartResult, StorageError> {
        let builds_index = self.depth == ScanDepth::Index;
        let mut part = PartPass {
            version: self.view.log().version(),
            depth: self.depth,
            result: PartResult { index: builds_index.then(IndexPart::default), ..PartResult::default() },
            reported_to: walk.position(),
            names: SeenNames::default(),
            visit,
        };
        loop {
            while let Some((at, frame)) = walk.next_in_buffer(until) {
                part.visit_frame(at, &frame)?;
            }
            match walk.next_before(until)? {
                Some(WalkItem::Frame(at, frame)) => part.visit_frame(at, &frame)?,
                Some(WalkItem::Damage(finding)) => (part.visit)(PartEvent::Finding(finding))?,
                Some(WalkItem::DamagedRange(range)) => (part.visit)(PartEvent::DamagedRange(range))?,
                Some(WalkItem::InFlight(range)) => (part.visit)(PartEvent::InFlight(range))?,
                None => break,
            }
        }
        let mut result = part.result;
        result.position = walk.position().min(self.file_end);
        result.index.iter_mut().for_each(IndexPart::sort_postings);
        Ok(result)
    }
}

/// The state of the scan of one part.
struct PartPass<'v> {
    version: Version,
    depth: ScanDepth,
    result: PartResult,
    visit: &'v mut PartEventVisitor<'v>,
    /// The offset up to which progress was reported.
    reported_to: u64,
    names: SeenNames,
}

impl PartPass<'_> {
    #[inline]
    fn visit_frame(&mut self, at: u64, frame: &Frame) -> Result<(), StorageError> {
        let end = at + frame.len();
        match self.depth {
            ScanDepth::Frames if gap::is_gap(frame.payload()) => self.visit_gap(at, frame)?,
            ScanDepth::Frames => self.result.events += 1,
            ScanDepth::Events | ScanDepth::Index => match classify_with_names(frame, self.version, &mut self.names) {
                FrameContent::Event(event) => self.visit_event(at, frame, &event)?,
                FrameContent::Gap => self.visit_gap(at, frame)?,
                FrameContent::InvalidEvent(error) => {
                    if let Some(index) = &mut self.result.index {
                        index.add_non_event(at, frame);
                    }
                    self.report_finding(invalid_event_finding(at, frame, &error))?;
                }
            },
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
            index.add_event(at, frame, event, self.names.current());
        }
        let time_ms = event.write_timestamp_ms();
        let range = at..at + frame.len();
        match self.result.last_time.replace(time_ms) {
            None => (self.visit)(PartEvent::FirstEvent { range, time_ms }),
            Some(previous_ms) if time_ms < previous_ms => {
                self.report_finding(clock_finding(range, time_ms, previous_ms))
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
        self.report_finding(gap_finding(at, frame))
    }

    #[cold]
    fn report_finding(&mut self, finding: Finding) -> Result<(), StorageError> {
        (self.visit)(PartEvent::Finding(Box::new(finding)))
    }
}

/// Returns the finding that an event has an earlier time than the event before it.
pub(super) fn clock_finding(range: Range<u64>, time_ms: u64, previous_time_ms: u64) -> Finding {
    let evidence = Evidence { time_ms: Some(time_ms), previous_time_ms: Some(previous_time_ms), ..Evidence::default() };
    Finding::new(DamageKind::Clock, range).with_evidence(evidence)
}
