//! Logs in a folder of segments: their creation, and the policy by which their writer starts the next segment.

use std::io::ErrorKind;
use std::path::Path;

use super::{EventLog, OpenOptions};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{DEFAULT_SEGMENT_SIZE, ExistingFile, FoundSettings, NewFile, RollPolicy, write_settings};
use crate::format::{LogId, LogSettings, NewLogFormat, segment_file_name};
use crate::index::IndexState;
use crate::inspect::LogView;
use crate::repair::JournalMark;

/// Creates a log in the folder `path`, which does not exist or is empty, and opens it for append.
///
/// # Errors
/// `AlreadyExists` when the folder has a file, or `path` is a file; `Io` when it cannot be written. A folder that this call has
/// created is removed after an error.
pub(super) fn create_in_folder(options: OpenOptions, path: &Path) -> Result<EventLog, StorageError> {
    let disk = options.disk.clone();
    let to_error = |error| StorageError::io(path, "create the folder", error);
    let is_new = match disk.create_log_folder(path) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_empty = disk.list(path).is_ok_and(|files| files.is_empty());
            if !is_empty || !crate::file::is_log_folder(disk.as_ref(), path) {
                return Err(StorageError::AlreadyExists { path: path.to_owned() });
            }
            false
        }
        Err(error) => return Err(to_error(error)),
    };
    let created = write_first_segment(&options, path).and_then(|()| EventLog::open_with(options, path));
    if created.is_err() && is_new {
        for file in disk.list(path).unwrap_or_default() {
            let _ = disk.remove(&file);
        }
        let _ = disk.remove_folder(path);
    }
    let mut log = created?;
    log.is_created = true;
    log.lock_index_cache().saves_on_close = true;
    Ok(log)
}

/// Writes the first segment and the settings of a new log, and syncs the names of the folder and of its files.
fn write_first_segment(options: &OpenOptions, folder: &Path) -> Result<(), StorageError> {
    let disk = options.disk.as_ref();
    let log_id = match options.format {
        NewLogFormat::V2(id) => id,
        NewLogFormat::V1 => LogId::random(),
    };
    let path = folder.join(segment_file_name(0));
    let mut segment = NewFile::create_log(disk, &path, ExistingFile::Keep)?;
    let header = NewLogFormat::V2(log_id).header((options.clock)()).encode();
    append_all(segment.storage().as_ref(), &header).map_err(|error| StorageError::io(&path, "write", error))?;
    segment.commit()?;
    let policy = RollPolicy::default();
    let settings = LogSettings {
        log_id,
        segment_size: options.segment_size.unwrap_or(policy.max_bytes),
        segment_age_ms: options.segment_age_ms(),
        first_offset: 0,
        lost: Vec::new(),
    };
    write_settings(disk, folder, &path, &settings)?;
    let parent = crate::file::folder_of(folder);
    disk.sync_folder(parent).map_err(|error| StorageError::io(parent, "sync", error))
}

/// Returns when the writer of a log starts the next segment: as the options say, or else the settings of the log.
pub(super) fn roll_policy(options: &OpenOptions, view: &LogView) -> RollPolicy {
    let Some(segments) = view.log().storage().segments() else { return RollPolicy::default() };
    let found = FoundSettings::read(options.disk.as_ref(), segments.folder(), view.log().storage(), segments.log_id());
    let settings = found.valid();
    RollPolicy {
        max_bytes: options
            .segment_size
            .or(settings.map(|settings| settings.segment_size))
            .unwrap_or(DEFAULT_SEGMENT_SIZE),
        max_age_ms: options.segment_age_ms().or(settings.and_then(|settings| settings.segment_age_ms)),
    }
}

impl EventLog {
    /// Opens one segment of this log for reading, with its own index.
    fn segment_log(&self, base: u64) -> Result<Self, StorageError> {
        let journals = JournalMark::read(&self.log_paths());
        let mut segment = Self::from_view(self.options.clone(), self.view.segment_view(base)?, None);
        segment.is_created = self.is_created;
        segment.lock_index_cache().journals_at_opening = journals;
        Ok(segment)
    }

    /// Brings the index of each segment up to date and saves it. Segments whose index is up to date are not read.
    ///
    /// # Errors
    /// Those of [`EventLog::save_index`], for the first segment that has one. The indexes of the segments before it are saved.
    pub(super) fn save_segment_indexes(&self) -> Result<(), StorageError> {
        let Some(segments) = self.view.segments() else { return Ok(()) };
        segments.clean_folder().map_err(|error| StorageError::io(segments.folder(), "list", error))?;
        let bases = segments.bases();
        let last = bases.last().copied();
        for base in bases {
            let mut segment = match self.segment_log(base) {
                // A segment that cannot be opened is a finding, and has no index.
                Err(StorageError::Io { .. }) => continue,
                segment => segment?,
            };
            // The next segment shows where a sealed one ends, so its index is not the only record of that.
            if last != Some(base) && matches!(segment.view.index_state(), IndexState::Corrupt { .. }) {
                let path = segment.view.index_path();
                self.options.disk.remove(path).map_err(|error| StorageError::io(path, "remove", error))?;
                segment = self.segment_log(base)?;
            }
            if *segment.view.index_state() != IndexState::Fresh {
                segment.index()?;
                segment.write_index()?;
            }
        }
        Ok(())
    }
}
