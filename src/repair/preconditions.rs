//! Before anything is changed: the writer's lock, and another look at everything that a plan rests on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::identity::{read_identity, read_neighbour, sha256_of_range};
use super::{ByteChange, LogPaths, Plan, StepWrite};
use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode};
use crate::format::Version;

/// How long one look for a free lock waits for the next.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Opens the log for repair and takes the writer's lock.
pub(super) fn open_and_lock(paths: &LogPaths, wait: Duration) -> Result<Arc<LogFile>, StorageError> {
    let path = &paths.path;
    let storage =
        paths.disk.open(path, OpenMode::Repair).map_err(|error| StorageError::io(path, "open for repair", error))?;
    if let crate::file::WriterPresence::HasFileOpen(pid) = storage.detect_writer() {
        let why = format!("process {pid} has the log open for writing, without the writer's lock");
        return Err(refused_error(path, why, "Make that process stop first"));
    }
    let mut waited = Duration::ZERO;
    while !storage.try_lock().map_err(|error| StorageError::io(path, "lock", error))? {
        if waited >= wait {
            return Err(StorageError::Locked { path: path.clone(), pid: storage.detect_writer().pid() });
        }
        storage.wait(LOCK_RETRY_INTERVAL);
        waited += LOCK_RETRY_INTERVAL;
    }
    let (locked, named) = (storage.identity(), paths.disk.identity(path));
    let locked = locked.map_err(|error| StorageError::io(path, "find", error))?;
    let named = named.map_err(|error| StorageError::io(path, "find", error))?;
    if !locked.is_same_file(named) {
        return Err(changed_error(path, "the file that was opened", "another file under its name"));
    }
    Ok(Arc::new(LogFile::with_header(storage, path, Version::V1, HeaderState::Absent)))
}

/// Looks again at everything a plan rests on. Writes nothing.
///
/// # Errors
/// `Changed` when any of it has moved on; `Refused` for a plan that cannot be applied to this log; `Io`.
pub fn check_plan(log: &LogFile, plan: &Plan) -> Result<(), StorageError> {
    let path = log.path();
    if plan.layout_version != super::PLAN_VERSION {
        let why =
            format!("the plan has layout {}, and this program knows {}", plan.layout_version, super::PLAN_VERSION);
        return Err(refused_error(path, why, "Make the plan again"));
    }
    refuse_hard_links(log)?;
    let (now, then) = (read_identity(log)?, &plan.log);
    if now.header != then.header {
        return Err(changed_error(path, "the log that the plan was made from", "another header"));
    }
    if now.first_checksum != then.first_checksum {
        return Err(changed_error(
            path,
            "the log that the plan was made from",
            "another first frame, or none that is valid",
        ));
    }
    if then.file.is_some() && now.file != then.file {
        return Err(changed_error(path, "the file that the plan was made from", "another file, which has replaced it"));
    }
    let long_enough = if plan.touches_tail() { now.bytes == then.bytes } else { now.bytes >= then.bytes };
    if !long_enough {
        return Err(changed_error(path, &format!("a size of {} bytes", then.bytes), &format!("{} bytes", now.bytes)));
    }
    let mut from = 0;
    for step in &plan.steps {
        let is_last = std::ptr::eq(step, plan.steps.last().unwrap_or(step));
        let sound = from <= step.start && step.start <= step.end && (step.new_end == step.end || is_last);
        if !sound || step.new_end < step.start || step.end > now.bytes || (step.touches_tail() && step.end != now.bytes)
        {
            let why = format!("the plan does not add up at {}..{}", step.start, step.end);
            return Err(refused_error(path, why, "Make the plan again"));
        }
        from = step.end;
        if let StepWrite::Edits(changes) = &step.write {
            let inside = |change: &ByteChange| {
                let end = change.offset.checked_add(change.after.len() as u64);
                change.offset >= step.start
                    && change.before.len() == change.after.len()
                    && end.is_some_and(|end| end <= step.end)
            };
            if !changes.iter().all(inside) {
                let why = format!("the plan changes bytes outside of {}..{}", step.start, step.end);
                return Err(refused_error(path, why, "Make the plan again"));
            }
        }
        if sha256_of_range(log, step.range())? != step.before_sha256 {
            return Err(changed_error(path, &format!("{}..{} as planned for", step.start, step.end), "other bytes"));
        }
        for expected in &step.neighbours {
            if read_neighbour(log, expected.offset)? != Some(*expected) {
                let frame = format!("the frame at {} that the plan rests on", expected.offset);
                return Err(changed_error(path, &frame, "other bytes"));
            }
        }
    }
    Ok(())
}

/// Refuses a file that has other names: a repair in place would change it under all of them.
pub(super) fn refuse_hard_links(log: &LogFile) -> Result<(), StorageError> {
    let path = log.path();
    let links = log.storage().identity().map_err(|error| StorageError::io(path, "find", error))?.links;
    if links <= 1 {
        return Ok(());
    }
    let why = format!("the file has {links} names, and a repair in place would change it under all of them");
    Err(refused_error(path, why, "Write a new log with `chronicle salvage`"))
}

pub(super) fn refused_error(path: &Path, why: String, instead: &'static str) -> StorageError {
    StorageError::Refused { path: path.to_owned(), reason: why, alternative: instead }
}

pub(super) fn changed_error(path: &Path, expected: &str, found: &str) -> StorageError {
    StorageError::Changed { path: path.to_owned(), expected: expected.into(), found: found.into() }
}
