//! Writes the steps of a plan to the log, and rolls them back from the journal.

use super::change::PlannedChange;
use super::index_maintenance::{remove_sealed_indexes, restore_index, truncate_index};
use super::segment_files::{is_in_removed_segment, roll_back_files, write_file_step};
use super::settings::{roll_back_settings, write_settings};
use super::source_files::journaled_output;
use crate::StorageError;
use crate::file::LogFile;
use crate::format::journal::JournalSection;
use crate::inspect::LogView;
use crate::repair::journal::JournalReader;
use crate::repair::types::{LogPaths, RepairAction, RepairStep, ShortSegment, StepWrite, WorkMeter, is_all_zero};

/// Truncates the index, writes all steps by ascending offset, and syncs the log.
///
/// `index` is a view of an index that the plan affects; `None` when there is none.
pub(super) fn write_steps(
    change: PlannedChange,
    journal: &JournalReader,
    index: Option<&LogView>,
) -> Result<(), StorageError> {
    let PlannedChange { paths, log, plan, meter } = change;
    if let Some(view) = index {
        truncate_index(paths, view, plan)?;
    }
    remove_sealed_indexes(paths, log, plan)?;
    for step in &plan.steps {
        if step.changes_file() {
            write_file_step(paths, log, step, journal, meter)?;
        } else {
            write_step(log, step, journal, meter)?;
        }
    }
    cut_segments(log, &plan.cut_segments)?;
    sync_log(log)?;
    write_settings(paths, log, (plan, journal.record.begun_ms))
}

fn write_step(
    log: &LogFile,
    step: &RepairStep,
    journal: &JournalReader,
    meter: &WorkMeter,
) -> Result<(), StorageError> {
    let storage = log.storage();
    let io = |at| move |error| StorageError::io_at(log.path(), "write", at, error);
    // A header is written at once: a part of it can be that of another version, which is no segment of the log.
    if let StepWrite::Edits(changes) = &step.write
        && step.action != RepairAction::RebuildHeader
    {
        for change in changes {
            storage.write_at(&change.after, change.offset).map_err(io(change.offset))?;
        }
    } else {
        let mut output = journaled_output(journal, step);
        output.for_each_chunk(log, meter, &mut |at, _, bytes| write_or_extend(log, at, bytes).map_err(io(at)))?;
    }
    if step.new_end < step.end {
        let cut = |error| StorageError::io_at(log.path(), "cut", step.new_end, error);
        storage.set_len(step.new_end).map_err(cut)?;
    }
    Ok(())
}

/// Writes bytes to the log. Zeros at its end only set its size, so that a sparse file stays sparse.
fn write_or_extend(log: &LogFile, at: u64, bytes: &[u8]) -> std::io::Result<()> {
    let storage = log.storage();
    if is_all_zero(bytes) && storage.len()? == at {
        return storage.set_len(at + bytes.len() as u64);
    }
    storage.write_at(bytes, at)
}

/// Writes back every byte of the log that a journal has saved, and restores the log's length and the index.
pub(super) fn roll_back(paths: &LogPaths, log: &LogFile, journal: &JournalReader) -> Result<(), StorageError> {
    let plan = &journal.record.plan;
    remove_sealed_indexes(paths, log, plan)?;
    // All saved bytes are read before the first one is written, so that a damaged journal changes nothing.
    journal.check_saved_bytes(log.len()?)?;
    for saved in journal.read_saved_bytes(JournalSection::BeforeImage) {
        let (offset, bytes) = saved?;
        if is_in_removed_segment(plan, offset) {
            continue;
        }
        let io = |error| StorageError::io_at(log.path(), "write", offset, error);
        write_or_extend(log, offset, &bytes).map_err(io)?;
    }
    if plan.steps.last().is_some_and(|step| step.new_end > step.end && !step.changes_file()) {
        let cut = |error| StorageError::io_at(log.path(), "cut", plan.log.bytes, error);
        log.storage().set_len(plan.log.bytes).map_err(cut)?;
    }
    cut_segments(log, &plan.log.short_segments)?;
    roll_back_files(paths, log, journal)?;
    sync_log(log)?;
    roll_back_settings(paths, log, journal)?;
    restore_index(paths, journal)
}

/// Cuts the files of segments where they ended before a repair. Only zeros are cut, which is what an undo writes where a file had
/// no bytes.
fn cut_segments(log: &LogFile, cuts: &[ShortSegment]) -> Result<(), StorageError> {
    let Some(segments) = log.storage().segments() else { return Ok(()) };
    for ShortSegment { base, end } in cuts {
        let cut = |error| StorageError::io_at(log.path(), "cut", *end, error);
        segments.cut_zeros(*base, *end).map_err(cut)?;
    }
    Ok(())
}

/// Syncs the log. A failure is final: the bytes on the disk are then unknown, and a later success would prove nothing.
pub(super) fn sync_log(log: &LogFile) -> Result<(), StorageError> {
    log.storage().sync().map_err(|error| {
        log.storage().drop_cache();
        let reason = format!("a sync failed ({error}) in a repair");
        StorageError::Poisoned { path: log.path().to_owned(), offset: 0, reason }
    })
}
