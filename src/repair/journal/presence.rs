//! Compares the changes of a repair with the log, which another file can have replaced since.

use crate::StorageError;
use crate::file::LogFile;
use crate::format::journal::JournalSection;
use crate::repair::planning::StepOutput;
use crate::repair::types::{ByteChange, CHUNK, RepairStep, StepWrite};

use super::reader::JournalReader;
use super::record::{ChangesInLog, RepairRecord};

/// Largest number of steps of one repair that are compared with the log, because the screen reads the history often.
const MAX_COMPARED_STEPS: usize = 64;

impl JournalReader {
    /// Compares what the repair wrote with the log: single bytes all of them, other steps up to their first chunk.
    ///
    /// Steps that overlap a step of a repair in `later` are not compared, because that repair has changed the bytes since.
    ///
    /// # Errors
    /// `Io` when the log or the journal cannot be read.
    pub(super) fn compare_with_log(
        &self,
        log: &LogFile,
        later: &[&RepairRecord],
    ) -> Result<ChangesInLog, StorageError> {
        let is_replaced =
            |step: &RepairStep| later.iter().any(|record| record.plan.steps.iter().any(|other| other.overlaps(step)));
        let (mut present, mut absent) = (0, 0);
        let steps = self.record.plan.steps.iter().take(MAX_COMPARED_STEPS);
        for step in steps.filter(|step| !is_replaced(step)) {
            *(if self.is_step_in_log(log, step)? { &mut present } else { &mut absent }) += 1;
        }
        Ok(match (present, absent) {
            (_, 0) => ChangesInLog::All,
            (0, _) => ChangesInLog::None,
            _ => ChangesInLog::Some,
        })
    }

    fn is_step_in_log(&self, log: &LogFile, step: &RepairStep) -> Result<bool, StorageError> {
        let read_log = |start: u64, len: u64| {
            let mut bytes = vec![0; len as usize];
            let read = log.read_at(&mut bytes, start)?;
            bytes.truncate(read);
            Ok::<_, StorageError>(bytes)
        };
        if let Some(is_present) = is_file_step_in_log(log, step) {
            return Ok(is_present);
        }
        if let StepWrite::Edits(changes) = &step.write {
            for ByteChange { offset, after, .. } in changes {
                if read_log(*offset, after.len() as u64)? != *after {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let before_range = step.start..step.end.min(step.start + CHUNK);
        let Some(before) = self.read_range(JournalSection::BeforeImage, before_range)? else { return Ok(true) };
        if step.new_end > step.start {
            let after_range = step.start..step.new_end.min(step.start + CHUNK);
            let source = Box::new(self.section_source(JournalSection::AfterImage));
            let written = StepOutput::new(log.format(), step, Some(source)).read_chunk(after_range.clone(), &before)?;
            return Ok(read_log(after_range.start, after_range.end - after_range.start)? == written);
        }
        // The step has cut these bytes off: it is no longer in the log when the log has them again, or ends before them.
        let now = read_log(step.start, before.len() as u64)?;
        Ok(log.len()? >= step.start && (before.is_empty() || now != before))
    }
}

/// True when the log still has the change of a step that wrote, removed or cut a file, or gave a range up; `None` for a step that
/// changed bytes, and for the file of a segment, whose bytes are compared.
fn is_file_step_in_log(log: &LogFile, step: &RepairStep) -> Option<bool> {
    let segments = log.storage().segments()?;
    // Retention has removed the segment. An undo says so.
    if step.start < segments.log_start() {
        return Some(true);
    }
    match &step.write {
        StepWrite::GiveUp(lost) => {
            let range = step.affected_range();
            let given_up = segments.lost_parts(&range);
            Some(lost.next.is_some() || given_up.iter().map(|part| part.end - part.start).sum::<u64>() > 0)
        }
        StepWrite::CutExcess(excess) => Some(segments.excess_bytes(excess.base) == 0),
        StepWrite::WriteExcess(excess) => Some(segments.excess_bytes(excess.base) > 0),
        StepWrite::TakeBack(_) | StepWrite::RemoveSegment { .. } => Some(true),
        _ => None,
    }
}
