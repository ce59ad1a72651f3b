//! Reads the bytes of a range as they are and as a plan would leave them. Nothing is written.

use std::ops::Range;

use super::source_files::SourceFiles;
use crate::StorageError;
use crate::file::LogFile;
use crate::repair::types::{LogPaths, Plan, RepairStep, StepWrite};

/// Number of unchanged bytes that are read on each side of a change.
const CONTEXT_BYTES: u64 = 16;
/// Largest number of bytes of a change, and at the start of a range that is written as a whole.
const MAX_HEAD_BYTES: u64 = 512;
/// Number of bytes at the end of a range that is too long to be read as a whole.
const TAIL_BYTES: u64 = 64;
/// Largest number of changes that are read.
const MAX_CHANGES: usize = 16;

/// A part of a log before and after a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BytesPreview {
    /// File offset of the first byte.
    pub(crate) offset: u64,
    /// The bytes in the log. They end with the log.
    pub(crate) before: Vec<u8>,
    /// The bytes after the repair. They differ in number from `before` only where the repair moves the end of the log.
    pub(crate) after: Vec<u8>,
}

/// Reads the parts of a step's range that show what the step changes: each changed byte with the bytes around it, or the start
/// and the end of a range that is written as a whole. `number` counts the steps of `plan` from 0.
///
/// Reads at most 10 KiB of the log and of each file that the step copies from.
///
/// # Errors
/// `Io` and `Changed` when the log or a file that the step copies from cannot be read; the errors of opening the journal
/// that an undo restores. A plan without this step has no parts.
pub(crate) fn preview_step(
    paths: &LogPaths,
    log: &LogFile,
    plan: &Plan,
    number: usize,
) -> Result<Vec<BytesPreview>, StorageError> {
    let Some(step) = plan.steps.get(number) else { return Ok(Vec::new()) };
    let sources = SourceFiles::open(paths, log, plan)?;
    let mut output = sources.output_of(step);
    let read_part = |part: Range<u64>| {
        let before = read_present(log, part.clone())?;
        let changes_length = !matches!(step.write, StepWrite::Edits(_));
        let end = if changes_length { part.end.min(step.new_end).max(part.start) } else { part.end };
        let after = output.read_chunk(part.start..end, &before)?;
        Ok(BytesPreview { offset: part.start, before, after })
    };
    step_parts(step).into_iter().map(read_part).collect()
}

/// Reads the start and the end of a range that a plan leaves as it is.
///
/// # Errors
/// `Io` when the log cannot be read.
pub(crate) fn preview_range(log: &LogFile, range: Range<u64>) -> Result<Vec<BytesPreview>, StorageError> {
    let read_part = |part: Range<u64>| {
        let before = read_present(log, part.clone())?;
        Ok(BytesPreview { offset: part.start, after: before.clone(), before })
    };
    head_and_tail(range).into_iter().map(read_part).collect()
}

/// Returns the parts of the log that show a step, by ascending offset. They do not overlap.
fn step_parts(step: &RepairStep) -> Vec<Range<u64>> {
    let StepWrite::Edits(changes) = &step.write else { return head_and_tail(step.start..step.max_end()) };
    let mut parts: Vec<Range<u64>> = Vec::new();
    for change in changes.iter().take(MAX_CHANGES) {
        let changed_bytes = (change.after.len() as u64).min(MAX_HEAD_BYTES);
        let start = change.offset.saturating_sub(CONTEXT_BYTES);
        let end = change.offset.saturating_add(changed_bytes + CONTEXT_BYTES);
        match parts.last_mut().filter(|last| start <= last.end) {
            Some(last) => last.end = last.end.max(end),
            None => parts.push(start..end),
        }
    }
    parts
}

fn head_and_tail(range: Range<u64>) -> Vec<Range<u64>> {
    if range.end.saturating_sub(range.start) <= MAX_HEAD_BYTES {
        return vec![range];
    }
    vec![range.start..range.start + MAX_HEAD_BYTES - TAIL_BYTES, range.end - TAIL_BYTES..range.end]
}

/// Reads the bytes of `range` that the log has.
fn read_present(log: &LogFile, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; range.end.saturating_sub(range.start) as usize];
    let read = log.read_at(&mut bytes, range.start)?;
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_range_is_shown_by_its_start_and_its_end() {
        assert_eq!(head_and_tail(10..522), vec![Range { start: 10, end: 522 }]);
        assert_eq!(head_and_tail(10..523), [10..458, 459..523]);
    }
}
