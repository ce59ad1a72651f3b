//! The copier: copies the events between the findings of a survey, and the events that fixes or a donor restore.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use super::output::OutputFiles;
use super::summary::{CopyOptions, CopySummary, CopyUpdate, OmittedRange, OnCopyUpdate};
use crate::StorageError;
use crate::file::{ScanItem, Scanner};
use crate::format::frame::{DecodeResult, MAX_FRAME, MAX_PAYLOAD, decode, encode};
use crate::format::{DamageKind, EventView, Evidence, Finding, LogHeader, Version, byte_layout, event, gap};
use crate::inspect::{LogView, MAX_FINDINGS, Progress, SurveyOptions, SurveyUpdate, cancelled_if_break, survey};
use crate::repair::planning::{Donor, DonorRange, DonorRanges, DonorRun, is_fillable};
use crate::repair::types::{Certainty, ProposedFix, RepairAction, changed_error};

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
    let (mut summary, oversized_events) = (copier.summary, copier.oversized_events);
    summary.in_flight = surveyed.in_flight;
    if summary.events_kept + oversized_events != surveyed.events {
        let (expected, found) = (format!("{} events", surveyed.events), format!("{} events", summary.events_kept));
        return Err(changed_error(view.path(), &expected, &found));
    }
    Ok(summary)
}

struct Copier<'a, 'd> {
    source: CopySource<'a>,
    files: &'a mut OutputFiles<'d>,
    on_update: &'a mut OnCopyUpdate<'a>,
    summary: CopySummary,
    /// Reads the events to copy, up to the offset that the survey has reached. It is created after the survey has fixed
    /// the end of the log, so its own end is not earlier.
    scanner: Option<Scanner>,
    /// Adjacent damaged pieces that are not handled yet, because a frame of a donor can cross from one to the next.
    adjacent: Vec<ProposedFix>,
    /// Frames that start before this offset are part of a finding that was handled, and are not copied.
    handled_to: u64,
    /// Events of version 0 that are too large for a frame, because version 1 has a longer key for their time.
    oversized_events: u64,
    /// The progress of the survey that was reported last.
    reported: Progress,
    /// Number of bytes of frames that were copied since then.
    unreported_bytes: u64,
}

