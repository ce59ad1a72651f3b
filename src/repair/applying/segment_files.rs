//! The steps of a plan that write, remove or cut the files of segments, and their state in the log.

use std::path::PathBuf;

use super::source_files::journaled_output;
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{ExistingFile, LogFile, NewFile, SegmentCondition, SegmentSet, Storage, folder_of};
use crate::format::journal::JournalSection;
use crate::format::{Version, hex};
use crate::repair::journal::JournalReader;
use crate::repair::types::{
    ExcessBytes, GivenUpRange, LogPaths, NextSegment, Plan, RepairStep, StepWrite, WorkMeter, changed_error,
    sha256_of_range,
};

/// How far the step of a plan has changed the file of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileStepState {
    /// The file is as it was before the plan.
    Before,
    /// The file is as it is after the plan.
    After,
    /// A part of the change was made.
    Partial,
    /// The file is neither of these.
    Foreign,
    /// The step changes no file of a segment: it is about the settings.
    NoFile,
}

impl FileStepState {
    /// Returns the state of a step that makes `state` the one before it.
    const fn reversed(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
            other => other,
        }
    }
}

/// Returns the state of a step that writes, removes or cuts the file of a segment; `None` for a step that changes bytes of the log.
///
/// # Errors
/// `Io`, `Changed` when the file cannot be read.
pub(super) fn file_step_state(log: &LogFile, step: &RepairStep) -> Result<Option<FileStepState>, StorageError> {
    Ok(Some(match &step.write {
        StepWrite::Segment(_) => segment_state(log, step.start, step.new_end, &step.after_sha256)?,
        StepWrite::RemoveSegment { .. } => segment_state(log, step.start, step.end, &step.before_sha256)?.reversed(),
        StepWrite::GiveUp(lost) => next_segment_state(log, lost)?,
        StepWrite::TakeBack(lost) => next_segment_state(log, lost)?.reversed(),
        StepWrite::CutExcess(excess) => excess_state(log, step.start, excess)?,
        StepWrite::WriteExcess(excess) => excess_state(log, step.start, excess)?.reversed(),
        StepWrite::Edits(_)
        | StepWrite::Gap { .. }
        | StepWrite::CopyFrom { .. }
        | StepWrite::Parts { .. }
        | StepWrite::Truncate => return Ok(None),
    }))
}

/// Returns the state of the file of the segment `base..end`, which a plan writes.
fn segment_state(log: &LogFile, base: u64, end: u64, sha256: &[u8]) -> Result<FileStepState, StorageError> {
    let Some(segments) = log.storage().segments() else { return Ok(FileStepState::Foreign) };
    if !segments.bases().contains(&base) {
        return Ok(FileStepState::Before);
    }
    let bounds = segments.segment_at(base);
    let len = log.len()?;
    let is_whole = bounds.condition == SegmentCondition::Present
        && bounds.base == base
        && bounds.data_end.min(len) == end
        && segments.excess_bytes(base) == 0
        && sha256_of_range(log, base..end, &WorkMeter::silent())? == sha256;
    Ok(if is_whole { FileStepState::After } else { FileStepState::Foreign })
}

/// Returns the state of the new segment after a range that is given up.
fn next_segment_state(log: &LogFile, lost: &GivenUpRange) -> Result<FileStepState, StorageError> {
    let (Some(next), Some((_, end))) = (&lost.next, lost.log_ends()) else { return Ok(FileStepState::NoFile) };
    let Some(segments) = log.storage().segments() else { return Ok(FileStepState::Foreign) };
    if !segments.bases().contains(&lost.end) {
        return Ok(FileStepState::Before);
    }
    let mut header = vec![0; (end - lost.end) as usize];
    let read = log.read_at(&mut header, lost.end)?;
    let is_whole = log.len()? == end && read == header.len() && hex::encode(&header) == next.header;
    Ok(if is_whole { FileStepState::After } else { FileStepState::Foreign })
}

/// Returns the state of the bytes after the segment that ends at `end`, which a plan cuts off.
fn excess_state(log: &LogFile, end: u64, excess: &ExcessBytes) -> Result<FileStepState, StorageError> {
    let Some(segments) = log.storage().segments() else { return Ok(FileStepState::Foreign) };
    let bounds = segments.segment_at(excess.base);
    if (bounds.base, bounds.end) != (excess.base, end) {
        return Ok(FileStepState::Foreign);
    }
    Ok(match segments.excess_bytes(excess.base) {
        0 => FileStepState::After,
        bytes if bytes == excess.bytes && ExcessBytes::read(log, end)? == *excess => FileStepState::Before,
        bytes if bytes <= excess.bytes => FileStepState::Partial,
        _ => FileStepState::Foreign,
    })
}

/// Applies a step that writes, removes or cuts the file of a segment. Does nothing for other steps.
///
/// # Errors
/// `Io` when a file cannot be changed; `AlreadyExists` when a file has the name of a segment that is to be written.
pub(super) fn write_file_step(
    paths: &LogPaths,
    log: &LogFile,
    step: &RepairStep,
    journal: &JournalReader,
    meter: &WorkMeter,
) -> Result<(), StorageError> {
    match &step.write {
        StepWrite::Segment(_) => write_segment(paths, log, step.start, &mut |file| {
            let mut output = journaled_output(journal, step);
            let to_error = |error| StorageError::io_at(log.path(), "write", step.start, error);
            output.for_each_chunk(log, meter, &mut |_, _, bytes| append_all(file, bytes).map_err(to_error))
        }),
        StepWrite::RemoveSegment { .. } => remove_segment(paths, log, step.start),
        StepWrite::GiveUp(GivenUpRange { end, next: Some(next) }) => write_next_segment(paths, log, *end, next),
        StepWrite::TakeBack(GivenUpRange { end, next: Some(_) }) => remove_segment(paths, log, *end),
        StepWrite::CutExcess(excess) => write_excess(log, step.start, excess, None),
        StepWrite::WriteExcess(excess) => write_excess(log, step.start, excess, Some(journal)),
        _ => Ok(()),
    }
}

