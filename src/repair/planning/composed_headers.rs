//! Headers that are composed from other segments: number and checksum of the frame before are those of the log after all other
//! steps of the plan, which can restore this frame, or write the segment before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::step_output::{ByteSource, DonorSections, StepOutput};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::header::LogHeader;
use crate::format::{SegmentHeader, Version, frame, gap, hex};
use crate::inspect::{HeaderSource, LogView};
use crate::repair::types::{RepairAction, RepairStep, StepWrite, WorkMeter, diff_bytes};

/// The headers that the steps of a plan compose.
pub(super) struct ComposedHeaders<'a, 'm> {
    pub(super) view: &'a LogView,
    /// The open files of the donors.
    pub(super) donor_files: &'a [Arc<LogFile>],
    /// The bases of the missing segments whose headers are composed, ascending.
    pub(super) of_missing: &'a [u64],
    pub(super) meter: &'a WorkMeter<'m>,
}

/// A header that a step writes.
struct PlannedHeader {
    header: LogHeader,
    segment: SegmentHeader,
    /// The bytes that the log has in its place, when the step composes the header.
    composed_over: Option<Vec<u8>>,
}

impl ComposedHeaders<'_, '_> {
    /// Composes the headers again from the log as it is after the steps before them. Does nothing for a log in one file.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log or a donor cannot be read; `Cancelled`.
    pub(super) fn complete(&self, steps: &mut [RepairStep]) -> Result<(), StorageError> {
        if self.view.segments().is_none() {
            return Ok(());
        }
        // The headers of the segments before, as the plan writes them, by base.
        let mut planned: BTreeMap<u64, SegmentHeader> = BTreeMap::new();
        for at in 0..steps.len() {
            let (before, rest) = steps.split_at_mut(at);
            let Some(step) = rest.first_mut() else { break };
            let Some(PlannedHeader { header, mut segment, composed_over }) = self.planned_header(step)? else {
                continue;
            };
            if let Some(found) = composed_over {
                self.follow_steps(before, &planned, &mut segment)?;
                write_header(step, &found, LogHeader { segment: Some(segment), ..header });
            }
            planned.insert(step.start, segment);
        }
        Ok(())
    }

    /// Returns the header that a step writes; `None` when it writes none of a segment.
    fn planned_header(&self, step: &RepairStep) -> Result<Option<PlannedHeader>, StorageError> {
        let (bytes, composed_over) = match &step.write {
            StepWrite::Segment(new) => {
                let is_composed = self.of_missing.binary_search(&step.start).is_ok();
                (hex::decode(&new.header).unwrap_or_default(), is_composed.then(Vec::new))
            }
            StepWrite::Edits(_) | StepWrite::Parts { .. } if step.action == RepairAction::RebuildHeader => {
                let Some(damaged) = self.view.damaged_header_at(step.start)? else { return Ok(None) };
                let is_composed = damaged.expected.source == HeaderSource::OtherSegments;
                (damaged.expected.bytes.to_vec(), is_composed.then(|| damaged.found.to_vec()))
            }
            _ => return Ok(None),
        };
        let header = LogHeader::decode(&bytes).ok();
        Ok(header.and_then(|header| Some(PlannedHeader { header, segment: header.segment?, composed_over })))
    }

    /// Sets the number and the checksum before a segment to those that follow from the log after the steps before it.
    fn follow_steps(
        &self,
        before: &[RepairStep],
        planned: &BTreeMap<u64, SegmentHeader>,
        segment: &mut SegmentHeader,
    ) -> Result<(), StorageError> {
        let Some(segments) = self.view.segments() else { return Ok(()) };
        // The step that writes the last bytes before the segment. Bytes that are cut off after them are at no offset of the log.
        let last_step = before.iter().rev().find(|step| step.excess().is_none());
        let last_step = last_step.filter(|step| step.affected_range().end == segment.base);
        let listed = segments.base_before(segment.base);
        let base = listed.max(planned.range(..segment.base).next_back().map(|(base, _)| *base));
        let present = |base: u64| self.view.segment_view(base).ok()?.segment_header();
        let header = base.and_then(|base| planned.get(&base).copied().or_else(|| present(base)));
        if let Some(header) = header {
            let is_adjacent = match last_step {
                Some(step) => !matches!(step.write, StepWrite::GiveUp(_)),
                None => segment.base.checked_sub(1).is_some_and(|last| segments.segment_at(last).missing().is_empty()),
            };
            if is_adjacent || segment.number <= header.number {
                segment.number = header.number.saturating_add(1);
            }
        }
        if let Some(step) = last_step {
            segment.prev_checksum = self.last_checksum(step)?.unwrap_or_default();
        }
        Ok(())
    }

    /// Returns the checksum of the last frame that a step writes; `None` when it is a gap, and when the step writes no frame.
    fn last_checksum(&self, step: &RepairStep) -> Result<Option<u32>, StorageError> {
        let is_gap_last = step.sections().last().is_some_and(|section| section.from.is_none());
        if is_gap_last || step.changes_file() && !matches!(step.write, StepWrite::Segment(_)) {
            return Ok(None);
        }
        let (format, header_len) = (self.view.log().format(), Version::V2.first_frame_offset());
        let source = Some(Box::new(DonorSections { step, files: self.donor_files }) as Box<dyn ByteSource>);
        let (mut at, mut buf, mut last) = (step.start, Vec::new(), None);
        let mut output = StepOutput::new(format, step, source);
        output.for_each_chunk(self.view.log(), self.meter, &mut |_, _, bytes| {
            buf.extend_from_slice(bytes);
            let mut used = 0;
            while let Some(rest) = buf.get(used..).filter(|rest| !rest.is_empty()) {
                let len = match frame::decode(rest, format, at) {
                    frame::DecodeResult::Complete(frame) => {
                        last = Some((at + frame.len(), frame.checksum())).filter(|_| !gap::is_gap(frame.payload()));
                        frame.len()
                    }
                    // The header of a segment is before its first frame.
                    frame::DecodeResult::Corrupt(_) if rest.len() as u64 >= header_len => header_len,
                    frame::DecodeResult::Incomplete { .. } | frame::DecodeResult::Corrupt(_) => break,
                };
                (at, used) = (at + len, used + len as usize);
            }
            buf.drain(..used);
            Ok(())
        })?;
        Ok(last.filter(|(end, _)| *end == step.new_end).map(|(_, checksum)| checksum))
    }
}

/// Makes `step` write the header over the bytes `found`, which are not there where the segment is missing.
fn write_header(step: &mut RepairStep, found: &[u8], header: LogHeader) {
    let bytes = header.encode();
    match &mut step.write {
        StepWrite::Segment(new) => new.header = hex::encode(&bytes),
        // The log ends within the header of its last segment, so the whole header is written.
        StepWrite::Parts { header, .. } => *header = Some(hex::encode(&bytes)),
        write if bytes.as_ref() != found => *write = StepWrite::Edits(diff_bytes(step.start, found, &bytes)),
        _ => {}
    }
}
