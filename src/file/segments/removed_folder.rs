//! [`RemovedFolder`]: the folder `.removed` of a log, to which retention moves segments, with a record of each removal.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::bounds::SegmentSet;
use super::segment_file::SegmentFile;
use super::table::segment_path;
use crate::StorageError;
use crate::file::new_file::replace_file;
use crate::file::storage::{Disk, OpenMode, Storage, append_all};
use crate::file::trust::{SideFileFault, TrustRule};
use crate::format::{
    LogId, MAX_REMOVAL_BYTES, REMOVED_FOLDER, RemovedSegment, SegmentRemoval, base_of_segment_file, index_path,
    is_removal_record,
};

/// The folder of removed segments of a log.
pub(crate) struct RemovedFolder<'d> {
    disk: &'d dyn Disk,
    /// The folder of the log.
    log: PathBuf,
    path: PathBuf,
    log_id: LogId,
    rule: TrustRule,
}

/// The records in the folder.
#[derive(Debug, Default)]
pub(crate) struct FoundRemovals {
    /// The valid records, by ascending `new_start`.
    pub(crate) records: Vec<SegmentRemoval>,
    /// One notice for each file with the name of a record that is not used, with the reason.
    pub(crate) notices: Vec<String>,
}

impl<'d> RemovedFolder<'d> {
    /// Creates the value for an open log. The folder need not exist.
    ///
    /// # Errors
    /// `Refused` when users who cannot write the log can write the folder; `Io` when it cannot be examined.
    pub(crate) fn of_log(
        disk: &'d dyn Disk,
        storage: &dyn Storage,
        segments: &dyn SegmentSet,
    ) -> Result<Self, StorageError> {
        let path = segments.folder().join(REMOVED_FOLDER);
        let rule = TrustRule::for_log(disk, storage).map_err(|error| StorageError::io(&path, "examine", error))?;
        match rule.check_folder(disk, &path) {
            Ok(()) | Err(SideFileFault::Missing) => {}
            Err(SideFileFault::Untrusted(found)) => return Err(found.to_error(&path)),
            Err(SideFileFault::Io(error)) => return Err(StorageError::io(&path, "examine", error)),
        }
        Ok(Self { disk, log: segments.folder().to_owned(), path, log_id: segments.log_id(), rule })
    }

    /// The path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the records of this log.
    ///
    /// # Errors
    /// `Io` when the folder cannot be listed.
    pub(crate) fn read_records(&self) -> Result<FoundRemovals, StorageError> {
        let mut found = FoundRemovals::default();
        for path in self.list()?.into_iter().filter(|path| is_removal_record(path)) {
            let bytes = self.rule.read(self.disk, &path, MAX_REMOVAL_BYTES);
            let reason = match bytes.map(|bytes| SegmentRemoval::decode(&bytes, &path)) {
                Ok(Ok(record)) if record.log_id == self.log_id => {
                    found.records.push(record);
                    continue;
                }
                Ok(Ok(record)) => format!("it describes the log {}", record.log_id),
                Ok(Err(reason)) => reason,
                Err(SideFileFault::Missing) => continue,
                Err(SideFileFault::Untrusted(untrusted)) => {
                    found.notices.push(untrusted.to_notice(&path));
                    continue;
                }
                Err(SideFileFault::Io(error)) => error.to_string(),
            };
            found.notices.push(format!("{}: not used: {reason}", path.display()));
        }
        Ok(found)
    }

    /// Writes a record, and creates the folder when it does not exist. Both are on stable storage when the function returns.
    /// The folder gets the permissions of the log that belong to the file `permissions_from`.
    ///
    /// # Errors
    /// `Io` when the record cannot be written.
    pub(crate) fn write_record(&self, record: &SegmentRemoval, permissions_from: &Path) -> Result<(), StorageError> {
        let to_error = |error| StorageError::io(&self.path, "create the folder", error);
        self.disk.create_folder(&self.path, permissions_from).map_err(to_error)?;
        self.sync(&self.log)?;
        let path = self.path.join(record.file_name());
        replace_file(self.disk, &path, permissions_from, |file| {
            append_all(file, record.encode().as_bytes()).map_err(|error| StorageError::io(&path, "write", error))
        })
        .map(drop)
    }

    /// Removes the record of a removal that is not in effect.
    ///
    /// # Errors
    /// `Io` when it cannot be removed.
    pub(crate) fn remove_record(&self, record: &SegmentRemoval) -> Result<(), StorageError> {
        self.remove_if_present(&self.path.join(record.file_name()))?;
        self.sync(&self.path)
    }

