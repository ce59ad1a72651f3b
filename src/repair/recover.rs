//! A repair that was killed: completed where all of it stands in the log, else taken back, byte by byte, from its journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::after::{After, Source};
use super::apply::{Taken, finish, sync};
use super::guard::lock;
use super::identity::{CHUNK, first_checksum, header_bytes};
use super::journal::Said;
use super::record::{JournalFile, RecordState, list};
use super::witness::restore_index;
use super::{Plan, Site, Step};
use crate::StorageError;
use crate::file::{Disk, HeaderState, LogFile, Open};
use crate::format::journal::Part;
use crate::format::{HEADER_LEN, Version};

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

/// What became of a repair that was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its number.
    pub number: u32,
    /// Its journal.
    pub journal: PathBuf,
    /// True when all of it stood in the log and it was completed; false when it was taken back.
    pub completed: bool,
}

/// How far a killed repair came, by the log's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// All of it.
    Everything,
    /// Some of it, or nothing: every byte is as before or as planned.
    Something,
    /// There are other bytes than those of before and those planned: the journal does not speak of this file.
    Elsewhere,
}

/// The repair of `log` that is pending by the journals in `folder`. Writes nothing.
///
/// A journal of another log, one that is torn before it holds what it keeps, and one whose bytes are not those of the
/// log any more speak of nothing that is pending.
///
/// # Errors
/// `Io` when the folder or the log cannot be read.
pub fn pending_repair(disk: &dyn Disk, log: &LogFile, folder: &Path) -> Result<Option<PendingRepair>, StorageError> {
    let Some(file) = pending(disk, folder)? else { return Ok(None) };
    if reached(log, &file)? == Reached::Elsewhere {
        return Ok(None);
    }
    let plan = &file.record.plan;
    let start = plan.steps.first().map_or(plan.log.bytes, |step| step.start);
    let end = plan.steps.last().map_or(plan.log.bytes, |step| step.end);
    Ok(Some(PendingRepair { action: plan.name().into(), start, end, journal: file.record.journal.clone() }))
}

