//! Records the differences of a comparison, and decides whether the logs are copies of one log at all.
//!
//! Differences are held back until one frame is the same in both logs. Logs that have other events from their first one on
//! are then reported as unrelated, and none of their differences is listed.

use super::difference::{
    Comparison, CopyContent, DiffListing, DiffUpdate, DifferenceKind, LogDifference, LogStart, MAX_DIFFERENCES,
    OnDiffUpdate, UnrelatedLogs,
};
use super::progress::{Progress, cancelled_if_break};
use crate::StorageError;
use crate::file::{HeaderState, LogFile};

/// Number of places where both logs have an event and the events differ, before any shared frame, that shows logs with the
/// same creation time to be unrelated once both were read.
const MIN_CONFLICTS: u64 = 16;
/// Number of such places after which logs with the same creation time are not read further. Between copies, so many places
/// show that the copies have diverged, and the next differences are not listed until a frame is the same in both.
const MAX_CONFLICTS: u64 = 1000;

/// What the headers show about whether two logs are copies of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderEvidence {
    /// The creation times are equal, or one header is damaged.
    MayBeCopies,
    /// The creation times differ, or the logs have no headers.
    NoEvidence,
}

/// Whether the logs are copies of one log.
#[derive(Debug, PartialEq, Eq)]
enum Relation {
    /// No frame was the same in both so far. The differences found so far are held back.
    Undecided(Vec<LogDifference>),
    /// A frame is the same in both, or the largest number of differences was found without proof that the logs are unrelated.
    Copies,
    /// Both have events, and none of them is the same.
    Unrelated,
}

/// Receives the differences of a comparison in order.
pub(super) struct DiffRecorder<'a> {
    on_update: &'a mut OnDiffUpdate<'a>,
    listing: DiffListing,
    comparison: Comparison,
    headers: HeaderEvidence,
    relation: Relation,
    /// The starts of both logs, as far as they were compared.
    starts: (LogStart, LogStart),
    /// Number of places where both have an event and the events differ, since the last shared frame.
    conflicts: u64,
    /// The range of the last difference of frames.
    last_difference: Option<(DifferenceKind, u64, u64)>,
}

impl<'a> DiffRecorder<'a> {
    /// Creates the recorder of a comparison of two logs with these sizes.
    pub(super) fn new(
        logs: (&LogFile, &LogFile),
        bytes: (u64, u64),
        listing: DiffListing,
        on_update: &'a mut OnDiffUpdate<'a>,
    ) -> Self {
        let start = |log: &LogFile| LogStart { created_at_ms: created_at_ms(log), first_event: None };
        let starts = (start(logs.0), start(logs.1));
        let headers = match (logs.0.header(), logs.1.header()) {
            (HeaderState::Absent, HeaderState::Absent) => HeaderEvidence::NoEvidence,
            (HeaderState::Valid(a), HeaderState::Valid(b)) if a.created_at_ms != b.created_at_ms => {
                HeaderEvidence::NoEvidence
            }
            _ => HeaderEvidence::MayBeCopies,
        };
        let identical_to = bytes.0.min(bytes.1);
        Self {
            on_update,
            listing,
            comparison: Comparison { a_bytes: bytes.0, b_bytes: bytes.1, identical_to, ..Comparison::default() },
            headers,
            relation: Relation::Undecided(Vec::new()),
            starts,
            conflicts: 0,
            last_difference: None,
        }
    }

    /// Records that the logs are equal only up to `offset`, when no smaller offset was recorded.
    pub(super) fn set_identical_to(&mut self, offset: u64) {
        self.comparison.identical_to = self.comparison.identical_to.min(offset);
    }

    /// Returns the number of differences so far.
    pub(super) fn total(&self) -> u64 {
        self.comparison.total()
    }

    /// Returns whether the last difference has this kind and range.
    pub(super) fn is_last(&self, kind: DifferenceKind, start: u64, end: u64) -> bool {
        self.last_difference == Some((kind, start, end))
    }

    /// Returns whether the logs were found not to be copies of one log, so that comparing further has no use.
    pub(super) fn is_unrelated(&self) -> bool {
        self.relation == Relation::Unrelated
    }

    /// Returns whether the next difference is listed, so that its events are named.
    pub(super) fn is_listing(&self) -> bool {
        match (self.listing, &self.relation) {
            (DiffListing::All, _) | (_, Relation::Undecided(_)) => true,
            (DiffListing::First, _) => {
                self.conflicts < MAX_CONFLICTS && self.comparison.differences.len() < MAX_DIFFERENCES
            }
        }
    }

