//! Opening a log for append: under the writer's lock, a killed repair is completed or rolled back, and an unfinished end is set
//! aside.

use std::path::Path;

use super::OpenOptions;
use super::segments::roll_policy;
use super::tail_recovery::recover_tail;
use crate::StorageError;
use crate::file::{LogWriter, WriterLock};
use crate::format::{Version, segment_file_name};
use crate::index::IndexState;
use crate::inspect::LogView;
use crate::repair::{RecoveryOutcome, TailBackup, recover_under_lock};

/// What to do about a last segment that was cut within its header.
const RESTORE_LAST_SEGMENT: &str = "Restore it from a copy with `chronicle repair LOG --donor COPY`, or write its header with \
                                    `chronicle repair LOG --accept likely`; new events then get the offsets of lost ones";

/// A log that is open for append.
#[derive(Debug)]
pub(super) struct OpenedForAppend {
    pub(super) view: LogView,
    pub(super) writer: LogWriter,
    /// The killed repair that was completed or rolled back.
    pub(super) recovered_repair: Option<RecoveryOutcome>,
    /// The unfinished tail that was moved into a journal.
    pub(super) set_aside_tail: Option<TailBackup>,
    /// True when the index was fresh before the tail was moved.
    pub(super) was_index_fresh: bool,
}

/// Opens the log at `path` for append.
///
/// # Errors
/// Those of [`EventLog::open`](super::EventLog::open).
pub(super) fn open_for_append(options: &OpenOptions, path: &Path) -> Result<OpenedForAppend, StorageError> {
    let disk = options.disk.clone();
    let path = disk.resolve(path).map_err(|error| StorageError::io(path, "open", error))?;
    let lock = WriterLock::take(&disk, &path, options.lock_timeout)?;
    // A repair may have been killed until the lock was taken, so the journals are read under the lock.
    let recovered_repair = recover_under_lock(&options.log_paths_at(&path), &lock)?;
    let mut view = LogView::from_storage(disk.clone(), &path, lock.reader().clone(), options.index_path.as_deref())?;
    if view.log().version() == Version::V0 {
        return Err(StorageError::Version0ReadOnly { path });
    }
    // An append would give the offsets of lost events to new ones.
    view.seen_end().ensure_known(view.index_path())?;
    let bytes = view.log().len()?;
    if let Some(log_end_offset) = view.seen_end().offset().filter(|end| *end > bytes) {
        return Err(StorageError::Truncated { path, bytes, log_end_offset });
    }
    // Every segment was created with a whole header, so the log has lost its end, and may have lost events with it.
    if let Some(base) = view.log().start_of_cut_header(bytes) {
        let (name, found) = (segment_file_name(base), bytes - base);
        let expected = view.log().version().first_frame_offset();
        let reason = format!(
            "the last segment {name} ends after {found} of the {expected} bytes of its header, so events after it can be lost"
        );
        return Err(StorageError::Refused { path, reason, alternative: RESTORE_LAST_SEGMENT });
    }
    if let Some(found) = view.write_blocking_flags() {
        return Err(StorageError::UnknownFlags { path, found, forbids: "write" });
    }
    // The log is opened for writing last, so that a file that is not a log is reported as such, and not as a missing
    // write permission.
    let mut writer = LogWriter::open(&disk, view.log().clone(), lock)?;
    writer.set_roll_policy(roll_policy(options, &view));
    let was_index_fresh = *view.index_state() == IndexState::Fresh;
    let set_aside_tail = recover_tail(&mut view, &mut writer, options)?;
    Ok(OpenedForAppend { view, writer, recovered_repair, set_aside_tail, was_index_fresh })
}