/// Completes or takes back a repair that was killed. Where there is none, nothing is opened for writing.
///
/// # Errors
/// `Locked` when another process holds the writer's lock; `Io`; `Poisoned` when a sync failed.
pub fn recover(site: &Site) -> Result<Option<Recovered>, StorageError> {
    if pending(site.disk.as_ref(), &site.journal_folder())?.is_none() {
        return Ok(None);
    }
    let path = &site.path;
    let storage = site.disk.open(path, Open::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let look = LogFile::with_header(storage, path, Version::V1, HeaderState::None);
    if pending_repair(site.disk.as_ref(), &look, &site.journal_folder())?.is_none() {
        return Ok(None);
    }
    let log = lock(site, Duration::ZERO)?;
    recover_locked(site, &log)
}

/// The same under the lock that `log` holds.
pub(super) fn recover_locked(site: &Site, log: &Arc<LogFile>) -> Result<Option<Recovered>, StorageError> {
    let Some(file) = pending(site.disk.as_ref(), &site.journal_folder())? else { return Ok(None) };
    let completed = match reached(log, &file)? {
        Reached::Elsewhere => return Ok(None),
        Reached::Everything => {
            // It may have stood in memory only when the repair was killed.
            sync(log)?;
            finish(site, &Taken::undone_of(site, &file.record.plan)?)?;
            true
        }
        Reached::Something => {
            take_back(site, log, &file)?;
            false
        }
    };
    let said = if completed { Said::Applied } else { Said::RolledBack };
    file.say(site.disk.as_ref(), said)?;
    Ok(Some(Recovered { number: file.record.number, journal: file.record.journal.clone(), completed }))
}

/// The newest journal that is whole, when nothing says that its repair was done. Older ones are not looked at: no repair
/// begins while one is pending, unless it speaks of another file.
fn pending(disk: &dyn Disk, folder: &Path) -> Result<Option<JournalFile>, StorageError> {
    for path in list(disk, folder)?.into_iter().rev() {
        let Ok(file) = JournalFile::open(disk, &path) else { continue };
        match file.record.state {
            RecordState::Unfinished => {}
            RecordState::Pending => return Ok(Some(file)),
            RecordState::Applied | RecordState::RolledBack => break,
        }
    }
    Ok(None)
}

fn reached(log: &LogFile, file: &JournalFile) -> Result<Reached, StorageError> {
    let (plan, len) = (&file.record.plan, log.len()?);
    let new_len = plan.steps.last().filter(|step| step.touches_tail()).map(|step| step.new_end);
    let fits = match new_len {
        Some(new) => (new.min(plan.log.bytes)..=new.max(plan.log.bytes)).contains(&len),
        None => len >= plan.log.bytes,
    };
    if !fits || !same_log(log, plan)? {
        return Ok(Reached::Elsewhere);
    }
    // A plan without steps changes the index alone, and that is taken back.
    let mut everything = !plan.steps.is_empty() && new_len.is_none_or(|new| new == len);
    for step in &plan.steps {
        let mut after = After::of(step, Source::Journal(file, Part::After));
        let mut at = step.start;
        while at < step.end.max(step.new_end) {
            let to = step.end.max(step.new_end).min(at + CHUNK);
            match chunk_reached(log, file, step, &mut after, at, to)? {
                Reached::Elsewhere => return Ok(Reached::Elsewhere),
                Reached::Something => everything = false,
                Reached::Everything => {}
            }
            at = to;
        }
    }
    Ok(if everything { Reached::Everything } else { Reached::Something })
}

fn chunk_reached(
    log: &LogFile,
    file: &JournalFile,
    step: &Step,
    after: &mut After,
    at: u64,
    to: u64,
) -> Result<Reached, StorageError> {
    let mut now = vec![0; (to - at) as usize];
    let read = log.read(&mut now, at)?;
    now.truncate(read);
    let Some(before) = file.range(Part::Before, at..to.min(step.end).max(at))? else {
        return Ok(Reached::Elsewhere);
    };
    let planned = after.chunk(at..to.min(step.new_end).max(at), &before)?;
    let mut reached = Reached::Everything;
    for (i, byte) in now.iter().enumerate() {
        let (before, planned) = (before.get(i), planned.get(i));
        if planned == Some(byte) {
            continue;
        }
        // Behind the old end a file that was made longer shows zeros until its bytes have come.
        if before != Some(byte) && (before.is_some() || *byte != 0) {
            return Ok(Reached::Elsewhere);
        }
        reached = Reached::Something;
    }
    Ok(reached)
}

/// True when what the plan does not touch of the log's start is as the plan knows it.
fn same_log(log: &LogFile, plan: &Plan) -> Result<bool, StorageError> {
    let first = plan.steps.first().map_or(u64::MAX, |step| step.start);
    let same_header = first < HEADER_LEN || header_bytes(log)? == plan.log.header;
    let same_frame = first_checksum(log)? == plan.log.first_checksum;
    // Where the first frame itself changes, its bytes are compared one by one.
    Ok(same_header
        && (same_frame
            || plan.steps.iter().any(|step| step.start <= HEADER_LEN && step.new_end > HEADER_LEN)
            || first == HEADER_LEN
            || plan.log.first_checksum.is_none()))
}

/// Puts back every byte that a journal keeps, the log's length, and the index.
pub(super) fn take_back(site: &Site, log: &LogFile, file: &JournalFile) -> Result<(), StorageError> {
    let plan = &file.record.plan;
    // All of it is read before any of it is written: a journal that is damaged itself changes nothing.
    for part in [Part::Before, Part::Index] {
        for kept in file.kept(part) {
            kept?;
        }
    }
    for kept in file.kept(Part::Before) {
        let (offset, bytes) = kept?;
        let io = |error| StorageError::io_at(log.path(), "write", offset, error);
        log.storage().write_at(&bytes, offset).map_err(io)?;
    }
    if plan.steps.last().is_some_and(|step| step.new_end > step.end) {
        let cut = |error| StorageError::io_at(log.path(), "cut", plan.log.bytes, error);
        log.storage().set_len(plan.log.bytes).map_err(cut)?;
    }
    sync(log)?;
    restore_index(site, file)
}
