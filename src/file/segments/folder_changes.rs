//! What changes in the folder of a log while it is open: a writer adds segments, and a retention removes them.

use std::io::{self, ErrorKind};
use std::sync::PoisonError;

use super::bounds::SegmentSet;
use super::listing::SegmentListing;
use super::segment_file::{SegmentFile, SegmentIdentity, read_identity};
use super::storage::{SegmentScope, SegmentedStorage, lock, read};
use super::table::SegmentTable;

impl SegmentedStorage {
    /// Lists the folder, and records which segments have an index. Returns the table of all files with the name of a segment.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn list(&self) -> io::Result<SegmentTable> {
        let SegmentListing { segments, indexes, .. } = SegmentListing::read(self.disk.as_ref(), &self.folder)?;
        *lock(&self.indexes) = indexes;
        Ok(SegmentTable::of_bases(segments))
    }

    /// Notices the segments that a writer has added or removed since the table was read. When there is none, a writer looks at one
    /// name and a reader at three; a reader also opens a last segment without a frame.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn refresh(&self) -> io::Result<()> {
        if self.scope == SegmentScope::One {
            return Ok(());
        }
        loop {
            let active = read(&self.active).clone();
            let next = active.base.saturating_add(active.storage.len()?);
            if next == active.base || self.disk.identity(&self.segment_path(next)).is_err() {
                self.reopen_when_replaced(&active)?;
                self.relist_when_given_up(active.base)?;
                return self.relist_when_passed(active.base);
            }
            let mode = self.mode.of_last_segment();
            match SegmentFile::open(self.disk.as_ref(), &self.folder, next, self.log_id, mode) {
                Ok(file) => self.set_active(file)?,
                // The file is not one of this log.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes a new segment the last one. Its header says at which offset the log starts from now on.
    ///
    /// # Errors
    /// The error of the operating system, when the start has changed and the folder cannot be listed.
    pub(super) fn set_active(&self, file: SegmentFile) -> io::Result<()> {
        let (last, log_start) = {
            let table = read(&self.table);
            (table.last(), table.log_start)
        };
        if last.is_some_and(|last| last >= file.base) {
            return Ok(());
        }
        match read_identity(file.storage.as_ref())? {
            SegmentIdentity::Known(newest) if newest.log_start != log_start => {
                let mut table = self.list()?;
                table.end_with(file.base);
                table.start_at(newest.log_start);
                self.replace_table(table, file);
            }
            _ => self.add_to_table(file),
        }
        Ok(())
    }

    /// Adds a segment after the last one, unless another thread has done so.
    fn add_to_table(&self, file: SegmentFile) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        if table.last().is_none_or(|last| last < file.base) {
            table.push(file.base);
            *active = file;
        }
    }

    /// Replaces the table and its last segment, unless another thread has done so with a later one.
    pub(super) fn replace_table(&self, new: SegmentTable, file: SegmentFile) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        if table.last().is_none_or(|last| last < file.base) {
            // The size of the former last segment is read again when it is used next.
            (*table, *active) = (new, file);
        }
    }
}
