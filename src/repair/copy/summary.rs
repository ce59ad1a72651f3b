//! The options of a copy, its reports while it runs, and its result.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::time::Duration;

use crate::file::{NewLogForm, RollPolicy};
use crate::format::{Finding, LogId, MIN_SEGMENT_SIZE, NewLogFormat, Version};
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
    /// Path of the new log. One that ends with `/` makes it a folder of segments.
    pub output: PathBuf,
    /// Path of the map from old offsets to new ones: NDJSON for the extensions `.ndjson` and `.jsonl`, otherwise CSV.
    pub map: Option<PathBuf>,
    /// Apply likely fixes as well as proven ones.
    pub accept_likely: bool,
    /// Other copies of the log, from which damaged ranges are taken. The first one that proves a frame provides it.
    pub donors: Vec<PathBuf>,
    /// Replace existing files at `output` and `map`.
    pub replace: bool,
    /// The format of the new log; `None` for that of the log, or version 1 when the log has version 0. A folder has version 2.
    pub format: Option<NewLogFormat>,
    /// Makes the new log a folder of segments, and gives the size at which the next one is started, in bytes.
    pub segment_size: Option<u64>,
    /// Makes the new log a folder of segments, and gives the age at which the next one is started.
    pub segment_age: Option<Duration>,
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
            segment_size: None,
            segment_age: None,
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

    /// Makes the new log a folder of segments in version 2, and sets the size at which the next segment is started, in bytes, at
    /// least 1 KiB. The default is a log in one file, and 256 MiB for a folder.
    ///
    /// A folder appears complete or not at all, as a file does. Each segment adds a header of 64 bytes to the offsets of the
    /// events after it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let (path, new) = (folder.path().join("accounts.log"), folder.path().join("accounts"));
    /// # chronicle::EventLog::create(&path)?.close()?;
    /// use std::ops::ControlFlow;
    ///
    /// use chronicle::EventLog;
    /// use chronicle::repair::{CopyOptions, migrate};
    ///
    /// let log = EventLog::open_read_only(&path)?;
    /// let summary = migrate(log.view(), &CopyOptions::new(&new).segment_size(64 << 20), &mut |_| ControlFlow::Continue(()))?;
    /// assert_eq!(summary.segments, Some(1));
    /// assert!(new.join("00000000000000000000.log").is_file());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn segment_size(mut self, bytes: u64) -> Self {
        self.segment_size = Some(bytes.max(MIN_SEGMENT_SIZE));
        self
    }

    /// Makes the new log a folder of segments in version 2, and sets the age at which the next segment is started, by the times of
    /// the events. The default is any age.
    #[must_use]
    pub const fn segment_age(mut self, age: Duration) -> Self {
        self.segment_age = Some(age);
        self
    }

    /// Replaces existing files at the paths of the new log and the map. A folder of a log is replaced only when it has no other
    /// files than segments, their indexes, the settings and the lock.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }
}

impl CopyOptions {
    /// Returns the format of the new log of a log with this version.
    pub(super) fn new_format(&self, version: Version) -> NewLogFormat {
        match (self.form(), self.format, version) {
            (_, Some(format @ NewLogFormat::V2(_)), _) => format,
            (NewLogForm::Folder(_), ..) | (NewLogForm::File, None, Version::V2) => NewLogFormat::V2(LogId::random()),
            (NewLogForm::File, Some(NewLogFormat::V1) | None, _) => NewLogFormat::V1,
        }
    }

    /// Returns whether the new log is a file or a folder.
    pub(super) fn form(&self) -> NewLogForm {
        RollPolicy::of_options(self.segment_size, self.segment_age, &self.output)
            .map_or(NewLogForm::File, NewLogForm::Folder)
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
    /// Size of the new log, in bytes, the headers of all segments included.
    pub bytes: u64,
    /// Number of segments of the new log; `None` for a log in one file.
    pub segments: Option<u64>,
}
