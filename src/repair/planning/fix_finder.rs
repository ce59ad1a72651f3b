//! Finds the fix for each finding of a survey, from the log and its index alone.

use std::sync::Arc;

use super::lost_segments::fix_without_donor;
use super::neighbours::NeighbourSearch;
use super::step_output::MIN_GAP;
use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::LENGTH_LEN;
use crate::format::{DamageKind, Finding, HEADER_LEN, Version};
use crate::inspect::{DamagedHeader, LogView};
use crate::repair::correction::find_correction_in_place;
use crate::repair::types::{ByteChange, Candidate, Certainty, Fix, ProposedFix, RepairAction, diff_bytes};

/// Number of different checksums.
const CHECKSUM_COUNT: f64 = 4_294_967_296.0;

/// Finds the fix for each finding of a survey, in the order of the findings.
///
/// A piece of damage that is too short for a gap frame is held back until the next piece is known, because adjacent
/// pieces share one gap.
#[derive(Debug)]
pub struct FixFinder {
    view: LogView,
    log_end: u64,
    /// Adjacent pieces whose total length is, so far, too short for a gap.
    pending: Vec<ProposedFix>,
    /// Start and end of the adjacent pieces that a gap would replace.
    pending_range: Option<(u64, u64)>,
    neighbours: NeighbourSearch,
}

/// The fix of a finding, determined without the pieces next to it.
enum SinglePieceFix {
    /// The pieces next to the finding do not matter: this is its fix, or it has none.
    Decided(Option<Fix>),
    /// The bytes cannot be restored, so only a gap can replace them. `unsearched` describes the patterns not searched.
    OnlyGap { unsearched: Option<String> },
}

impl FixFinder {
    /// Creates a finder for the findings of a survey of `view`.
    ///
    /// # Errors
    /// `Io` when the length of the log cannot be read.
    pub fn new(view: &LogView) -> Result<Self, StorageError> {
        Ok(Self {
            view: view.clone(),
            log_end: view.log().len()?,
            pending: Vec::new(),
            pending_range: None,
            neighbours: NeighbourSearch::default(),
        })
    }

