//! The options of a copy, its reports while it runs, and its result.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use crate::format::{Finding, LogId, NewLogFormat, Version};
use crate::inspect::Progress;
use crate::repair::types::Certainty;

/// The options of a copy: its output files, and the fixes that are applied.
///
/// ```
/// let options = chronicle::repair::CopyOptions::new("new.log").map("offsets.csv").accept_likely();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyOptions {
    /// Path of the new log.
    pub output: PathBuf,
    /// Path of the map from old offsets to new ones: NDJSON for the extensions `.ndjson` and `.jsonl`, otherwise CSV.
    pub map: Option<PathBuf>,
    /// Apply likely fixes as well as proven ones.
    pub accept_likely: bool,
    /// Other copies of the log, from which damaged ranges are taken. The first one that proves a frame provides it.
    pub donors: Vec<PathBuf>,
    /// Replace existing files at `output` and `map`.
    pub replace: bool,
    /// The format of the new log; `None` for that of the log, or version 1 when the log has version 0.
    pub format: Option<NewLogFormat>,
}

impl CopyOptions {
    /// Creates the options of a copy to `output`: no map, no donor, only proven fixes, and no file is replaced.
    pub fn new(output: impl Into<PathBuf>) -> Self {
        Self {
            output: output.into(),
            map: None,
            accept_likely: false,
            donors: Vec::new(),
            replace: false,
            format: None,
        }
    }

    /// Writes a map from old offsets to new ones to this file: NDJSON for the extensions `.ndjson` and `.jsonl`,
    /// otherwise CSV.
    #[must_use]
    pub fn map(mut self, path: impl Into<PathBuf>) -> Self {
        self.map = Some(path.into());
        self
    }

    /// Applies likely fixes as well as proven ones.
    #[must_use]
    pub fn accept_likely(mut self) -> Self {
        self.accept_likely = true;
        self
    }

    /// Adds another copy of the log, from which damaged ranges are taken.
    #[must_use]
    pub fn donor(mut self, path: impl Into<PathBuf>) -> Self {
        self.donors.push(path.into());
        self
    }

    /// Writes the new log in this format. The default is the format of the log, with a new identity, or version 1 when the log
    /// has version 0.
    #[must_use]
    pub const fn format(mut self, format: NewLogFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// Replaces existing files at the paths of the new log and the map.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }
}

impl CopyOptions {
    /// Returns the format of the new log of a log with this version.
    pub(super) fn new_format(&self, version: Version) -> NewLogFormat {
        self.format.unwrap_or_else(|| match version {
            Version::V0 | Version::V1 => NewLogFormat::V1,
            Version::V2 => NewLogFormat::V2(LogId::random()),
        })
    }
}

/// A report of a running copy.
#[derive(Debug)]
#[non_exhaustive]
pub enum CopyUpdate<'a> {
    /// The progress of the copy. Its total is three times the size of the log: the log is read once, and the new log
    /// is read two times to verify it. The position never decreases.
    Progress(Progress),
    /// A range that is omitted from the new log.
    Omitted(&'a OmittedRange),
}

/// Computes the progress of a copy from the bytes read in its phases. The total is fixed when the copy begins, because
/// the size of the new log is not known then.
#[derive(Debug, Clone, Copy)]
pub(super) struct CopyProgress {
    /// Size of the log when the copy begins, in bytes. The log may grow while it is read.
    pub(super) log_bytes: u64,
}

impl CopyProgress {
    /// Returns the progress after `bytes` of the log were read.
    pub(super) fn after_copying(self, bytes: u64) -> Progress {
        self.at(bytes.min(self.log_bytes))
    }

    /// Returns the progress after `bytes` of the new log were read, which has a size of `new_bytes` and is read two
    /// times.
    pub(super) fn after_verifying(self, bytes: u64, new_bytes: u64) -> Progress {
        let scaled = u128::from(bytes) * u128::from(self.log_bytes) / u128::from(new_bytes.max(1));
        self.at(self.log_bytes.saturating_add(u64::try_from(scaled).unwrap_or(u64::MAX)))
    }

    fn at(self, position: u64) -> Progress {
        let total = self.log_bytes.saturating_mul(3);
        Progress { position: position.min(total), total }
    }
}

/// The callback of a copy. `Break` cancels the copy, which then fails with
/// [`StorageError::Cancelled`](crate::StorageError::Cancelled).
pub type OnCopyUpdate<'a> = dyn FnMut(CopyUpdate) -> ControlFlow<()> + 'a;

/// A range of the log that is omitted from the new log.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OmittedRange {
    /// The finding in that range.
    pub finding: Finding,
    /// The certainty of the best fix that was offered and not applied.
    pub best_certainty: Option<Certainty>,
    /// The reason why the range was not taken from a donor; `None` without a donor.
    pub donor_refusal: Option<&'static str>,
}

impl OmittedRange {
    /// True for damage; false for a gap, whose events were given up by an earlier repair.
    pub(crate) fn is_loss(&self) -> bool {
        self.finding.kind.is_damage()
    }
}

/// The result of a copy.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CopySummary {
    /// Number of events copied as they are in the log.
    pub events_kept: u64,
    /// Number of events that the rule of a compaction does not keep; 0 for other copies.
    pub events_dropped: u64,
    /// Number of events restored by fixes or from donors.
    pub events_restored: u64,
    /// The omitted ranges, by ascending offset: the first [`MAX_FINDINGS`](crate::inspect::MAX_FINDINGS).
    pub omitted: Vec<OmittedRange>,
    /// Number of all omitted ranges.
    pub omitted_total: u64,
    /// Number of the omitted ranges that are damage.
    pub damage_total: u64,
    /// Notes about valid frames of the log that differ from those of a donor at the same offsets. The frames of the log are
    /// copied.
    pub notes: Vec<String>,
    /// An unfinished last frame that another process is writing. The copy ends before it.
    pub in_flight: Option<Range<u64>>,
    /// Size of the new log, in bytes.
    pub bytes: u64,
}