    /// Returns whether the next place where both logs have an event, and the events differ, is the first one after a shared
    /// frame.
    pub(super) const fn awaits_conflict(&self) -> bool {
        self.comparison.diverged_at.is_none()
    }

    /// Records that a frame is the same in both logs.
    pub(super) fn record_shared_frame(&mut self) -> Result<(), StorageError> {
        self.conflicts = 0;
        self.comparison.diverged_at = None;
        self.decide_copies()
    }

    /// Records a difference, and passes it to the callback unless it is held back.
    pub(super) fn record(&mut self, difference: LogDifference) -> Result<(), StorageError> {
        let LogDifference { kind, start, end, .. } = difference;
        let is_listed = self.is_listing() || is_rest(&difference);
        self.comparison.count(kind);
        self.last_difference = Some((kind, start, end));
        if let (CopyContent::Event(a), CopyContent::Event(b)) = (&difference.a, &difference.b) {
            self.conflicts += 1;
            self.comparison.diverged_at.get_or_insert(start);
            self.starts.0.first_event.get_or_insert_with(|| a.clone());
            self.starts.1.first_event.get_or_insert_with(|| b.clone());
        }
        match &mut self.relation {
            Relation::Undecided(held) => {
                held.push(difference);
                // So many differences in which few events differ are damage. They are reported without a shared frame.
                let is_full = held.len() >= MAX_DIFFERENCES;
                let limit = match self.headers {
                    HeaderEvidence::MayBeCopies => MAX_CONFLICTS,
                    HeaderEvidence::NoEvidence => MIN_CONFLICTS,
                };
                if self.conflicts >= limit {
                    self.relation = Relation::Unrelated;
                } else if is_full {
                    return self.decide_copies();
                }
                Ok(())
            }
            Relation::Copies if is_listed => self.report(difference),
            Relation::Copies => cancelled_if_break((self.on_update)(DiffUpdate::Unlisted(&difference))),
            Relation::Unrelated => Ok(()),
        }
    }

    fn decide_copies(&mut self) -> Result<(), StorageError> {
        if let Relation::Undecided(held) = std::mem::replace(&mut self.relation, Relation::Copies) {
            held.into_iter().try_for_each(|difference| self.report(difference))?;
        }
        Ok(())
    }

    fn report(&mut self, difference: LogDifference) -> Result<(), StorageError> {
        let answer = (self.on_update)(DiffUpdate::Difference(&difference));
        if self.comparison.differences.len() < MAX_DIFFERENCES || is_rest(&difference) {
            self.comparison.differences.push(difference);
        }
        cancelled_if_break(answer)
    }

    /// Reports the position that the comparison has reached.
    pub(super) fn report_progress(&mut self, progress: Progress) -> Result<(), StorageError> {
        cancelled_if_break((self.on_update)(DiffUpdate::Progress(progress)))
    }

    /// Decides about logs without a shared frame, and returns the result.
    pub(super) fn finish(mut self) -> Result<Comparison, StorageError> {
        if matches!(self.relation, Relation::Undecided(_)) {
            let needed = match self.headers {
                HeaderEvidence::MayBeCopies => MIN_CONFLICTS,
                HeaderEvidence::NoEvidence => 1,
            };
            if self.conflicts >= needed {
                self.relation = Relation::Unrelated;
            } else {
                self.decide_copies()?;
            }
        }
        if self.is_unrelated() {
            let Comparison { a_bytes, b_bytes, identical_to, .. } = self.comparison;
            let (a, b) = self.starts;
            let unrelated = Some(UnrelatedLogs { a, b });
            return Ok(Comparison { a_bytes, b_bytes, identical_to, unrelated, ..Comparison::default() });
        }
        Ok(self.comparison)
    }
}

/// Returns whether a difference is the rest of the longer copy.
const fn is_rest(difference: &LogDifference) -> bool {
    matches!(difference.kind, DifferenceKind::AIsLonger | DifferenceKind::BIsLonger)
}

fn created_at_ms(log: &LogFile) -> Option<u64> {
    match log.header() {
        HeaderState::Valid(header) => Some(header.created_at_ms),
        _ => None,
    }
}

/// Returns what the header of a log shows.
pub(super) fn header_content(log: &LogFile) -> CopyContent {
    CopyContent::Header { created_at_ms: created_at_ms(log) }
}
