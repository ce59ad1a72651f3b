//! The copier: copies the events between the findings of a survey, and writes each event to the new log and its map.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::event_selector::{SelectEvents, add_counts};
use super::moved_frames::MovedFrames;
use super::output::OutputFiles;
use super::summary::{CopyOptions, CopySummary, CopyUpdate, OmittedRange, OnCopyUpdate};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::frame::MAX_PAYLOAD;
use crate::format::{DamageKind, EventView, Evidence, Finding, Version, byte_layout, event};
use crate::inspect::{LogView, MAX_FINDINGS, Progress, SurveyOptions, SurveyUpdate, cancelled_if_break, survey};
use crate::repair::planning::Donor;
use crate::repair::types::{ProposedFix, changed_error};

/// Number of copied bytes after which the caller can cancel.
const CANCEL_INTERVAL: u64 = 1 << 20;

/// A callback that receives the next finding and returns the findings whose fixes are then known; for `None`, the rest.
pub(super) type FixProvider<'a> = dyn FnMut(Option<&Finding>) -> Result<Vec<ProposedFix>, StorageError> + 'a;

/// The log that is copied, with the options and the donors of the copy.
#[derive(Clone, Copy)]
pub(super) struct CopySource<'a> {
    pub(super) view: &'a LogView,
    pub(super) options: &'a CopyOptions,
    pub(super) donors: &'a [Donor<'a, 'a>],
    /// The rule of a compaction; `None` when every event is copied.
    pub(super) selector: Option<&'a dyn SelectEvents>,
}