impl Copier<'_, '_> {
    /// Copies the events that start before `until` and were not copied yet.
    fn copy_until(&mut self, until: u64) -> Result<(), StorageError> {
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
            {
                self.copy_event(at, &event)?;
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
            if self.adjacent.last().is_some_and(|last| last.finding.end != finding.start) {
                self.handle_adjacent()?;
            }
            match finding.kind {
                // These findings do not replace an event.
                DamageKind::Header | DamageKind::Clock => self.copy_until(finding.start)?,
                DamageKind::Gap => {
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

    /// Restores the adjacent pieces by their fixes, and what remains of them from the donors.
    fn handle_adjacent(&mut self) -> Result<(), StorageError> {
        let pieces = std::mem::take(&mut self.adjacent);
        let Some(first) = pieces.first() else { return Ok(()) };
        self.copy_until(first.finding.start)?;
        let mut corrected = Vec::new();
        for piece in &pieces {
            corrected.push(self.corrected_frame(piece)?);
        }
        let key = |piece: &ProposedFix| (piece.finding.start, piece.finding.end, piece.finding.kind);
        let corrected_pieces: BTreeSet<_> =
            pieces.iter().zip(&corrected).filter(|(_, frame)| frame.is_some()).map(|(piece, _)| key(piece)).collect();
        let is_corrected = |piece: &ProposedFix| corrected_pieces.contains(&key(piece));
        let CopySource { view, donors, .. } = self.source;
        let is_undecided = |piece: &ProposedFix| is_fillable(piece.finding.kind) && !is_corrected(piece);
        let ranges = DonorRanges::find(view, donors, &pieces, is_undecided)?;
        for (nth, (piece, corrected)) in pieces.iter().zip(&corrected).enumerate() {
            match (corrected, ranges.range_of_piece(nth)) {
                (Some(frame), _) => self.write_corrected(piece, frame)?,
                (None, Some(range)) if !range.has_proven_part() => self.omit_piece(piece, range.doubt())?,
                (None, Some(range)) if range.piece_indices.start == nth => {
                    let joined = pieces.get(range.piece_indices.clone()).unwrap_or_default();
                    self.fill_range(range, joined)?;
                }
                (None, Some(_)) => {}
                (None, None) => self.omit_piece(piece, ranges.refusal_at(piece.finding.start))?,
            }
            self.handled_to = self.handled_to.max(piece.finding.end);
        }
        Ok(())
    }

    /// Omits a piece, for which no donor has proven frames for this reason.
    fn omit_piece(&mut self, piece: &ProposedFix, refusal: Option<&'static str>) -> Result<(), StorageError> {
        let donor_refusal = match piece.finding.kind {
            _ if self.source.donors.is_empty() => None,
            DamageKind::InvalidEvent => Some("the frame's checksum is valid, so it is as it was written"),
            _ => Some(refusal.unwrap_or("it has no frames there")),
        };
        let best_certainty = piece.fix.as_ref().and_then(|fix| fix.certainty);
        self.record_omitted(OmittedRange { finding: piece.finding.clone(), best_certainty, donor_refusal })
    }

    /// Writes the event of a piece with its fix applied.
    fn write_corrected(&mut self, piece: &ProposedFix, corrected: &CorrectedFrame) -> Result<(), StorageError> {
        let (finding, version) = (&piece.finding, self.source.view.log().version());
        if let DecodeResult::Complete(frame) = decode(&corrected.bytes, version) {
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
        let best_certainty = piece.fix.as_ref().and_then(|fix| fix.certainty);
        self.record_omitted(OmittedRange { finding: finding.clone(), best_certainty, donor_refusal: None })
    }

    /// Copies the proven frames of donors in a range, and omits the rest of it, part by part.
    fn fill_range(&mut self, range: &DonorRange, pieces: &[ProposedFix]) -> Result<(), StorageError> {
        for part in &range.parts {
            let refusal = match &part.content {
                Ok(DonorRun { doubt: None, donor, range, .. }) => {
                    let Some(donor) = self.source.donors.get(*donor) else { continue };
                    self.copy_frames(donor, range.clone())?;
                    continue;
                }
                Ok(DonorRun { doubt: Some(reason), .. }) | Err(reason) => *reason,
            };
            let count = pieces.partition_point(|piece| piece.finding.start <= part.range.start);
            let Some(piece) = count.checked_sub(1).and_then(|last| pieces.get(last)) else { continue };
            let mut finding = piece.finding.clone();
            finding.start = part.range.start.min(finding.end);
            finding.end = finding.end.min(part.range.end);
            let best_certainty = piece.fix.as_ref().and_then(|fix| fix.certainty).max(Some(Certainty::Choice));
            let best_certainty = best_certainty.filter(|_| part.content.is_ok() || piece.restoring_fix().is_some());
            self.record_omitted(OmittedRange { finding, best_certainty, donor_refusal: Some(refusal) })?;
        }
        Ok(())
    }

    /// Copies the events of a donor's frames in `range`.
    fn copy_frames(&mut self, donor: &Donor, range: Range<u64>) -> Result<(), StorageError> {
        let mut frames = donor.scan_frames(range);
        while let Some(item) = frames.next_item()? {
            let range = item.span().range().clone();
            self.check_cancelled(range.end - range.start)?;
            if let ScanItem::Frame(at, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), Version::V1)
                && self.write_event(at, &event, "donor")? == WriteOutcome::Written
            {
                self.summary.events_restored += 1;
            }
        }
        Ok(())
    }

    /// Returns the bytes of a finding with its fix applied; `None` when no fix is certain enough.
    fn corrected_frame(&self, proposed: &ProposedFix) -> Result<Option<CorrectedFrame>, StorageError> {
        let finding = &proposed.finding;
        let Some(fix) = &proposed.fix else { return Ok(None) };
        let how = match fix.certainty {
            Some(Certainty::Proven) => "corrected",
            Some(Certainty::Likely) if self.source.options.accept_likely => "likely",
            _ => return Ok(None),
        };
        let ([candidate], RepairAction::RestoreLength | RepairAction::CorrectBits) =
            (fix.candidates.as_slice(), fix.action)
        else {
            return Ok(None);
        };
        let len = (finding.end - finding.start).min(MAX_FRAME as u64 + 1) as usize;
        let mut bytes = vec![0; len];
        let read = self.source.view.log().read_at(&mut bytes, finding.start)?;
        self.source.view.log().ensure_bytes_available(finding.start + read as u64, finding.start + len as u64)?;
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
        let is_one_frame = matches!(decode(&bytes, self.source.view.log().version()),
            DecodeResult::Complete(frame) if frame.len() == bytes.len() as u64
                && (gap::is_gap(frame.payload())
                    || EventView::parse(frame.payload(), self.source.view.log().version()).is_ok()));
        Ok(is_one_frame.then_some(CorrectedFrame { bytes, how }))
    }

    /// Writes an event and its line in the map, unless the event is too large for a frame.
    fn write_event(&mut self, old: u64, event: &EventView, how: &str) -> Result<WriteOutcome, StorageError> {
        let json = event.json();
        let payload = match self.source.view.log().version() {
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
        // A donor with the same events has the header that an event alone could only suggest.
        let shared = self.source.donors.iter().find_map(Donor::shared_header);
        let header = shared.map_or_else(|| self.source.view.effective_header(), |header| Ok(Some(header)))?;
        let created_at_ms = header.and_then(|header| byte_layout::u64_at(&header, 8));
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

    /// Reports the last progress again after each mebibyte that is copied, so that a long range can be cancelled.
    fn check_cancelled(&mut self, copied: u64) -> Result<(), StorageError> {
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
