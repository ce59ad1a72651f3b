//! Salvage: copies every event of a damaged log of version 1 that can be read or restored into a new log.

use super::copy_log::copy_log;
use super::summary::{CopyOptions, CopySummary, OnCopyUpdate};
use crate::StorageError;
use crate::format::Version;
use crate::inspect::LogView;
use crate::repair::types::refused_error;

/// Copies every readable event, and the events that fixes or a donor restore, into a new log of version 1.
///
/// The log is only read. On success, the new log was verified and is on stable storage under its final name; on failure,
/// no new log exists. Gaps, and frames that are not events, are omitted and reported.
///
/// # Errors
/// - `Refused` for a log of version 0, for a donor that is the log itself or has another version, and when an output is
///   the log or the donor.
/// - `AlreadyExists` when an output exists and [`CopyOptions::replace`] is not set.
/// - `Cancelled` when `on_update` breaks.
/// - `Io`, `Changed`, `OutOfMemory` when a file cannot be read or written, or the new log does not read as written.
pub fn salvage(
    view: &LogView,
    options: &CopyOptions,
    on_update: &mut OnCopyUpdate,
) -> Result<CopySummary, StorageError> {
    if view.log().version() == Version::V0 {
        let reason = "salvage is for logs with checksums, and this log is of version 0";
        let alternative = "Use `chronicle migrate LOG -o NEW`, which copies every event into a log of version 1";
        return Err(refused_error(view.path(), reason.into(), alternative));
    }
    copy_log(view, options, on_update)
}
