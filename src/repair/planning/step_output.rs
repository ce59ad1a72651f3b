//! The bytes that a step writes, computed chunk by chunk.
//!
//! Planning hashes these bytes, applying writes them, and recovery compares them with the log to find which changes a
//! killed repair had written.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::{LENGTH_LEN, MAX_FRAME};
use crate::format::header::MAX_HEADER_LEN;
use crate::format::{FrameFormat, frame, gap, hex};
use crate::repair::types::{CHUNK, NewSegment, RepairStep, StepWrite, WorkMeter, changed_error};

/// Length of the smallest gap frame, in bytes.
pub(crate) const MIN_GAP: u64 = 10;

/// The file or files from which a step copies bytes.
pub(crate) trait ByteSource {
    /// Reads all bytes of `range`.
    ///
    /// # Errors
    /// `Changed` when the file does not have all of them; `Io`.
    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StorageError>;
}

/// The files from which the sections of a step are copied.
pub(crate) struct DonorSections<'a> {
    pub(crate) step: &'a RepairStep,
    /// The open files, which the step names by their paths.
    pub(crate) files: &'a [Arc<LogFile>],
}

impl ByteSource for DonorSections<'_> {
    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let section = self.step.copied_sections().find(|section| section.range.contains(&range.start));
        let path = section.and_then(|section| section.from).unwrap_or(Path::new(""));
        match self.files.iter().find(|file| file.path() == path) {
            Some(file) => (&**file).read_range(range),
            None => Err(changed_error(path, &format!("the bytes of {}..{}", range.start, range.end), "no file")),
        }
    }
}

impl ByteSource for &LogFile {
    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let read = self.read_at(&mut bytes, range.start)?;
        self.ensure_bytes_available(range.start + read as u64, range.end)?;
        Ok(bytes)
    }
}

/// A callback that receives a file offset, and the bytes that start there before and after the step.
pub(crate) type StepChunkVisitor<'a> = dyn FnMut(u64, &[u8], &[u8]) -> Result<(), StorageError> + 'a;

/// Computes the bytes of a step's range after the step.
pub(crate) struct StepOutput<'a> {
    /// The format of the log, in which gaps are encoded.
    format: FrameFormat,
    step: &'a RepairStep,
    source: Option<Box<dyn ByteSource + 'a>>,
    /// The last encoded gap frame, with its offset. A frame can span several chunks, and is encoded only once.
    last_gap_frame: Option<(u64, Vec<u8>)>,
}

impl<'a> StepOutput<'a> {
    /// Creates the output of `step` in a log of this format. `source` is required only for a step that copies bytes.
    pub(crate) fn new(format: FrameFormat, step: &'a RepairStep, source: Option<Box<dyn ByteSource + 'a>>) -> Self {
        Self { format, step, source, last_gap_frame: None }
    }

    /// Returns the bytes after the repair of `range`, a part of the step's range. `before` contains the present bytes of
    /// `range`, up to the end of the log.
    pub(crate) fn read_chunk(&mut self, range: Range<u64>, before: &[u8]) -> Result<Vec<u8>, StorageError> {
        let step = self.step;
        match &step.write {
            StepWrite::Edits(changes) => {
                let mut bytes = before.to_vec();
                for change in changes {
                    for (at, byte) in (change.offset..).zip(&change.after) {
                        if let Some(slot) = at.checked_sub(range.start).and_then(|at| bytes.get_mut(at as usize)) {
                            *slot = *byte;
                        }
                    }
                }
                Ok(bytes)
            }
            StepWrite::Gap { description, .. }
            | StepWrite::Parts { description, .. }
            | StepWrite::Segment(NewSegment { description, .. }) => {
                let header = step.written_header().and_then(hex::decode).unwrap_or_default();
                let from = (range.start - step.start).min(header.len() as u64) as usize;
                let to = (range.end - step.start).min(header.len() as u64) as usize;
                let mut bytes = header.get(from..to).unwrap_or_default().to_vec();
                bytes.extend(self.read_sections(range, description)?);
                Ok(bytes)
            }
            StepWrite::CopyFrom { .. } => self.read_sections(range, ""),
            StepWrite::Truncate
            | StepWrite::RemoveSegment { .. }
            | StepWrite::GiveUp(_)
            | StepWrite::TakeBack(_)
            | StepWrite::CutExcess(_)
            | StepWrite::WriteExcess(_) => Ok(Vec::new()),
        }
    }

    /// Returns the bytes of the sections in `range`. `description` is that of the gaps.
    fn read_sections(&mut self, range: Range<u64>, description: &str) -> Result<Vec<u8>, StorageError> {
        let step = self.step;
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        for section in step.sections() {
            let part = range.start.max(section.range.start)..range.end.min(section.range.end);
            if part.start >= part.end {
                continue;
            }
            match (section.from, &self.source) {
                (None, _) => bytes.extend(self.gap_bytes(&part, &section.range, description)),
                (Some(_), Some(source)) => bytes.extend(source.read_range(part)?),
                (Some(from), None) => {
                    let expected = format!("the bytes of {}..{}", part.start, part.end);
                    return Err(changed_error(from, &expected, "no file"));
                }
            }
        }
        Ok(bytes)
    }