    /// Moves the segments that start at these offsets, with their indexes, into the folder. A file that is not a segment of this
    /// log, and one that is not there, is left out. Moves nothing twice, so that an interrupted call can be repeated.
    ///
    /// # Errors
    /// `Io` when a file cannot be moved.
    pub(crate) fn take_in(&self, bases: &[u64]) -> Result<(), StorageError> {
        if bases.is_empty() {
            return Ok(());
        }
        for base in bases.iter().filter(|base| self.open_segment(&self.log, **base).is_ok()) {
            // The segment is moved last: what is found in the folder of the log shows that the index may be there too.
            self.move_index(*base, (&self.log, &self.path))?;
            self.move_segment(*base, (&self.log, &self.path))?;
        }
        self.sync(&self.path)?;
        self.sync(&self.log)
    }

    /// Moves the segments of a removal, with their indexes, back into the folder of the log.
    ///
    /// # Errors
    /// `Io` when a file cannot be moved.
    pub(crate) fn bring_back(&self, segments: &[RemovedSegment]) -> Result<(), StorageError> {
        for RemovedSegment { base, .. } in segments {
            self.move_segment(*base, (&self.path, &self.log))?;
            self.move_index(*base, (&self.path, &self.log))?;
        }
        self.sync(&self.log)?;
        self.sync(&self.path)
    }

    /// Returns the first segment of a removal whose file is not in the folder, or has another size than when it was removed.
    pub(crate) fn find_missing(&self, removal: &SegmentRemoval) -> Option<RemovedSegment> {
        let is_there = |segment: &RemovedSegment| {
            // A segment of size 0 was missing when the others were removed.
            segment.bytes == 0
                || self.open_segment(&self.path, segment.base).is_ok_and(|file| file.len == segment.bytes)
        };
        removal.segments.iter().find(|segment| !is_there(segment)).copied()
    }

    /// Returns the segments of this log in the folder, by ascending base: offset and size in bytes.
    ///
    /// # Errors
    /// `Io` when the folder cannot be listed.
    pub(crate) fn list_segments(&self) -> Result<Vec<(u64, u64)>, StorageError> {
        let bases = self.list()?.into_iter().filter_map(|path| base_of_segment_file(&path));
        Ok(bases.filter_map(|base| Some((base, self.open_segment(&self.path, base).ok()?.len))).collect())
    }

    /// Deletes the segments that start at these offsets, with their indexes, from the folder.
    ///
    /// # Errors
    /// `Io` when a file cannot be deleted.
    pub(crate) fn delete(&self, bases: impl IntoIterator<Item = u64>) -> Result<(), StorageError> {
        for base in bases {
            let path = segment_path(&self.path, base);
            self.remove_if_present(&index_path(&path))?;
            self.remove_if_present(&path)?;
        }
        self.sync(&self.path)
    }

    fn open_segment(&self, folder: &Path, base: u64) -> io::Result<SegmentFile> {
        SegmentFile::open(self.disk, folder, base, self.log_id, OpenMode::ReadSidecar)
    }

    fn list(&self) -> Result<Vec<PathBuf>, StorageError> {
        self.disk.list(&self.path).map_err(|error| StorageError::io(&self.path, "list", error))
    }

    /// Moves the segment that starts at `base`, which may not be there, to another folder. Never replaces a file.
    fn move_segment(&self, base: u64, (from, to): (&Path, &Path)) -> Result<(), StorageError> {
        let (from, to) = (segment_path(from, base), segment_path(to, base));
        if matches!(self.disk.identity(&from), Err(error) if error.kind() == ErrorKind::NotFound) {
            return Ok(());
        }
        self.disk.rename_no_replace(&from, &to).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: to },
            _ => StorageError::io(&from, "move", error),
        })
    }

    /// Moves the index of the segment that starts at `base`, which may not be there, to another folder.
    fn move_index(&self, base: u64, (from, to): (&Path, &Path)) -> Result<(), StorageError> {
        let (from, to) = (index_path(&segment_path(from, base)), index_path(&segment_path(to, base)));
        match self.disk.rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            moved => moved.map_err(|error| StorageError::io(&from, "move", error)),
        }
    }

    fn remove_if_present(&self, path: &Path) -> Result<(), StorageError> {
        match self.disk.remove(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| StorageError::io(path, "remove", error)),
        }
    }

    fn sync(&self, folder: &Path) -> Result<(), StorageError> {
        self.disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))
    }
}
