//! What can be done about each finding of a pass, from the log and its index alone.

use std::sync::Arc;

use super::after::MIN_GAP;
use super::correct::correct;
use super::fix::differing;
use super::neighbours::Beside;
use super::{Action, Certainty, Change, Fix};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::LENGTH_LEN;
use crate::format::{Finding, HEADER_LEN, Kind, Version};
use crate::inspect::LogView;

/// Accidents among the 2^32 checksums.
const CHECKSUMS: f64 = 4_294_967_296.0;

/// A finding with what can be done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// What was found.
    pub finding: Finding,
    /// What can be done about it; `None` where nothing can.
    pub fix: Option<Fix>,
}

/// Says of each finding of a pass what can be done about it.
#[derive(Debug)]
pub struct Proposer {
    view: LogView,
    file_end: u64,
    /// Pieces that would be fenced off and are, with those before them, too short for a gap so far.
    waiting: Vec<Proposed>,
    /// Where the adjacent pieces that would be fenced off start and end.
    run: Option<(u64, u64)>,
}

/// What a finding's own bytes allow.
enum Own {
    Fix(Option<Fix>),
    /// Nothing is offered, and the range can be fenced off; with what was not searched.
    Fence(Option<String>),
}

impl Proposer {
    /// For the findings of a pass over `view`, in their order.
    ///
    /// # Errors
    /// `Io` when the log cannot be measured.
    pub fn new(view: &LogView) -> Result<Self, StorageError> {
        Ok(Self { view: view.clone(), file_end: view.log().len()?, waiting: Vec::new(), run: None })
    }

    /// Takes the next finding; answers with those that are decided by now, ascending: only pieces that are too short for
    /// a gap wait for what lies next to them.
    ///
    /// # Errors
    /// `Io`, `Memory`, `Changed` when the log cannot be read.
    pub fn push(&mut self, finding: &Finding) -> Result<Vec<Proposed>, StorageError> {
        // The file may have grown since: what ends a pass is the file's end as the pass saw it.
        self.file_end = self.file_end.max(finding.end);
        let finding = finding.clone();
        match self.own(&finding)? {
            Own::Fix(fix) => {
                let mut decided = self.finish();
                decided.push(Proposed { finding, fix });
                Ok(decided)
            }
            Own::Fence(unsearched) => {
                let (adjacent, mut decided) = match self.run {
                    Some((start, end)) if end == finding.start => (Some(start), Vec::new()),
                    _ => (None, self.finish()),
                };
                let start = adjacent.unwrap_or(finding.start);
                self.run = Some((start, finding.end));
                let fix = Some(Fix { unsearched, ..Fix::plain(Action::Gap) });
                self.waiting.push(Proposed { finding, fix });
                if self.run.is_some_and(|(start, end)| end - start >= MIN_GAP) {
                    decided.append(&mut self.waiting);
                }
                Ok(decided)
            }
        }
    }

    /// Those still waiting: too short for a gap, nothing can be done about them in place.
    pub fn finish(&mut self) -> Vec<Proposed> {
        self.run = None;
        let mut decided = std::mem::take(&mut self.waiting);
        for proposed in &mut decided {
            proposed.fix = None;
        }
        decided
    }

    fn own(&self, finding: &Finding) -> Result<Own, StorageError> {
        let log = self.view.log();
        let last = finding.end == self.file_end && finding.start >= self.view.witnessed_end().unwrap_or_default();
        Ok(Own::Fix(match (finding.kind, log.version()) {
            (Kind::Length, _) => length(log, finding)?,
            (_, Version::V0) | (Kind::InvalidEvent | Kind::Gap | Kind::Clock | Kind::Unreadable, _) => None,
            (Kind::Header, _) => self.header()?,
            (Kind::Checksum, _) => return self.bits(finding),
            (Kind::TornTail | Kind::Zeros | Kind::Garbage, _) if last => Some(Fix::plain(Action::SetAsideTail)),
            (Kind::TornTail | Kind::Zeros | Kind::Garbage, _) => return Ok(Own::Fence(None)),
            (Kind::Truncated, _) => {
                let seen = finding.evidence.log_end_offset.unwrap_or_default();
                (seen.saturating_sub(finding.start) >= MIN_GAP).then(|| Fix::plain(Action::Gap))
            }
        }))
    }

    fn header(&self) -> Result<Option<Fix>, StorageError> {
        let (Some(found), Some((expected, certainty))) = (self.view.header_bytes(), self.view.expected_header()?)
        else {
            return Ok(None);
        };
        let certainty = if certainty { Certainty::Proven } else { Certainty::Likely };
        let changes = differing(0, &found, &expected);
        Ok(Some(Fix::single(Action::RebuildHeader, certainty, 0.0, changes)))
    }

    fn bits(&self, finding: &Finding) -> Result<Own, StorageError> {
        let log = self.view.log();
        let frame = bytes(log, finding.start, finding.end)?;
        let times = Beside::of(log, &finding.range(), self.file_end)?.times(log)?;
        let mut found = correct(&frame, times);
        let Some(certainty) = found.certainty else { return Ok(Own::Fence(found.unsearched)) };
        for change in found.candidates.iter_mut().flat_map(|candidate| &mut candidate.changes) {
            change.offset += finding.start;
        }
        let (candidates, unsearched) = (found.candidates, found.unsearched);
        let (action, certainty) = (Action::CorrectBits, Some(certainty));
        Ok(Own::Fix(Some(Fix { action, certainty, candidates, unsearched, choose: None })))
    }
}

/// The length that the end of the piece implies.
fn length(log: &Arc<LogFile>, finding: &Finding) -> Result<Option<Fix>, StorageError> {
    let Some(implied) = finding.evidence.length_implied else { return Ok(None) };
    let found = bytes(log, finding.start, finding.start + LENGTH_LEN as u64)?;
    let change = Change { offset: finding.start, before: found, after: implied.to_be_bytes().to_vec() };
    let (certainty, expected) = match log.version() {
        // Every end up to this one was a chance to be wrong.
        Version::V1 => (Certainty::Proven, (finding.end - finding.start) as f64 / CHECKSUMS),
        Version::V0 => (Certainty::Likely, 0.0),
    };
    Ok(Some(Fix::single(Action::RestoreLength, certainty, expected, vec![change])))
}

fn bytes(log: &LogFile, start: u64, end: u64) -> Result<Vec<u8>, StorageError> {
    let len = (end - start) as usize;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| StorageError::Memory {
        path: log.path().to_owned(),
        offset: start,
        bytes: len as u64,
    })?;
    bytes.resize(len, 0);
    let read = log.read(&mut bytes, start)?;
    log.expect_bytes(start + read as u64, end)?;
    Ok(bytes)
}

const _: () = assert!(HEADER_LEN >= MIN_GAP, "a header is no piece that waits");
