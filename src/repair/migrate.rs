//! Migrate: the events of a log of version 0 in a new one of version 1. The old one is only read.

use std::ops::ControlFlow;

use super::copy::{CopyOptions, CopySummary, CopyUpdate, copy_log};
use crate::StorageError;
use crate::format::Version;
use crate::inspect::LogView;

/// Copies every readable event of a log of version 0 into a new log of version 1, atomically, as [`super::salvage`] does.
///
/// The payloads stay as they are, byte for byte, but for the oldest name of an event's time, which becomes
/// `write_timestamp_ms`.
///
/// # Errors
/// `Refused` for version 1; otherwise as [`super::salvage`].
pub fn migrate(
    view: &LogView,
    options: &CopyOptions,
    on: &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
) -> Result<CopySummary, StorageError> {
    if view.log().version() != Version::V0 {
        return Err(StorageError::Refused {
            path: view.path().to_owned(),
            reason: "a log of version 1 needs no migration".into(),
            alternative: "Use `chronicle repair LOG`, or `chronicle salvage LOG -o NEW` for a new file",
        });
    }
    copy_log(view, options, on)
}
