//! Lists the folder of a log again, after a repair has added, removed or changed the files of segments.

use std::io::{self, ErrorKind};
use std::sync::PoisonError;

use super::bounds::SegmentSet;
use super::last_segment::open_last;
use super::segment_file::{SegmentFile, read_identity};
use super::storage::{SegmentMode, SegmentScope, SegmentedStorage, lock};
use crate::file::storage::OpenMode;
use crate::format::Version;

impl SegmentedStorage {
    /// Lists the folder again, and closes every file, because files were added, removed or changed.
    pub(super) fn reopen(&self) -> io::Result<()> {
        if self.scope == SegmentScope::One {
            return Ok(());
        }
        let table = self.list()?;
        let mode = self.mode.of_last_segment();
        let (new, file) = open_last(self.disk.as_ref(), &self.folder, self.log_id, (table, mode))?;
        lock(&self.unsynced).retain(|base, _| new.bases().contains(base));
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        lock(&self.open).clear();
        // A file that stays the last one stays open, with the lock that this handle may hold.
        if active.base != file.base || read_identity(active.storage.as_ref())? != read_identity(file.storage.as_ref())?
        {
            if lock(&self.lock_file).is_some() {
                file.storage.try_lock()?;
            }
            *active = file;
        }
        *table = new;
        Ok(())
    }

    /// Opens the last segment again when a retention has replaced its file, which has no frame, by one with another start.
    pub(super) fn reopen_when_replaced(&self, active: &SegmentFile) -> io::Result<()> {
        if self.mode != SegmentMode::Read || active.storage.len()? != Version::V2.first_frame_offset() {
            return Ok(());
        }
        let path = self.segment_path(active.base);
        let Ok(file) = self.disk.open(&path, OpenMode::Read) else { return Ok(()) };
        if read_identity(file.as_ref())? == read_identity(active.storage.as_ref())? {
            return Ok(());
        }
        self.reopen()
    }

    /// Lists the folder again when the segment at `active` was removed, because the log went on in later segments.
    pub(super) fn relist_when_passed(&self, active: u64) -> io::Result<()> {
        let is_passed = self.mode == SegmentMode::Read
            && matches!(self.disk.identity(&self.segment_path(active)), Err(error) if error.kind() == ErrorKind::NotFound);
        if !is_passed {
            return Ok(());
        }
        let table = self.list()?;
        match open_last(self.disk.as_ref(), &self.folder, self.log_id, (table, self.mode.of_last_segment())) {
            Ok((table, file)) if file.base > active => self.replace_table(table, file),
            // The folder was removed or renamed. The open files stay readable.
            _ => {}
        }
        Ok(())
    }
}
