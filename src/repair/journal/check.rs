//! Checks the saved bytes of a journal against its own plan, before any of them is written to a log.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::reader::{JournalReader, SavedBytes};
use crate::StorageError;
use crate::format::journal::JournalSection;
use crate::repair::planning::StepOutput;
use crate::repair::types::{CHUNK, RepairStep, changed_error};

impl JournalReader {
    /// Checks that the journal has saved exactly the ranges of its plan, with the bytes that the plan describes.
    ///
    /// A recovery and an undo write the saved bytes to the log. After this check they can change no byte outside the
    /// ranges of the plan, whichever program wrote the journal. `log_len` is the size of the log: bytes that a repair would append
    /// after it are not computed, because only a log that has them can be complete.
    ///
    /// # Errors
    /// `Changed` when the journal contradicts its plan; `Io` when it cannot be read.
    pub(crate) fn check_saved_bytes(&self, log_len: u64) -> Result<(), StorageError> {
        let steps = &self.record.plan.steps;
        let copies = steps.iter().flat_map(RepairStep::copied_sections);
        let is_complete = is_tiling(self.saved(JournalSection::BeforeImage), steps.iter().map(RepairStep::range))
            && is_tiling(self.saved(JournalSection::AfterImage), copies.map(|section| section.range))
            && is_tiling(self.saved(JournalSection::Excess), steps.iter().filter_map(excess_range))
            && is_from_zero(self.saved(JournalSection::IndexBeforeImage));
        if !is_complete {
            return Err(self.contradiction("the bytes of the ranges of its plan, and no others"));
        }
        // The checksums of the index bytes are compared too, so that nothing is written before all bytes are known.
        for saved in self.read_saved_bytes(JournalSection::IndexBeforeImage) {
            saved?;
        }
        steps.iter().try_for_each(|step| self.check_step(step, log_len))
    }

    /// Iterates over the bytes that the journal has saved from after the end of the segment that ends at `end`.
    pub(crate) fn read_excess(&self, end: u64) -> impl Iterator<Item = Result<(u64, Vec<u8>), StorageError>> + '_ {
        // The bytes of one step follow those of the step before it. Their offsets can overlap.
        let bytes_of = |step: &RepairStep| step.excess().map_or(0, |excess| excess.bytes);
        let steps = &self.record.plan.steps;
        let skipped = steps.iter().take_while(|step| step.start < end).map(bytes_of).fold(0, u64::saturating_add);
        let wanted = steps.iter().filter(|step| step.start == end).map(bytes_of).fold(0, u64::saturating_add);
        let mut position = 0;
        self.read_saved_bytes(JournalSection::Excess).filter(move |saved| {
            let at = position;
            position += saved.as_ref().map_or(0, |(_, bytes)| bytes.len() as u64);
            saved.is_err() || (skipped..skipped.saturating_add(wanted)).contains(&at)
        })
    }

    /// Compares the hashes of a step with the saved bytes before the step, and with what the step makes of them.
    fn check_step(&self, step: &RepairStep, log_len: u64) -> Result<(), StorageError> {
        if let Some(excess) = step.excess() {
            let mut hash = Sha256::new();
            for saved in self.read_excess(step.start) {
                hash.update(&saved?.1);
            }
            if hash.finalize().as_slice() != excess.sha256 {
                return Err(self.contradiction("the bytes after the end of a segment"));
            }
        }
        let (mut before_hash, mut after_hash) = (Sha256::new(), Sha256::new());
        let after = self.section_source(JournalSection::AfterImage);
        let mut output = StepOutput::new(self.record.plan.log.format, step, Some(Box::new(after)));
        let is_unbounded = step.gaps().next().is_some() && step.new_end > log_len.max(step.end);
        let end = if is_unbounded { step.end } else { step.max_end() };
        let mut at = step.start;
        while at < end {
            let chunk_end = at + CHUNK.min(end - at);
            let range = at..chunk_end.min(step.end).max(at);
            let before = self.read_range(JournalSection::BeforeImage, range)?;
            let before = before.ok_or_else(|| self.contradiction("the bytes before the repair"))?;
            before_hash.update(&before);
            if !is_unbounded {
                after_hash.update(output.read_chunk(at..chunk_end.min(step.new_end).max(at), &before)?);
            }
            at = chunk_end;
        }
        if before_hash.finalize().as_slice() != step.before_sha256 {
            return Err(self.contradiction(&format!("the bytes of {}..{} before the repair", step.start, step.end)));
        }
        if !is_unbounded && after_hash.finalize().as_slice() != step.after_sha256 {
            return Err(self.contradiction(&format!("the bytes of {}..{} after it", step.start, step.new_end)));
        }
        Ok(())
    }

    fn contradiction(&self, expected: &str) -> StorageError {
        changed_error(&self.record.journal, expected, "other bytes")
    }
}

/// Returns the range of the bytes after the end of a segment that a step cuts off or writes, as if the segment went on.
fn excess_range(step: &RepairStep) -> Option<Range<u64>> {
    step.excess().map(|excess| step.start..step.start.saturating_add(excess.bytes))
}

/// True when the saved bytes are exactly those of `ranges`, one after the other.
fn is_tiling(saved: &[SavedBytes], ranges: impl Iterator<Item = Range<u64>>) -> bool {
    let mut saved = saved.iter();
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            match saved.next() {
                Some(next) if next.offset == at && next.len > 0 && next.len <= range.end - at => at += next.len,
                _ => return false,
            }
        }
    }
    saved.next().is_none()
}

/// True when the saved bytes start at offset 0 and have no gap between them.
fn is_from_zero(saved: &[SavedBytes]) -> bool {
    let mut at = Some(0u64);
    saved.iter().all(|next| {
        let is_next = at == Some(next.offset);
        at = next.offset.checked_add(next.len);
        is_next
    })
}
