//! The part of the copier that restores damage: by fixes, by the frames of donors at the same offsets, and by the frames that
//! donors have at other offsets.

use std::collections::BTreeSet;
use std::ops::Range;

use super::copier::{Copier, CopySource, WriteOutcome};
use super::moved_chain::MovedRun;
use super::moved_frames::{MovedFrames, NO_TRACE};
use super::summary::OmittedRange;
use crate::StorageError;
use crate::file::ScanItem;
use crate::format::frame::{DecodeResult, MAX_FRAME, decode};
use crate::format::{DamageKind, EventView, Finding, gap};
use crate::repair::planning::{Donor, DonorRange, DonorRanges, DonorRun, is_fillable};
use crate::repair::types::{Certainty, ProposedFix, RepairAction};

impl Copier<'_, '_> {
    /// Restores the adjacent pieces by their fixes, and what remains of them from the donors.
    pub(super) fn handle_adjacent(&mut self) -> Result<(), StorageError> {
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
        let is_lost = |nth: usize, piece: &ProposedFix| {
            // A lost end has no bytes in the log that could show the frames.
            let has_bytes = is_undecided(piece) && piece.finding.kind != DamageKind::Truncated;
            has_bytes && !ranges.range_of_piece(nth).is_some_and(DonorRange::has_proven_part)
        };
        let (mut searched_to, mut filled_to) = (0, 0);
        for (nth, (piece, corrected)) in pieces.iter().zip(&corrected).enumerate() {
            self.handled_to = self.handled_to.max(piece.finding.end);
            if nth >= searched_to && !donors.is_empty() {
                let following = pieces.iter().enumerate().skip(nth).take_while(|(nth, piece)| is_lost(*nth, piece));
                searched_to = nth + following.count();
                if self.fill_from_moved_frames(pieces.get(nth..searched_to).unwrap_or_default())? {
                    filled_to = searched_to;
                }
            }
            if nth < filled_to {
                continue;
            }
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
        }
        Ok(())
    }

    /// Omits a piece. `refusal` is the reason why no donor has proven frames for it.
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
        let (finding, format) = (&piece.finding, self.source.view.log().format());
        if let DecodeResult::Complete(frame) = decode(&corrected.bytes, format, finding.start) {
            if let Ok(event) = EventView::parse(frame.payload(), format.version())
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

    /// Copies the proven frames that a donor has at other offsets than these adjacent pieces, and omits the rest of the pieces.
    /// Returns false, and does nothing, when no donor has the frames next to them at other offsets.
    fn fill_from_moved_frames(&mut self, pieces: &[ProposedFix]) -> Result<bool, StorageError> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(false) };
        let CopySource { view, donors, .. } = self.source;
        let moved = match self.moved_frames.take() {
            Some(moved) => moved,
            None => MovedFrames::find(view, donors)?,
        };
        let range = first.finding.start..last.finding.end;
        let runs = moved.find_runs(view, donors, &range)?;
        self.moved_frames = Some(moved);
        let Some(runs) = runs else { return Ok(false) };
        self.has_moved_frames |= !runs.is_empty();
        let mut at = range.start;
        for run in &runs {
            self.omit_hole(pieces, at..run.log.start)?;
            self.copy_moved_frames(run)?;
            at = run.log.end;
        }
        self.omit_hole(pieces, at..range.end)?;
        Ok(true)
    }

    /// Omits the parts of pieces in `hole`, for which no donor has a frame.
    fn omit_hole(&mut self, pieces: &[ProposedFix], hole: Range<u64>) -> Result<(), StorageError> {
        for piece in pieces {
            let mut part = piece.clone();
            part.finding.start = part.finding.start.max(hole.start);
            part.finding.end = part.finding.end.min(hole.end);
            if part.finding.start < part.finding.end {
                self.omit_piece(&part, Some(NO_TRACE))?;
            }
        }
        Ok(())
    }

    /// Copies the events of a donor's frames that the log had at other offsets.
    fn copy_moved_frames(&mut self, run: &MovedRun) -> Result<(), StorageError> {
        let Some(donor) = self.source.donors.get(run.donor) else { return Ok(()) };
        let mut frames = donor.scan_frames(run.source.clone());
        let mut old = run.first_frame_at;
        while let Some(item) = frames.next_item()? {
            let range = item.span().range().clone();
            self.check_cancelled(range.end - range.start)?;
            if let ScanItem::Frame(_, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), self.source.view.log().version())
            {
                if self.write_event(old, &event, "donor")? == WriteOutcome::Written {
                    self.summary.events_restored += 1;
                }
                old += run.line_ends.stored_len(frame.bytes());
            }
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
                && let Ok(event) = EventView::parse(frame.payload(), self.source.view.log().version())
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
        let format = self.source.view.log().format();
        let is_one_frame = matches!(decode(&bytes, format, finding.start),
            DecodeResult::Complete(frame) if frame.len() == bytes.len() as u64
                && (gap::is_gap(frame.payload())
                    || EventView::parse(frame.payload(), format.version()).is_ok()));
        Ok(is_one_frame.then_some(CorrectedFrame { bytes, how }))
    }
}

/// The bytes of a damaged frame with a fix applied.
struct CorrectedFrame {
    bytes: Vec<u8>,
    /// The name of the fix in the map's column `how`.
    how: &'static str,
}