    /// Returns the bytes in `range` of the gap frames that fill `gap`.
    fn gap_bytes(&mut self, range: &Range<u64>, gap: &Range<u64>, description: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        let mut at = range.start;
        while at < range.end {
            let frame_range = gap_frame_range(gap.clone(), at);
            if self.last_gap_frame.as_ref().is_none_or(|(start, _)| *start != frame_range.start) {
                let len = (frame_range.end - frame_range.start) as usize;
                self.last_gap_frame =
                    Some((frame_range.start, self.encode_gap_frame(frame_range.start, len, description)));
            }
            let frame = self.last_gap_frame.as_ref().map(|(_, frame)| frame.as_slice()).unwrap_or_default();
            let to = range.end.min(frame_range.end);
            let part = (at - frame_range.start) as usize..(to - frame_range.start) as usize;
            bytes.extend_from_slice(frame.get(part).unwrap_or_default());
            at = to;
        }
        bytes
    }

    /// Encodes a gap frame of exactly `len` bytes at `offset`. The description is omitted when it does not fit.
    fn encode_gap_frame(&self, offset: u64, len: usize, description: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len);
        let payload_len = len.saturating_sub(LENGTH_LEN + frame::CHECKSUM_LEN);
        frame::encode_at(self.format, offset, &gap::build_gap_payload(payload_len, description), &mut bytes);
        bytes
    }

    /// Calls `visit` with all bytes of the range after the step, in chunks of at most [`CHUNK`] bytes.
    ///
    /// `meter` is called after each chunk.
    pub(crate) fn for_each_chunk(
        &mut self,
        log: &LogFile,
        meter: &WorkMeter,
        visit: &mut StepChunkVisitor,
    ) -> Result<(), StorageError> {
        let step = self.step;
        let mut at = step.start;
        let mut buf = vec![0; CHUNK as usize];
        while at < step.new_end {
            let end = step.new_end.min(at + CHUNK);
            let len_before = (step.end.min(end).max(at) - at) as usize;
            let before = buf.get_mut(..len_before).unwrap_or_default();
            let read = log.read_at(before, at)?;
            log.ensure_bytes_available(at + read as u64, at + len_before as u64)?;
            let before = buf.get(..len_before).unwrap_or_default();
            let after = self.read_chunk(at..end, before)?;
            visit(at, before, &after)?;
            meter.advance(end - at)?;
            at = end;
        }
        Ok(())
    }

    /// Computes the SHA-256 of the step's range after the repair.
    pub(crate) fn sha256(&mut self, log: &LogFile, meter: &WorkMeter) -> Result<Vec<u8>, StorageError> {
        let mut hash = Sha256::new();
        self.for_each_chunk(log, meter, &mut |_, _, after| {
            hash.update(after);
            Ok(())
        })?;
        Ok(hash.finalize().to_vec())
    }
}

/// Returns the gap frame that contains `at` in the chain of gap frames over `range`.
///
/// Every frame has the maximum length of a frame, except the last one. When the last one would be shorter than
/// [`MIN_GAP`], the one before it is shorter too.
fn gap_frame_range(range: Range<u64>, at: u64) -> Range<u64> {
    let max_len = MAX_FRAME as u64;
    let last_len = (range.end - range.start) % max_len;
    let mut last_start = range.end - last_len;
    if last_len > 0 && last_len < MIN_GAP && last_start > range.start {
        last_start -= MIN_GAP;
    }
    if at >= last_start {
        return last_start..range.end;
    }
    let start = range.start + (at - range.start) / max_len * max_len;
    start..(start + max_len).min(last_start)
}

const _: () = assert!((MAX_HEADER_LEN as u64) < CHUNK, "a header fits in one chunk");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_gap_frames_tiles_its_range_and_no_frame_is_too_short() {
        let max_len = MAX_FRAME as u64;
        for len in
            [10, 11, 400, max_len - 1, max_len, max_len + 1, max_len + 9, max_len + 10, 2 * max_len + 3, 3 * max_len]
        {
            let range = 77..77 + len;
            let (mut at, mut frames) = (range.start, 0);
            while at < range.end {
                let frame = gap_frame_range(range.clone(), at);
                assert_eq!(frame.start, at, "{len}");
                assert!((MIN_GAP..=max_len).contains(&(frame.end - frame.start)), "{len}: {frame:?}");
                assert_eq!(gap_frame_range(range.clone(), frame.end - 1), frame, "{len}");
                (at, frames) = (frame.end, frames + 1);
            }
            assert_eq!(at, range.end);
            assert_eq!(frames, len.div_ceil(max_len), "{len}");
        }
    }
}
