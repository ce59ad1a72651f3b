//! The bytes that a step leaves behind: the same for the plan's fingerprint, for writing them, and for telling, after a
//! repair was killed, how far it came.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::identity::CHUNK;
use super::journal_reader::JournalReader;
use super::{RepairStep, StepWrite};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::{LENGTH_LEN, MAX_FRAME};
use crate::format::journal::JournalSection;
use crate::format::{HEADER_LEN, frame, gap, hex};

/// The smallest gap frame, in bytes.
pub(super) const MIN_GAP: u64 = 10;

/// Where the bytes of a [`StepWrite::Taken`] come from.
#[derive(Debug)]
pub(super) enum ByteSource<'a> {
    /// Nothing is taken.
    Unavailable,
    /// Another copy of the log.
    Donor(&'a LogFile),
    /// What a journal keeps.
    Journal(&'a JournalReader, JournalSection),
}

/// Is told an offset, the bytes that stand there now, and those that will.
pub(super) type StepChunkVisitor<'a> = dyn FnMut(u64, &[u8], &[u8]) -> Result<(), StorageError> + 'a;

/// What a step leaves, read piece by piece.
#[derive(Debug)]
pub(super) struct StepOutput<'a> {
    step: &'a RepairStep,
    source: ByteSource<'a>,
    /// The gap frame that was made last, and where it stands.
    last_gap_frame: Option<(u64, Vec<u8>)>,
}

impl<'a> StepOutput<'a> {
    pub(super) const fn new(step: &'a RepairStep, source: ByteSource<'a>) -> Self {
        Self { step, source, last_gap_frame: None }
    }

    /// The bytes of `range`, which lies in what the step leaves; `before` are those that stand there now, as far as
    /// there are any.
    pub(super) fn read_chunk(&mut self, range: Range<u64>, before: &[u8]) -> Result<Vec<u8>, StorageError> {
        let gone = |path: &std::path::Path| StorageError::Changed {
            path: path.to_owned(),
            expected: format!("the bytes of {}..{}", range.start, range.end),
            found: "fewer bytes".into(),
        };
        match &self.step.write {
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
            StepWrite::Gap { description: says, header } => Ok(self.gap_bytes(&range, says, header.as_deref())),
            StepWrite::CopyFrom { from } => match &self.source {
                ByteSource::Unavailable => Err(gone(from)),
                ByteSource::Donor(donor) => {
                    let mut bytes = vec![0; (range.end - range.start) as usize];
                    let read = donor.read_at(&mut bytes, range.start)?;
                    donor.ensure_bytes_available(range.start + read as u64, range.end)?;
                    Ok(bytes)
                }
                ByteSource::Journal(journal, part) => {
                    journal.read_range(*part, range.clone())?.ok_or_else(|| gone(&journal.record.journal))
                }
            },
            StepWrite::Truncate => Ok(Vec::new()),
        }
    }

    fn gap_bytes(&mut self, range: &Range<u64>, says: &str, header: Option<&str>) -> Vec<u8> {
        let header = header.and_then(hex::decode).unwrap_or_default();
        let first = self.step.start + header.len() as u64;
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        let mut at = range.start;
        while at < range.end {
            if at < first {
                let from = (at - self.step.start) as usize;
                let to = header.len().min((range.end - self.step.start) as usize);
                bytes.extend_from_slice(header.get(from..to).unwrap_or_default());
                at += (to - from) as u64;
                continue;
            }
            let piece = gap_frame_range(first..self.step.new_end, at);
            if self.last_gap_frame.as_ref().is_none_or(|(start, _)| *start != piece.start) {
                self.last_gap_frame = Some((piece.start, encode_gap_frame((piece.end - piece.start) as usize, says)));
            }
            let frame = self.last_gap_frame.as_ref().map(|(_, frame)| frame.as_slice()).unwrap_or_default();
            let to = range.end.min(piece.end);
            bytes.extend_from_slice(
                frame.get((at - piece.start) as usize..(to - piece.start) as usize).unwrap_or_default(),
            );
            at = to;
        }
        bytes
    }

    /// Tells `each` all bytes that the step leaves, a chunk at a time, with those that stand there now.
    pub(super) fn for_each_chunk(&mut self, log: &LogFile, visit: &mut StepChunkVisitor) -> Result<(), StorageError> {
        let step = self.step;
        let mut at = step.start;
        let mut buf = vec![0; CHUNK as usize];
        while at < step.new_end {
            let end = step.new_end.min(at + CHUNK);
            let there = (step.end.min(end).max(at) - at) as usize;
            let before = buf.get_mut(..there).unwrap_or_default();
            let read = log.read_at(before, at)?;
            log.ensure_bytes_available(at + read as u64, at + there as u64)?;
            let before = buf.get(..there).unwrap_or_default();
            let after = self.read_chunk(at..end, before)?;
            visit(at, before, &after)?;
            at = end;
        }
        Ok(())
    }

    /// SHA-256 of all that the step leaves in its range.
    pub(super) fn sha256(&mut self, log: &LogFile) -> Result<Vec<u8>, StorageError> {
        let mut hash = Sha256::new();
        self.for_each_chunk(log, &mut |_, _, after| {
            hash.update(after);
            Ok(())
        })?;
        Ok(hash.finalize().to_vec())
    }
}

/// The gap frame of a chain over `range` in which `at` lies: all are as long as a frame may be but the last, and the one
/// before it where the last would be too short for a gap.
fn gap_frame_range(range: Range<u64>, at: u64) -> Range<u64> {
    let most = MAX_FRAME as u64;
    let last_len = (range.end - range.start) % most;
    let mut cut = range.end - last_len;
    if last_len > 0 && last_len < MIN_GAP && cut > range.start {
        cut -= MIN_GAP;
    }
    if at >= cut {
        return cut..range.end;
    }
    let start = range.start + (at - range.start) / most * most;
    start..(start + most).min(cut)
}

/// A gap frame of exactly `len` bytes that says `says` where that fits.
fn encode_gap_frame(len: usize, says: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    let payload = len.saturating_sub(LENGTH_LEN + frame::CHECKSUM_LEN);
    frame::encode(&gap::build_gap_payload(payload, says), &mut bytes);
    bytes
}

const _: () = assert!(HEADER_LEN < CHUNK, "a header lies in one chunk");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_tiles_its_range_and_no_link_is_too_short_for_a_gap() {
        let most = MAX_FRAME as u64;
        for len in [10, 11, 400, most - 1, most, most + 1, most + 9, most + 10, 2 * most + 3, 3 * most] {
            let range = 77..77 + len;
            let (mut at, mut links) = (range.start, 0);
            while at < range.end {
                let link = gap_frame_range(range.clone(), at);
                assert_eq!(link.start, at, "{len}");
                assert!((MIN_GAP..=most).contains(&(link.end - link.start)), "{len}: {link:?}");
                assert_eq!(gap_frame_range(range.clone(), link.end - 1), link, "{len}");
                (at, links) = (link.end, links + 1);
            }
            assert_eq!(at, range.end);
            assert_eq!(links, len.div_ceil(most), "{len}");
        }
    }
}
