//! Migration: copies the events of a log of version 0 into a new log of version 1.

use super::copy_log::copy_log;
use super::summary::{CopyOptions, CopySummary, OnCopyUpdate};
use crate::StorageError;
use crate::format::Version;
use crate::inspect::LogView;
use crate::repair::types::refused_error;

/// Copies every readable event of a log of version 0 into a new log of version 1.
///
/// The log is only read, and the new log is written and verified as by [`salvage`](super::salvage()). Payloads are copied
/// byte for byte, except that the oldest name of an event's time becomes `write_timestamp_ms`.
///
/// # Errors
/// `Refused` for a log of version 1; otherwise those of [`salvage`](super::salvage()).
pub fn migrate(
    view: &LogView,
    options: &CopyOptions,
    on_update: &mut OnCopyUpdate,
) -> Result<CopySummary, StorageError> {
    if view.log().version() != Version::V0 {
        let reason = "migration is for logs of version 0, and this log is of version 1";
        let alternative = "Use `chronicle repair LOG`, or `chronicle salvage LOG -o NEW` for a new file";
        return Err(refused_error(view.path(), reason.into(), alternative));
    }
    copy_log(view, options, on_update)
}
