//! The options of a copy, what it reports while it runs, and its result.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use crate::format::Finding;
use crate::inspect::Progress;
use crate::repair::types::Certainty;

/// Where a log is copied to, and which damaged events are restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Path of the new log.
    pub output: PathBuf,
    /// Path of the map from old offsets to new ones: NDJSON for the extensions `.ndjson` and `.jsonl`, otherwise CSV.
    pub map: Option<PathBuf>,
    /// Apply likely fixes as well as proven ones.
    pub accept_likely: bool,
    /// Another copy of the log, from which damaged ranges are taken.
    pub donor: Option<PathBuf>,
    /// Replace existing files at `output` and `map`.
    pub replace: bool,
}

/// What a copy reports while it runs.
#[derive(Debug)]
pub enum CopyUpdate<'a> {
    /// How far the copy has come. The total counts the bytes of the log and of the new one, which is read twice to
    /// verify it.
    Progress(Progress),
    /// A range that is left out.
    Omitted(&'a OmittedRange),
}

/// The callback of a copy. `Break` cancels the copy, which then fails with
/// [`StorageError::Cancelled`](crate::StorageError::Cancelled).
pub type OnCopyUpdate<'a> = dyn FnMut(CopyUpdate) -> ControlFlow<()> + 'a;

/// A range of the log that is left out of the new one.
#[derive(Debug, Clone, PartialEq)]
pub struct OmittedRange {
    /// The finding in that range.
    pub finding: Finding,
    /// The certainty of the best fix that was offered and not applied.
    pub best_certainty: Option<Certainty>,
    /// Why the range was not taken from the donor, when there is one.
    pub donor_refusal: Option<&'static str>,
}

impl OmittedRange {
    /// True for damage; false for a gap, whose events were given up by an earlier repair.
    pub fn is_loss(&self) -> bool {
        self.finding.kind.is_damage()
    }
}

/// The result of a copy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CopySummary {
    /// Number of events copied as they are in the log.
    pub events_kept: u64,
    /// Number of events restored by fixes or from the donor.
    pub events_restored: u64,
    /// Ranges that were left out, by ascending offset: the first [`MAX_FINDINGS`](crate::inspect::MAX_FINDINGS).
    pub omitted: Vec<OmittedRange>,
    /// Number of all ranges that were left out.
    pub omitted_total: u64,
    /// Number of these ranges that are damage.
    pub damage_total: u64,
    /// An unfinished last frame that another process is writing. The copy ends before it.
    pub in_flight: Option<Range<u64>>,
    /// Size of the new log, in bytes.
    pub bytes: u64,
}