/// Reverses the steps that have written, removed or cut files, as far as they did.
///
/// # Errors
/// Those of [`write_file_step`].
pub(super) fn roll_back_files(paths: &LogPaths, log: &LogFile, journal: &JournalReader) -> Result<(), StorageError> {
    // A call that failed may have changed a file.
    relist(log)?;
    for step in journal.record.plan.steps.iter().rev() {
        match (file_step_state(log, step)?, step.excess()) {
            // Segments are written as a whole, so a file with other content is not that of the plan, and stays.
            (None | Some(FileStepState::Before | FileStepState::NoFile), _) | (Some(FileStepState::Foreign), None) => {
                continue;
            }
            (Some(FileStepState::Foreign), Some(excess)) => {
                let expected =
                    format!("at most {} bytes after the end of the segment at {}", excess.bytes, excess.base);
                return Err(changed_error(log.path(), &expected, "a file that another program has changed"));
            }
            (Some(FileStepState::After | FileStepState::Partial), _) => {}
        }
        match &step.write {
            StepWrite::Segment(_) => remove_segment(paths, log, step.start)?,
            StepWrite::RemoveSegment { .. } => write_segment(paths, log, step.start, &mut |file| {
                for saved in journal.read_saved_bytes(JournalSection::BeforeImage) {
                    let (offset, bytes) = saved?;
                    if (step.start..step.end).contains(&offset) {
                        let to_error = |error| StorageError::io_at(log.path(), "write", offset, error);
                        append_all(file, &bytes).map_err(to_error)?;
                    }
                }
                Ok(())
            })?,
            StepWrite::GiveUp(lost) => remove_segment(paths, log, lost.end)?,
            StepWrite::TakeBack(GivenUpRange { end, next: Some(next) }) => write_next_segment(paths, log, *end, next)?,
            StepWrite::CutExcess(excess) => write_excess(log, step.start, excess, Some(journal))?,
            StepWrite::WriteExcess(excess) => write_excess(log, step.start, excess, None)?,
            _ => {}
        }
    }
    Ok(())
}

/// True when the offset is in the file of a segment that the plan removes: a roll-back writes this file as a whole.
pub(super) fn is_in_removed_segment(plan: &Plan, offset: u64) -> bool {
    let is_inside = |step: &RepairStep| {
        matches!(step.write, StepWrite::RemoveSegment { .. }) && (step.start..step.end).contains(&offset)
    };
    plan.steps.iter().any(is_inside)
}

/// Writes the file of the segment at `base` under a temporary name, and gives it its own when it is complete.
fn write_segment(
    paths: &LogPaths,
    log: &LogFile,
    base: u64,
    write: &mut dyn FnMut(&dyn Storage) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let path = segment_path(log, base);
    let disk = paths.disk.as_ref();
    let mut file = NewFile::create_sidecar(disk, &path, ExistingFile::Keep, &paths.permissions_source())?;
    write(file.storage().as_ref())?;
    file.commit()?;
    relist(log)
}

/// Writes the empty segment with which a log goes on after a lost range that ends at `end`.
fn write_next_segment(paths: &LogPaths, log: &LogFile, end: u64, next: &NextSegment) -> Result<(), StorageError> {
    let header = hex::decode(&next.header).unwrap_or_default();
    write_segment(paths, log, end, &mut |file| {
        append_all(file, &header).map_err(|error| StorageError::io_at(log.path(), "write", end, error))
    })
}

/// Removes the file of the segment at `base`, which need not exist.
fn remove_segment(paths: &LogPaths, log: &LogFile, base: u64) -> Result<(), StorageError> {
    let (disk, path) = (paths.disk.as_ref(), segment_path(log, base));
    match disk.remove(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        removed => removed.map_err(|error| StorageError::io(&path, "remove", error))?,
    }
    let folder = folder_of(&path);
    disk.sync_folder(folder).map_err(|error| StorageError::io(folder, "sync", error))?;
    relist(log)
}

/// Cuts the file of the segment that ends at `end` there, and writes the excess bytes of a journal after it; none for `None`.
fn write_excess(
    log: &LogFile,
    end: u64,
    excess: &ExcessBytes,
    journal: Option<&JournalReader>,
) -> Result<(), StorageError> {
    let to_error = |error| StorageError::io_at(log.path(), "cut", end, error);
    let Some(segments) = log.storage().segments() else { return Ok(()) };
    let file = segments.segment_storage(excess.base).map_err(to_error)?;
    file.set_len(end - excess.base).map_err(to_error)?;
    for saved in journal.into_iter().flat_map(|journal| journal.read_excess(end)) {
        let (offset, bytes) = saved?;
        file.write_at(&bytes, offset - excess.base).map_err(to_error)?;
    }
    file.sync().map_err(to_error)?;
    relist(log)
}

fn segment_path(log: &LogFile, base: u64) -> PathBuf {
    log.storage()
        .segments()
        .map_or_else(|| log.path().to_owned(), |segments: &dyn SegmentSet| segments.segment_path(base))
}

pub(super) fn relist(log: &LogFile) -> Result<(), StorageError> {
    let listed = log.storage().segments().map_or(Ok(()), SegmentSet::relist);
    listed.map_err(|error| StorageError::io(log.path(), "list", error))
}

const _: () = assert!(Version::V2.first_frame_offset() == 64, "the new segment after a lost range is one header");
