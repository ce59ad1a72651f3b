//! The index during a repair: kept in the journal, cut back before the log changes, brought back when the change is.
//!
//! What it alone knows, how far the log once went, is carried on until a repair has decided about it.

use super::apply::first_changed_offset;
use super::identity::{for_each_chunk, read_neighbour};
use super::journal_reader::JournalReader;
use super::journal_writer::JournalWriter;
use super::{LogPaths, Neighbour, Plan};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode, replace_file};
use crate::format::Version;
use crate::format::journal::JournalSection;
use crate::index::{AggregateIndex, save};
use crate::inspect::{LogView, index_path};

/// Keeps the index file, whole, in a journal.
pub(super) fn save_index_to_journal(view: &LogView, journal: &mut JournalWriter) -> Result<(), StorageError> {
    let path = view.index_path();
    let storage =
        view.disk().open(path, OpenMode::ReadSidecar).map_err(|error| StorageError::io(path, "open", error))?;
    let file = LogFile::with_header(storage, path, Version::V1, HeaderState::Absent);
    for_each_chunk(&file, 0..file.len()?, &mut |at, bytes| {
        journal.append_bytes(JournalSection::IndexBeforeImage, at, bytes)
    })
}

/// Saves an index that covers nothing from the first byte on that `plan` changes; with its word for the log's old end,
/// unless that is dropped, and with a frame to know the log by that the plan leaves alone.
pub(super) fn truncate_index(paths: &LogPaths, view: &LogView, plan: &Plan) -> Result<(), StorageError> {
    let Some(old) = view.trusted_index().cloned() else { return Ok(()) };
    let head = old.head();
    let seen = view.lost_tail()?.filter(|_| plan.forgotten_index_end.is_none()).unwrap_or_default();
    let empty = AggregateIndex::new(head.log_version, head.log_header);
    let resumed = AggregateIndex::from_persisted(&old).map_err(|fault| fault.into_error(view.index_path()));
    // Its head speaks; where what it points at does not, it is built anew, from the start.
    let (resumed, broken) = match resumed {
        Ok(index) => (index, false),
        Err(StorageError::UnusableIndex { .. }) => (empty.clone(), true),
        Err(error) => return Err(error),
    };
    let marks = [old.known_frame(), old.last_seen_frame(), Some((head.first_offset, head.first_checksum))];
    let anchors = resumed.anchors().map(|anchor| (anchor.offset, anchor.checksum)).collect::<Vec<_>>();
    let mut known = None;
    for (offset, checksum) in marks.into_iter().flatten().chain(anchors.into_iter().rev()) {
        let changes = plan.steps.iter().any(|step| step.start <= offset && offset < step.end.max(step.new_end));
        if !changes && read_neighbour(view.log(), offset)? == Some(Neighbour { offset, checksum }) {
            known = Some((offset, checksum));
            break;
        }
    }
    let save_cut = |mut index: AggregateIndex| {
        index.truncate(first_changed_offset(plan));
        index.set_log_header(head.log_header);
        index.set_lost_tail(seen);
        index.set_known_frame(known);
        save(paths.disk.as_ref(), view.index_path(), view.log(), &index)
    };
    match save_cut(resumed) {
        Err(StorageError::UnusableIndex { .. }) if !broken => save_cut(empty),
        done => done,
    }
}

/// Puts the index that a journal keeps back in its place; nothing where it keeps none.
pub(super) fn restore_index(paths: &LogPaths, journal: &JournalReader) -> Result<(), StorageError> {
    if !journal.has_section(JournalSection::IndexBeforeImage) {
        return Ok(());
    }
    let path = paths.custom_index.clone().unwrap_or_else(|| index_path(&paths.path));
    replace_file(paths.disk.as_ref(), &path, &paths.path, |file, temporary| {
        for kept in journal.read_saved_bytes(JournalSection::IndexBeforeImage) {
            let (offset, bytes) = kept?;
            file.write_at(&bytes, offset).map_err(|error| StorageError::io_at(temporary, "write", offset, error))?;
        }
        Ok(())
    })
}
