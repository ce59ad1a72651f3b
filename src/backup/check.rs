//! Checks of a backup: every part is read from the store and compared with its hash.

use std::path::Path;

use super::manifest::{BackedUpFile, BackedUpPart, BackupManifest};
use super::parts::{PART_LEN, PartHash, for_each_in_order, read_part};
use super::restore::hash_of;
use super::store::ObjectStore;
use crate::StorageError;
use crate::file::storage::read_full;
use crate::format::segment_file_name;
use crate::inspect::{LogView, OnProgress, Progress, cancelled_if_break};
use crate::repair::RetentionPlan;

/// Largest number of faults that a check lists. Others are counted.
const MAX_FAULTS: usize = 1000;

/// The result of a check.
#[derive(Debug, Default)]
pub(crate) struct BackupCheck {
    /// The first faults, in the order of the log.
    pub(crate) faults: Vec<PartFault>,
    /// The number of all faults.
    pub(crate) fault_count: u64,
}

/// A part of a backup that cannot be used.
#[derive(Debug)]
pub(crate) struct PartFault {
    /// The file of the log.
    pub(crate) file: String,
    /// The position of the part in the file.
    pub(crate) offset: u64,
    /// The size of the part, in bytes.
    pub(crate) bytes: u64,
    /// Why it cannot be used, with the place of the object.
    pub(crate) error: StorageError,
}

/// Reads all parts of a backup, and compares them with their hashes.
///
/// # Errors
/// `Io` when the store cannot be read, except for a part that is missing or not the expected one, which is a fault; `Cancelled` when
/// `on_progress` breaks.
pub(crate) fn check_backup(
    store: &dyn ObjectStore,
    manifest: &BackupManifest,
    on_progress: &mut OnProgress,
) -> Result<BackupCheck, StorageError> {
    let (mut check, mut position, total) = (BackupCheck::default(), 0, manifest.bytes());
    for file in &manifest.files {
        let mut offset = 0;
        let read = |part: &BackedUpPart| match read_part(store, hash_of(part, store)?, part.bytes) {
            Ok(_) => Ok(None),
            Err(error) if is_fault(&error) => Ok(Some(error)),
            Err(error) => Err(error),
        };
        for_each_in_order(&file.parts, read, |part, fault| {
            if let Some(error) = fault {
                check.fault_count += 1;
                if check.faults.len() < MAX_FAULTS {
                    check.faults.push(PartFault { file: file.name.clone(), offset, bytes: part.bytes, error });
                }
            }
            (offset, position) = (offset + part.bytes, position + part.bytes);
            cancelled_if_break(on_progress(Progress { position, total }))
        })?;
    }
    Ok(check)
}

/// True when the store answered, and an object is missing or not the expected one.
pub(crate) fn is_fault(error: &StorageError) -> bool {
    use std::io::ErrorKind::{InvalidData, NotFound};
    matches!(error, StorageError::Io { source, .. } if matches!(source.kind(), InvalidData | NotFound))
}

/// Returns the base of the first segment of a retention plan that the backup does not hold, with the reason; `None` when the backup
/// holds all of them.
///
/// A segment counts as held when the backup has a file with its name and exactly its bytes, and every part of that file is
/// read from the store and has its hash.
///
/// # Errors
/// `Io` when a segment or the store cannot be read.
pub(crate) fn find_archived_end(
    view: &LogView,
    plan: &RetentionPlan,
    store: &dyn ObjectStore,
    manifest: &BackupManifest,
) -> Result<Option<(u64, String)>, StorageError> {
    let Some(segments) = view.segments() else { return Ok(None) };
    for segment in &plan.segments {
        let name = segment_file_name(segment.base);
        let Some(file) = manifest.file(&name) else {
            return Ok(Some((segment.base, format!("backup {} does not have it", manifest.number))));
        };
        if !has_same_bytes(view, &segments.segment_path(segment.base), file)? {
            return Ok(Some((segment.base, format!("backup {} has other bytes for it", manifest.number))));
        }
        let read = |part: &BackedUpPart| match read_part(store, hash_of(part, store)?, part.bytes) {
            Ok(_) => Ok(None),
            Err(error) if is_fault(&error) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        };
        let mut fault = None;
        for_each_in_order(&file.parts, read, |_, found| {
            fault = fault.take().or(found);
            Ok(())
        })?;
        if let Some(fault) = fault {
            return Ok(Some((segment.base, fault)));
        }
    }
    Ok(None)
}

/// True when the file at `path` has exactly the bytes of the backup. A segment that is missing has none.
fn has_same_bytes(view: &LogView, path: &Path, file: &BackedUpFile) -> Result<bool, StorageError> {
    let io = |error| StorageError::io(path, "read", error);
    let storage = match view.disk().open(path, crate::file::OpenMode::Read) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        storage => storage.map_err(io)?,
    };
    if storage.len().map_err(io)? != file.bytes() {
        return Ok(false);
    }
    let mut buf = vec![0; usize::try_from(PART_LEN).unwrap_or_default()];
    let mut at = 0;
    for part in &file.parts {
        let buf = buf.get_mut(..usize::try_from(part.bytes).unwrap_or_default()).unwrap_or_default();
        if read_full(storage.as_ref(), buf, at).map_err(io)? < buf.len() || Some(PartHash::of(buf)) != part.hash() {
            return Ok(false);
        }
        at += part.bytes;
    }
    Ok(true)
}
