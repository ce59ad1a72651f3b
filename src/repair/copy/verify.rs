//! [`verify_new_log`]: reads a new log again before it gets its final name.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::StorageError;
use crate::file::{Disk, NewLog};
use crate::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};

/// The content that a new log must have: its events and gaps, and no damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExpectedContent {
    /// The number of events.
    pub(crate) events: u64,
    /// The number of gaps.
    pub(crate) gaps: u64,
}

/// Syncs a new log and reads it two times: its bytes must be those that were written, and they must be a log without damage
/// that has the expected content.
///
/// `on_read` gets the number of bytes read so far, and the size of the new log. Its error ends the verification.
///
/// # Errors
/// `Changed` when the log differs; `Io`, `OutOfMemory` when it cannot be read; the errors of `on_read`.
pub(crate) fn verify_new_log(
    disk: &Arc<dyn Disk>,
    threads: usize,
    log: &mut NewLog,
    content: ExpectedContent,
    on_read: &mut dyn FnMut(u64, u64) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let new_len = log.position();
    log.sync_and_verify(&mut |bytes| on_read(bytes, new_len))?;
    let view = LogView::open(disk.clone(), log.temporary_path(), None)?.with_threads(threads);
    let surveyed = survey(&view, &SurveyOptions::new(), None, &mut |update| match update {
        SurveyUpdate::Progress(read) if on_read(new_len + read.position, new_len).is_err() => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })?;
    let found = ExpectedContent { events: surveyed.events, gaps: surveyed.gaps };
    if surveyed.damage_total == 0 && found == content {
        return Ok(());
    }
    Err(StorageError::Changed {
        path: log.temporary_path().to_owned(),
        expected: format!("{} events and {} gaps", content.events, content.gaps),
        found: format!("{} events, {} gaps and {} damaged ranges", found.events, found.gaps, surveyed.damage_total),
    })
}
