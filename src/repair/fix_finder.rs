//! What can be done about each finding of a pass, from the log and its index alone.

use std::sync::Arc;

use super::correction::find_correction;
use super::fix::diff_bytes;
use super::neighbours::Neighbours;
use super::step_output::MIN_GAP;
use super::{ByteChange, Certainty, Fix, RepairAction};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::LENGTH_LEN;
use crate::format::{DamageKind, Finding, HEADER_LEN, Version};
use crate::inspect::LogView;

/// Accidents among the 2^32 checksums.
const CHECKSUM_COUNT: f64 = 4_294_967_296.0;

/// A finding with what can be done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedFix {
    /// What was found.
    pub finding: Finding,
    /// What can be done about it; `None` where nothing can.
    pub fix: Option<Fix>,
}

/// Says of each finding of a pass what can be done about it.
#[derive(Debug)]
pub struct FixFinder {
    view: LogView,
    file_end: u64,
    /// Pieces that would be fenced off and are, with those before them, too short for a gap so far.
    pending: Vec<ProposedFix>,
    /// Where the adjacent pieces that would be fenced off start and end.
    pending_range: Option<(u64, u64)>,
}

/// What a finding's own bytes allow.
enum OwnFix {
    Fix(Option<Fix>),
    /// Nothing is offered, and the range can be fenced off; with what was not searched.
    Gap(Option<String>),
}

impl FixFinder {
    /// For the findings of a pass over `view`, in their order.
    ///
    /// # Errors
    /// `Io` when the log cannot be measured.
    pub fn new(view: &LogView) -> Result<Self, StorageError> {
        Ok(Self { view: view.clone(), file_end: view.log().len()?, pending: Vec::new(), pending_range: None })
    }

    /// Takes the next finding; answers with those that are decided by now, ascending: only pieces that are too short for
    /// a gap wait for what lies next to them.
    ///
    /// # Errors
    /// `Io`, `Memory`, `Changed` when the log cannot be read.
    pub fn push(&mut self, finding: &Finding) -> Result<Vec<ProposedFix>, StorageError> {
        // The file may have grown since: what ends a pass is the file's end as the pass saw it.
        self.file_end = self.file_end.max(finding.end);
        let finding = finding.clone();
        match self.find_own_fix(&finding)? {
            OwnFix::Fix(fix) => {
                let mut decided = self.finish();
                decided.push(ProposedFix { finding, fix });
                Ok(decided)
            }
            OwnFix::Gap(unsearched) => {
                let (adjacent, mut decided) = match self.pending_range {
                    Some((start, end)) if end == finding.start => (Some(start), Vec::new()),
                    _ => (None, self.finish()),
                };
                let start = adjacent.unwrap_or(finding.start);
                self.pending_range = Some((start, finding.end));
                let fix = Some(Fix { unsearched, ..Fix::without_candidates(RepairAction::Gap) });
                self.pending.push(ProposedFix { finding, fix });
                if self.pending_range.is_some_and(|(start, end)| end - start >= MIN_GAP) {
                    decided.append(&mut self.pending);
                }
                Ok(decided)
            }
        }
    }

    /// Those still waiting: too short for a gap, nothing can be done about them in place.
    pub fn finish(&mut self) -> Vec<ProposedFix> {
        self.pending_range = None;
        let mut decided = std::mem::take(&mut self.pending);
        for proposed in &mut decided {
            proposed.fix = None;
        }
        decided
    }

    fn find_own_fix(&self, finding: &Finding) -> Result<OwnFix, StorageError> {
        let log = self.view.log();
        let last = finding.end == self.file_end && finding.start >= self.view.trusted_index_end().unwrap_or_default();
        Ok(OwnFix::Fix(match (finding.kind, log.version()) {
            (DamageKind::Length, _) => length_fix(log, finding)?,
            (_, Version::V0)
            | (DamageKind::InvalidEvent | DamageKind::Gap | DamageKind::Clock | DamageKind::Unreadable, _) => None,
            (DamageKind::Header, _) => self.header_fix()?,
            (DamageKind::Checksum, _) => return self.correct_bits_fix(finding),
            (DamageKind::TornTail | DamageKind::Zeros | DamageKind::Garbage, _) if last => {
                Some(Fix::without_candidates(RepairAction::SetAsideTail))
            }
            (DamageKind::TornTail | DamageKind::Zeros | DamageKind::Garbage, _) => return Ok(OwnFix::Gap(None)),
            (DamageKind::Truncated, _) => {
                let seen = finding.evidence.log_end_offset.unwrap_or_default();
                (seen.saturating_sub(finding.start) >= MIN_GAP).then(|| Fix::without_candidates(RepairAction::Gap))
            }
        }))
    }

    fn header_fix(&self) -> Result<Option<Fix>, StorageError> {
        let (Some(found), Some((expected, certainty))) = (self.view.header_bytes(), self.view.expected_header()?)
        else {
            return Ok(None);
        };
        let certainty = if certainty { Certainty::Proven } else { Certainty::Likely };
        let changes = diff_bytes(0, &found, &expected);
        Ok(Some(Fix::with_candidate(RepairAction::RebuildHeader, certainty, 0.0, changes)))
    }

    fn correct_bits_fix(&self, finding: &Finding) -> Result<OwnFix, StorageError> {
        let log = self.view.log();
        let frame = read_bytes(log, finding.start, finding.end)?;
        let times = Neighbours::find(log, &finding.range(), self.file_end)?.read_times(log)?;
        let mut found = find_correction(&frame, times);
        let Some(certainty) = found.certainty else { return Ok(OwnFix::Gap(found.unsearched)) };
        for change in found.candidates.iter_mut().flat_map(|candidate| &mut candidate.changes) {
            change.offset += finding.start;
        }
        let (candidates, unsearched) = (found.candidates, found.unsearched);
        let (action, certainty) = (RepairAction::CorrectBits, Some(certainty));
        Ok(OwnFix::Fix(Some(Fix { action, certainty, candidates, unsearched, choice: None })))
    }
}

/// The length that the end of the piece implies.
fn length_fix(log: &Arc<LogFile>, finding: &Finding) -> Result<Option<Fix>, StorageError> {
    let Some(implied) = finding.evidence.length_implied else { return Ok(None) };
    let found = read_bytes(log, finding.start, finding.start + LENGTH_LEN as u64)?;
    let change = ByteChange { offset: finding.start, before: found, after: implied.to_be_bytes().to_vec() };
    let (certainty, expected) = match log.version() {
        // Every end up to this one was a chance to be wrong.
        Version::V1 => (Certainty::Proven, (finding.end - finding.start) as f64 / CHECKSUM_COUNT),
        Version::V0 => (Certainty::Likely, 0.0),
    };
    Ok(Some(Fix::with_candidate(RepairAction::RestoreLength, certainty, expected, vec![change])))
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

const _: () = assert!(HEADER_LEN >= MIN_GAP, "a header is no piece that waits");
