//! The copier: copies the events between the findings of a survey, and the events that fixes or a donor restore.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use super::offset_map::OffsetMapFormat;
use super::output::VerifiedFile;
use super::summary::{CopyOptions, CopySummary, CopyUpdate, OmittedRange, OnCopyUpdate};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::frame::{DecodeResult, MAX_FRAME, MAX_PAYLOAD, decode, encode};
use crate::format::{DamageKind, EventView, Evidence, Finding, LogHeader, Version, byte_layout, event, gap};
use crate::inspect::{LogView, MAX_FINDINGS, Progress, SurveyOptions, SurveyUpdate, cancelled_if_break, survey};
use crate::repair::planning::{Donor, Neighbours, RefusalReason};
use crate::repair::types::{Certainty, ProposedFix, RepairAction, changed_error, read_neighbour};

/// A callback that receives the next finding and returns the findings whose fixes are then known; for `None`, the rest.
pub(super) type FixProvider<'a> = dyn FnMut(Option<&Finding>) -> Result<Vec<ProposedFix>, StorageError> + 'a;

/// The files that a copy writes.
pub(super) struct OutputFiles<'d> {
    /// File of the new log.
    pub(super) log: VerifiedFile<'d>,
    /// The map from old offsets to new ones.
    pub(super) map: Option<MapFile<'d>>,
}

/// The file of a map, and its format.
pub(super) struct MapFile<'d> {
    pub(super) file: VerifiedFile<'d>,
    pub(super) format: OffsetMapFormat,
}

