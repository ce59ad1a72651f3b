//! [`restore_backup`]: writes the log of a backup, byte by byte as it was. It appears at its path complete or not at all.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{BackedUpFile, BackedUpPart, BackupManifest};
use super::parts::{PART_LEN, PartHash, for_each_in_order, read_part};
use super::store::ObjectStore;
use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, ExistingFile, NewFile, NewLogFolder, OpenMode, OsDisk, Storage};
use crate::format::{SETTINGS_FILE, base_of_segment_file};
use crate::inspect::{OnProgress, Progress, cancelled_if_break};

/// Writes the log of a backup to `path`: a file, or a folder of segments. The hash of every part is compared when it is read from
/// the store, and again when the written file is read.
///
/// # Errors
/// `AlreadyExists` when something has the path; `Io`, of the kind `InvalidData` when a part is not the one in the manifest, and
/// `NotFound` when it is not there; `Changed` when the written bytes are not read back; `Cancelled` when `on_progress` breaks.
pub(crate) fn restore_backup(
    store: &dyn ObjectStore,
    manifest: &BackupManifest,
    path: &Path,
    on_progress: &mut OnProgress,
) -> Result<(), StorageError> {
    let total = manifest.bytes().saturating_mul(2);
    let mut position = 0;
    let mut on_bytes = |bytes: u64| {
        position += bytes;
        cancelled_if_break(on_progress(Progress { position, total }))
    };
    if !manifest.log.is_folder {
        let mut file = NewFile::create_log(&OsDisk, path, ExistingFile::Keep)?;
        let parts = manifest.files.first().ok_or_else(|| missing_files(store))?;
        write_file(store, parts, file.storage(), path, &mut on_bytes)?;
        return file.commit();
    }
    let mut folder = NewLogFolder::create(&OsDisk, path, ExistingFile::Keep, None)?;
    for file in &manifest.files {
        let (storage, path) = create_file(&folder, path, &file.name)?;
        write_file(store, file, &storage, &path, &mut on_bytes)?;
    }
    folder.commit()?;
    folder.unlock();
    Ok(())
}

/// Creates a file in the new folder, and returns it with the path that it will have.
fn create_file(folder: &NewLogFolder, path: &Path, name: &str) -> Result<(Arc<dyn Storage>, PathBuf), StorageError> {
    if let Some(base) = base_of_segment_file(Path::new(name)) {
        return folder.create_segment(base);
    }
    // The manifest has no other names.
    let created = OsDisk.open(&folder.temporary_path().join(SETTINGS_FILE), OpenMode::Create);
    let path = path.join(SETTINGS_FILE);
    Ok((created.map_err(|error| StorageError::io(&path, "create", error))?, path))
}

/// Writes the parts of a file, syncs it, and reads it again.
fn write_file(
    store: &dyn ObjectStore,
    file: &BackedUpFile,
    storage: &Arc<dyn Storage>,
    path: &Path,
    on_bytes: &mut dyn FnMut(u64) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let read = |part: &BackedUpPart| read_part(store, hash_of(part, store)?, part.bytes);
    for_each_in_order(&file.parts, read, |_, bytes| {
        append_all(storage.as_ref(), &bytes).map_err(|error| StorageError::io(path, "write", error))?;
        on_bytes(bytes.len() as u64)
    })?;
    storage.sync().map_err(|error| StorageError::io(path, "sync", error))?;
    // What is read now comes from the device, and not from memory.
    storage.drop_cache();
    let mut buf = vec![0; usize::try_from(PART_LEN).unwrap_or_default()];
    let mut at = 0;
    for part in &file.parts {
        let buf = buf.get_mut(..usize::try_from(part.bytes).unwrap_or_default()).unwrap_or_default();
        let read =
            read_full(storage.as_ref(), buf, at).map_err(|error| StorageError::io_at(path, "read", at, error))?;
        if read < buf.len() || PartHash::of(buf) != hash_of(part, store)? {
            return Err(StorageError::Changed {
                path: path.to_owned(),
                expected: format!("the {} bytes that were written at offset {at}", part.bytes),
                found: "other bytes".into(),
            });
        }
        at += part.bytes;
        on_bytes(part.bytes)?;
    }
    Ok(())
}

/// Returns the hash of a part. A manifest with a malformed one is never used.
pub(super) fn hash_of(part: &BackedUpPart, store: &dyn ObjectStore) -> Result<PartHash, StorageError> {
    part.hash().ok_or_else(|| missing_files(store))
}

fn missing_files(store: &dyn ObjectStore) -> StorageError {
    let error = Error::new(ErrorKind::InvalidData, "the manifest is malformed");
    StorageError::io(&store.path_of(""), "restore from", error)
}
