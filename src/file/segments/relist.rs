//! Lists the folder of a log again, after a repair has added, removed or changed the files of segments.

use std::io::{self, ErrorKind};
use std::sync::PoisonError;

use super::bounds::{SegmentBounds, SegmentCondition, SegmentSet};
use super::last_segment::open_last;
use super::segment_file::{SegmentFile, read_identity};
use super::storage::{SegmentMode, SegmentScope, SegmentedStorage, lock};
use crate::file::settings_file::settings_identity;
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
        if is_passed { self.relist_after(active) } else { Ok(()) }
    }

    /// Lists the folder again when the settings were replaced: a repair that gives up the end of the log adds a segment that does
    /// not start where the one at `active` ends, and then records the range in the settings.
    pub(super) fn relist_when_given_up(&self, active: u64) -> io::Result<()> {
        if self.mode != SegmentMode::Read {
            return Ok(());
        }
        let now = settings_identity(self.disk.as_ref(), &self.folder);
        if *lock(&self.settings) == now {
            return Ok(());
        }
        self.relist_after(active)?;
        *lock(&self.settings) = now;
        Ok(())
    }

    /// Notices segments that a repair has written again in the range that `found` does not have, and a segment that is longer than
    /// when it was opened. Lists the folder. Returns whether something has changed.
    pub(super) fn relist_when_restored(&self, found: &SegmentBounds) -> io::Result<bool> {
        if self.mode != SegmentMode::Read || self.scope == SegmentScope::One {
            return Ok(false);
        }
        let is_longer = found.condition == SegmentCondition::Present && {
            let file = self.file_at(found.base)?;
            file.storage.len()? > file.len
        };
        if is_longer {
            lock(&self.open).remove(found.base);
        }
        let listed = self.list()?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        Ok(table.add_missing(&listed, found.data_end..found.end) || is_longer)
    }

    /// Lists the folder again, and goes on with its last segment when it is a later one than that at `active`.
    fn relist_after(&self, active: u64) -> io::Result<()> {
        let table = self.list()?;
        match open_last(self.disk.as_ref(), &self.folder, self.log_id, (table, self.mode.of_last_segment())) {
            Ok((table, file)) if file.base > active => self.replace_table(table, file),
            Ok(_) => {}
            // The folder was removed or renamed. The open files stay readable.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
