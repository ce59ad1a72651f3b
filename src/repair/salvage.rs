//! Salvage: every event of a damaged log of version 1 that can be had, in a new log. The old one is only read.

use std::ops::ControlFlow;

use super::copy::{CopyOptions, CopySummary, CopyUpdate, copy_log};
use crate::StorageError;
use crate::format::Version;
use crate::inspect::LogView;

/// Copies every readable event, and those that fixes or a donor give back, into a new log of version 1, atomically.
///
/// When it returns, the new log was read again and is on stable storage under its name; when it fails, there is none.
/// Gaps and frames that are no events are left out, and told.
///
/// # Errors
/// `Refused` for version 0, and where the new log or its map is the log itself; `Exists`; `Stopped` when `on` breaks;
/// `Io`, `Changed`, `Memory`.
pub fn salvage(
    view: &LogView,
    options: &CopyOptions,
    on: &mut dyn FnMut(CopyUpdate) -> ControlFlow<()>,
) -> Result<CopySummary, StorageError> {
    if view.log().version() == Version::V0 {
        return Err(StorageError::Refused {
            path: view.path().to_owned(),
            reason: "a log of version 0 is migrated, not salvaged".into(),
            alternative: "Use `chronicle migrate LOG -o NEW`, which copies every event into a log of version 1",
        });
    }
    copy_log(view, options, on)
}
