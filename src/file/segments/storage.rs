//! [`SegmentedStorage`]: the files of a log's segments as one storage, whose positions are the offsets of the log.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use super::bounds::{SegmentCondition, SegmentSet};
use super::last_segment::{identify, open_last};
use super::listing::SegmentListing;
use super::segment_file::{OpenSegments, SegmentFile};
use super::table::SegmentTable;
use crate::file::WriterPresence;
use crate::file::file_identity::{FileIdentity, FileStamp};
use crate::file::path_entry::Ownership;
use crate::file::settings_file::settings_identity;
use crate::file::storage::{Disk, OpenMode, Storage, UnreadableSegment};
use crate::format::{LogId, SegmentHeader};

/// The name of the file in the folder of a log that its writer locks. It is never renamed.
pub(crate) const LOCK_FILE: &str = "lock";

/// How the segments of a log are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentMode {
    /// All segments for reading.
    Read,
    /// The last segment for appending, the others for reading.
    Append,
    /// All segments for writing in place.
    Repair,
}

/// Which segments of a log a storage presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentScope {
    /// All segments in the folder, also those that a writer adds later.
    Folder,
    /// One segment, without its neighbours.
    One,
}

/// The segments of a log as one storage. A position is an offset in the log.
///
/// Bytes of a segment that its file does not have are read as zeros; [`SegmentSet::segment_at`] shows where they
/// are. At most 64 files are open, apart from those that were written and not synced yet.
#[derive(Debug)]
pub(super) struct SegmentedStorage {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: PathBuf,
    pub(super) mode: SegmentMode,
    pub(super) scope: SegmentScope,
    pub(super) log_id: LogId,
    pub(super) table: RwLock<SegmentTable>,
    /// The last segment, to which events are appended.
    pub(super) active: RwLock<SegmentFile>,
    pub(super) open: Mutex<OpenSegments>,
    /// The bases of the segments that had an index when the folder was listed last, ascending.
    pub(super) indexes: Mutex<Vec<u64>>,
    /// Files that were written since the last sync, by base.
    pub(super) unsynced: Mutex<BTreeMap<u64, Arc<dyn Storage>>>,
    /// The locked file, while this handle holds the writer's lock.
    pub(super) lock_file: Mutex<Option<Arc<dyn Storage>>>,
    /// The file with the settings when the folder was listed last.
    pub(super) settings: Mutex<Option<FileIdentity>>,
}

impl SegmentedStorage {
    /// Opens the log whose segments are in `folder`. Lists the folder and opens its last segment; the others are opened
    /// when something in them is read.
    ///
    /// # Errors
    /// `NotFound` when no file in the folder is a segment of a log of version 2 with a readable header; otherwise the error of
    /// the operating system.
    pub(super) fn open_folder(disk: Arc<dyn Disk>, folder: &Path, mode: SegmentMode) -> io::Result<Self> {
        let settings = settings_identity(disk.as_ref(), folder);
        let listing = SegmentListing::read(disk.as_ref(), folder)?;
        let table = SegmentTable::of_bases(listing.segments);
        let (log_id, first) = identify(disk.as_ref(), folder, &table)?;
        let (table, active) = open_last(disk.as_ref(), folder, log_id, (table, mode.of_last_segment()))?;
        let is_kept_open = (table.log_start..active.base).contains(&first.base) && mode.reads_sealed_segments();
        let storage = Self::new(disk, folder, mode, SegmentScope::Folder, log_id, table, active);
        *lock(&storage.indexes) = listing.indexes;
        *lock(&storage.settings) = settings;
        if is_kept_open {
            lock(&storage.open).add(first);
        }
        Ok(storage)
    }

    /// Presents one segment whose file is open, with its offsets in the log.
    pub(super) fn of_one(
        disk: Arc<dyn Disk>,
        path: &Path,
        header: SegmentHeader,
        storage: Arc<dyn Storage>,
    ) -> io::Result<Self> {
        let file = SegmentFile { base: header.base, len: storage.len()?, storage };
        Ok(Self::of_file(disk, crate::file::folder_of(path), header.log_id, file))
    }

