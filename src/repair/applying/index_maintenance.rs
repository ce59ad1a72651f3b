//! The index during a repair: saved in the journal, truncated before the log changes, and restored when the change is
//! reversed.
//!
//! The truncated index keeps the record of the end that the log has lost until a repair decides about that end. No other
//! file contains it.

use std::path::PathBuf;

use crate::StorageError;
use crate::file::{HeaderState, LogFile, replace_file};
use crate::format::journal::JournalSection;
use crate::format::{FrameFormat, FrameIdentity, segment_file_name};
use crate::index::{AggregateIndex, ensure_replaceable_index, save};
use crate::inspect::{LogView, index_path};
use crate::repair::journal::{JournalReader, JournalWriter, RepairRecord, read_repair_history};
use crate::repair::types::{
    LogPaths, NewSegment, Plan, RepairStep, StepWrite, WorkMeter, for_each_chunk, read_neighbour,
};

/// True when the index covers bytes that the plan changes.
pub(super) fn is_index_affected(view: &LogView, plan: &Plan) -> bool {
    let first_change = changed_steps(view.log(), plan).next().map(|step| step.start);
    let first_change = first_change.or(plan.forgotten_index_end);
    let Some((index, first_change)) = view.identified_index().zip(first_change) else { return false };
    let index_header = index.header();
    plan.forgotten_index_end.is_some()
        || index_header.scanned_to > first_change
        || index_header.log_end_offset > first_change
}

/// Returns the steps that change bytes which the index of the log covers. In a log in segments, that is the index of the last
/// one. Headers are covered by no index.
fn changed_steps<'p>(log: &LogFile, plan: &'p Plan) -> impl Iterator<Item = &'p RepairStep> {
    let header_end = log.first_frame_offset();
    let covered_from = log.storage().segments().and_then(|segments| {
        let base = segments.bases().last().copied()?;
        Some(segments.segment_at(base).first_frame())
    });
    // The last segment of a log can be one that the plan writes or removes. What is given up has no bytes.
    let is_change = |step: &&RepairStep| {
        !step.changes_file() || matches!(step.write, StepWrite::Segment(_) | StepWrite::RemoveSegment { .. })
    };
    plan.steps.iter().filter(is_change).filter(move |step| match covered_from {
        Some(start) => step.max_end() > start,
        None => step.end > header_end || step.touches_tail(),
    })
}

/// Returns the file offset of the first byte that an index must not cover once the plan is applied.
fn first_changed_offset(log: &LogFile, plan: &Plan) -> u64 {
    let starts = changed_steps(log, plan).map(|step| step.start);
    starts.min().unwrap_or(plan.log.bytes).min(plan.log.bytes)
}

/// Removes the indexes of the sealed segments that a plan changes. The next pass over each of them builds its index again; its
/// end follows from the next segment.
pub(super) fn remove_sealed_indexes(paths: &LogPaths, log: &LogFile, plan: &Plan) -> Result<(), StorageError> {
    let Some(segments) = log.storage().segments() else { return Ok(()) };
    let (bases, disk) = (segments.bases(), paths.disk.as_ref());
    let changes = |step: &&RepairStep| !step.changes_file();
    let mut is_changed = false;
    for pair in bases.windows(2) {
        let &[base, next] = pair else { continue };
        if !plan.steps.iter().filter(changes).any(|step| step.start < next && base < step.max_end()) {
            continue;
        }
        let segment = segments.segment_path(base);
        let path = index_path(&segment);
        // The file can be a log that was renamed, and the only copy of its events.
        if ensure_replaceable_index(disk, &path, Some(&segment)).is_err() {
            continue;
        }
        match disk.remove(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            removed => {
                removed.map_err(|error| StorageError::io(&path, "remove", error))?;
                is_changed = true;
            }
        }
    }
    if !is_changed {
        return Ok(());
    }
    let folder = segments.folder();
    disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
}

/// Copies the whole index file of a view into a journal; does nothing when the view has none.
///
/// The open file is copied and not the one that its path leads to now: another process can have saved an index since,
/// or removed it.
pub(super) fn save_index_to_journal(
    view: &LogView,
    journal: &mut JournalWriter,
    meter: &WorkMeter,
) -> Result<(), StorageError> {
    let Some(index) = view.persisted_index() else { return Ok(()) };
    let file = LogFile::with_header(index.storage().clone(), view.index_path(), FrameFormat::V1, HeaderState::Absent);
    for_each_chunk(&file, 0..file.len()?, meter, &mut |at, bytes| {
        journal.append_bytes(JournalSection::IndexBeforeImage, at, bytes)
    })
}

