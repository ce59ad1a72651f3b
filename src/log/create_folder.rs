//! The creation of a log in a folder of segments, which is there completely or not at all.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::{EventLog, OpenOptions};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{
    Disk, ExistingFile, LOCK_FILE, NewFile, NewLogFolder, OpenMode, RollPolicy, Storage, folder_of, has_segments,
    is_unused_folder, write_settings,
};
use crate::format::{HeaderBytes, LogId, LogSettings, NewLogFormat, SETTINGS_FILE, segment_file_name};

/// Creates a log in the folder `path`, which does not exist or is empty, and opens it for append.
///
/// A folder that does not exist appears when it is complete. In an empty one, the first segment appears last, and it makes the
/// folder a log: a killed creation leaves a folder in which a log can be created.
///
/// # Errors
/// `AlreadyExists` when the folder has a file, or `path` is a file; `Locked` when another process has opened the new log first,
/// which then stays; `Io` when the folder cannot be written; the errors of [`EventLog::open`]. After other errors than `Locked`,
/// no file of the new log is left, except in a folder that existed, where a complete log stays that cannot be opened.
pub(super) fn create_in_folder(options: OpenOptions, path: &Path) -> Result<EventLog, StorageError> {
    let disk = options.disk.clone();
    let path: &Path = path.components().as_path();
    let content = FirstContent::new(&options);
    let mut log = if is_unused_folder(disk.as_ref(), path) {
        fill_folder(disk.as_ref(), path, &content)?;
        EventLog::open_with(options, path)?
    } else {
        let mut folder = NewLogFolder::create(disk.as_ref(), path, ExistingFile::Keep, None)?;
        let (segment, segment_path) = folder.create_segment(0)?;
        append_all(segment.as_ref(), &content.header)
            .map_err(|error| StorageError::io(&segment_path, "write", error))?;
        segment.sync().map_err(|error| StorageError::io(&segment_path, "sync", error))?;
        folder.write_settings(&content.settings)?;
        folder.commit()?;
        folder.unlock();
        match EventLog::open_with(options, path) {
            Ok(log) => log,
            Err(error) => {
                folder.discard_unless_used();
                return Err(error);
            }
        }
    };
    log.is_created = true;
    log.lock_index_cache().saves_on_close = true;
    Ok(log)
}

/// What a new log has: the header of its first segment, and its settings.
struct FirstContent {
    header: HeaderBytes,
    settings: LogSettings,
}

impl FirstContent {
    fn new(options: &OpenOptions) -> Self {
        let log_id = match options.format {
            NewLogFormat::V2(id) => id,
            NewLogFormat::V1 => LogId::random(),
        };
        let settings = LogSettings {
            log_id,
            segment_size: options.segment_size.unwrap_or(RollPolicy::default().max_bytes),
            segment_age_ms: options.segment_age_ms(),
            first_offset: 0,
            lost: Vec::new(),
        };
        Self { header: NewLogFormat::V2(log_id).header((options.clock)()).encode(), settings }
    }
}

/// Writes the files of a new log into the folder `path`, in which there is no log.
///
/// # Errors
/// `Locked` when another process creates a log there, `AlreadyExists` when it has done so; `Io` when a file cannot be written.
fn fill_folder(disk: &dyn Disk, path: &Path, content: &FirstContent) -> Result<(), StorageError> {
    let lock_path = path.join(LOCK_FILE);
    let lock = open_lock(disk, &lock_path).map_err(|error| StorageError::io(&lock_path, "open", error))?;
    // A file system without locks cannot tell that two processes create a log at the same time. One of them then fails.
    if !lock.try_lock().unwrap_or(true) {
        return Err(StorageError::Locked { path: path.to_owned(), pid: None });
    }
    let result = if has_segments(disk, path) {
        Err(StorageError::AlreadyExists { path: path.to_owned() })
    } else {
        write_files(disk, path, content).inspect_err(|_| {
            // The files stay when there is a log: one of another process, or the new one, whose segment could not be removed.
            if !has_segments(disk, path) {
                // The lock is removed last: it keeps other processes out until the folder is empty again.
                let _ = (disk.remove(&path.join(SETTINGS_FILE)), disk.remove(&lock_path));
            }
        })
    };
    let _ = lock.unlock();
    result
}

/// Opens the lock of the folder, and creates it when a killed creation has not left it.
fn open_lock(disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn Storage>> {
    match disk.open(path, OpenMode::Create) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => disk.open(path, OpenMode::AppendSidecar),
        created => created,
    }
}

/// Writes the settings and then the first segment, and syncs their names and that of the folder.
fn write_files(disk: &dyn Disk, folder: &Path, content: &FirstContent) -> Result<(), StorageError> {
    let parent = folder_of(folder);
    disk.sync_folder(parent).map_err(|error| StorageError::io(parent, "sync", error))?;
    write_settings(disk, folder, &folder.join(LOCK_FILE), &content.settings)?;
    let path = folder.join(segment_file_name(0));
    let mut segment = NewFile::create_log(disk, &path, ExistingFile::Keep)?;
    append_all(segment.storage().as_ref(), &content.header).map_err(|error| StorageError::io(&path, "write", error))?;
    segment.commit()
}
