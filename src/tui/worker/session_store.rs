//! Reads and writes the state of the screen that is kept for a log between runs, and the note that the hints of the first
//! start were shown.
//!
//! The name of a document comes from the identity of the log (its header and its first event), not from its path. The
//! content of the folder is not trusted: its size is limited, links are refused, and a document that cannot be used is
//! reported and ignored.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::SharedState;
use crate::StorageError;
use crate::file::{Disk, ExistingFile, LogFile, NewFile, OpenMode, OsDisk};
use crate::query::EventTimes;
use crate::report::{describe_error, safe_path_text};
use crate::tui::message::{Response, SessionPreparation};
use crate::tui::model::{LoadedSession, MAX_SESSION_BYTES, SavedSession};
use crate::tui::request::FirstHints;

/// The file that shows that the hints were shown.
const HINTS_FILE: &str = "hints.json";
/// The content of [`HINTS_FILE`].
const HINTS_CONTENT: &[u8] = b"{\"version\": 1, \"hints\": \"shown\"}\n";
/// The folder with one document for each log.
const LOGS_FOLDER: &str = "logs";
/// Largest number of documents. When another one is written, those that were written first are removed.
const MAX_DOCUMENTS: usize = 500;
/// Number of bytes of the first event that identify a log. An event has its time of writing at its start.
const IDENTITY_BYTES: usize = 4 << 10;

/// Reads the state of the last run.
///
/// # Errors
/// The log cannot be read. A document that cannot be used is part of the result.
pub(super) fn load(shared: &SharedState) -> Result<LoadedSession, StorageError> {
    let Some(folder) = folder(shared) else { return Ok(LoadedSession::default()) };
    let path = document_path(shared, folder)?;
    let session =
        match read_document(&path).and_then(|bytes| bytes.map(|bytes| SavedSession::decode(&bytes)).transpose()) {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(LoadedSession::default()),
            Err(reason) => {
                let problem =
                    format!("the saved place and marks of this log are ignored: {reason}: {}", safe_path_text(&path));
                return Ok(LoadedSession { problem: Some(problem), ..LoadedSession::default() });
            }
        };
    let event_times = if session.needs_event_times() { EventTimes::read(&shared.view())? } else { None };
    Ok(LoadedSession { session: Some(session), event_times, problem: None })
}

/// Creates the folder when it is missing, checks that it can be written, and claims the hints for this run when they are
/// wanted.
pub(super) fn prepare(shared: &SharedState, wanted: FirstHints) -> Response {
    let preparation = match folder(shared).map(|folder| prepare_folder(folder, wanted)) {
        None => SessionPreparation { hints: FirstHints::Hidden, problem: None },
        Some(Ok(hints)) => SessionPreparation { hints, problem: None },
        Some(Err(reason)) => SessionPreparation { hints: FirstHints::Hidden, problem: Some(reason) },
    };
    Response::SessionPrepared(preparation)
}

/// Writes the document with the state of this run.
///
/// # Errors
/// The document or its folder cannot be written. The message has the path and the reason.
pub(super) fn save(shared: &SharedState, document: &[u8]) -> Result<(), String> {
    let Some(folder) = folder(shared) else { return Ok(()) };
    let path = document_path(shared, folder).map_err(|error| describe_error(&error))?;
    let logs = folder.join(LOGS_FOLDER);
    create_folder(&logs).map_err(|error| format!("cannot create {}: {error}", safe_path_text(&logs)))?;
    write_document(&path, document, ExistingFile::Replace).map_err(|error| describe_error(&error))?;
    remove_oldest(&logs);
    Ok(())
}

fn folder(shared: &SharedState) -> Option<&Path> {
    shared.settings().session.as_ref().map(|session| session.folder.as_path())
}

