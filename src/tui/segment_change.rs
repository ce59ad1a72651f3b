//! Requests to remove, restore and delete segments, the plans that are shown for them, and the commands that do the same.

use crate::repair::{RetentionLimit, RetentionPlan};
use crate::report::units::DisplayZone;
use crate::report::units::{format_count, format_number, format_size, format_timestamp};
use crate::{PurgedSegments, SegmentRemoval};

/// A request to plan a change of the segments of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentChangeRequest {
    /// Remove the segments at the front that one of the limits allows to remove.
    Retain(Vec<RetainLimit>),
    /// Restore the segments that were removed last.
    Restore,
    /// Delete all removed segments for good.
    Delete,
}

/// A limit of a retention, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RetainLimit {
    /// Remove the segments before an offset, or those that were complete at a time.
    Before(RetentionLimit),
    /// Keep the newest segments that have at least this number of bytes.
    KeepSize(u64),
    /// Keep the segments that were complete for less than this time.
    KeepFor {
        /// The age as it was typed.
        age: String,
        /// The time before which segments had to be complete, in milliseconds since the Unix epoch.
        before_ms: u64,
    },
}

/// A change of the segments of a log, as it is shown before it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentChange {
    /// Segments are removed.
    Retain {
        /// The plan.
        plan: RetentionPlan,
        /// The limits that it was made for.
        limits: Vec<RetainLimit>,
    },
    /// The segments of a removal are restored.
    Restore(SegmentRemoval),
    /// Removed segments are deleted for good.
    Delete(PurgedSegments),
}

impl RetainLimit {
    /// Returns the limit for the planner.
    pub(crate) const fn limit(&self) -> RetentionLimit {
        match self {
            Self::Before(limit) => *limit,
            Self::KeepSize(bytes) => RetentionLimit::KeepBytes(*bytes),
            Self::KeepFor { before_ms, .. } => RetentionLimit::BeforeTime(*before_ms),
        }
    }

    /// Returns the option of `chronicle retain`.
    fn cli_option(&self) -> String {
        match self {
            Self::Before(RetentionLimit::BeforeTime(ms)) => {
                format!("--before {}", format_timestamp(*ms, DisplayZone::Utc).replace(' ', "T"))
            }
            Self::Before(RetentionLimit::BeforeOffset(offset)) => format!("--before {offset}"),
            Self::Before(RetentionLimit::KeepBytes(bytes)) | Self::KeepSize(bytes) => format!("--keep-size {bytes}"),
            Self::KeepFor { age, .. } => format!("--keep-for {age}"),
        }
    }
}

impl SegmentChangeRequest {
    /// Returns the title of the job that makes the plan.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::Retain(_) => "Remove segments",
            Self::Restore => "Restore the removed segments",
            Self::Delete => "Make the removal of segments final",
        }
    }
}

impl SegmentChange {
    /// Returns the request that the plan answers.
    pub(crate) fn request(&self) -> SegmentChangeRequest {
        match self {
            Self::Retain { limits, .. } => SegmentChangeRequest::Retain(limits.clone()),
            Self::Restore(_) => SegmentChangeRequest::Restore,
            Self::Delete(_) => SegmentChangeRequest::Delete,
        }
    }

    /// Returns whether the change does something.
    pub(crate) const fn changes_something(&self) -> bool {
        match self {
            Self::Retain { plan, .. } => !plan.segments.is_empty(),
            Self::Restore(_) => true,
            Self::Delete(found) => found.segments > 0,
        }
    }

    /// Returns the name of the job that applies the change.
    pub(crate) const fn running(&self) -> &'static str {
        match self {
            Self::Retain { .. } => "removing segments",
            Self::Restore(_) => "restoring segments",
            Self::Delete(_) => "deleting removed segments",
        }
    }

    /// Returns the equivalent command line. `log` is the log's path, quoted for a shell.
    pub(crate) fn cli_command(&self, log: &str) -> String {
        match self {
            Self::Retain { limits, .. } => {
                let options: Vec<String> = limits.iter().map(RetainLimit::cli_option).collect();
                format!("chronicle retain {log} {} --yes", options.join(" "))
            }
            Self::Restore(_) => format!("chronicle undo {log} --yes"),
            Self::Delete(_) => format!("chronicle purge {log} --yes"),
        }
    }

    /// Returns what was done, in one sentence without its full stop.
    pub(crate) fn done_text(&self) -> String {
        match self {
            Self::Retain { plan, .. } => {
                let segments = format_count(plan.segments.len() as u64, "segment");
                format!("{segments} removed: the log starts at {}", format_number(plan.new_start))
            }
            Self::Restore(removal) => {
                let segments = format_count(removal.segments.len() as u64, "segment");
                format!("{segments} restored: the log starts at {}", format_number(removal.old_start))
            }
            Self::Delete(found) => {
                let segments = format_count(found.segments, "removed segment");
                format!("{segments}, {} deleted for good", format_size(found.bytes))
            }
        }
    }
}
