//! Setting an unfinished end aside: into a journal, durably, and only then cut off the log.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::journal::Journal;
use crate::StorageError;
use crate::file::{Disk, LogFile, Writer};
use crate::format::{Finding, Kind, Version, crc};

/// What was set aside, for whoever has to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAside {
    /// What it was.
    pub finding: Finding,
    /// The journal that holds its bytes.
    pub journal: PathBuf,
}

/// Sets the last piece of a log aside when it may be: it is `torn_tail`, `zeros` or `garbage`, ends the log, and starts
/// at or after everything an index has seen.
///
/// Killed at any instant, the log has its end still, or has lost it with the journal whole.
///
/// # Errors
/// `Io` when the journal cannot be made durable: then the log was not touched. `Poisoned` when the cut cannot be synced.
pub fn set_aside_tail(
    disk: &dyn Disk,
    log: &Arc<LogFile>,
    writer: &mut Writer,
    last: &Finding,
    witnessed_end: Option<u64>,
    folder: &Path,
    now_ms: u64,
) -> Result<Option<SetAside>, StorageError> {
    let may = matches!(last.kind, Kind::TornTail | Kind::Zeros | Kind::Garbage);
    if !may || last.end != writer.end() || last.start < witnessed_end.unwrap_or_default() {
        return Ok(None);
    }
    let about = serde_json::json!({
        "repair": "set_aside_tail",
        "log": { "header": header_hex(log), "first_checksum": first_checksum(log)?, "bytes": last.end },
        "finding": { "kind": last.kind.name(), "start": last.start, "end": last.end },
        "before": { "crc32": checksum(log, last.range())? },
    });
    let mut journal = Journal::begin(disk, folder, log, "set_aside_tail", now_ms, &about)?;
    journal.keep(log, last.start, last.end)?;
    journal.sync(disk)?;
    writer.cut(last.start)?;
    journal.say(&serde_json::json!({ "state": "applied" }))?;
    journal.sync(disk)?;
    Ok(Some(SetAside { finding: last.clone(), journal: journal.path().to_owned() }))
}

pub(super) fn header_hex(log: &LogFile) -> String {
    let mut bytes = [0; 16];
    let read = log.read(&mut bytes, 0).unwrap_or_default();
    bytes.get(..read).unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn first_checksum(log: &LogFile) -> Result<Option<u32>, StorageError> {
    let mut buf = Vec::new();
    Ok(log.frame_at(Version::V1.first_frame(), &mut buf)?.map(|frame| frame.checksum()))
}

pub(super) fn checksum(log: &LogFile, range: Range<u64>) -> Result<u32, StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(1 << 20) as usize];
    let (mut at, mut sum) = (range.start, 0);
    while at < range.end {
        let len = (range.end - at).min(buf.len() as u64) as usize;
        let chunk = buf.get_mut(..len).unwrap_or_default();
        let read = log.read(chunk, at)?;
        log.expect_bytes(at + read as u64, at + len as u64)?;
        sum = crc::extend(sum, chunk);
        at += len as u64;
    }
    Ok(sum)
}
