//! The index during a repair: kept in the journal, cut back before the log changes, brought back when the change is.
//!
//! What it alone knows, how far the log once went, is carried on until a repair has decided about it.

use super::apply::first_change;
use super::identity::{each_chunk, neighbour};
use super::journal::Journal;
use super::record::JournalFile;
use super::{Neighbour, Plan, Site};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, Open, replace};
use crate::format::Version;
use crate::format::journal::Part;
use crate::index::{AggregateIndex, save};
use crate::inspect::{LogView, index_path};

/// Keeps the index file, whole, in a journal.
pub(super) fn keep_index(view: &LogView, journal: &mut Journal) -> Result<(), StorageError> {
    let path = view.index_path();
    let storage = view.disk().open(path, Open::ReadSide).map_err(|error| StorageError::io(path, "open", error))?;
    let file = LogFile::with_header(storage, path, Version::V1, HeaderState::None);
    each_chunk(&file, 0..file.len()?, &mut |at, bytes| journal.keep(Part::Index, at, bytes))
}

/// Saves an index that covers nothing from the first byte on that `plan` changes; with its word for the log's old end,
/// unless that is dropped, and with a frame to know the log by that the plan leaves alone.
pub(super) fn cut_index(site: &Site, view: &LogView, plan: &Plan) -> Result<(), StorageError> {
    let Some(old) = view.witness().cloned() else { return Ok(()) };
    let head = old.head();
    let seen = view.seen_end()?.filter(|_| plan.forgets.is_none()).unwrap_or_default();
    let empty = AggregateIndex::new(head.log_version, head.log_header);
    let resumed = AggregateIndex::resume(&old).map_err(|fault| fault.into_error(view.index_path()));
    // Its head speaks; where what it points at does not, it is built anew, from the start.
    let (resumed, broken) = match resumed {
        Ok(index) => (index, false),
        Err(StorageError::Index { .. }) => (empty.clone(), true),
        Err(error) => return Err(error),
    };
    let marks = [old.known(), old.last_seen(), Some((head.first_offset, head.first_checksum))];
    let anchors = resumed.anchors().map(|anchor| (anchor.offset, anchor.checksum)).collect::<Vec<_>>();
    let mut known = None;
    for (offset, checksum) in marks.into_iter().flatten().chain(anchors.into_iter().rev()) {
        let changes = plan.steps.iter().any(|step| step.start <= offset && offset < step.end.max(step.new_end));
        if !changes && neighbour(view.log(), offset)? == Some(Neighbour { offset, checksum }) {
            known = Some((offset, checksum));
            break;
        }
    }
    let save_cut = |mut index: AggregateIndex| {
        index.cut(first_change(plan));
        index.keep_header(head.log_header);
        index.bear_witness(seen);
        index.keep_known(known);
        save(site.disk.as_ref(), view.index_path(), view.log(), &index)
    };
    match save_cut(resumed) {
        Err(StorageError::Index { .. }) if !broken => save_cut(empty),
        done => done,
    }
}

/// Puts the index that a journal keeps back in its place; nothing where it keeps none.
pub(super) fn restore_index(site: &Site, journal: &JournalFile) -> Result<(), StorageError> {
    if !journal.keeps(Part::Index) {
        return Ok(());
    }
    let path = site.index.clone().unwrap_or_else(|| index_path(&site.path));
    replace(site.disk.as_ref(), &path, &site.path, |file, temporary| {
        for kept in journal.kept(Part::Index) {
            let (offset, bytes) = kept?;
            file.write_at(&bytes, offset).map_err(|error| StorageError::io_at(temporary, "write", offset, error))?;
        }
        Ok(())
    })
}