/// Writes the new log and its map. The copy ends at the end of the log, or before a frame that is being written.
pub(super) fn copy_events(
    view: &LogView,
    options: &CopyOptions,
    donor: Option<&Donor<'_, 'static>>,
    files: &mut OutputFiles,
    on_update: &mut OnCopyUpdate,
    find_fixes: &mut FixProvider,
) -> Result<CopySummary, StorageError> {
    if let Some(map) = &mut files.map {
        let header = map.format.header_line();
        map.file.append_with(|out| out.extend_from_slice(header.as_bytes()))?;
    }
    let mut copier = Copier {
        view,
        options,
        donor,
        files,
        on_update,
        summary: CopySummary::default(),
        scanner: None,
        last_frame: 0..0,
        damaged_run: DamagedRun::default(),
        handled_to: 0,
        oversized_events: 0,
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
    copier.copy_until(surveyed.scanned_to)?;
    copier.write_header_once(None)?;
    let (mut summary, oversized_events) = (copier.summary, copier.oversized_events);
    summary.in_flight = surveyed.in_flight;
    if summary.events_kept + oversized_events != surveyed.events {
        let (expected, found) = (format!("{} events", surveyed.events), format!("{} events", summary.events_kept));
        return Err(changed_error(view.path(), &expected, &found));
    }
    Ok(summary)
}

struct Copier<'a, 'd> {
    view: &'a LogView,
    options: &'a CopyOptions,
    donor: Option<&'a Donor<'a, 'static>>,
    files: &'a mut OutputFiles<'d>,
    on_update: &'a mut OnCopyUpdate<'a>,
    summary: CopySummary,
    /// Reads the events to copy, up to the offset that the survey has reached. It is created after the survey has fixed
    /// the end of the log, so its own end is not earlier.
    scanner: Option<Scanner>,
    /// Range of the last valid frame that was read.
    last_frame: Range<u64>,
    damaged_run: DamagedRun,
    /// Frames that start before this offset are part of a finding that was handled, and are not copied.
    handled_to: u64,
    /// Events of version 0 that are too large for a frame, because version 1 has a longer key for their time.
    oversized_events: u64,
}

/// The last damaged range that was read, between two valid frames. It can consist of several findings.
#[derive(Debug, Default)]
struct DamagedRun {
    range: Range<u64>,
    neighbours: Neighbours,
}

impl Copier<'_, '_> {
    /// Copies the events that start before `until` and were not copied yet.
    fn copy_until(&mut self, until: u64) -> Result<(), StorageError> {
        let log = self.view.log();
        let mut scanner = match self.scanner.take() {
            Some(scanner) => scanner,
            None => Scanner::new(log.clone(), log.first_frame_offset()..log.len()?.max(log.first_frame_offset())),
        };
        while scanner.position() < until
            && let Some(item) = scanner.next_item()?
        {
            if let ScanItem::Frame(at, frame) = item {
                self.last_frame = at..at + frame.len();
                if at >= self.handled_to
                    && let Ok(event) = EventView::parse(frame.payload(), log.version())
                {
                    self.copy_event(at, &event)?;
                }
            }
        }
        self.scanner = Some(scanner);
        Ok(())
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
            self.copy_until(finding.start)?;
            match finding.kind {
                // These findings do not replace an event.
                DamageKind::Header | DamageKind::Clock => continue,
                DamageKind::Gap => self.record_omitted(OmittedRange {
                    finding: finding.clone(),
                    best_certainty: None,
                    donor_refusal: None,
                })?,
                DamageKind::Zeros
                | DamageKind::Checksum
                | DamageKind::Length
                | DamageKind::TornTail
                | DamageKind::Garbage
                | DamageKind::Truncated
                | DamageKind::InvalidEvent
                | DamageKind::Unreadable => self.handle_damage(proposed)?,
            }
            self.handled_to = self.handled_to.max(finding.end);
        }
        Ok(())
    }

    /// Restores a damaged range by its fix or from the donor, or omits it.
    fn handle_damage(&mut self, proposed: &ProposedFix) -> Result<(), StorageError> {
        let finding = &proposed.finding;
        if let Some(corrected) = self.corrected_frame(proposed)? {
            let version = self.view.log().version();
            if let DecodeResult::Complete(frame) = decode(&corrected.bytes, version)
                && frame.len() == corrected.bytes.len() as u64
            {
                if let Ok(event) = EventView::parse(frame.payload(), version)
                    && self.write_event(finding.start, &event, corrected.how)? == WriteOutcome::Written
                {
                    self.summary.events_restored += 1;
                    return Ok(());
                }
                if gap::is_gap(frame.payload()) {
                    let finding = Finding::new(DamageKind::Gap, finding.range());
                    return self.record_omitted(OmittedRange { finding, best_certainty: None, donor_refusal: None });
                }
            }
        }
        let donor_refusal = match self.donor {
            None => None,
            Some(donor) => match self.take_from_donor(donor, finding)? {
                Ok(()) => return Ok(()),
                Err(reason) => Some(reason),
            },
        };
        let best_certainty = proposed.fix.as_ref().and_then(|fix| fix.certainty);
        self.record_omitted(OmittedRange { finding: finding.clone(), best_certainty, donor_refusal })
    }

    /// Returns the bytes of a finding with its fix applied; `None` when no fix is certain enough.
    fn corrected_frame(&self, proposed: &ProposedFix) -> Result<Option<CorrectedFrame>, StorageError> {
        let finding = &proposed.finding;
        let Some(fix) = &proposed.fix else { return Ok(None) };
        let how = match fix.certainty {
            Some(Certainty::Proven) => "corrected",
            Some(Certainty::Likely) if self.options.accept_likely => "likely",
            _ => return Ok(None),
        };
        let ([candidate], RepairAction::RestoreLength | RepairAction::CorrectBits) =
            (fix.candidates.as_slice(), fix.action)
        else {
            return Ok(None);
        };
        let len = (finding.end - finding.start).min(MAX_FRAME as u64 + 1) as usize;
        let mut bytes = vec![0; len];
        let read = self.view.log().read_at(&mut bytes, finding.start)?;
        self.view.log().ensure_bytes_available(finding.start + read as u64, finding.start + len as u64)?;
        for change in &candidate.changes {
            let from = change.offset.checked_sub(finding.start).and_then(|from| usize::try_from(from).ok());
            let target = from.and_then(|from| bytes.get_mut(from..from + change.before.len()));
            match target {
                Some(target) if *target == *change.before && target.len() == change.after.len() => {
                    target.copy_from_slice(&change.after);
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(CorrectedFrame { bytes, how }))
    }

    /// Copies the events of a damaged range from the donor, or returns the reason why the donor is refused.
    fn take_from_donor(&mut self, donor: &Donor, finding: &Finding) -> Result<Result<(), RefusalReason>, StorageError> {
        let (range, neighbours, last_seen) = match finding.kind {
            DamageKind::InvalidEvent => return Ok(Err("the frame's checksum is valid, so it is as it was written")),
            DamageKind::Truncated => {
                let (Some(index), Some(end)) = (self.view.trusted_index(), finding.evidence.log_end_offset) else {
                    return Ok(Err("no index has seen the lost end"));
                };
                let before = read_neighbour(self.view.log(), self.last_frame.start)?;
                (finding.start..end, Neighbours { before, after: None }, index.last_seen_frame())
            }
            DamageKind::Zeros
            | DamageKind::Checksum
            | DamageKind::Length
            | DamageKind::TornTail
            | DamageKind::Garbage
            | DamageKind::Header
            | DamageKind::Gap
            | DamageKind::Clock
            | DamageKind::Unreadable => (finding.range(), self.neighbours_of(finding)?, None),
        };
        match donor.offer_for_range(&range, &neighbours, last_seen)? {
            Err(reason) => return Ok(Err(reason)),
            Ok(offer) => {
                if let Some(doubt) = offer.doubt {
                    return Ok(Err(doubt));
                }
            }
        }
        let mut frames = donor.scan_frames(range);
        while let Some(item) = frames.next_item()? {
            if let ScanItem::Frame(at, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), Version::V1)
                && self.write_event(at, &event, "donor")? == WriteOutcome::Written
            {
                self.summary.events_restored += 1;
            }
        }
        Ok(Ok(()))
    }

    /// Returns the valid frames before and after the damaged range that contains a finding.
    fn neighbours_of(&mut self, finding: &Finding) -> Result<Neighbours, StorageError> {
        if !self.damaged_run.range.contains(&finding.start) {
            let log = self.view.log();
            let before = if self.last_frame.is_empty() { None } else { read_neighbour(log, self.last_frame.start)? };
            // The end of the damage is known once the scanner has read it.
            self.copy_until(finding.start + 1)?;
            let end = self.scanner.as_ref().map_or(finding.end, Scanner::position);
            let after = read_neighbour(self.view.log(), end)?;
            self.damaged_run = DamagedRun { range: finding.start..end, neighbours: Neighbours { before, after } };
        }
        Ok(self.damaged_run.neighbours)
    }

    /// Writes an event and its line in the map, unless the event is too large for a frame.
    fn write_event(&mut self, old: u64, event: &EventView, how: &str) -> Result<WriteOutcome, StorageError> {
        let json = event.json();
        let payload = match self.view.log().version() {
            Version::V0 => event::upgrade_v0_timestamp_key(json),
            Version::V1 => Cow::Borrowed(json),
        };
        if payload.len() > MAX_PAYLOAD as usize {
            return Ok(WriteOutcome::TooLarge);
        }
        self.write_header_once(Some(event.write_timestamp_ms()))?;
        let new = self.files.log.position();
        self.files.log.append_with(|out| encode(payload.as_bytes(), out))?;
        self.write_map_line(old, Some(new), how)?;
        Ok(WriteOutcome::Written)
    }

    /// Writes the header of the new log, once, with the creation time of the old log or the time of an older first event.
    fn write_header_once(&mut self, first_event_ms: Option<u64>) -> Result<(), StorageError> {
        if self.files.log.position() > 0 {
            return Ok(());
        }
        let created_at_ms = self.view.effective_header()?.and_then(|header| byte_layout::u64_at(&header, 8));
        let plausible = created_at_ms.filter(|created| first_event_ms.is_none_or(|first| *created <= first));
        let header = LogHeader::new(plausible.or(first_event_ms).unwrap_or_default());
        self.files.log.append_with(|out| out.extend_from_slice(&header.encode()))
    }

    fn record_omitted(&mut self, omitted: OmittedRange) -> Result<(), StorageError> {
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

    /// Reports the position in the log.
    fn report_progress(&mut self, read: Progress) -> Result<(), StorageError> {
        cancelled_if_break((self.on_update)(CopyUpdate::Progress(read)))
    }
}

/// The outcome of writing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteOutcome {
    Written,
    TooLarge,
}

/// The bytes of a damaged frame with a fix applied.
struct CorrectedFrame {
    bytes: Vec<u8>,
    /// The name of the fix in the map's column `how`.
    how: &'static str,
}
