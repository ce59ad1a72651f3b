//! A repair that was killed before it was done: found by its journal, reported, and left to the next opening for append.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::set_aside::{checksum, first_checksum, header_hex};
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{Disk, HeaderState, Item, LogFile, Open, Scanner};
use crate::format::{Version, journal};

/// A repair that is journaled and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRepair {
    /// What it does.
    pub action: String,
    /// File offset of the first byte it is about.
    pub start: u64,
    /// File offset behind the last.
    pub end: u64,
    /// Its journal.
    pub journal: PathBuf,
}

/// The repair of `log` that is pending by the journals in `folder`. Writes nothing.
///
/// A journal of another log, one that is torn before it holds what it keeps, and one whose bytes are not those of the
/// log any more speak of nothing that is pending.
///
/// # Errors
/// `Io` when the folder or the log cannot be read.
pub fn pending_repair(disk: &dyn Disk, log: &LogFile, folder: &Path) -> Result<Option<PendingRepair>, StorageError> {
    let journals = disk.list(folder).map_err(|error| StorageError::io(folder, "list", error))?;
    for path in journals.into_iter().rev() {
        if let Some(said) = read(disk, &path)
            && !said.applied
            && let Some(pending) = still_pending(log, &said, path)?
        {
            return Ok(Some(pending));
        }
    }
    Ok(None)
}

/// What a journal says.
struct Said {
    about: Value,
    /// Bytes of the log that it keeps.
    kept: u64,
    applied: bool,
}

/// Reads a journal up to where it is torn; `None` for what is none.
fn read(disk: &dyn Disk, path: &Path) -> Option<Said> {
    let storage = disk.open(path, Open::ReadSide).ok()?;
    let mut header = [0; journal::HEADER_LEN];
    let whole = read_full(storage.as_ref(), &mut header, 0).ok()? == header.len();
    let (magic, rest) = header.split_first_chunk::<4>()?;
    if !whole || *magic != journal::MAGIC || !rest.starts_with(&journal::VERSION.to_be_bytes()) {
        return None;
    }
    // Frames as in a log, from the same place on.
    let end = storage.len().ok()?;
    let frames = Arc::new(LogFile::with_header(storage, path, Version::V1, HeaderState::None));
    let mut scanner = Scanner::new(frames, journal::HEADER_LEN as u64..end);
    let mut about = None;
    let (mut kept, mut applied) = (0, false);
    while let Ok(Some(Item::Frame(_, frame))) = scanner.next_item() {
        if let Some((_, bytes)) = journal::take_bytes(frame.payload()) {
            kept += bytes.len() as u64;
            continue;
        }
        let said: Value = serde_json::from_slice(frame.payload()).ok()?;
        applied |= said.get("state").and_then(Value::as_str) == Some("applied");
        about.get_or_insert(said);
    }
    Some(Said { about: about?, kept, applied })
}

fn still_pending(log: &LogFile, said: &Said, path: PathBuf) -> Result<Option<PendingRepair>, StorageError> {
    let about = &said.about;
    let number = |part: &str, key: &str| about.get(part).and_then(|part| part.get(key)).and_then(Value::as_u64);
    let (Some(start), Some(end)) = (number("finding", "start"), number("finding", "end")) else {
        return Ok(None);
    };
    let identity = about.get("log");
    let same_header = identity.and_then(|log| log.get("header")).and_then(Value::as_str) == Some(&header_hex(log));
    let same_start = number("log", "first_checksum") == first_checksum(log)?.map(u64::from);
    if !same_header || !same_start || start >= end || said.kept < end - start || log.len()? < end {
        return Ok(None);
    }
    if number("before", "crc32") != Some(u64::from(checksum(log, start..end)?)) {
        return Ok(None);
    }
    let action = about.get("repair").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(PendingRepair { action, start, end, journal: path }))
}
