//! Checks that the disks have space for what a repair writes, before it writes anything.

use std::io;
use std::path::Path;

use super::change::PlannedChange;
use crate::StorageError;
use crate::file::{FileIdentity, folder_of};
use crate::inspect::LogView;
use crate::repair::types::{CHUNK, LogPaths, Plan, RepairStep, for_each_chunk, is_all_zero, refused_error};

/// Refuses a plan that makes the log larger than the disk of the log allows.
pub(super) fn check_space_for_growth(paths: &LogPaths, plan: &Plan) -> Result<(), StorageError> {
    let growth = growth_of_log(plan);
    match paths.disk.available_space(folder_of(&paths.path)) {
        Some(free) if free < growth => {
            let reason = format!("the log would grow by {growth} bytes; {free} are free on its disk");
            let alternative = match plan.undoes {
                None => "Free some space, or drop the lost end: `chronicle repair LOG --forget`",
                // What an undo restores is not a lost end, so a repair could not drop it.
                Some(_) => "Free some space on the disk of the log",
            };
            Err(refused_error(&paths.path, reason, alternative))
        }
        _ => Ok(()),
    }
}

/// Refuses a repair when the disk has no space for its journal.
pub(super) fn check_free_space(change: PlannedChange, index: Option<&LogView>) -> Result<(), StorageError> {
    let PlannedChange { paths, plan, .. } = change;
    let copied = plan.steps.iter().flat_map(RepairStep::copied_sections);
    let copied = copied.map(|section| section.range.end - section.range.start);
    let folder = paths.journal_folder();
    // The log needs its growth too, where it is on the disk of the journal.
    let growth = if is_on_disk_of_log(change, &folder) { growth_of_log(plan) } else { 0 };
    let index_bytes = index.and_then(|view| view.persisted_index()).map_or(0, |index| index.file_bytes());
    // The index counts twice: its copy in the journal, and the truncated index that replaces it.
    let others = [growth, index_bytes, index_bytes, CHUNK];
    let needed = copied.chain(others).fold(0, u64::saturating_add);
    let parent = folder_of(&folder);
    let Some(free) = paths.disk.available_space(&folder).or_else(|| paths.disk.available_space(parent)) else {
        return Ok(());
    };
    // The bytes are read only when they may not fit: a journal keeps the length of zeros, not the zeros.
    let replaced = match plan.journaled_bytes() {
        dense if free < needed.saturating_add(dense) => count_replaced_bytes(change)?,
        dense => dense,
    };
    match needed.saturating_add(replaced) {
        needed if free < needed => {
            let reason = format!("the journal needs {needed} bytes; {free} are free in {}", parent.display());
            let alternative = match plan.undoes {
                None => "Free some space, or put the journal elsewhere with --journal",
                // An undo reads the journal of the repair in the same folder.
                Some(_) => "Free some space on the disk of the journal",
            };
            Err(refused_error(&paths.path, reason, alternative))
        }
        _ => Ok(()),
    }
}

/// Returns the number of bytes by which a plan makes the log larger.
fn growth_of_log(plan: &Plan) -> u64 {
    plan.steps.iter().map(|step| step.new_end.saturating_sub(step.end)).fold(0, u64::saturating_add)
}

/// True unless the journal folder, or the folder that it will be created in, is known to be on another disk than the log.
fn is_on_disk_of_log(change: PlannedChange, journal_folder: &Path) -> bool {
    let PlannedChange { paths, log, .. } = change;
    let found = paths.disk.identity(journal_folder).or_else(|_| paths.disk.identity(folder_of(journal_folder)));
    let device = |identity: io::Result<FileIdentity>| Some(identity.ok()?.device_inode?.device);
    let devices = device(found).zip(device(log.storage().identity()));
    devices.is_none_or(|(journal, log)| journal == log)
}

/// Counts the bytes of the log that the journal saves, without those in runs of zeros.
fn count_replaced_bytes(change: PlannedChange) -> Result<u64, StorageError> {
    let PlannedChange { log, plan, meter, .. } = change;
    let mut count = 0;
    for step in &plan.steps {
        for_each_chunk(log, step.range(), meter, &mut |_, bytes| {
            count += if is_all_zero(bytes) { 0 } else { bytes.len() as u64 };
            Ok(())
        })?;
    }
    Ok(count)
}