/// Replaces the index with one that covers the log only up to the first byte that `plan` changes.
///
/// The index keeps its record of the log's lost end, unless the plan removes it. It also keeps a known frame: one that the
/// plan does not change, and by which the log is recognised.
pub(super) fn truncate_index(paths: &LogPaths, view: &LogView, plan: &Plan) -> Result<(), StorageError> {
    let Some(old) = view.identified_index().cloned() else { return Ok(()) };
    let index_header = old.header();
    let lost_tail = view.lost_tail()?.filter(|_| plan.forgotten_index_end.is_none()).unwrap_or_default();
    let empty = AggregateIndex::new(index_header.log_version, index_header.log_header);
    // A purge keeps no table of the index, because each of them can have names and ids of erased events.
    let kept = if plan.purges.is_some() { Ok(empty.clone()) } else { AggregateIndex::from_persisted(&old) };
    // Only the header of the index is verified so far. When the postings cannot be read, they are dropped, and the next
    // catch-up rebuilds them from the start of the log.
    let (loaded, is_empty) = match kept.map_err(|fault| fault.into_error(view.index_path())) {
        Ok(index) => (index, false),
        Err(StorageError::UnusableIndex { .. }) => (empty.clone(), true),
        Err(error) => return Err(error),
    };
    let first_frame = read_neighbour(view.log(), view.log().first_frame_offset())?;
    let known_frames = [old.known_frame(), old.last_seen_frame(), Some(index_header.first_frame()), first_frame];
    let anchors = loaded
        .anchors()
        .map(|anchor| FrameIdentity { offset: anchor.offset, checksum: anchor.checksum })
        .collect::<Vec<_>>();
    let mut known_frame = None;
    for frame in known_frames.into_iter().flatten().chain(anchors.into_iter().rev()) {
        let is_changed = plan.steps.iter().any(|step| step.start <= frame.offset && frame.offset < step.max_end());
        if !is_changed && read_neighbour(view.log(), frame.offset)? == Some(frame) {
            known_frame = Some(frame);
            break;
        }
    }
    let save_truncated = |mut index: AggregateIndex| {
        index.truncate(first_changed_offset(view.log(), plan));
        index.set_log_header(index_header.log_header);
        index.set_lost_tail(lost_tail);
        index.set_known_frame(known_frame);
        save(paths.disk.as_ref(), view.index_path(), view.log(), &index)
    };
    match save_truncated(loaded) {
        Err(StorageError::UnusableIndex { .. }) if !is_empty => save_truncated(empty),
        result => result,
    }
}

/// Restores the index that is saved in a journal; does nothing when the journal contains no index, and when a file that is none has
/// its name. The log is then complete without it, and the next catch-up reports that file.
pub(super) fn restore_index(paths: &LogPaths, journal: &JournalReader) -> Result<(), StorageError> {
    if !journal.has_section(JournalSection::IndexBeforeImage) {
        return Ok(());
    }
    let path = paths.custom_index.clone().unwrap_or_else(|| index_path_of(paths, &journal.record.plan));
    if ensure_replaceable_index(paths.disk.as_ref(), &path, Some(&paths.path)).is_err() {
        return Ok(());
    }
    replace_file(paths.disk.as_ref(), &path, &paths.path, |file| {
        for saved in journal.read_saved_bytes(JournalSection::IndexBeforeImage) {
            let (offset, bytes) = saved?;
            file.write_at(&bytes, offset).map_err(|error| StorageError::io_at(&path, "write", offset, error))?;
        }
        Ok(())
    })
    .map(|_| ())
}

/// Returns the path of the index that a journal has saved: that of the last segment, which a repair may have written or removed.
fn index_path_of(paths: &LogPaths, plan: &Plan) -> PathBuf {
    let written = plan.steps.last().and_then(|step| match step.write {
        StepWrite::Segment(NewSegment { old_log_end: Some(_), .. })
        | StepWrite::RemoveSegment { old_log_end: Some(_) } => Some(paths.path.join(segment_file_name(step.start))),
        _ => None,
    });
    index_path(&written.unwrap_or_else(|| paths.permissions_source()))
}

/// Restores, after an undo, the index that the undone repair has saved.
///
/// When a later repair is in effect, the saved index does not match its changes. The truncated index then stays, and is
/// caught up later.
pub(super) fn restore_undone_index(
    paths: &LogPaths,
    undone_journal: Option<&JournalReader>,
) -> Result<(), StorageError> {
    let Some(journal) = undone_journal else { return Ok(()) };
    let undone = journal.record.number;
    let is_later = |record: &RepairRecord| record.number > undone && record.is_undoable();
    if read_repair_history(paths)?.records.iter().any(is_later) { Ok(()) } else { restore_index(paths, journal) }
}