    pub(super) fn of_file(disk: Arc<dyn Disk>, folder: &Path, log_id: LogId, file: SegmentFile) -> Self {
        let table = SegmentTable::of_one(file.base);
        Self::new(disk, folder, SegmentMode::Read, SegmentScope::One, log_id, table, file)
    }

    fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        mode: SegmentMode,
        scope: SegmentScope,
        log_id: LogId,
        table: SegmentTable,
        active: SegmentFile,
    ) -> Self {
        Self {
            disk,
            folder: folder.to_owned(),
            mode,
            scope,
            log_id,
            table: RwLock::new(table),
            active: RwLock::new(active),
            open: Mutex::default(),
            indexes: Mutex::default(),
            unsynced: Mutex::default(),
            lock_file: Mutex::default(),
            settings: Mutex::default(),
        }
    }

    /// Returns the open file of the segment that starts at `base`.
    pub(super) fn file_at(&self, base: u64) -> io::Result<SegmentFile> {
        let active = read(&self.active).clone();
        if active.base == base {
            return Ok(active);
        }
        if let Some(file) = lock(&self.open).get(base) {
            return Ok(file);
        }
        // While a repair writes the header of a file, the file need not be recognised as this segment.
        if let Some(storage) = lock(&self.unsynced).get(&base).cloned() {
            let file = SegmentFile { base, len: storage.len()?, storage };
            lock(&self.open).add(file.clone());
            return Ok(file);
        }
        let mode = self.mode.of_sealed_segment();
        let file = SegmentFile::open(self.disk.as_ref(), &self.folder, base, self.log_id, mode)?;
        lock(&self.open).add(file.clone());
        Ok(file)
    }

    /// Records that a file was written and must be synced.
    fn mark_unsynced(&self, file: &SegmentFile) {
        lock(&self.unsynced).entry(file.base).or_insert_with(|| file.storage.clone());
    }

    /// Sets the size of the file of a sealed segment, in bytes.
    pub(super) fn set_segment_len(&self, base: u64, len: u64) -> io::Result<()> {
        let file = self.file_at(base)?;
        self.mark_unsynced(&file);
        file.storage.set_len(len)?;
        lock(&self.open).remove(base);
        Ok(())
    }

    /// Opens the lock file of the folder, and creates it when it does not exist.
    fn open_lock_file(&self) -> io::Result<Arc<dyn Storage>> {
        let path = self.folder.join(LOCK_FILE);
        match self.disk.open(&path, OpenMode::AppendSidecar) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        let permissions_from = &self.segment_path(read(&self.active).base);
        match self.disk.open(&path, OpenMode::CreateSidecar { permissions_from }) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.disk.open(&path, OpenMode::AppendSidecar),
            created => created,
        }
    }
}

impl SegmentMode {
    /// The mode in which the last segment is opened.
    pub(super) const fn of_last_segment(self) -> OpenMode<'static> {
        match self {
            Self::Read => OpenMode::Read,
            Self::Append => OpenMode::Append,
            Self::Repair => OpenMode::Repair,
        }
    }

    /// True when the other segments are only read.
    pub(super) fn reads_sealed_segments(self) -> bool {
        self.of_sealed_segment() == OpenMode::Read
    }

    /// The mode in which the other segments are opened.
    const fn of_sealed_segment(self) -> OpenMode<'static> {
        match self {
            Self::Read | Self::Append => OpenMode::Read,
            Self::Repair => OpenMode::Repair,
        }
    }
}