/// Writes the new log and its map. The copy ends at the end of the log, or before a frame that is being written.
pub(super) fn copy_events<'a>(
    source: CopySource<'a>,
    files: &'a mut OutputFiles,
    on_update: &'a mut OnCopyUpdate<'a>,
    find_fixes: &mut FixProvider,
) -> Result<CopySummary, StorageError> {
    if let Some(map) = &mut files.map {
        let header = map.format.header_line();
        map.file.append_with(|out| out.extend_from_slice(header.as_bytes()))?;
    }
    let view = source.view;
    let mut copier = Copier {
        source,
        files,
        on_update,
        summary: CopySummary::default(),
        scanner: None,
        adjacent: Vec::new(),
        handled_to: 0,
        oversized_events: 0,
        moved_frames: None,
        has_moved_frames: false,
        reported: Progress { position: 0, total: 0 },
        unreported_bytes: 0,
    };
    let mut failed = None;
    let surveyed = survey(view, &SurveyOptions::new(), None, &mut |update| {
        let handled = match update {
            SurveyUpdate::Progress(read) => copier.report_progress(read),
            SurveyUpdate::Finding(finding) => {
                find_fixes(Some(finding)).and_then(|decided| copier.handle_findings(&decided))
            }
        };
        match handled {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let surveyed = surveyed?;
    copier.handle_findings(&find_fixes(None)?)?;
    copier.handle_adjacent()?;
    copier.copy_until(surveyed.scanned_to)?;
    copier.write_header_once(None)?;
    let has_moved_frames = copier.has_moved_frames;
    let (mut summary, oversized_events) = (copier.summary, copier.oversized_events);
    if let Some(selector) = source.selector {
        add_counts(&mut summary, selector.finish(view)?);
    }
    // The frames of a donor with other offsets differ everywhere.
    for donor in source.donors.iter().filter(|_| !has_moved_frames) {
        summary.notes.extend(donor.differing_frames_note()?);
    }
    summary.in_flight = surveyed.in_flight;
    let accounted = summary.events_kept + summary.events_dropped;
    if accounted + oversized_events != surveyed.events {
        let (expected, found) = (format!("{} events", surveyed.events), format!("{accounted} events"));
        return Err(changed_error(view.path(), &expected, &found));
    }
    Ok(summary)
}

pub(super) struct Copier<'a, 'd> {
    pub(super) source: CopySource<'a>,
    files: &'a mut OutputFiles<'d>,
    on_update: &'a mut OnCopyUpdate<'a>,
    pub(super) summary: CopySummary,
    /// Reads the events to copy, up to the offset that the survey has reached. It is created after the survey has fixed
    /// the end of the log, so its own end is not earlier.
    scanner: Option<Scanner>,
    /// Adjacent damaged pieces that are not handled yet, because a frame of a donor can cross from one to the next.
    pub(super) adjacent: Vec<ProposedFix>,
    /// Frames that start before this offset are part of a finding that was handled, and are not copied.
    pub(super) handled_to: u64,
    /// Events of version 0 that are too large for a frame, because version 1 has a longer key for their time.
    oversized_events: u64,
    /// The places of the log's frames in the donors. They are found for the first range that a donor does not have at the
    /// offsets of the log.
    pub(super) moved_frames: Option<MovedFrames>,
    /// True when frames were taken that a donor has at other offsets.
    pub(super) has_moved_frames: bool,
    /// The progress of the survey that was reported last.
    reported: Progress,
    /// Number of bytes of frames that were copied since then.
    unreported_bytes: u64,
}

impl Copier<'_, '_> {
    /// Copies the events that start before `until` and were not copied yet.
    pub(super) fn copy_until(&mut self, until: u64) -> Result<(), StorageError> {
        let log = self.source.view.log();
        let mut scanner = match self.scanner.take() {
            Some(scanner) => scanner,
            None => Scanner::new(log.clone(), log.first_frame_offset()..log.len()?.max(log.first_frame_offset())),
        };
        while scanner.position() < until
            && let Some(item) = scanner.next_item()?
        {
            let range = item.span().range().clone();
            self.check_cancelled(range.end - range.start)?;
            if let ScanItem::Frame(at, frame) = item
                && at >= self.handled_to
                && let Ok(event) = EventView::parse(frame.payload(), log.version())
                && self.is_selected(at, &event)?
            {
                self.copy_event(at, &event)?;
            }
        }
        self.scanner = Some(scanner);
        Ok(())
    }

    /// True unless the rule of a compaction drops the event.
    fn is_selected(&self, at: u64, event: &EventView) -> Result<bool, StorageError> {
        let CopySource { view, selector, .. } = self.source;
        selector.map_or(Ok(true), |selector| selector.keeps(view, at, event))
    }

    fn copy_event(&mut self, at: u64, event: &EventView) -> Result<(), StorageError> {
        if self.write_event(at, event, "kept")? == WriteOutcome::Written {
            self.summary.events_kept += 1;
            return Ok(());
        }
        self.oversized_events += 1;
        let reason = Some("the key of its time is longer in version 1, and the event no longer fits in a frame".into());
        let range = at..at + 4 + event.json().len() as u64;
        let finding =
            Finding::new(DamageKind::InvalidEvent, range).with_evidence(Evidence { reason, ..Evidence::default() });
        self.record_omitted(OmittedRange { finding, best_certainty: None, donor_refusal: None })
    }

    fn handle_findings(&mut self, decided: &[ProposedFix]) -> Result<(), StorageError> {
        for proposed in decided {
            let finding = &proposed.finding;
            if self.adjacent.last().is_some_and(|last| last.finding.end != finding.start) {
                self.handle_adjacent()?;
            }
            match finding.kind {
                // All frames of a log that ends within its header are lost.
                DamageKind::Header if finding.end < self.source.view.log().first_frame_offset() => {
                    self.adjacent.push(proposed.clone());
                }
                // These findings do not replace an event.
                DamageKind::Header | DamageKind::Clock => self.copy_until(finding.start)?,
                DamageKind::Gap | DamageKind::Lost => {
                    self.handle_adjacent()?;
                    self.copy_until(finding.start)?;
                    self.record_omitted(OmittedRange {
                        finding: finding.clone(),
                        best_certainty: None,
                        donor_refusal: None,
                    })?;
                    self.handled_to = self.handled_to.max(finding.end);
                }
                DamageKind::Zeros
                | DamageKind::Checksum
                | DamageKind::Length
                | DamageKind::TornTail
                | DamageKind::Garbage
                | DamageKind::Truncated
                | DamageKind::InvalidEvent
                | DamageKind::Unreadable => self.adjacent.push(proposed.clone()),
            }
        }
        Ok(())
    }

    /// Writes an event and its line in the map, unless the event is too large for a frame.
    pub(super) fn write_event(&mut self, old: u64, event: &EventView, how: &str) -> Result<WriteOutcome, StorageError> {
        let json = event.json();
        let payload = match self.source.view.log().version() {
            Version::V0 => event::upgrade_v0_timestamp_key(json),
            Version::V1 | Version::V2 => Cow::Borrowed(json),
        };
        if payload.len() > MAX_PAYLOAD as usize {
            return Ok(WriteOutcome::TooLarge);
        }
        self.write_header_once(Some(event.write_timestamp_ms()))?;
        if let Some(header) = self.files.log.next_segment(event.write_timestamp_ms()) {
            self.files.log.write_header(header)?;
        }
        let new = self.files.log.append_frame(payload.as_bytes())?;
        self.write_map_line(old, Some(new), how)?;
        Ok(WriteOutcome::Written)
    }

    /// Writes the header of the new log, once, with the creation time of the old log or the time of an older first event.
    fn write_header_once(&mut self, first_event_ms: Option<u64>) -> Result<(), StorageError> {
        if self.files.log.has_header() {
            return Ok(());
        }
        // A donor with the same events has the header that an event alone could only suggest.
        let shared = self.source.donors.iter().find_map(Donor::shared_header);
        let header = shared.map_or_else(|| self.source.view.effective_header(), |header| Ok(Some(header)))?;
        let created_at_ms = header.and_then(|header| byte_layout::u64_at(&header, 8));
        let plausible = created_at_ms.filter(|created| first_event_ms.is_none_or(|first| *created <= first));
        let version = self.source.view.log().version();
        let header = self.source.options.new_format(version).header(plausible.or(first_event_ms).unwrap_or_default());
        self.files.log.write_header(header)
    }

    pub(super) fn record_omitted(&mut self, omitted: OmittedRange) -> Result<(), StorageError> {
        self.write_map_line(omitted.finding.start, None, omitted.finding.kind.name())?;
        self.summary.omitted_total += 1;
        self.summary.damage_total += u64::from(omitted.is_loss());
        let answer = (self.on_update)(CopyUpdate::Omitted(&omitted));
        if self.summary.omitted.len() < MAX_FINDINGS {
            self.summary.omitted.push(omitted);
        }
        cancelled_if_break(answer)
    }

    fn write_map_line(&mut self, old: u64, new: Option<u64>, how: &str) -> Result<(), StorageError> {
        match &mut self.files.map {
            Some(map) => {
                let format = map.format;
                map.file.append_with(|out| format.write_line(old, new, how, out))
            }
            None => Ok(()),
        }
    }

    /// Reports the last progress again after each mebibyte that is copied, so that a long range can be cancelled.
    pub(super) fn check_cancelled(&mut self, copied: u64) -> Result<(), StorageError> {
        self.unreported_bytes += copied;
        if self.unreported_bytes < CANCEL_INTERVAL { Ok(()) } else { self.report_progress(self.reported) }
    }

    /// Reports the position in the log.
    fn report_progress(&mut self, read: Progress) -> Result<(), StorageError> {
        (self.reported, self.unreported_bytes) = (read, 0);
        cancelled_if_break((self.on_update)(CopyUpdate::Progress(read)))
    }
}

/// The outcome of writing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    Written,
    TooLarge,
}
