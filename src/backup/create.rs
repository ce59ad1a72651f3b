//! [`create_backup`]: copies what a store does not have of a log, and then writes the manifest.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::manifest::{BackedUpFile, BackedUpLog, BackedUpPart, BackupManifest, manifest_numbers, read_manifest};
use super::parts::{PARTS_FOLDER, PartHash, for_each_in_order};
use super::source::CopiedFiles;
use super::store::ObjectStore;
use crate::StorageError;
use crate::file::SegmentSet;
use crate::inspect::{LogView, OnProgress, Progress, SurveyOptions, SurveyUpdate, cancelled_if_break, survey};

/// How often another number is tried when another process writes a manifest at the same time.
const MAX_ATTEMPTS: u32 = 16;
/// The next step for a store with the backups of another log.
const OTHER_STORE: &str = "Name another destination: each log has its own";

/// The result of a backup.
#[derive(Debug)]
pub(crate) struct BackupSummary {
    /// The manifest that holds the log now.
    pub(crate) manifest: BackupManifest,
    /// False when the last backup already had all of it, so that no manifest was written.
    pub(crate) is_new: bool,
    /// The number of parts that were written.
    pub(crate) written_parts: u64,
    /// The size of these parts, in bytes.
    pub(crate) written_bytes: u64,
}

/// Copies a log into a store. Damaged ranges are copied as they are; a frame that is being written at the end is left out.
///
/// The whole log is read: once to find its complete frames and its damage, once to compute the hashes of its parts.
///
/// # Errors
/// `Refused` when the store has backups of another log, or the log is one segment; `Changed` when a file becomes shorter
/// meanwhile; `Io` when the log cannot be read or the store cannot be written; `Cancelled` when `on_progress` breaks. No
/// manifest is written then, and the next backup uses the parts that were.
pub(crate) fn create_backup(
    view: &LogView,
    store: &dyn ObjectStore,
    created_at_ms: u64,
    on_progress: &mut OnProgress,
) -> Result<BackupSummary, StorageError> {
    let numbers = manifest_numbers(store)?;
    let latest = numbers.last().map(|number| read_manifest(store, *number)).transpose()?;
    let log = BackedUpLog::of(view);
    refuse_another_log(view, store, &log, latest.as_ref())?;
    // The bytes that are copied must be those that the log has after a power failure.
    view.log().sync().map_err(|error| StorageError::io(view.path(), "sync", error))?;
    let mut source = CopiedFiles::list(view)?;
    let bytes = view.log().len()?;
    let total = bytes.saturating_mul(2);
    let found = survey(view, &SurveyOptions::new(), None, &mut |update| match update {
        SurveyUpdate::Progress(read) => on_progress(Progress { position: read.position, total }),
        SurveyUpdate::Finding(_) => ControlFlow::Continue(()),
    })?;
    let end = found.in_flight.as_ref().map_or(bytes, |range| range.start);
    source.measure(end)?;
    let (files, written_parts, written_bytes) = write_parts(&source, store, total, on_progress)?;
    let start = view.segments().map_or(0, SegmentSet::log_start);
    let number = numbers.last().map_or(1, |number| number.saturating_add(1));
    let mut manifest = BackupManifest::new(number, created_at_ms, log, start..end, files);
    (manifest.events, manifest.damaged_ranges) = (found.events, found.damage_total);
    if let Some(latest) = latest
        && latest.files == manifest.files
        && latest.log == manifest.log
    {
        return Ok(BackupSummary { manifest: latest, is_new: false, written_parts, written_bytes });
    }
    for _ in 0..MAX_ATTEMPTS {
        match manifest.write(store) {
            Err(StorageError::AlreadyExists { .. }) => manifest.number = manifest.number.saturating_add(1),
            written => {
                written?;
                break;
            }
        }
    }
    Ok(BackupSummary { manifest, is_new: true, written_parts, written_bytes })
}

fn refuse_another_log(
    view: &LogView,
    store: &dyn ObjectStore,
    log: &BackedUpLog,
    latest: Option<&BackupManifest>,
) -> Result<(), StorageError> {
    if view.log().storage().segments().is_some_and(SegmentSet::is_single_segment) {
        let reason = "one segment of a log is not backed up by itself".to_owned();
        let alternative = "Name the folder of the log, which has all of its segments";
        return Err(StorageError::Refused { path: view.path().to_owned(), reason, alternative });
    }
    match latest {
        Some(latest) if !latest.log.can_be(log) => {
            let reason = format!("it has backups of another log, `{}`", latest.log.name);
            Err(StorageError::Refused { path: store.path_of(""), reason, alternative: OTHER_STORE })
        }
        _ => Ok(()),
    }
}

/// Writes the parts that the store does not have, and returns the files with all of their parts, and the number and the size of the
/// parts that were written.
fn write_parts(
    source: &CopiedFiles,
    store: &dyn ObjectStore,
    total: u64,
    on_progress: &mut OnProgress,
) -> Result<(Vec<BackedUpFile>, u64, u64), StorageError> {
    let stored = store.list(PARTS_FOLDER)?;
    let stored: HashMap<PartHash, u64> =
        stored.into_iter().filter_map(|object| Some((PartHash::parse(&object.name)?, object.bytes))).collect();
    // Equal parts are written once. The entry is made before the part is written; an error then ends the whole backup.
    let known = Mutex::new(stored);
    let mut files: Vec<BackedUpFile> =
        source.files.iter().map(|file| BackedUpFile { name: file.name.clone(), parts: Vec::new() }).collect();
    let (mut written_parts, mut written_bytes, mut position) = (0, 0, total / 2);
    let write_part = |part: &_| {
        let bytes = source.read(part)?;
        let (hash, len) = (PartHash::of(&bytes), bytes.len() as u64);
        let earlier = known.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, len);
        let is_new = earlier != Some(len);
        if is_new {
            store.write(&hash.key(), &bytes)?;
        }
        Ok((BackedUpPart { sha256: hash.to_string(), bytes: len }, is_new))
    };
    for_each_in_order(&source.parts(), write_part, |source_part, (part, is_new)| {
        (written_parts, written_bytes) =
            if is_new { (written_parts + 1, written_bytes + part.bytes) } else { (written_parts, written_bytes) };
        position += part.bytes;
        if let Some(file) = files.get_mut(source_part.file) {
            file.parts.push(part);
        }
        cancelled_if_break(on_progress(Progress { position, total: total.max(position) }))
    })?;
    Ok((files, written_parts, written_bytes))
}