fn prepare_folder(folder: &Path, wanted: FirstHints) -> Result<FirstHints, String> {
    let refusal = |error: io::Error| format!("cannot write to {}: {error}", safe_path_text(folder));
    create_folder(folder).map_err(refusal)?;
    tempfile::tempfile_in(folder).map_err(refusal)?;
    if wanted == FirstHints::Hidden {
        return Ok(FirstHints::Hidden);
    }
    match write_document(&folder.join(HINTS_FILE), HINTS_CONTENT, ExistingFile::Keep) {
        Ok(()) => Ok(FirstHints::Shown),
        Err(StorageError::AlreadyExists { .. }) => Ok(FirstHints::Hidden),
        Err(error) => Err(describe_error(&error)),
    }
}

/// Returns the path of the document of the open log.
fn document_path(shared: &SharedState, folder: &Path) -> Result<PathBuf, StorageError> {
    Ok(folder.join(LOGS_FOLDER).join(format!("{}.json", log_identity(shared.view().log())?)))
}

/// Returns the digest of the header and of the start of the first frame, in hexadecimal digits.
fn log_identity(log: &LogFile) -> Result<String, StorageError> {
    let digest = match log.storage().segments() {
        // The first segment can be removed.
        Some(segments) => Sha256::digest(segments.log_id().as_bytes()),
        None => Sha256::digest(read_log_start(log)?),
    };
    Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// Reads the header of a log in one file, and at most 4 KiB of its first frame.
fn read_log_start(log: &LogFile) -> Result<Vec<u8>, StorageError> {
    let first_frame = log.first_frame_offset();
    let mut bytes = vec![0; first_frame as usize + IDENTITY_BYTES];
    let read = log.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    // A frame is its length, its payload and its checksum. The bytes after the first frame change with appends.
    let frame = bytes.get(first_frame as usize..).unwrap_or_default();
    let frame_bytes = frame.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize + 8);
    bytes.truncate((first_frame as usize).saturating_add(frame_bytes));
    Ok(bytes)
}

/// Reads a document; `None` when there is none.
fn read_document(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let storage = match OsDisk.open(path, OpenMode::ReadSidecar) {
        Ok(storage) => storage,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let bytes = storage.len().map_err(|error| error.to_string())?;
    if bytes > MAX_SESSION_BYTES {
        return Err(format!("expected at most {MAX_SESSION_BYTES} bytes, found {bytes}"));
    }
    let mut content = vec![0; bytes as usize];
    let mut read = 0;
    while let Some(rest) = content.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match storage.read_at(rest, read as u64).map_err(|error| error.to_string())? {
            0 => break,
            more => read += more,
        }
    }
    content.truncate(read);
    Ok(Some(content))
}

fn write_document(path: &Path, content: &[u8], existing: ExistingFile) -> Result<(), StorageError> {
    let mut file = NewFile::create_private(&OsDisk, path, existing)?;
    file.append(content)?;
    file.commit()
}

/// Creates a folder that only this user can read, and the folders above it that are missing.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Removes the documents that were written first, when there are too many. A document that cannot be removed stays.
fn remove_oldest(folder: &Path) {
    let written = |path: PathBuf| Some((fs::symlink_metadata(&path).ok()?.modified().ok()?, path));
    let is_document = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let listed = OsDisk.list(folder).unwrap_or_default().into_iter().filter(is_document);
    let mut documents: Vec<_> = listed.filter_map(written).collect();
    documents.sort();
    for (_, path) in documents.iter().take(documents.len().saturating_sub(MAX_DOCUMENTS)) {
        let _ = OsDisk.remove(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_documents_are_removed_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        for number in 0..MAX_DOCUMENTS + 3 {
            let path = folder.path().join(format!("{number:04}.json"));
            let file = fs::File::create(&path).unwrap();
            // The times are explicit, because a file system may give several files the same one.
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 + number as u64);
            file.set_modified(time).unwrap();
        }
        remove_oldest(folder.path());
        let left = |name: &str| folder.path().join(name).exists();
        assert_eq!((left("0002.json"), left("0003.json"), left("notes.txt")), (false, true, true));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MAX_DOCUMENTS + 1);
    }
}