    /// Adds the next finding, and returns the findings whose fixes are now known, by ascending offset.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub fn push(&mut self, finding: &Finding) -> Result<Vec<ProposedFix>, StorageError> {
        // The log may have grown between `new` and the start of the survey; a finding may end after the old end.
        self.log_end = self.log_end.max(finding.end);
        let finding = finding.clone();
        match self.find_single_piece_fix(&finding)? {
            SinglePieceFix::Decided(fix) => {
                let mut decided = self.finish();
                decided.push(ProposedFix { finding, fix });
                Ok(decided)
            }
            SinglePieceFix::OnlyGap { unsearched } => {
                let (start, mut decided) = match self.pending_range {
                    Some((start, end)) if end == finding.start => (start, Vec::new()),
                    _ => (finding.start, self.finish()),
                };
                let is_long_enough = finding.end - start >= MIN_GAP;
                self.pending_range = Some((start, finding.end));
                let fix = Some(Fix { unsearched, ..Fix::without_candidates(RepairAction::Gap) });
                self.pending.push(ProposedFix { finding, fix });
                if is_long_enough {
                    decided.append(&mut self.pending);
                }
                Ok(decided)
            }
        }
    }

    /// Returns the findings that are still held back, without a fix: they are too short for a gap.
    pub fn finish(&mut self) -> Vec<ProposedFix> {
        self.pending_range = None;
        let mut decided = std::mem::take(&mut self.pending);
        for proposed in &mut decided {
            proposed.fix = None;
        }
        decided
    }

    fn find_single_piece_fix(&mut self, finding: &Finding) -> Result<SinglePieceFix, StorageError> {
        let log = self.view.log();
        // Bytes before the end that an index has recorded are never set aside: they were a complete part of the log.
        let (seen_end, is_tail) = (self.view.seen_end(), finding.end == self.log_end);
        let is_unseen_tail = is_tail && seen_end.allows_cut_at(finding.start);
        if finding.kind == DamageKind::Truncated
            && let Some(lost) = self.view.lost_segments(finding)?
        {
            return Ok(SinglePieceFix::Decided(fix_without_donor(&self.view, &lost)));
        }
        Ok(SinglePieceFix::Decided(match (finding.kind, log.version()) {
            (DamageKind::Garbage, _) if finding.evidence.excess_bytes.is_some() => {
                Some(Fix::without_candidates(RepairAction::CutExcess))
            }
            (DamageKind::Length, _) => length_fix(log, finding)?,
            // Only a donor can have a lost range.
            (_, Version::V0)
            | (
                DamageKind::InvalidEvent
                | DamageKind::Gap
                | DamageKind::Lost
                | DamageKind::Clock
                | DamageKind::Unreadable,
                _,
            ) => None,
            // Neither a cut nor a gap is right for an end that cannot be classified.
            (DamageKind::TornTail | DamageKind::Zeros | DamageKind::Garbage, _) if is_tail && seen_end.is_unknown() => {
                None
            }
            (DamageKind::Header, _) => self.header_fix(finding)?,
            (DamageKind::Checksum, _) => return self.correct_bits_fix(finding),
            (DamageKind::TornTail | DamageKind::Zeros | DamageKind::Garbage, _) if is_unseen_tail => {
                Some(Fix::without_candidates(RepairAction::SetAsideTail))
            }
            (DamageKind::TornTail | DamageKind::Zeros | DamageKind::Garbage, _) => {
                return Ok(SinglePieceFix::OnlyGap { unsearched: None });
            }
            (DamageKind::Truncated, _) => {
                let seen_end = finding.evidence.log_end_offset.unwrap_or_default();
                let fits_gap = seen_end.saturating_sub(finding.start) >= MIN_GAP;
                fits_gap.then(|| Fix::without_candidates(RepairAction::Gap))
            }
        }))
    }

    fn header_fix(&self, finding: &Finding) -> Result<Option<Fix>, StorageError> {
        let start = finding.start;
        let Some(DamagedHeader { found, expected }) = self.view.damaged_header_at(start)? else { return Ok(None) };
        let certainty = if expected.is_proven { Certainty::Proven } else { Certainty::Likely };
        let candidate =
            Candidate { expected_false_positives: 0.0, changes: diff_bytes(start, &found, &expected.bytes) };
        Ok(Some(Fix::with_candidate(RepairAction::RebuildHeader, certainty, candidate)))
    }

    fn correct_bits_fix(&mut self, finding: &Finding) -> Result<SinglePieceFix, StorageError> {
        let log = self.view.log();
        // The neighbours are read first: where damage lies between, that takes as much memory as the frame.
        let times = self.neighbours.find_times(log, &finding.range(), self.log_end)?;
        let mut frame = read_bytes(log, finding.start, finding.end)?;
        let mut correction = find_correction_in_place(&mut frame, log.format(), finding.start, times);
        let (certainty, unsearched) = (correction.certainty, correction.unsearched);
        if certainty.is_none() {
            return Ok(SinglePieceFix::OnlyGap { unsearched });
        }
        for change in correction.candidates.iter_mut().flat_map(|candidate| &mut candidate.changes) {
            change.offset += finding.start;
        }
        let candidates = correction.candidates;
        let action = RepairAction::CorrectBits;
        Ok(SinglePieceFix::Decided(Some(Fix { action, certainty, candidates, unsearched, choice: None })))
    }
}

/// Returns the fix that writes the frame length implied by the end of the piece.
fn length_fix(log: &Arc<LogFile>, finding: &Finding) -> Result<Option<Fix>, StorageError> {
    let Some(implied) = finding.evidence.length_implied else { return Ok(None) };
    let found = read_bytes(log, finding.start, finding.start + LENGTH_LEN as u64)?;
    let change = ByteChange { offset: finding.start, before: found, after: implied.to_be_bytes().to_vec() };
    let (certainty, expected_false_positives) = match log.version() {
        // The checksum was compared for every possible end up to this one, each with a chance of 1 in 2^32 to match.
        Version::V1 | Version::V2 => (Certainty::Proven, (finding.end - finding.start) as f64 / CHECKSUM_COUNT),
        Version::V0 => (Certainty::Likely, 0.0),
    };
    let candidate = Candidate { expected_false_positives, changes: vec![change] };
    Ok(Some(Fix::with_candidate(RepairAction::RestoreLength, certainty, candidate)))
}

fn read_bytes(log: &LogFile, start: u64, end: u64) -> Result<Vec<u8>, StorageError> {
    let len = (end - start) as usize;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| StorageError::OutOfMemory {
        path: log.path().to_owned(),
        offset: start,
        bytes: len as u64,
    })?;
    bytes.resize(len, 0);
    let read = log.read_at(&mut bytes, start)?;
    log.ensure_bytes_available(start + read as u64, end)?;
    Ok(bytes)
}

const _: () = assert!(HEADER_LEN >= MIN_GAP, "a damaged header is long enough for a gap and is never held back");
