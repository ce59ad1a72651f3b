//! Migration: copies the events of a log of version 0 into a new log of version 1.

use super::copy_log::copy_log;
use super::summary::{CopyOptions, CopySummary, OnCopyUpdate};
use crate::StorageError;
use crate::file::NewLogForm;
use crate::format::{NewLogFormat, Version};
use crate::inspect::LogView;
use crate::repair::types::refused_error;

/// Copies every readable event of a log into a new log of a later version: of a log of version 0 into version 1, or of any
/// log into version 2 when the options say so, or into a folder of segments, which has version 2.
///
/// The log is only read, and the new log is written and verified as by [`salvage`](super::salvage()). Payloads are copied
/// byte for byte, except that the oldest name of an event's time becomes `write_timestamp_ms`.
///
/// # Errors
/// `Refused` for a log of version 1 or 2 without version 2 or a folder in the options; otherwise those of [`salvage`](super::salvage()).
pub fn migrate(
    view: &LogView,
    options: &CopyOptions,
    on_update: &mut OnCopyUpdate,
) -> Result<CopySummary, StorageError> {
    let version = view.log().version();
    let is_version_2 = matches!(options.format, Some(NewLogFormat::V2(_))) || options.form() != NewLogForm::File;
    if version != Version::V0 && !is_version_2 {
        let reason =
            format!("migration to version 1 is for logs of version 0, and this log is of version {}", version.number());
        let alternative = "Use `--format 2` for a log of version 2, `-o FOLDER/` for segments, `chronicle repair LOG`, or `chronicle salvage LOG -o NEW`";
        return Err(refused_error(view.path(), reason, alternative));
    }
    copy_log(view, options, on_update)
}
