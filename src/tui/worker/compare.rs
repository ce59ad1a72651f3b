//! Compares the log with a backup, and reads the contents of both at a difference.

use std::ops::ControlFlow;
use std::path::Path;

use super::SharedState;
use crate::StorageError;
use crate::file::LogFile;
use crate::inspect::{DiffListing, DiffUpdate, LogDifference, LogView, OnProgress, diff};
use crate::log::OpenOptions;
use crate::log_disk::log_disk;
use crate::query::{EventTimes, diff_payloads};
use crate::tui::message::Response;
use crate::tui::model::{BackupComparison, BothSides, DifferenceTally, MAX_SIDE_BYTES, MAX_SIDE_PAYLOAD, SideContents};

/// Largest number of values that are listed as different.
const MAX_CHANGES: usize = 50;

/// Compares the log with the backup at `path`.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; the errors of opening the backup, and of reading both; `Refused` when the backup is
/// the log itself, or a log of another version.
pub(super) fn compare(
    shared: &SharedState,
    path: &Path,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let log = shared.view();
    let backup = open_backup(&log, path)?;
    let mut tally = DifferenceTally::default();
    let comparison = diff(&log, &backup, DiffListing::First, &mut |update| match update {
        DiffUpdate::Progress(progress) => on_progress(progress),
        DiffUpdate::Difference(difference) | DiffUpdate::Unlisted(difference) => {
            tally.add(difference);
            ControlFlow::Continue(())
        }
    })?;
    let last_ms = |times: Option<EventTimes>| times.map(|times| times.last_ms);
    let last_times_ms = (last_ms(EventTimes::read(&log)?), last_ms(EventTimes::read(&backup)?));
    let path = backup.path().to_owned();
    let result = BackupComparison { path, comparison, tally, last_times_ms, read_at_ms: 0 };
    Ok(Response::Compared(Box::new(result)))
}

/// Reads the contents of the log and of the backup at `path` at a difference.
///
/// # Errors
/// The errors of opening the backup, and of reading both.
pub(super) fn read_both_sides(
    shared: &SharedState,
    path: &Path,
    difference: LogDifference,
) -> Result<Response, StorageError> {
    let view = shared.view();
    let backup = open_backup(&view, path)?;
    let log = read_side(view.log(), &difference)?;
    let backup = read_side(backup.log(), &difference)?;
    let mut changes = match (&log.payload, &backup.payload) {
        (Some(here), Some(there)) => diff_payloads(here, there),
        _ => Vec::new(),
    };
    changes.truncate(MAX_CHANGES);
    Ok(Response::BothSides(Box::new(BothSides { difference, log, backup, changes })))
}

fn open_backup(log: &LogView, path: &Path) -> Result<LogView, StorageError> {
    let backup = OpenOptions::new().disk(log_disk()).copy_of(log.path()).open_read_only(path)?.view().clone();
    let identity = |view: &LogView| view.log().storage().identity().ok();
    let is_same = backup.path() == log.path() || identity(&backup).is_some_and(|found| identity(log) == Some(found));
    if is_same {
        return Err(StorageError::Refused {
            path: path.to_owned(),
            reason: "this is the log itself".into(),
            alternative: "Name another copy of the log, such as a backup",
        });
    }
    Ok(backup)
}

fn read_side(log: &LogFile, difference: &LogDifference) -> Result<SideContents, StorageError> {
    let LogDifference { start, end, .. } = *difference;
    let mut buffer = Vec::new();
    if start >= log.first_frame_offset()
        && let Some(frame) = log.read_frame_at(start, &mut buffer)?
    {
        let payload = frame.payload();
        let shown = payload.get(..MAX_SIDE_PAYLOAD).unwrap_or(payload);
        let text = String::from_utf8_lossy(shown).into_owned();
        return Ok(SideContents::of_payload(text, payload.len() - shown.len()));
    }
    let mut bytes = vec![0; (end - start).min(MAX_SIDE_BYTES) as usize];
    let read = log.read_at(&mut bytes, start)?;
    bytes.truncate(read);
    Ok(SideContents::of_bytes(bytes))
}
