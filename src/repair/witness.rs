//! The index during a repair: kept in the journal, cut back before the log changes, brought back when the change is.
//!
//! What it alone knows, how far the log once went, is carried on until a repair has decided about it.

use super::Site;
use super::identity::each_chunk;
use super::journal::Journal;
use super::record::JournalFile;
use crate::StorageError;
use crate::file::{HeaderState, LogFile, Open, replace};
use crate::format::Version;
use crate::format::journal::Part;
use crate::index::{AggregateIndex, Witness, save};
use crate::inspect::{LogView, index_path};

/// Keeps the index file, whole, in a journal.
pub(super) fn keep_index(view: &LogView, journal: &mut Journal) -> Result<(), StorageError> {
    let path = view.index_path();
    let storage = view.disk().open(path, Open::ReadSide).map_err(|error| StorageError::io(path, "open", error))?;
    let file = LogFile::with_header(storage, path, Version::V1, HeaderState::None);
    each_chunk(&file, 0..file.len()?, &mut |at, bytes| journal.keep(Part::Index, at, bytes))
}

/// Saves an index that covers nothing from `first` on; with its word for the log's old end, unless that is dropped.
pub(super) fn cut_index(site: &Site, view: &LogView, first: u64, forget: bool) -> Result<(), StorageError> {
    let Some(old) = view.witness().cloned() else { return Ok(()) };
    let head = old.head();
    let (log_version, log_header) = (head.log_version, head.log_header);
    let known = Witness {
        log_end_offset: head.log_end_offset,
        lost_events: head.lost_events,
        lost_aggregates: head.lost_aggregates,
    };
    let resumed = AggregateIndex::resume(&old).map_err(|fault| fault.into_error(view.index_path()));
    let mut index = match resumed {
        Ok(index) => index,
        // Its head speaks, and what it points at does not: it is built anew, from the start.
        Err(StorageError::Index { .. }) => AggregateIndex::new(log_version, log_header),
        Err(error) => return Err(error),
    };
    index.cut(first);
    index.keep_header(log_header);
    index.bear_witness(if forget { Witness::default() } else { known });
    save(site.disk.as_ref(), view.index_path(), view.log(), &index)
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