impl Storage for SegmentedStorage {
    fn len(&self) -> io::Result<u64> {
        self.refresh()?;
        let active = read(&self.active).clone();
        Ok(active.base.saturating_add(active.storage.len()?))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let segment = self.segment_at(offset);
        match segment.condition {
            SegmentCondition::Unreadable(reason) => {
                return Err(UnreadableSegment { path: self.segment_path(segment.base), reason }.into());
            }
            SegmentCondition::Removed => {
                // A file that is still open stays readable.
                let file = lock(&self.open).get_at(offset).ok_or(ErrorKind::NotFound)?;
                return file.storage.read_at(buf, offset - file.base);
            }
            SegmentCondition::Present | SegmentCondition::Missing => {}
        }
        // One segment that is read by itself has no bytes before its start.
        let is_before = offset < segment.base;
        let is_missing = is_before || offset >= segment.data_end;
        let end = match segment.data_end {
            _ if is_before => segment.base,
            data_end if is_missing => segment.end.max(data_end),
            data_end => data_end,
        };
        let len = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let part = buf.get_mut(..len).unwrap_or_default();
        if is_missing {
            part.fill(0);
            return Ok(len);
        }
        self.file_at(segment.base)?.storage.read_at(part, offset - segment.base)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        let active = read(&self.active).clone();
        self.mark_unsynced(&active);
        active.storage.append(bytes)
    }

    fn append_end(&self) -> io::Result<u64> {
        let active = read(&self.active).clone();
        Ok(active.base.saturating_add(active.storage.append_end()?))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let segment = self.segment_at(at);
            let file = self.file_at(segment.base)?;
            let len = usize::try_from(segment.end - at).unwrap_or(usize::MAX).min(rest.len());
            self.mark_unsynced(&file);
            file.storage.write_at(rest.get(..len).unwrap_or_default(), at - segment.base)?;
            // The recorded size of a segment that was too short is no longer right.
            lock(&self.open).remove(segment.base);
            done += len;
        }
        Ok(())
    }

    fn drop_cache(&self) {
        read(&self.active).storage.drop_cache();
        lock(&self.open).iter().for_each(|file| file.storage.drop_cache());
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let active = read(&self.active).clone();
        let len = len
            .checked_sub(active.base)
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the new end lies in a sealed segment"))?;
        self.mark_unsynced(&active);
        active.storage.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let active = read(&self.active).clone();
        let mut written = std::mem::take(&mut *lock(&self.unsynced));
        // Another handle may have appended to the last segment.
        written.insert(active.base, active.storage);
        written.values().try_for_each(|file| file.sync())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let file = self.open_lock_file()?;
        if !file.try_lock()? {
            return Ok(false);
        }
        // A writer may have added segments until the lock was taken.
        self.refresh()?;
        if !read(&self.active).storage.try_lock()? {
            file.unlock()?;
            return Ok(false);
        }
        self.clean_folder()?;
        // A writer that was killed may have left the name of the last segment unsynced. A power cut would lose that segment, with
        // all events that are appended to it from now on.
        self.disk.sync_folder(&self.folder)?;
        *lock(&self.lock_file) = Some(file);
        Ok(true)
    }

    fn unlock(&self) -> io::Result<()> {
        let Some(file) = lock(&self.lock_file).take() else { return Ok(()) };
        let active = read(&self.active).storage.unlock();
        file.unlock().and(active)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        match self.scope {
            // The number of names of a folder is not that of its files.
            SegmentScope::Folder => Ok(self.disk.identity(&self.folder)?.with_links(1)),
            SegmentScope::One => read(&self.active).storage.identity(),
        }
    }

    fn lock_identity(&self) -> io::Result<FileIdentity> {
        self.disk.identity(&self.folder.join(LOCK_FILE))
    }

    fn stamp(&self) -> io::Result<FileStamp> {
        self.refresh()?;
        let active = read(&self.active).clone();
        let stamp = active.storage.stamp()?;
        Ok(FileStamp { bytes: active.base.saturating_add(stamp.bytes), ..stamp })
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        read(&self.active).storage.ownership()
    }

    fn detect_writer(&self) -> WriterPresence {
        read(&self.active).storage.detect_writer()
    }

    fn open_writers(&self) -> Vec<u32> {
        read(&self.active).storage.open_writers()
    }

    fn wait(&self, time: Duration) {
        read(&self.active).storage.wait(time);
    }

    fn segments(&self) -> Option<&dyn SegmentSet> {
        Some(self)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the mutex is held leaves a list of open files, which stays valid.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn read<T>(value: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    value.read().unwrap_or_else(PoisonError::into_inner)
}
